#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The scenario of client_auth.lua as a shell script around openssl's server and client, a pair of
# processes for each handshake:
#   openssl.sh CERTIFICATES COUNT
set -euo pipefail
certificates=$1
count=$2
directory=$(mktemp -d)
trap 'jobs -p | xargs kill 2>/dev/null || true; rm -r "$directory"' EXIT

# An input that does not end, for with it the server would; and an output to read a port from.
mkfifo "$directory/input" "$directory/output"
exec 3<>"$directory/input"

fail() {
    echo "$*" >&2
    tail -n 20 "$directory"/*.log >&2
    exit 1
}

# Runs one of openssl's two programs as `name`.
run() {
    local program=$1 name=$2
    shift 2
    timeout 10 openssl "$program" -cert "$certificates/$name/cert.pem" \
        -cert_chain "$certificates/$name/chain.pem" -key "$certificates/$name/key.pem" \
        -CAfile "$certificates/root.pem" -verify_return_error "$@"
}

handshake() {
    local version=$1 line
    run s_server server "$version" -accept 127.0.0.1:0 -naccept 1 -Verify 2 \
        <&3 >"$directory/output" 2>"$directory/server.log" &
    exec 4<"$directory/output"
    until [[ ${line:-} == ACCEPT* ]]; do
        read -r line <&4 || fail "the server does not listen"
    done
    run s_client client "$version" -connect "127.0.0.1:${line##*:}" -verify 2 \
        -servername server.example -verify_hostname server.example \
        </dev/null >"$directory/client.log" 2>&1 || fail "the client failed"
    cat <&4 >>"$directory/server.log"
    wait $! || fail "the server failed"
    grep -q "Verify return code: 0 (ok)" "$directory/client.log" || fail "the client did not verify"
    grep -q "^subject=CN *= *alice" "$directory/server.log" || fail "the server saw no certificate"
}

versions=(-tls1_2 -tls1_3)
for ((i = 0; i < count; i++)); do
    handshake "${versions[i % 2]}"
done
