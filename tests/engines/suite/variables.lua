-- SPDX-License-Identifier: MIT
-- Cases for the engines to spread: none of them sees that it was spread. A harness that a case
-- starts would leave out cases once more, and write over our files.
local ms = require "moonshake"

ms.scenario "a case does not see the engine" {
  tags = { "passes" },
  matrix = {
    variable = {
      "TEST_SHARD_INDEX", "TEST_TOTAL_SHARDS", "TEST_SHARD_STATUS_FILE", "GTEST_SHARD_INDEX",
      "GTEST_TOTAL_SHARDS", "XML_OUTPUT_FILE", "TESTBRIDGE_TEST_ONLY", "TEST_PREMATURE_EXIT_FILE",
      "CI_NODE_INDEX", "CIRCLE_NODE_INDEX", "BUILDKITE_PARALLEL_JOB", "CLOUD_RUN_TASK_INDEX",
      "SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX",
    },
  },
  run = function(case)
    ms.expect(os.getenv(case.variable)):is_nil()
  end,
}
