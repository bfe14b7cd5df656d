#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# A server and its clients, two processes:
#   served.sh MOONSHAKE LIVE CERTIFICATES COUNT listener|openssl together|each
# prints what the listener measured (KiB a client, CPU microseconds a handshake); of openssl's
# server, which serves one after the other, only the latter.
set -euo pipefail
program=$1 live=$2 certificates=$3 count=$4 server=$5 how=$6
directory=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; rm -r "$directory"' EXIT
mkfifo "$directory/input" "$directory/output"
exec 3<>"$directory/input"

clients() {
    "$program" lua "$live/clients.lua" "$certificates" "$1" "$count" "$how"
}

if [ "$server" = listener ]; then
    "$program" lua "$live/listener.lua" "$certificates" "$count" "$how" 3>&- \
        <"$directory/input" >"$directory/output" &
    exec 4<"$directory/output"
    read -r port <&4
    clients "$port" 3>&- 4<&- &
    read -r measured <&4
    echo "$measured"
    exec 3>&-
    wait
else
    TIMEFORMAT='%U %S'
    { time openssl s_server -accept 127.0.0.1:0 -naccept "$count" -Verify 2 -verify_return_error \
        -cert "$certificates/server/cert.pem" -cert_chain "$certificates/server/chain.pem" \
        -key "$certificates/server/key.pem" -CAfile "$certificates/root.pem" \
        <&3 2>"$directory/log"; } >"$directory/output" 2>"$directory/cpu" &
    exec 4<"$directory/output"
    line=
    until [[ $line == ACCEPT* ]]; do
        read -r line <&4
    done
    cat <&4 >/dev/null &
    clients "${line##*:}"
    wait $!
    until [ -s "$directory/cpu" ]; do
        wait -n
    done
    awk -v count="$count" '{ printf "%.1f\n", ($1 + $2) / count * 1e6 }' "$directory/cpu"
fi
