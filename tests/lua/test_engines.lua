-- SPDX-License-Identifier: MIT
-- What the variables of engines mean, and which of their contradictions are told.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local engines = require "moonshake.runner.engines"
local test, equal, contains = unit.test, unit.equal, unit.contains

local AUTO = { auto = true }

local function read(environment, wish)
  return engines.read(wish, function(name) return environment[name] end)
end

-- "2/3", or "all".
local function shard(environment, wish)
  local made, problem = read(environment, wish)
  if not made then
    error("refused: " .. problem, 2)
  end
  return made.shard and ("%d/%d"):format(made.shard.index, made.shard.total) or "all"
end

local function refused(environment, wish, part)
  local made, problem = read(environment, wish)
  equal(made, nil)
  contains(problem, part)
end

test("without an engine nothing is asked for", function()
  local made = read {}
  equal(made.shard, nil)
  equal(made.filter, nil)
  equal(made.fail_fast, false)
  equal(#made.reports, 0)
  equal(made.status_file, nil)
  equal(made.premature_exit_file, nil)
  equal(made.tmpdir, nil)
  equal(made.outputs, nil)
end)

test("the environment of this process is read where none is given", function()
  local made, problem = engines.read({ index = 1, total = 2 })
  equal(made and made.shard.total or problem, 2)
end)

test("a shard by flag needs no engine", function()
  equal(shard({}, { index = 2, total = 3 }), "2/3")
  equal(shard({ CI_NODE_INDEX = "1", CI_NODE_TOTAL = "4" }, { index = 2, total = 3 }), "2/3")
end)

test("Bazel and GoogleTest count from 0, and act by themselves", function()
  equal(shard { TEST_SHARD_INDEX = "0", TEST_TOTAL_SHARDS = "3" }, "1/3")
  equal(shard { TEST_SHARD_INDEX = "2", TEST_TOTAL_SHARDS = "3" }, "3/3")
  equal(shard { GTEST_SHARD_INDEX = "1", GTEST_TOTAL_SHARDS = "2" }, "2/2")
  equal(shard { TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3",
                GTEST_SHARD_INDEX = "1", GTEST_TOTAL_SHARDS = "3" }, "2/3")
  equal(shard({ TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3" }, AUTO), "2/3")
  equal(shard({ TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3" }, { index = 2, total = 3 }), "2/3")
  equal(shard { TEST_SHARD_INDEX = "0", TEST_TOTAL_SHARDS = "1" }, "1/1")
end)

test("a total of 0 is Bazel's word for a test that is not sharded", function()
  equal(shard { TEST_SHARD_INDEX = "0", TEST_TOTAL_SHARDS = "0" }, "all")
  equal(shard { TEST_TOTAL_SHARDS = "0" }, "all")
  equal(shard { TEST_SHARD_INDEX = "", TEST_TOTAL_SHARDS = "" }, "all")
  refused({ GTEST_SHARD_INDEX = "0", GTEST_TOTAL_SHARDS = "0" }, nil, "GTEST_TOTAL_SHARDS is 0")
end)

test("the other engines act on --shard auto alone", function()
  local tasks = { SLURM_ARRAY_TASK_MIN = "1", SLURM_ARRAY_TASK_MAX = "3",
                  SLURM_ARRAY_TASK_STEP = "1" }
  for _, row in ipairs {
    { "CI_NODE_INDEX", "CI_NODE_TOTAL", "2", "2/3" },
    { "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", "2", "3/3" },
    { "BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", "2", "3/3" },
    { "CLOUD_RUN_TASK_INDEX", "CLOUD_RUN_TASK_COUNT", "2", "3/3" },
    { "SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "2", "2/3" },
  } do
    local index, total, value, wanted = table.unpack(row)
    local environment = { [index] = value, [total] = "3" }
    for name, task in pairs(index:find "^SLURM" and tasks or {}) do
      environment[name] = task
    end
    equal(shard(environment), "all", index)
    equal(shard(environment, AUTO), wanted, index)
    equal(shard(environment, { auto = true, total = 3 }), wanted, index)
    refused(environment, { auto = true, total = 4 },
            ("--shard auto/4: %s means shard %s"):format(index, wanted))
  end
end)

test("both ends of the range are in it, and nothing beyond", function()
  equal(shard({ CI_NODE_INDEX = "1", CI_NODE_TOTAL = "2" }, AUTO), "1/2")
  equal(shard({ CI_NODE_INDEX = "2", CI_NODE_TOTAL = "2" }, AUTO), "2/2")
  refused({ CI_NODE_INDEX = "0", CI_NODE_TOTAL = "2" }, AUTO,
          "CI_NODE_INDEX is 0: GitLab counts from 1 to 2 where CI_NODE_TOTAL is 2")
  refused({ CI_NODE_INDEX = "3", CI_NODE_TOTAL = "2" }, AUTO, "CI_NODE_INDEX is 3")
  equal(shard({ CIRCLE_NODE_INDEX = "0", CIRCLE_NODE_TOTAL = "2" }, AUTO), "1/2")
  refused({ CIRCLE_NODE_INDEX = "2", CIRCLE_NODE_TOTAL = "2" }, AUTO,
          "CIRCLE_NODE_INDEX is 2: CircleCI counts from 0 to 1 where CIRCLE_NODE_TOTAL is 2")
  refused({ TEST_SHARD_INDEX = "3", TEST_TOTAL_SHARDS = "3" }, nil,
          "TEST_SHARD_INDEX is 3: Bazel counts from 0 to 2 where TEST_TOTAL_SHARDS is 3")
  refused({ CLOUD_RUN_TASK_INDEX = "0", CLOUD_RUN_TASK_COUNT = "0" }, AUTO,
          "CLOUD_RUN_TASK_COUNT is 0: there is at least one shard")
end)

test("half of a pair is refused", function()
  refused({ TEST_TOTAL_SHARDS = "3" }, nil, "TEST_TOTAL_SHARDS is set, TEST_SHARD_INDEX is not")
  refused({ TEST_SHARD_INDEX = "0" }, nil, "TEST_SHARD_INDEX is set, TEST_TOTAL_SHARDS is not")
  refused({ TEST_SHARD_INDEX = "0" }, { index = 1, total = 3 }, "TEST_TOTAL_SHARDS is not")
  refused({ GTEST_SHARD_INDEX = "0" }, nil, "GTEST_SHARD_INDEX is set, GTEST_TOTAL_SHARDS is not")
  refused({ CIRCLE_NODE_TOTAL = "1" }, AUTO, "CIRCLE_NODE_TOTAL is set, CIRCLE_NODE_INDEX is not")
  refused({ SLURM_ARRAY_TASK_ID = "1" }, AUTO,
          "SLURM_ARRAY_TASK_ID is set, SLURM_ARRAY_TASK_COUNT is not")
  refused({ SLURM_ARRAY_TASK_ID = "1", SLURM_ARRAY_TASK_COUNT = "1" }, AUTO,
          "SLURM_ARRAY_TASK_ID is set, SLURM_ARRAY_TASK_MIN is not")
  equal(shard { CIRCLE_NODE_TOTAL = "1" }, "all")
end)

test("what is no number is refused", function()
  for _, value in ipairs { "x", "-1", "1.0", "0x1", " 1", "1 ", "1e3", "\u{661}" } do
    refused({ TEST_SHARD_INDEX = value, TEST_TOTAL_SHARDS = "3" }, nil,
            ("TEST_SHARD_INDEX is '%s': a number wanted"):format(value))
    refused({ CI_NODE_INDEX = "1", CI_NODE_TOTAL = value }, AUTO,
            ("CI_NODE_TOTAL is '%s': a number wanted"):format(value))
  end
end)

test("a job of GitLab that is not parallel has a total and no index", function()
  equal(shard({ CI_NODE_TOTAL = "1" }, AUTO), "1/1")
  refused({ CI_NODE_TOTAL = "2" }, AUTO, "CI_NODE_TOTAL is set, CI_NODE_INDEX is not")
  refused({ CI_NODE_TOTAL = "1", CI_NODE_INDEX = "2" }, AUTO, "CI_NODE_INDEX is 2")
end)

-- As Slurm 22.05 sets them.
local function slurm(id, count, min, max, step)
  return {
    SLURM_ARRAY_TASK_ID = id, SLURM_ARRAY_TASK_COUNT = count, SLURM_ARRAY_TASK_MIN = min,
    SLURM_ARRAY_TASK_MAX = max, SLURM_ARRAY_TASK_STEP = step,
  }
end

test("an array of Slurm may begin anywhere and have steps", function()
  equal(shard(slurm("1", "3", "1", "3", "1"), AUTO), "1/3")
  equal(shard(slurm("0", "3", "0", "6", "3"), AUTO), "1/3")
  equal(shard(slurm("3", "3", "0", "6", "3"), AUTO), "2/3")
  equal(shard(slurm("6", "3", "0", "6", "3"), AUTO), "3/3")
  equal(shard(slurm("7", "3", "5", "7", "1"), AUTO), "3/3")
  equal(shard(slurm("7", "3", "5", "7"), AUTO), "3/3")
  equal(shard(slurm("2", "1", "2", "2", "1"), AUTO), "1/1")
end)

test("a list of Slurm that is no range does not tell which comes where", function()
  refused(slurm("2", "3", "1", "4", "1"), AUTO, "SLURM_ARRAY_TASK_COUNT is 3, and the array goes"
          .. " from 1 to 4: a range wanted, such as --array=1-3")
  refused(slurm("3", "3", "0", "6", "1"), AUTO, "a range wanted")
  refused(slurm("1", "3", "0", "6", "3"), AUTO,
          "SLURM_ARRAY_TASK_ID is 1, which is not in the array 0-6:3")
  refused(slurm("9", "3", "0", "6", "3"), AUTO, "SLURM_ARRAY_TASK_ID is 9")
end)

test("Kubernetes tells the index, the user the total", function()
  equal(shard({ JOB_COMPLETION_INDEX = "0" }, { auto = true, total = 3 }), "1/3")
  equal(shard({ JOB_COMPLETION_INDEX = "2" }, { auto = true, total = 3 }), "3/3")
  refused({ JOB_COMPLETION_INDEX = "2" }, AUTO,
          "Kubernetes's environment tells no total: --shard auto/N wanted")
  refused({ JOB_COMPLETION_INDEX = "3" }, { auto = true, total = 3 },
          "JOB_COMPLETION_INDEX is 3: Kubernetes counts from 0 to 2 where --shard auto/N is 3")
end)

test("auto where there is nothing is refused", function()
  refused({}, AUTO, "nothing in the environment tells a shard (GitLab, CircleCI, Buildkite,"
          .. " Cloud Run, Slurm, Kubernetes would)")
  refused({}, { auto = true, total = 3 }, "nothing in the environment tells a shard")
  refused({ GITHUB_ACTIONS = "true" }, AUTO,
          "--shard $((${{ strategy.job-index }} + 1))/${{ strategy.job-total }} wanted")
end)

test("contradictions are told with both variables", function()
  refused({ TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3",
            GTEST_SHARD_INDEX = "2", GTEST_TOTAL_SHARDS = "3" }, nil,
          "TEST_SHARD_INDEX means shard 2/3, GTEST_SHARD_INDEX means 3/3")
  refused({ TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3" }, { index = 1, total = 3 },
          "--shard means shard 1/3, TEST_SHARD_INDEX means 2/3")
  refused({ TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3" }, { index = 2, total = 4 },
          "--shard means shard 2/4, TEST_SHARD_INDEX means 2/3")
  refused({ TEST_SHARD_INDEX = "1", TEST_TOTAL_SHARDS = "3" }, { auto = true, total = 2 },
          "--shard auto/2: TEST_SHARD_INDEX means shard 2/3")
  refused({ CI_NODE_INDEX = "1", CI_NODE_TOTAL = "2",
            CIRCLE_NODE_INDEX = "1", CIRCLE_NODE_TOTAL = "2" }, AUTO,
          "CI_NODE_INDEX means shard 1/2, CIRCLE_NODE_INDEX means 2/2")
  equal(shard({ CI_NODE_INDEX = "1", CI_NODE_TOTAL = "2",
                CIRCLE_NODE_INDEX = "0", CIRCLE_NODE_TOTAL = "2" }, AUTO), "1/2")
end)

test("an engine that runs a single job is overruled by one within it", function()
  local array = slurm("2", "3", "1", "3", "1")
  array.CI_NODE_TOTAL = "1"
  equal(shard(array, AUTO), "2/3")
  array = slurm("2", "1", "2", "2", "1")
  array.CI_NODE_INDEX, array.CI_NODE_TOTAL = "2", "4"
  equal(shard(array, AUTO), "2/4")
  equal(shard({ CI_NODE_TOTAL = "1", JOB_COMPLETION_INDEX = "1" }, { auto = true, total = 2 }),
        "2/2")
end)

test("Bazel's other variables ask for a filter, an early end, files", function()
  local made = read {
    TESTBRIDGE_TEST_ONLY = "a text", TESTBRIDGE_TEST_RUNNER_FAIL_FAST = "1",
    XML_OUTPUT_FILE = "/x/test.xml", TEST_PREMATURE_EXIT_FILE = "/x/early",
    TEST_SHARD_STATUS_FILE = "/x/shard", TEST_TMPDIR = "/x/tmp",
    TEST_UNDECLARED_OUTPUTS_DIR = "/x/outputs",
  }
  equal(made.filter, "a text")
  equal(made.fail_fast, true)
  equal(#made.reports, 1)
  equal(made.reports[1].format, "junit")
  equal(made.reports[1].path, "/x/test.xml")
  equal(made.premature_exit_file, "/x/early")
  equal(made.status_file, "/x/shard")
  equal(made.tmpdir, "/x/tmp")
  equal(made.outputs, "/x/outputs")
  equal(read({ GTEST_SHARD_STATUS_FILE = "/x/g" }).status_file, "/x/g")
  equal(read({ TESTBRIDGE_TEST_RUNNER_FAIL_FAST = "0" }).fail_fast, false)
end)

test("an empty variable is none", function()
  local made = read {
    TESTBRIDGE_TEST_ONLY = "", TESTBRIDGE_TEST_RUNNER_FAIL_FAST = "", XML_OUTPUT_FILE = "",
    TEST_PREMATURE_EXIT_FILE = "", TEST_SHARD_STATUS_FILE = "", TEST_TMPDIR = "",
    TEST_UNDECLARED_OUTPUTS_DIR = "",
  }
  equal(made.filter, nil)
  equal(made.fail_fast, false)
  equal(#made.reports, 0)
  equal(made.premature_exit_file, nil)
  equal(made.status_file, nil)
  equal(made.tmpdir, nil)
  equal(made.outputs, nil)
end)

test("an early end is 0 or 1", function()
  refused({ TESTBRIDGE_TEST_RUNNER_FAIL_FAST = "yes" }, nil,
          "TESTBRIDGE_TEST_RUNNER_FAIL_FAST is 'yes': 0 or 1 wanted")
end)

test("what was read is taken from the children, but for places that may be theirs", function()
  local asked = {}
  engines.read(AUTO, function(name)
    asked[name] = true
  end)
  engines.read(AUTO, function(name) -- what is asked only of an array
    asked[name] = true
    return name:find "^SLURM_ARRAY" and "1" or nil
  end)
  asked.TEST_TMPDIR, asked.TEST_UNDECLARED_OUTPUTS_DIR, asked.GITHUB_ACTIONS = nil, nil, nil
  local erased = {}
  for _, name in ipairs(read({}).erase) do
    equal(erased[name], nil, name)
    erased[name] = true
    equal(asked[name], true, name)
  end
  for name in pairs(asked) do
    equal(erased[name], true, name)
  end
  equal(erased.TEST_SHARD_INDEX and erased.GTEST_TOTAL_SHARDS and erased.XML_OUTPUT_FILE, true)
end)

test("a bug is no contradiction", function()
  unit.raises("of the test", function()
    engines.read(nil, function() error("of the test", 0) end)
  end)
end)

unit.done()
