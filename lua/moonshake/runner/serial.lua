-- SPDX-License-Identifier: MIT
-- Runs the cases of a loaded file one after the other, in this process: what `lua5.4 FILE` and
-- `moonshake lua FILE` do. (`moonshake run` has workers: pool.lua.)
local complain = require "moonshake.report.complain"
local native = require "moonshake.native"
local no_exit = require "moonshake.runner.no_exit"
local stopwatch = require "moonshake.io.stopwatch"
local tally = require "moonshake.runner.tally"

local serial = {}

-- Whether SIGINT came; a stock interpreter cannot tell.
local function interrupted()
  local open = package.preload["moonshake.program"]
  return open ~= nil and require("moonshake.program").interrupted()
end

local function run_case(case, description)
  local elapsed = stopwatch.start()
  local outcome, reason = case:run(nil, { evidence = { explanation = true } })
  local result = {
    case = description, attempt = 1, outcome = outcome, reason = reason,
    failures = case.failures, notes = case.notes, seconds = elapsed(),
    explanation = case.evidence and case.evidence.explanation,
  }
  case:forget()
  return result
end

local function run_all(cases, report, counted)
  for _, case in ipairs(cases) do
    local description = case:describe()
    report:case_begins(description, 1)
    counted.interrupted = case.id
    local result = run_case(case, description)
    if interrupted() then
      return
    end
    counted.interrupted = false
    counted:add(result)
    report:case_ended(result)
  end
end

--- Runs the cases and reports.
---@param cases table[] of a file (see loader.lua)
---@param problems string[] what could not be loaded
---@param report table see report/several.lua
---@return integer status the exit status
function serial.run(cases, problems, report)
  local elapsed = stopwatch.start()
  local counted = tally.new(#cases, { problems = problems, unmatched = {} })
  report:begin {
    count = #cases, jobs = 1, repeats = 1, started = os.time(), version = native.version,
    stack = native.stack,
  }
  local done, message = no_exit(function()
    run_all(cases, report, counted)
  end, debug.traceback)
  if interrupted() then
    counted.interrupted = counted.interrupted or true
  elseif not done then
    error(message, 0) -- our own bug: no case's error gets here
  end
  local summary = counted:summary(elapsed(), {})
  local written, problem = report:finish(summary)
  if not written then
    return complain("the report could not be written: " .. problem)
  end
  return summary.status
end

return serial
