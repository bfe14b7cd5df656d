-- SPDX-License-Identifier: MIT
-- The part of a terminal that is written again and again while cases run: how far it is, how long
-- it may take, and what runs now. It is gone when anything else is written.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local stopwatch = require "moonshake.io.stopwatch"

local live = {}

local MOST_CASES = 8 -- that are shown
local BETWEEN = 0.1 -- seconds from one picture to the next
local BAR = 24 -- characters
local WORTH_TELLING = 2 -- seconds left from which on a guess is told

local Live = {}
Live.__index = Live

local function bar(done, total)
  local full = total > 0 and done * BAR // total or 0
  return "[" .. ("="):rep(full) .. (" "):rep(BAR - full) .. "]"
end

local function duration(seconds)
  if seconds < 90 then
    return ("%.0f s"):format(seconds)
  elseif seconds < 5400 then
    return ("%.0f min"):format(seconds / 60)
  end
  return ("%.1f h"):format(seconds / 3600)
end

-- A guess: that what is left takes as long as what is done.
local function time_left(self)
  local gone = self.elapsed()
  if self.done < 5 or gone < 1 then
    return ""
  end
  local left = gone / self.done * (self.total - self.done)
  return left >= WORTH_TELLING and (", about %s left"):format(duration(left)) or ""
end

local function lines_of(self)
  local failed = self.failed > 0 and (", %d failed"):format(self.failed) or ""
  local lines = { ("%s %d/%d%s%s"):format(bar(self.done, self.total), self.done, self.total, failed,
                                          time_left(self)) }
  for index, case in ipairs(self.running) do
    if index > MOST_CASES then
      lines[#lines + 1] = ("  and %d more"):format(#self.running - MOST_CASES)
      break
    end
    lines[#lines + 1] = ("%6.1f s  %s"):format(case.elapsed(), escape.line(case.id))
  end
  return lines
end

--- Takes what is shown off the terminal.
function Live:erase()
  if self.shown > 0 then
    self.stream:write("\r", self.shown > 1 and ("\27[%dA"):format(self.shown - 1) or "", "\27[J")
    self.shown = 0
  end
end

--- Shows how things stand, unless that was shown a moment ago.
function Live:show()
  if self.since_shown and self.since_shown() < BETWEEN and self.shown > 0 then
    return
  end
  local width, lines = self.width(), lines_of(self)
  for index, line in ipairs(lines) do
    lines[index] = columns.cut(line, width - 1) -- so that a line stays one line
  end
  self:erase()
  self.stream:write(table.concat(lines, "\n"))
  self.stream:flush()
  self.shown = #lines
  self.since_shown = stopwatch.start()
end

--- A case begins.
function Live:begins(case, attempt)
  self.running[#self.running + 1] = {
    id = case.id, attempt = attempt, elapsed = stopwatch.start(),
  }
  self:show()
end

--- A case has ended.
function Live:ended(result)
  self.done = self.done + 1
  self.failed = self.failed + (result.outcome == "failed" and 1 or 0)
  for index, case in ipairs(self.running) do
    if case.id == result.case.id and case.attempt == result.attempt then
      table.remove(self.running, index)
      break
    end
  end
end

--- The live part of a terminal.
---@param stream file*
---@param total integer how many runs there will be
---@param width fun(): integer how many columns the terminal has
function live.new(stream, total, width)
  return setmetatable({
    stream = stream, total = total, width = width, done = 0, failed = 0, running = {}, shown = 0,
    elapsed = stopwatch.start(),
  }, Live)
end

return live
