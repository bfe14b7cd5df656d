#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # `check` calls the functions
# GNU parallel: shards by number, and cases by id.
# shellcheck source-path=SCRIPTDIR source=engine.bash
source "$(dirname "${BASH_SOURCE[0]}")/engine.bash" "$@"

parallel --version 2>/dev/null | grep -q '^GNU parallel' || skip "there is no GNU parallel"
export PARALLEL_HOME=$work/.parallel

check "the suite fails on one machine" exits 1 moonshake run suite --format json=whole.json

# Its exit status is the number of commands that failed.
check "one of three shards fails" exits 1 \
    parallel -j3 moonshake run suite --shard {}/3 --format 'json=shard-{}.json' ::: 1 2 3
check "the shards together fail" exits 1 moonshake merge shard-*.json --format json=merged.json
check "each case ran once, as on one machine" is_the_whole merged.json
check "without a shard there is no whole" \
    complains "shard 2/3 is missing" moonshake merge shard-1.json shard-3.json

by_id() {
    moonshake list suite | parallel -j4 moonshake run {} --format 'json=case-{#}.json'
}
check "two cases fail, each run by its id" exits 2 by_id
check "cases together fail" exits 1 moonshake merge case-*.json --format json=merged.json
check "each case ran once by its id" is_the_whole merged.json

finish
