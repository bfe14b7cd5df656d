-- SPDX-License-Identifier: MIT
-- What a run comes to: how many of each outcome, and the exit status.

local tally = {}

--- Exit statuses of the contract.
tally.STATUS = { passed = 0, failed = 1, unusable = 2, nothing_selected = 5, interrupted = 130 }

--- Whether it is the status of a run that a signal ended: 128 and the signal's number.
---@param status integer
---@return boolean
function tally.is_interrupted(status)
  return status > 128
end

local Tally = {}
Tally.__index = Tally

--- Counts a result.
---@param result table
function Tally:add(result)
  self.counts[result.outcome] = (self.counts[result.outcome] or 0) + 1
  self.not_run = self.not_run - 1
end

--- How many failed so far.
---@return integer
function Tally:failed()
  return self.counts.failed or 0
end

local function status_of(self, how)
  local status = tally.STATUS
  if self.interrupted then
    return self.interrupted_status or status.interrupted
  elseif #self.problems > 0 then
    return status.unusable
  elseif self:failed() > 0 or #self.lost > 0 then
    return status.failed
  elseif #self.unmatched > 0 or (self.total == 0 and not how.empty_is_fine) then
    return status.nothing_selected
  elseif how.skip_status and self.total > 0 and self.counts.skipped == self.total then
    return how.skip_status
  end
  return status.passed
end

--- The summary that reports get, with the exit status in it.
---@param seconds number
---@param how { empty_is_fine: boolean?, skip_status: integer? } whether a run of nothing is a
--- success (an empty shard); the exit status where every case was skipped
---@return table
function Tally:summary(seconds, how)
  return {
    counts = self.counts, not_run = self.not_run, interrupted = self.interrupted,
    seconds = seconds, problems = self.problems, unmatched = self.unmatched, lost = self.lost,
    status = status_of(self, how),
  }
end

--- A tally of so many runs.
---@param total integer
---@param resolved { problems: string[], unmatched: string[] } see selection.lua
function tally.new(total, resolved)
  return setmetatable({
    total = total, counts = {}, not_run = total, interrupted = false, lost = {},
    problems = resolved.problems, unmatched = resolved.unmatched,
  }, Tally)
end

return tally
