# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of the engines share; sourced with the program and a Lua interpreter as arguments.
# Gives: `moonshake` in PATH; a copy of suite/ in the directory $work, which is the working directory
# and is removed at the end; whole.json, a run of the suite on this machine alone.
set -uo pipefail

engines=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lua=$2
work=$(mktemp -d)
points=0
failures=0

# What an engine leaves behind beside files; a test may have its own.
stop_engine() { :; }

clean_up() {
    stop_engine >"$work/stop.log" 2>&1
    cd / && chmod -R u+w "$work" && rm -rf "$work"
}
trap clean_up EXIT

skip() {
    echo "skipped: $*"
    exit 0
}

# The test "$1": passes if the command that follows has exit status 0, and else shows what it said.
check() {
    local sentence=$1
    shift
    points=$((points + 1))
    if "$@" >"$work/check.log" 2>&1; then
        echo "ok $points - $sentence"
    else
        echo "not ok $points - $sentence"
        sed 's/^/# /' "$work/check.log"
        failures=$((failures + 1))
    fi
}

# Whether a command has the exit status $1.
exits() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    [ "$status" = "$wanted" ] || {
        echo "exit status $status, wanted $wanted: $*"
        return 1
    }
}

# Whether the JSON report $1 says the same of the same cases as the one of this machine alone.
is_the_whole() {
    diff <("$lua" "$engines/outcomes.lua" whole.json) <("$lua" "$engines/outcomes.lua" "$1")
}

# Whether a command fails, with a text $1 in what it says.
complains() {
    local text=$1
    shift
    exits 2 "$@" 2>&1 | tee complaint && grep -qF "$text" complaint
}

# Whether a condition comes true within $1 seconds; it is asked all the time.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || {
            echo "not within the deadline: $*"
            return 1
        }
    done
}

finish() {
    echo "1..$points"
    [ "$failures" = 0 ]
    exit
}

PATH=$(cd "$(dirname "$1")" && pwd):$PATH
export PATH
cd "$work" || exit 2
cp -R "$engines/suite" .
