#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # `check` calls the functions
# Engines that cannot run here: what they set in the environment of each job is set by hand.
# shellcheck source-path=SCRIPTDIR source=engine.bash
source "$(dirname "${BASH_SOURCE[0]}")/engine.bash" "$@"

# A command in an environment with nothing but PATH and what is given before "--".
clean() {
    local variables=("PATH=$PATH")
    while [ "$1" != -- ]; do
        variables+=("$1")
        shift
    done
    shift
    env -i "${variables[@]}" "$@"
}

# Three jobs and their merge. $1: the word behind --shard, or nothing; then variables, in which @0 and
# @1 stand for the job's number from 0 and from 1.
three_jobs() {
    local word=$1 number variables statuses=
    shift
    rm -f shard-*.json
    for number in 0 1 2; do
        variables=("${@//@0/$number}")
        variables=("${variables[@]//@1/$((number + 1))}")
        clean "${variables[@]}" -- moonshake run suite ${word:+--shard "${word//@1/$((number + 1))}"} \
            --format "json=shard-$number.json"
        statuses+=$?
    done
    [ "$statuses" = 100 ] || {
        echo "exit statuses $statuses, wanted 1, 0, 0"
        return 1
    }
    exits 1 moonshake merge shard-*.json --format json=merged.json && is_the_whole merged.json
}

check "the suite fails on one machine" exits 1 moonshake run suite --format json=whole.json

check "GitLab counts from one" three_jobs auto CI_NODE_INDEX=@1 CI_NODE_TOTAL=3
check "CircleCI counts from zero" three_jobs auto CIRCLE_NODE_INDEX=@0 CIRCLE_NODE_TOTAL=3
check "Buildkite counts from zero" \
    three_jobs auto BUILDKITE_PARALLEL_JOB=@0 BUILDKITE_PARALLEL_JOB_COUNT=3
check "Cloud Run counts from zero" \
    three_jobs auto CLOUD_RUN_TASK_INDEX=@0 CLOUD_RUN_TASK_COUNT=3
check "Kubernetes tells no total" three_jobs auto/3 JOB_COMPLETION_INDEX=@0
check "GitHub tells nothing" three_jobs @1/3 GITHUB_ACTIONS=true
check "GoogleTest's variables act by themselves" \
    three_jobs "" GTEST_SHARD_INDEX=@0 GTEST_TOTAL_SHARDS=3
check "Bazel's variables act by themselves" \
    three_jobs "" TEST_SHARD_INDEX=@0 TEST_TOTAL_SHARDS=3

# The file that tells an early end is there as long as cases run, and no longer.
early_end() {
    cat >early.lua <<'END'
local ms = require "moonshake"
ms.scenario "the file is there" {
  run = function() ms.expect(io.open "early").no:is_nil() end,
}
END
    exits 0 clean TEST_PREMATURE_EXIT_FILE="$work/early" -- moonshake run early.lua &&
        exits 1 [ -e early ]
}
check "what tells an early end is there until the end" early_end
check "half of a pair is no shard" complains \
    "TEST_TOTAL_SHARDS is set, TEST_SHARD_INDEX is not" \
    clean TEST_TOTAL_SHARDS=3 -- moonshake run suite
check "nothing in the environment is no shard" complains \
    "nothing in the environment tells a shard" clean -- moonshake run suite --shard auto
check "a shard beyond the last is none" complains "shards are numbered from 1 to 3" \
    moonshake run suite --shard 4/3
one_case_in_three_shards() {
    local index
    for index in 1 2 3; do
        exits 0 moonshake run suite -k 'client_auth=none,version=TLS1.2' --shard "$index/3" || return
    done
}
check "an empty shard is a success" one_case_in_three_shards
check "a shard of nothing is nothing selected" exits 5 \
    moonshake run suite -k "no such case" --shard 1/3
check "variables of a CI service do nothing by themselves" exits 1 \
    clean CI_NODE_INDEX=1 CI_NODE_TOTAL=3 -- moonshake run suite --format json=merged.json
check "so that all cases ran" is_the_whole merged.json

finish
