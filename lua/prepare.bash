# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What scenarios/run and tests/run share: installing what is missing, and building. To be sourced.
# (It runs on macOS's bash 3.2 too.)

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What is wanted: how to see that it is there, and what it is called with apt, dnf, apk, pacman and
# brew ("-": nothing to install there; "rock:NAME": by LuaRocks). A check names alternatives:
# "command a b", "library a b" (pkg-config), "module a" (of Lua 5.4).
needed_to_run() {
    cat <<'END'
command cc gcc clang        | gcc libc6-dev     | gcc                | gcc musl-dev     | gcc           | -
command make ninja samu     | ninja-build       | ninja-build        | samurai          | ninja         | ninja
command cmake               | cmake             | cmake              | cmake            | cmake         | cmake
command pkg-config pkgconf  | pkg-config        | pkgconf-pkg-config | pkgconf          | pkgconf       | pkgconf
library gnutls              | libgnutls28-dev   | gnutls-devel       | gnutls-dev       | gnutls        | gnutls
library lua                 | liblua5.4-dev     | lua-devel          | lua5.4-dev       | lua           | lua@5.4
lua                         | lua5.4            | lua                | lua5.4           | lua           | lua@5.4
module luv                  | lua-luv           | lua-luv            | lua5.4-luv       | lua-luv       | rock:luv
module argparse             | lua-argparse      | lua-argparse       | lua5.4-argparse  | lua-argparse  | rock:argparse
module dkjson               | lua-dkjson        | rock:dkjson        | rock:dkjson      | rock:dkjson   | rock:dkjson
command openssl             | openssl           | openssl            | openssl          | openssl       | openssl
END
}

needed_to_test() {
    cat <<'END'
library cmocka              | libcmocka-dev     | libcmocka-devel    | cmocka-dev       | cmocka        | cmocka
sanitizers                  | gcc               | libasan libubsan   | clang compiler-rt | gcc          | -
command luacheck            | lua-check         | rock:luacheck      | rock:luacheck    | luacheck      | luacheck
command clang-format-14 clang-format | clang-format | clang-tools-extra | clang-extra-tools | clang     | clang-format
command clang-tidy-14 clang-tidy | clang-tidy   | clang-tools-extra  | clang-extra-tools | clang        | -
command valgrind            | valgrind          | valgrind           | valgrind         | valgrind      | -
command prove               | perl              | perl-Test-Harness  | perl-utils       | perl          | -
command parallel            | parallel          | parallel           | parallel         | parallel      | parallel
command tshark              | tshark            | wireshark-cli      | tshark           | wireshark-cli | wireshark
command curl                | curl              | curl               | curl             | curl          | curl
command xmllint             | libxml2-utils     | libxml2            | libxml2-utils    | libxml2       | -
command gnutls-serv         | gnutls-bin        | gnutls-utils       | gnutls-utils     | gnutls        | gnutls
command apache2 httpd       | apache2-bin       | httpd mod_ssl      | apache2 apache2-ssl | apache     | httpd
command stdbuf              | coreutils         | coreutils          | coreutils        | coreutils     | -
fuzzer                      | clang libclang-rt-dev | clang compiler-rt | clang compiler-rt | clang compiler-rt | -
END
}

# Engines that spread tests over machines, and are large: 130 MB and a JDK, 14 MB.
needed_for_engines() {
    cat <<'END'
command bazel-4             | bazel-bootstrap   | -                  | -                | -             | -
command zip                 | zip               | -                  | -                | -             | -
command slurmctld           | slurm-wlm         | -                  | -                | -             | -
command munged              | munge             | -                  | -                | -             | -
END
}

# A server that Debian's package starts as well.
needed_for_servers() {
    cat <<'END'
command nginx               | nginx-light       | nginx              | nginx            | nginx         | nginx
END
}

# A browser for the pages of reports and of serve, 300 MB, and what puts certificates into it.
needed_for_browser() {
    cat <<'END'
command chromium chromium-browser google-chrome-stable google-chrome | chromium | chromium | chromium | chromium | -
command certutil            | libnss3-tools     | nss-tools          | nss-tools        | nss           | -
command unshare             | util-linux        | util-linux         | util-linux       | util-linux    | -
END
}

fail() {
    echo "$*" >&2
    exit 2
}

# The interpreter's name: distributions disagree, and "lua" may be another version.
lua_interpreter() {
    local name
    for name in lua5.4 lua-5.4 lua54 lua; do
        if [ "$("$name" -e 'io.write(_VERSION)' 2>/dev/null)" = "Lua 5.4" ]; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

has_lua_library() {
    local name
    for name in lua5.4 lua-5.4 lua54; do
        ! pkg-config --exists "$name" 2>/dev/null || return 0
    done
    pkg-config --exists "lua >= 5.4" "lua < 5.5" 2>/dev/null
}

# The first compiler that can link a program with sanitizers.
sanitizing_compiler() {
    local name
    for name in cc gcc clang; do
        if echo 'int main(void) { return 0; }' |
            "$name" -fsanitize=address,undefined -x c -o /dev/null - 2>/dev/null; then
            echo "$name"
            return 0
        fi
    done
    return 1
}

# Whether clang has libFuzzer.
has_fuzzer() {
    echo 'int LLVMFuzzerTestOneInput(const char *data, unsigned long size) { return !data && size; }' |
        clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null
}

# Whether the first column of a row is there.
is_there() {
    local kind=$1 name lua
    shift
    case $kind in
    lua) lua_interpreter >/dev/null && return 0 ;;
    sanitizers) sanitizing_compiler >/dev/null && return 0 ;;
    fuzzer) has_fuzzer && return 0 ;;
    module) lua=$(lua_interpreter) && "$lua" -e "require '$1'" 2>/dev/null && return 0 ;;
    library)
        if [ "$1" = lua ]; then
            has_lua_library && return 0
        else
            pkg-config --exists "$1" 2>/dev/null && return 0
        fi
        ;;
    command)
        for name in "$@"; do
            ! command -v "$name" >/dev/null || return 0
            [ ! -x "/usr/sbin/$name" ] || return 0 # servers, where only root's PATH leads
        done
        ;;
    esac
    return 1
}

# Sets `manager` and `column` (of the tables above).
find_manager() {
    local number=2
    for manager in apt-get dnf apk pacman brew; do
        column=$number
        ! command -v "$manager" >/dev/null || return 0
        number=$((number + 1))
    done
    return 1
}

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root, and there is no sudo: $*"
    fi
}

install_packages() {
    echo "Installing with $manager: $*"
    case $manager in
    apt-get)
        as_root apt-get update -qq
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
            --no-install-recommends "$@" >/dev/null
        ;;
    dnf) as_root dnf install -y -q "$@" ;;
    apk) as_root apk add -q "$@" ;;
    pacman) as_root pacman -S --needed --noconfirm --quiet "$@" ;;
    brew) brew install -q "$@" ;;
    esac
}

install_rocks() {
    local name
    command -v luarocks >/dev/null || install_packages luarocks
    for name in "$@"; do
        echo "Installing with LuaRocks: $name"
        as_root luarocks --lua-version 5.4 install "$name" >/dev/null
    done
}

# The first column of each row (standard input) that is not there, with the wanted column.
missing_rows() {
    local check names
    while IFS= read -r row; do
        check=$(cut -d '|' -f 1 <<<"$row")
        names=$(cut -d '|' -f "$1" <<<"$row")
        # shellcheck disable=SC2086 # words
        is_there $check || echo "$check | $names"
    done
}

# Installs what of the tables (functions that print them) is missing; says what, and nothing when
# there is nothing to do.
install_missing() {
    local missing packages='' rocks='' name
    missing=$(for name in "$@"; do "$name"; done | missing_rows 1)
    [ -n "$missing" ] || return 0
    find_manager || fail "missing, and no package manager that this script knows:
$missing"
    missing=$(for name in "$@"; do "$name"; done | missing_rows "$column")
    for name in $(cut -d '|' -f 2 <<<"$missing"); do
        case $name in
        -) ;;
        rock:*) rocks="$rocks ${name#rock:}" ;;
        *) packages="$packages $name" ;;
        esac
    done
    # shellcheck disable=SC2086 # words
    [ -z "$packages" ] || install_packages $packages || fail "$manager failed"
    # shellcheck disable=SC2086 # words
    [ -z "$rocks" ] || install_rocks $rocks || fail "LuaRocks failed"
}

# Builds the targets $2 (words) in build$1; quiet unless it fails. What follows are CMake options; a
# folder that is there is configured anew only for options that it was not configured with. Sets
# `build` to the folder, which is in the cache directory where the clone may not be written to.
build_tree() {
    local suffix=$1 targets=$2 log generator=
    shift 2
    build=$top/build$suffix
    if [ ! -w "$top" ] && [ ! -w "$build" ]; then
        build=${XDG_CACHE_HOME:-$HOME/.cache}/moonshake/build$suffix
    fi
    mkdir -p "$build"
    log=$build/build.log
    if [ ! -f "$build/configured" ] || { [ $# -gt 0 ] && [ "$(cat "$build/configured")" != "$*" ]; }
    then
        # A folder that was configured by hand keeps its generator.
        [ ! -f "$build/CMakeCache.txt" ] && command -v ninja >/dev/null && generator=Ninja
        echo "Configuring ${build#"$top/"}"
        cmake -S "$top" -B "$build" ${generator:+-G "$generator"} \
            -DLUA_INTERPRETER="$(command -v "$(lua_interpreter)")" "$@" >"$log" 2>&1 || show "$log"
        echo "$*" >"$build/configured"
    fi
    # shellcheck disable=SC2086 # words
    cmake --build "$build" --parallel "$(processors)" --target $targets >"$log" 2>&1 || show "$log"
}

show() {
    cat "$1" >&2
    fail "the build failed"
}

processors() {
    getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}
