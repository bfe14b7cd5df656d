-- SPDX-License-Identifier: MIT
-- The report for people: failures as they happen, a live line on a terminal and else a line a case,
-- and a summary.
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"

local COLOURS = { red = 31, green = 32, yellow = 33, bold = 1, dim = 2 }
local WORDS = {
  passed = { "PASS", "green" },
  failed = { "FAIL", "red" },
  skipped = { "SKIP", "yellow" },
  expected_failure = { "XFAIL", "yellow" },
}

local pretty = {}

--- How a run went, in one line: "1 failed, 2 passed".
---@param summary table
---@param paint? fun(text: string, colour: string): string
---@return string
function pretty.counts(summary, paint)
  local counts, parts = summary.counts, {}
  local function part(count, text, colour)
    if count and count > 0 then
      local told = ("%d %s"):format(count, text)
      parts[#parts + 1] = paint and paint(told, colour) or told
    end
  end
  part(counts.failed, "failed", "red")
  part(counts.passed, "passed", "green")
  part(counts.expected_failure, "failed as expected", "yellow")
  part(counts.skipped, "skipped", "yellow")
  part(summary.not_run, "not run", "yellow")
  part(#summary.problems, "not loaded", "red")
  part(#(summary.lost or {}), "lost", "red")
  return #parts > 0 and table.concat(parts, ", ") or "nothing was selected"
end

local Pretty = {}
Pretty.__index = Pretty

function Pretty:paint(text, colour)
  return self.colour and ("\27[%dm%s\27[0m"):format(COLOURS[colour], text) or text
end

function Pretty:write(...)
  if self.live_shown then
    self.stream:write "\r\27[K"
    self.live_shown = false
  end
  self.stream:write(...)
end

function Pretty:begin(plan)
  self.total = plan.count
  self.done = 0
  self.skips = {}
  self.failed = {}
  if plan.count > 0 then
    self:write(("moonshake %s, %s: %d case%s\n"):format(
      escape.line(plan.version), escape.line(plan.stack), plan.count,
      plan.count == 1 and "" or "s"))
  end
end

-- The one line that is rewritten; cut so that it stays one.
function Pretty:case_begins(case)
  if self.terminal then
    local width = math.tointeger(tonumber(os.getenv "COLUMNS")) or 80
    local text = ("(%d/%d) %s"):format(self.done + 1, self.total, case.id)
    if utf8.len(text) and utf8.len(text) >= width then
      text = text:sub(1, utf8.offset(text, width) - 1)
    end
    self.stream:write("\r\27[K", text)
    self.stream:flush()
    self.live_shown = true
  end
end

function Pretty:case_ended(result)
  local title = escape.line(result.case.id) .. failure_text.attempt(result)
  self.done = self.done + 1
  if result.outcome == "failed" then
    self.failed[#self.failed + 1] = title
  elseif result.reason then
    local group = self.skips[result.reason] or { outcome = result.outcome }
    group[#group + 1] = result.case.id
    self.skips[result.reason] = group
  end
  if not self.terminal or result.outcome == "failed" then
    local word, colour = table.unpack(WORDS[result.outcome])
    self:write(self:paint(("%5s"):format(word), colour),
               (" %7.3fs (%3d/%d) "):format(result.seconds, self.done, self.total),
               title, "\n")
    if result.outcome == "failed" then
      self:write(table.concat(failure_text.case(result, self.program), "\n"), "\n\n")
    end
  end
  self.ends_blank = result.outcome == "failed"
  self.stream:flush()
end

-- Why cases were skipped or were expected to fail, each reason once.
function Pretty:reasons()
  local reasons = {}
  for reason in pairs(self.skips) do
    reasons[#reasons + 1] = reason
  end
  table.sort(reasons)
  for _, reason in ipairs(reasons) do
    local group = self.skips[reason]
    self:write(self:paint(WORDS[group.outcome][1], "yellow"), (" %d: "):format(#group),
               escape.line(reason), "\n")
  end
end

function Pretty:complaints(heading, lines)
  for _, line in ipairs(lines or {}) do
    self:write(self:paint(heading, "red"), " ", escape.line(line), "\n")
  end
end

function Pretty:finish(summary)
  if self.total > 0 and not self.ends_blank then
    self:write "\n"
  end
  self:reasons()
  for _, title in ipairs(self.failed) do
    self:write(self:paint("FAIL", "red"), " ", title, "\n")
  end
  if self.total > 0 then
    self:complaints("not loaded", summary.problems)
  end
  self:complaints("worker lost", summary.lost)
  if summary.interrupted then
    local where = summary.interrupted ~= true and " in " .. escape.line(summary.interrupted) or ""
    self:write(self:paint("interrupted", "red"), where, "\n")
  end
  local counts = pretty.counts(summary, function(text, colour) return self:paint(text, colour) end)
  self:write(counts, (" in %.2f s\n"):format(summary.seconds))
  return self.stream:flush()
end

-- What the environment says about colour, the strongest word first.
local function wants_colour(is_terminal)
  local function set(name)
    local value = os.getenv(name)
    return value ~= nil and value ~= ""
  end
  if set "NO_COLOR" then
    return false
  elseif set "CLICOLOR_FORCE" and os.getenv "CLICOLOR_FORCE" ~= "0" then
    return true
  end
  return is_terminal and os.getenv "CLICOLOR" ~= "0" and os.getenv "TERM" ~= "dumb"
end

--- A report (see runner.lua) for people.
---@param stream file*
---@param context { program: string, terminal: boolean } whether `stream` is a terminal
function pretty.new(stream, context)
  return setmetatable({
    stream = stream,
    terminal = context.terminal and os.getenv "TERM" ~= "dumb",
    colour = wants_colour(context.terminal),
    program = context.program,
  }, Pretty)
end

return pretty
