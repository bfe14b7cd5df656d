-- SPDX-License-Identifier: MIT
-- What the environment says when an engine that spreads tests over machines started this program.
-- Bazel's and GoogleTest's variables are a contract with the test and act by themselves. Those of
-- the others are there for every command of a job, so they act on --shard auto alone: cases that
-- were left out because some variable was set would be lost in silence.
local shard = require "moonshake.runner.shard"

local engines = {}

-- `first`: the index of the first job, or the variable that tells it. `unsharded`: the total that
-- means that nothing was spread. (Bazel sets GoogleTest's variables, too.)
local CONTRACTS = {
  { name = "Bazel", index = "TEST_SHARD_INDEX", total = "TEST_TOTAL_SHARDS", first = 0,
    unsharded = 0, status_file = "TEST_SHARD_STATUS_FILE" },
  { name = "GoogleTest", index = "GTEST_SHARD_INDEX", total = "GTEST_TOTAL_SHARDS", first = 0,
    status_file = "GTEST_SHARD_STATUS_FILE" },
}

local ENGINES = {
  { name = "GitLab", index = "CI_NODE_INDEX", total = "CI_NODE_TOTAL", first = 1, unsharded = 1 },
  { name = "CircleCI", index = "CIRCLE_NODE_INDEX", total = "CIRCLE_NODE_TOTAL", first = 0 },
  { name = "Buildkite", index = "BUILDKITE_PARALLEL_JOB", total = "BUILDKITE_PARALLEL_JOB_COUNT",
    first = 0 },
  { name = "Cloud Run", index = "CLOUD_RUN_TASK_INDEX", total = "CLOUD_RUN_TASK_COUNT", first = 0 },
  { name = "Slurm", index = "SLURM_ARRAY_TASK_ID", total = "SLURM_ARRAY_TASK_COUNT",
    first = "SLURM_ARRAY_TASK_MIN", last = "SLURM_ARRAY_TASK_MAX",
    step = "SLURM_ARRAY_TASK_STEP" },
  { name = "Kubernetes", index = "JOB_COMPLETION_INDEX", first = 0 },
}

local FILTER, FAIL_FAST = "TESTBRIDGE_TEST_ONLY", "TESTBRIDGE_TEST_RUNNER_FAIL_FAST"
local REPORT, EXIT_FILE = "XML_OUTPUT_FILE", "TEST_PREMATURE_EXIT_FILE"
local TEMPORARY, OUTPUTS = "TEST_TMPDIR", "TEST_UNDECLARED_OUTPUTS_DIR"

-- A problem travels to engines.read as an error.
local function refuse(...)
  error({ problem = string.format(...) }, 0)
end

-- The variable's value; an empty one is none.
local function text_of(getenv, name)
  local value = name and getenv(name)
  return value ~= "" and value or nil
end

local function number_of(getenv, name)
  local text = text_of(getenv, name)
  return text and (shard.whole(text) or refuse("%s is '%s': a number wanted", name, text))
end

-- A number that must be there because `other` is.
local function needed(getenv, name, other)
  return number_of(getenv, name) or refuse("%s is set, %s is not", other, name)
end

-- How many jobs come before job `index` of a Slurm array MIN-MAX:STEP. A list with gaps has the
-- same variables as a range, and does not tell.
local function place_in_array(getenv, engine, index, total)
  local first = needed(getenv, engine.first, engine.index)
  local last = needed(getenv, engine.last, engine.index)
  local step = math.max(number_of(getenv, engine.step) or 1, 1)
  if first + (total - 1) * step ~= last then
    refuse("%s is %d, and the array goes from %d to %d: a range wanted, such as --array=1-%d",
           engine.total, total, first, last, total)
  elseif index < first or index > last or (index - first) % step ~= 0 then
    refuse("%s is %d, which is not in the array %d-%d:%d", engine.index, index, first, last, step)
  end
  return (index - first) // step
end

local function place(engine, index, total, total_name)
  local last = engine.first + total - 1
  if index < engine.first or index > last then
    refuse("%s is %d: %s counts from %d to %d where %s is %d", engine.index, index, engine.name,
           engine.first, last, total_name, total)
  end
  return index - engine.first
end

-- The shard that an engine tells; nil where it tells none. `given`: the total of the command line.
local function shard_of(getenv, engine, given)
  local index, total = number_of(getenv, engine.index), number_of(getenv, engine.total)
  if not index and not total then
    return nil
  elseif total and total == engine.unsharded and (not index or total == 0) then
    return total == 1 and { index = 1, total = 1 } or nil
  end
  index = index or needed(getenv, engine.index, engine.total)
  if engine.total then
    total = total or needed(getenv, engine.total, engine.index)
  else
    total = given or refuse("%s's environment tells no total: --shard auto/N wanted, where N is"
                            .. " the number of jobs", engine.name)
  end
  if total == 0 then
    refuse("%s is 0: there is at least one shard", engine.total)
  end
  local before = engine.last and place_in_array(getenv, engine, index, total)
    or place(engine, index, total, engine.total or "--shard auto/N")
  return { index = before + 1, total = total }
end

local function agree(one, one_name, other, other_name)
  if one.index ~= other.index or one.total ~= other.total then
    refuse("%s means shard %d/%d, %s means %d/%d", one_name, one.index, one.total, other_name,
           other.index, other.total)
  end
end

-- The shard of a contract, or nil.
local function contracted(getenv)
  local found, by
  for _, engine in ipairs(CONTRACTS) do
    local said = shard_of(getenv, engine)
    if said and found then
      agree(found, by, said, engine.index)
    elseif said then
      found, by = said, engine.index
    end
  end
  return found, by
end

-- Of a job that is alone, another engine may make several.
local function automatic(getenv, given)
  local found, by
  for _, engine in ipairs(ENGINES) do
    local said = shard_of(getenv, engine, given)
    if said and found and found.total > 1 and said.total > 1 then
      agree(found, by, said, engine.index)
    elseif said and not (found and found.total > 1) then
      found, by = said, engine.index
    end
  end
  return found, by
end

local function names_of_engines()
  local names = {}
  for index, engine in ipairs(ENGINES) do
    names[index] = engine.name
  end
  return table.concat(names, ", ")
end

local function wanted_shard(getenv, wish)
  local found, by = contracted(getenv)
  if wish and not wish.auto then
    if found then
      agree(wish, "--shard", found, by)
    end
    return wish
  elseif not wish then
    return found
  elseif not found then
    found, by = automatic(getenv, wish.total)
  end
  if not found and text_of(getenv, "GITHUB_ACTIONS") then
    refuse("--shard auto: GitHub tells jobs nothing in their environment: %s wanted",
           "--shard $((${{ strategy.job-index }} + 1))/${{ strategy.job-total }}")
  elseif not found then
    refuse("--shard auto: nothing in the environment tells a shard (%s would)", names_of_engines())
  elseif wish.total and wish.total ~= found.total then
    refuse("--shard auto/%d: %s means shard %d/%d", wish.total, by, found.index, found.total)
  end
  return found
end

local function fail_fast(getenv)
  local text = text_of(getenv, FAIL_FAST)
  if text and text ~= "0" and text ~= "1" then
    refuse("%s is '%s': 0 or 1 wanted", FAIL_FAST, text)
  end
  return text == "1"
end

local function status_file(getenv)
  for _, engine in ipairs(CONTRACTS) do
    local path = text_of(getenv, engine.status_file)
    if path then
      return path
    end
  end
end

-- What a program that a case starts must not see, or it would leave out cases once more and write
-- over our files: all that is read here but for directories, in which a case may leave something.
local function names_to_erase()
  local names = { FILTER, FAIL_FAST, REPORT, EXIT_FILE }
  for _, list in ipairs { CONTRACTS, ENGINES } do
    for _, engine in ipairs(list) do
      for _, key in ipairs { "index", "total", "status_file", "first", "last", "step" } do
        names[#names + 1] = type(engine[key]) == "string" and engine[key] or nil
      end
    end
  end
  return names
end

---@class moonshake.engine_settings
---@field shard { index: integer, total: integer }|nil counted from 1
---@field filter string|nil a text that ids contain, as with -k
---@field fail_fast boolean stop at the first failure
---@field reports { format: string, path: string }[] to be written beside those asked for
---@field status_file string|nil to be made (empty) before anything else, also for an empty shard
---@field premature_exit_file string|nil to be made first, and removed once the run has come to its
--- end, however it went
---@field outputs string|nil where files go that are to be kept
---@field tmpdir string|nil where temporary files go: TMPDIR of the workers
---@field erase string[] variables to be taken out of the workers' environment

--- What the environment asks a run to do.
---@param wish { index: integer?, total: integer?, auto: boolean? }|nil what --shard said
---@param getenv? fun(name: string): string|nil os.getenv, if not given
---@return moonshake.engine_settings|nil
---@return string|nil problem a contradiction, with the name of the variable
function engines.read(wish, getenv)
  getenv = getenv or os.getenv
  local done, made = pcall(function()
    local report = text_of(getenv, REPORT)
    return {
      shard = wanted_shard(getenv, wish),
      filter = text_of(getenv, FILTER),
      fail_fast = fail_fast(getenv),
      reports = { report and { format = "junit", path = report } },
      status_file = status_file(getenv),
      premature_exit_file = text_of(getenv, EXIT_FILE),
      outputs = text_of(getenv, OUTPUTS),
      tmpdir = text_of(getenv, TEMPORARY),
      erase = names_to_erase(),
    }
  end)
  if done then
    return made
  elseif type(made) ~= "table" then
    error(made, 0)
  end
  return nil, made.problem
end

return engines
