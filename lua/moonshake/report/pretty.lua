-- SPDX-License-Identifier: MIT
-- The report for people: failures as they happen, a live line on a terminal and else a line a case,
-- and a summary.
local escape = require "moonshake.escape"
local native = require "moonshake.native"

local COLOURS = { red = 31, green = 32, yellow = 33, bold = 1, dim = 2 }
local WORDS = {
  passed = { "PASS", "green" },
  failed = { "FAIL", "red" },
  skipped = { "SKIP", "yellow" },
  expected_failure = { "XFAIL", "yellow" },
}
local SOURCE_INDENT = "      "

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

-- Lines below a heading, each escaped and indented.
function Pretty:lines(indent, texts)
  for _, text in ipairs(texts or {}) do
    for _, line in ipairs(escape.lines(text)) do
      self:write(indent, line, "\n")
    end
  end
end

function Pretty:section(heading, texts)
  if texts and #texts > 0 then
    self:write(SOURCE_INDENT, heading, "\n")
    self:lines(SOURCE_INDENT .. "  ", texts)
  end
end

-- "found: value", the following lines of a value below its first one.
function Pretty:value(label, value)
  if value ~= nil then
    local lead = ("%s%-7s "):format(SOURCE_INDENT, label .. ":")
    for _, line in ipairs(escape.lines(value)) do
      self:write(lead, line, "\n")
      lead = (" "):rep(#lead)
    end
  end
end

function Pretty:differences(list)
  if list and #list > 0 then
    self:write(SOURCE_INDENT, "differences\n")
    for _, difference in ipairs(list) do
      self:write(SOURCE_INDENT, "  ", escape.line(difference.path), "\n")
      for _, side in ipairs { "found", "wanted" } do
        if difference[side] then
          self:write(SOURCE_INDENT, ("    %-7s "):format(side .. ":"),
                     escape.line(difference[side]), "\n")
        end
      end
    end
  end
end

-- Whether a failure's message has the value already.
local function is_said(message, value)
  return value == nil or message:find(value, 1, true) ~= nil
end

function Pretty:failure(made)
  if made.file then
    self:write("  --> ", escape.line(("%s:%d"):format(made.file, made.line)), "\n")
  end
  if made.source then
    self:write(("%5d | "):format(made.line), escape.line(made.source), "\n")
  end
  self:lines("      ", { (made.kind == "error" and "error: " or "") .. made.message })
  if not (is_said(made.message, made.found) and is_said(made.message, made.wanted)) then
    self:value("found", made.found)
    self:value("wanted", made.wanted)
  end
  self:differences(made.differences)
  self:lines(SOURCE_INDENT, made.notes)
  if made.trace and #made.trace > 1 then
    self:section("called from", { table.unpack(made.trace, 2) })
  end
  self:section("last events", made.events)
end

function Pretty:failed(result)
  for _, made in ipairs(result.failures) do
    self:failure(made)
  end
  self:section("notes", result.notes)
  self:write("  rerun: ", self.program, " run ", escape.line(escape.shell(result.case.id)), "\n\n")
end

function Pretty:begin(plan)
  local count = plan.count
  self.total = count
  self.done = 0
  self.skips = {}
  self.failed_ids = {}
  if count > 0 then
    self:write(("moonshake %s, %s: %d case%s\n"):format(native.version, native.stack, count,
                                                        count == 1 and "" or "s"))
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
  self.done = self.done + 1
  if result.outcome == "failed" then
    self.failed_ids[#self.failed_ids + 1] = result.case.id
  elseif result.reason then
    local group = self.skips[result.reason] or { outcome = result.outcome }
    group[#group + 1] = result.case.id
    self.skips[result.reason] = group
  end
  if not self.terminal or result.outcome == "failed" then
    local word, colour = table.unpack(WORDS[result.outcome])
    self:write(self:paint(("%5s"):format(word), colour),
               (" %7.3fs (%3d/%d) "):format(result.seconds, self.done, self.total),
               escape.line(result.case.id), "\n")
    if result.outcome == "failed" then
      self:failed(result)
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

function Pretty:count_line(summary)
  local counts, parts = summary.counts, {}
  local function part(count, text, colour)
    if count and count > 0 then
      parts[#parts + 1] = self:paint(("%d %s"):format(count, text), colour)
    end
  end
  part(counts.failed, "failed", "red")
  part(counts.passed, "passed", "green")
  part(counts.expected_failure, "failed as expected", "yellow")
  part(counts.skipped, "skipped", "yellow")
  part(summary.not_run, "not run", "yellow")
  part(#summary.problems, "not loaded", "red")
  return #parts > 0 and table.concat(parts, ", ") or "nothing was selected"
end

function Pretty:finish(summary)
  if self.total > 0 and not self.ends_blank then
    self:write "\n"
  end
  self:reasons()
  for _, id in ipairs(self.failed_ids) do
    self:write(self:paint("FAIL", "red"), " ", escape.line(id), "\n")
  end
  if self.total > 0 then
    for _, problem in ipairs(summary.problems) do
      self:write(self:paint("not loaded", "red"), " ", escape.line(problem), "\n")
    end
  end
  if summary.interrupted then
    local where = summary.interrupted ~= true and " in " .. escape.line(summary.interrupted) or ""
    self:write(self:paint("interrupted", "red"), where, "\n")
  end
  self:write(self:count_line(summary), (" in %.2f s\n"):format(summary.seconds))
  return self.stream:flush()
end

local pretty = {}

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
---@param is_terminal boolean whether `stream` is one
---@param program string what a rerun line begins with
function pretty.new(stream, context)
  local is_terminal, program = context.terminal, context.program
  return setmetatable({
    stream = stream,
    terminal = is_terminal and os.getenv "TERM" ~= "dumb",
    colour = wants_colour(is_terminal),
    program = escape.line(escape.shell(program)),
  }, Pretty)
end

return pretty
