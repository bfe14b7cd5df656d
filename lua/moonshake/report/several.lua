-- SPDX-License-Identifier: MIT
-- Several reports of one run, each to its own place. A report is an object with
--   begin(plan)                before the first case: { count = runs in all, jobs, seed, shard =
--                              { index, total }, repeats, version, stack, started = epoch,
--                              would_select(id) (of a run: whether a case of this id would be in
--                              it if there were one) }
--   case_begins(case, attempt) case: a description (case.lua)
--   case_ended(result)         { case, attempt, outcome ("passed", "failed", "skipped",
--                              "expected_failure"), reason (of the last two), failures (expect.lua
--                              says what one is), notes, seconds, output, output_cut (what the case
--                              printed; bytes left out of it), explanation (what happened on
--                              its link, at most three lines), ends (JSON of its links' ends),
--                              pictures (JSON of what a page shows of them), captures (paths) }
--   tick()                     optional: time has passed
--   judge(summary)             optional: may make its status worse, before any report is finished
--   finish(summary)            { counts (by outcome), not_run, interrupted (the case's id, or
--                              true), seconds, problems (files not loaded), unmatched (targets that
--                              mean no case), lost (workers that ended badly), status }; returns
--                              nil and why when the report could not be written, false and why
--                              when there is nothing worth it: a file then stays what it was
-- Cases end in any order, and several are under way at once.
local replacement = require "moonshake.io.replacement"

local several = {}

local Several = {}
Several.__index = Several

function Several:begin(plan)
  for _, report in ipairs(self) do
    report:begin(plan)
  end
end

function Several:case_begins(case, attempt)
  for _, report in ipairs(self) do
    report:case_begins(case, attempt)
  end
end

function Several:case_ended(result)
  for _, report in ipairs(self) do
    report:case_ended(result)
  end
end

function Several:tick()
  for _, report in ipairs(self) do
    if report.tick then
      report:tick()
    end
  end
end

function Several:finish(summary)
  local problems = {}
  for _, report in ipairs(self) do
    if report.judge then
      report:judge(summary)
    end
  end
  for index, report in ipairs(self) do
    local file = self.files[index]
    local written, problem = report:finish(summary)
    if file and written == false then
      file:abandon()
      problem = ("%s: %s"):format(file.path, problem)
    elseif file then
      local kept, why = file:commit()
      written, problem = written and kept, why or problem
    end
    if not written then
      problems[#problems + 1] = problem
    end
  end
  return #problems == 0 or nil, table.concat(problems, "; ")
end

--- Leaves every file as it was before open().
function Several:abandon()
  for _, file in pairs(self.files) do
    file:abandon()
  end
  for _, report in ipairs(self) do
    if report.abandon then
      report:abandon()
    end
  end
end

--- The reports that --format asks for: where none of them goes to standard output, people are told
--- there.
---@param formats { format: string, path: string? }[]
---@param directory string|nil where pages are wanted
---@param others? { format: string, path: string }[] what else is to be written
---@return { format: string, path: string? }[] for open()
function several.wanted(formats, directory, others)
  local wanted, shown = {}, false
  for _, one in ipairs(formats) do
    shown = shown or not one.path
  end
  wanted[1] = not shown and { format = "pretty" } or nil
  for _, list in ipairs { formats, others } do
    table.move(list, 1, #list, #wanted + 1, wanted)
  end
  wanted[#wanted + 1] = directory and { format = "html", path = directory } or nil
  return wanted
end

-- Without those that are there already; nil and what is wrong where two would write to one file.
local function apart(wanted)
  local kept, by_target = {}, {}
  for _, one in ipairs(wanted) do
    local target = one.path and replacement.target(one.path)
    local other = target and by_target[target]
    if other and other.format ~= one.format then
      return nil, ("--format %s and --format %s: both go to %s"):format(other.format, one.format,
                                                                        other.path)
    elseif target then
      by_target[target] = one
    end
    kept[#kept + 1] = not other and one or nil
  end
  return kept
end

-- One report, and the file it goes to where that is to be put into its place; nil and the problem.
local function open_one(wanted, context, for_people)
  local kind = require("moonshake.report." .. wanted.format)
  if kind.open then -- a directory, which it keeps itself
    return kind.open(wanted.path, context)
  elseif not wanted.path then
    return kind.new(wanted.beside and for_people or io.stdout, context)
  end
  local file, problem = replacement.open(wanted.path)
  if not file then
    return nil, problem
  end
  return kind.new(file, setmetatable({
    terminal = false, is_file = true,
  }, { __index = context })), nil, file
end

--- Opens reports: `{ format = "junit", path = "x.xml" }`, without a path on standard output; with
--- `beside`, for people: behind what stands there where that is pretty, else on standard error.
---@param wanted { format: string, path: string?, beside: boolean? }[]
---@param context table for the constructors: { program =, terminal =, width =, extras =, ... }
---@return table|nil report one that tells all of them
---@return string|nil problem
function several.open(wanted, context)
  local self = setmetatable({ files = {} }, Several)
  local reports, problem = apart(wanted)
  local for_people = io.stderr
  for index, one in ipairs(reports or {}) do
    for_people = one.format == "pretty" and not one.path and io.stdout or for_people
    local report, file
    report, problem, file = open_one(one, context, for_people)
    if not report then
      self:abandon()
      return nil, problem
    end
    self[index], self.files[index] = report, file
  end
  return not problem and self or nil, problem
end

return several
