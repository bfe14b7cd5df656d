#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317 # `check` calls the functions
# Bazel: a test of three shards in its sandbox, with what Bazel asks of a test runner.
# shellcheck source-path=SCRIPTDIR source=engine.bash
source "$(dirname "${BASH_SOURCE[0]}")/engine.bash" "$@"

# Another version than Debian's would fetch other rules.
for needed in bazel-4 zip unzip; do
    command -v "$needed" >/dev/null || skip "there is no $needed"
done
/usr/share/bazel/linux-sandbox -- /bin/true 2>/dev/null || skip "Bazel's sandbox cannot be had here"

# Nothing of the user's, nothing from outside: what Bazel would fetch is a stub, and so is the rule
# sh_test, whose own needs a launcher for Windows.
in_bazel() {
    (cd workspace && bazel-4 --nohome_rc --noworkspace_rc \
        --output_user_root="$work/bazel" --max_idle_secs=120 "$@")
}

bazel_test() {
    in_bazel test --experimental_repository_disable_download --curses=no --noshow_progress \
        --override_repository=remote_coverage_tools="$work/coverage" \
        --test_env=PATH="$PATH" --spawn_strategy=sandboxed --test_output=errors \
        --test_summary=testcase --nosandbox_debug "$@" 2>&1 | tee bazel.log
    return "${PIPESTATUS[0]}"
}

stop_engine() { in_bazel shutdown; }

mkdir coverage workspace
cp -R suite workspace
touch coverage/WORKSPACE workspace/WORKSPACE
cat >coverage/BUILD <<'END'
filegroup(name = "coverage_report_generator", visibility = ["//visibility:public"])
END
cat >workspace/sh_test.bzl <<'END'
def _sh_test(ctx):
    program = ctx.actions.declare_file(ctx.label.name)
    ctx.actions.symlink(output = program, target_file = ctx.files.srcs[0], is_executable = True)
    runfiles = ctx.runfiles(files = ctx.files.srcs + ctx.files.data)
    return [DefaultInfo(executable = program, runfiles = runfiles)]

sh_test = rule(
    implementation = _sh_test,
    test = True,
    attrs = {
        "srcs": attr.label_list(allow_files = True),
        "data": attr.label_list(allow_files = True),
    },
)
END
cat >workspace/BUILD <<'END'
load(":sh_test.bzl", "sh_test")

sh_test(
    name = "tls",
    size = "small",
    srcs = ["tls.sh"],
    data = glob(["suite/**/*.lua"]),
    shard_count = 3,
)
END
cat >workspace/tls.sh <<'END'
#!/bin/sh
moonshake run suite --format "json=$TEST_UNDECLARED_OUTPUTS_DIR/report.json" "$@"
status=$?
[ ! -f "$TEST_SHARD_STATUS_FILE" ] || touch "$TEST_UNDECLARED_OUTPUTS_DIR/knows-shards"
[ ! -e "$TEST_PREMATURE_EXIT_FILE" ] || touch "$TEST_UNDECLARED_OUTPUTS_DIR/ended-early"
exit $status
END
chmod +x workspace/tls.sh
logs=workspace/bazel-testlogs/tls

# The JSON reports of the shards, out of what Bazel kept.
collect() {
    local kept
    for kept in "$logs"/shard_*_of_*; do
        unzip -p "$kept/test.outputs/outputs.zip" report.json >"$(basename "$kept").json" || return
    done
}

listed() {
    local kept
    for kept in "$logs"/shard_*_of_*; do
        unzip -Z1 "$kept/test.outputs/outputs.zip"
    done
}

# In how many places of the shards' XML a text stands.
in_xml() {
    cat "$logs"/shard_?_of_3/test.xml | grep -o -- "$1" | wc -l
}

xml_has_each_case() {
    local cases
    cases=$("$lua" "$engines/outcomes.lua" whole.json | wc -l)
    echo "cases: $cases, in XML: $(in_xml '<testcase ')"
    [ "$(in_xml '<testcase ')/$(in_xml '<failure')/$(in_xml '<error')" = "$cases/1/1" ] &&
        grep "Test cases: finished with $((cases - 2)) passing and 2 failing out of $cases" bazel.log
}

# Whether each shard, an empty one too, said that it knows of shards, and came to its end.
kept_the_contract() {
    listed >kept
    cat kept
    [ "$(grep -c knows-shards kept)/$(grep -c ended-early kept)" = 3/0 ]
}

# Of the one failure that has a link.
kept_the_capture() {
    listed >kept
    cat kept
    [ "$(grep -c '^suite-outcomes.lua-this-one-fails-[0-9a-f]*\.pcapng$' kept)" = 1 ] &&
        [ "$(grep -c pcapng kept)/$(in_xml '\[\[ATTACHMENT|[^]]*pcapng\]\]')" = 1/1 ]
}

merged_cases() {
    collect && moonshake merge shard_*_of_*.json --format json=merged.json >merge.log 2>&1
    echo "exit status $?, cases: $("$lua" "$engines/outcomes.lua" merged.json | wc -l)" | tee cases
    cat merge.log
    grep -qx "$1" cases
}

check "the suite fails on one machine" exits 1 moonshake run suite --format json=whole.json

check "Bazel sees the test fail" exits 3 bazel_test //:tls
check "Bazel reads each case in the XML" xml_has_each_case
check "each shard keeps the contract" kept_the_contract
check "the capture of a failure is kept" kept_the_capture
check "each shard left its report" collect
check "the shards together fail" exits 1 moonshake merge shard_*_of_*.json --format json=merged.json
check "each case ran once, as on one machine" is_the_whole merged.json
check "without a shard there is no whole" \
    complains "shard 2/3 is missing" moonshake merge shard_1_of_3.json shard_3_of_3.json

check "a filter of Bazel's is obeyed, and shards without a case are fine" exits 0 bazel_test //:tls \
    --test_filter='two ends shake hands[client_auth=none,version=TLS1.2]'
check "empty shards keep the contract" kept_the_contract
check "of the filter's case there is one" merged_cases "exit status 0, cases: 1"
check "a filter that means nothing fails" exits 3 bazel_test //:tls --test_filter='no such case'
check "Bazel's early end is obeyed" exits 3 bazel_test //:tls --test_filter='this one' \
    --test_runner_fail_fast
check "after the first failure of a shard no case ran" merged_cases "exit status 1, cases: 4"

finish
