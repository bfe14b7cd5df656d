-- SPDX-License-Identifier: MIT
-- Runs cases one after the other and tells a report what happened. A report is an object with
--   begin(count)         before the first case; how many there are
--   case_begins(case)
--   case_ended(result)   { case, outcome ("passed", "failed", "skipped", "expected_failure"),
--                          reason (of a skip, an expected failure), failures (expect.lua says what
--                          one is), notes (lines of ms.note), seconds }
--   finish(summary)      { counts (by outcome), not_run (cases), interrupted (the case's id or
--                          true), seconds, problems, unmatched (see selection.lua) }; returns
--                          nil and why when the report could not be written
local no_exit = require "moonshake.no_exit"
local stopwatch = require "moonshake.io.stopwatch"

local runner = {}

--- Exit statuses of the contract.
runner.STATUS = { passed = 0, failed = 1, unusable = 2, nothing_selected = 5, interrupted = 130 }

-- Whether SIGINT came; a stock interpreter cannot tell.
local function interrupted()
  local open = package.preload["moonshake.program"]
  return open ~= nil and require("moonshake.program").interrupted()
end

local function run_case(case, timeout)
  local elapsed = stopwatch.start()
  local outcome, reason = case:run(timeout)
  return {
    case = case,
    outcome = outcome,
    reason = reason,
    failures = case.failures,
    notes = case.notes,
    seconds = elapsed(),
  }
end

local function run_all(selected, options, report, summary)
  for index, case in ipairs(selected.cases) do
    report:case_begins(case)
    summary.current = case.id
    local result = run_case(case, options.timeout)
    if interrupted() then
      return
    end
    summary.current = nil
    summary.counts[result.outcome] = (summary.counts[result.outcome] or 0) + 1
    summary.not_run = #selected.cases - index
    report:case_ended(result)
    if options.fail_fast and result.outcome == "failed" then
      return
    end
  end
end

local function status_of(selected, summary)
  local status = runner.STATUS
  if summary.interrupted then
    return status.interrupted
  elseif #selected.problems > 0 then
    return status.unusable
  elseif (summary.counts.failed or 0) > 0 then
    return status.failed
  elseif #selected.cases == 0 or #selected.unmatched > 0 then
    return status.nothing_selected
  end
  return status.passed
end

--- The exit status of a selection that is only looked at.
---@param selected table what selection.select() returned
---@return integer
function runner.status_of_selection(selected)
  return status_of(selected, { counts = {} })
end

--- Runs the selected cases.
---@param selected table what selection.select() returned
---@param options { timeout: number?, fail_fast: boolean? }
---@param report table see above
---@return integer status the exit status
function runner.run(selected, options, report)
  local elapsed = stopwatch.start()
  local summary = {
    counts = {},
    not_run = #selected.cases,
    problems = selected.problems,
    unmatched = selected.unmatched,
  }
  report:begin(#selected.cases)
  local done, message = no_exit(function()
    run_all(selected, options, report, summary)
  end, debug.traceback)
  if interrupted() then
    summary.interrupted = summary.current or true
  elseif not done then
    error(message, 0) -- our own bug: no case's error gets here
  end
  summary.seconds = elapsed()
  local written, problem = report:finish(summary)
  if not written then
    io.stderr:write("moonshake: the report could not be written: ", problem, "\n")
    return runner.STATUS.unusable
  end
  return status_of(selected, summary)
end

return runner
