-- SPDX-License-Identifier: MIT
-- The Test Anything Protocol: version 13's header, for Debian's prove refuses a stream that says
-- 14, with the YAML blocks that both have. The plan comes last, so that a run which ends early has
-- none.
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"

local Tap = {}
Tap.__index = Tap

-- Characters of a text. prove gives up on a stream with one of more than 32,766 bytes; escaped, a
-- character has up to six.
local LONG = 4000

local function quoted(text)
  text = escape.utf8(text)
  local behind = utf8.offset(text, LONG + 1)
  return escape.yaml(behind and behind <= #text and text:sub(1, behind - 1) .. "..." or text)
end

-- A key with a scalar; nothing for nil.
local function scalar(lines, indent, key, value)
  if value ~= nil then
    local text = math.type(value) == "integer" and tostring(value) or quoted(tostring(value))
    lines[#lines + 1] = ("%s%s: %s"):format(indent, key, text)
  end
end

-- An item of a list. prove takes one whose first word has a colon behind it for a mapping, whatever
-- quotes are round it, and stops reading the stream.
local function item(value)
  local text, count = quoted(value), 1
  while count > 0 do
    text, count = text:gsub("^(%S+ *):( )", "%1\\x3A%2")
  end
  return "- " .. text
end

local function list(lines, indent, key, values)
  if values and #values > 0 then
    lines[#lines + 1] = indent .. key .. ":"
    for _, value in ipairs(values) do
      lines[#lines + 1] = indent .. "  " .. item(value)
    end
  end
end

local function differences(lines, indent, values)
  if values and #values > 0 then
    lines[#lines + 1] = indent .. "differences:"
    for _, difference in ipairs(values) do
      scalar(lines, indent .. "  - ", "path", difference.path)
      scalar(lines, indent .. "    ", "found", difference.found)
      scalar(lines, indent .. "    ", "wanted", difference.wanted)
    end
  end
end

local function failure(lines, indent, made)
  scalar(lines, indent, "message", made.message)
  scalar(lines, indent, "severity", failure_text.is_error(made) and "error" or "fail")
  if made.file then
    lines[#lines + 1] = indent .. "at:"
    scalar(lines, indent .. "  ", "file", made.file)
    scalar(lines, indent .. "  ", "line", made.line)
  end
  scalar(lines, indent, "source", made.source)
  scalar(lines, indent, "found", made.found)
  scalar(lines, indent, "wanted", made.wanted)
  differences(lines, indent, made.differences)
  list(lines, indent, "more", made.notes)
  list(lines, indent, "trace", made.trace)
  list(lines, indent, "events", made.events)
end

-- The first failure's keys stand at the top, where consumers look; others follow in a list.
local function block(result)
  local lines = { "  ---" }
  failure(lines, "  ", result.failures[1] or {})
  if #result.failures > 1 then
    lines[#lines + 1] = "  failures:"
    for index = 2, #result.failures do
      lines[#lines + 1] = "    -"
      failure(lines, "      ", result.failures[index])
    end
  end
  list(lines, "  ", "explanation", result.explanation)
  for _, path in ipairs(result.captures or {}) do
    scalar(lines, "  ", "pcapng", path)
  end
  list(lines, "  ", "output", failure_text.printed(result))
  scalar(lines, "  ", "output_cut", result.output_cut)
  lines[#lines + 1] = ("  duration_ms: %d"):format(math.floor(result.seconds * 1000 + 0.5))
  lines[#lines + 1] = "  ..."
  return table.concat(lines, "\n")
end

local DIRECTIVE = { skipped = "SKIP", expected_failure = "TODO" }

function Tap:begin()
  self.count = 0
  self.stream:write "TAP version 13\n"
end

function Tap.case_begins()
end

function Tap:remark(text)
  for _, line in ipairs(text ~= "" and escape.lines(text) or {}) do
    self.stream:write("# ", line, "\n")
  end
end

function Tap:case_ended(result)
  self.count = self.count + 1
  local passed = result.outcome == "passed" or result.outcome == "skipped"
  local point = ("%s %d - %s"):format(passed and "ok" or "not ok", self.count,
                                      escape.tap(result.case.id) .. failure_text.attempt(result))
  if DIRECTIVE[result.outcome] then
    point = ("%s # %s %s"):format(point, DIRECTIVE[result.outcome], escape.tap(result.reason or ""))
  end
  self.stream:write(point, "\n")
  if not passed then
    self.stream:write(block(result), "\n")
  end
  for _, note in ipairs(result.notes or {}) do
    self:remark(note)
  end
  self.stream:flush()
end

-- Failures that are no case's, for those who read the stream and not the exit status.
function Tap:complaints(texts)
  for _, text in ipairs(texts or {}) do
    local first, rest = text:match "^([^\n]*)\n?(.*)$"
    self.count = self.count + 1
    self.stream:write(("not ok %d - %s\n"):format(self.count, escape.tap(first)))
    self:remark(rest)
  end
end

function Tap:finish(summary)
  self:complaints(summary.problems)
  self:complaints(summary.lost)
  if summary.interrupted then
    self.stream:write "Bail out! interrupted\n"
  elseif self.count == 0 then
    self.stream:write "1..0 # SKIP nothing was selected\n"
  else
    self.stream:write(("1..%d\n"):format(self.count))
  end
  return self.stream:flush()
end

local tap = {}

--- A report (see several.lua) that writes TAP to `stream`.
---@param stream file*
function tap.new(stream)
  return setmetatable({ stream = stream }, Tap)
end

return tap
