-- SPDX-License-Identifier: MIT
-- Expectations: expect(v) stops the case where it does not hold, check(v) records it and goes on.
--
-- The agreement with moonshake.scenario and the runner:
--   scenario.current() -> the case that runs, or nil outside of one. Of the case we call
--     case:count_expectation()        once for each matcher that is judged, before it is
--     case:record_failure(failure)    for each that failed, before anything is raised
--     case:last_events()              what the link did that the case made last, as lines; told
--                                     where the value is no end or link itself
--     case:on_close(f)                (link.lua) f() when the case ends, in reverse order; f does
--                                     not raise and may be called twice
--   A failed expect() raises the failure itself: a table that expect.is_failure(x) knows, with
--     kind = "expectation"
--     message      one line: the label, the matcher, what was found
--     found, wanted   printed values, may have several lines; wanted nil where the matcher takes
--                     nothing
--     differences  list of { path =, found =, wanted = } (printed values), empty where there is
--                     only one value
--     notes        list of lines that say more ("the client reports ...; on the wire ...")
--     events       list of lines, the last events of both ends: of the value's link or, in a case,
--                  of the link that it made last
--     file, line   the script's line (file as the chunk is named: a path)
--     source       that line's text without indentation, nil where the file cannot be read
--   tostring(failure) is all of it as text, "FILE:LINE: message" first.
--   Outside of a scenario check() raises as expect() does.
local diff = require "moonshake.diff"
local events = require "moonshake.events"
local link = require "moonshake.link"
local endpoint = require "moonshake.endpoint"
local marks = require "moonshake.marks"
local matchers = require "moonshake.matchers"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"

local expect = {}

local LAST_EVENTS = 8 -- of each end
local LINE = 70 -- bytes of two values that are told on one line

---------------------------------------------------------------------------------------------------
-- Failures

local Failure = { __name = "moonshake.failure" }

local function indent(text)
  return (text:gsub("\n", "\n    "))
end

function Failure:__tostring()
  local lines = { self.message }
  if self.file then
    lines[1] = ("%s:%d: %s"):format(self.file, self.line, self.message)
  end
  local function add(format, ...)
    lines[#lines + 1] = format:format(...)
  end
  if self.source then
    add("  line:   %s", self.source)
  end
  add("  found:  %s", indent(self.found))
  if self.wanted then
    add("  wanted: %s", indent(self.wanted))
  end
  for _, difference in ipairs(self.differences) do
    add("  %s: found %s, wanted %s", difference.path, indent(difference.found),
        indent(difference.wanted))
  end
  for _, note in ipairs(self.notes) do
    add("  %s", note)
  end
  if #self.events > 0 then
    add("  last events:")
    for _, line in ipairs(self.events) do
      add("  %s", line)
    end
  end
  return table.concat(lines, "\n")
end

--- Whether an error value is a failed expectation.
---@param value any
---@return boolean
function expect.is_failure(value)
  return type(value) == "table" and getmetatable(value) == Failure
end

-- The link whose events tell how a value came about, or nil.
local function link_of(value)
  if link.is_link(value) then
    return value
  elseif endpoint.is_end(value) then
    return endpoint.owner(value)
  end
  return nil
end

-- What the ends last did: what an action returned, or a field of an end, tells of itself nothing.
local function last_events(value)
  local owner, case = link_of(value), scenario.current()
  if owner then
    return events.last(owner.events, LAST_EVENTS)
  end
  return case and case:last_events() or {}
end

-- One line: what was expected, and what was there.
local function message_of(expectation, name, argument, outcome)
  local call = name .. (argument and " " .. argument or "")
  local reason = outcome.reason
  if not reason then
    local found, wanted = diff.show_short(expectation.value), outcome.wanted or ""
    reason = found and "found " .. found or "found something else"
    if found and not expectation.negated and #found + #wanted <= LINE
      and not wanted:find("\n", 1, true) then
      reason = ("found %s, wanted %s"):format(found, wanted)
    end
  end
  return ("%s%s%s: %s"):format(expectation.label and expectation.label .. ": " or "",
                               expectation.negated and "no:" or "", call, reason)
end

local function failure_of(expectation, name, argument, outcome)
  local file, line, source = strict.position()
  local path = source and source:match "^@(.*)" or file
  return setmetatable({
    kind = "expectation",
    message = message_of(expectation, name, argument, outcome),
    found = outcome.found or diff.show(expectation.value),
    wanted = outcome.wanted and (expectation.negated and "anything but " or "") .. outcome.wanted,
    differences = outcome.differences or {},
    notes = outcome.notes or {},
    events = last_events(expectation.value),
    file = path,
    line = line,
    source = path and traceback.source_line(path, line),
  }, Failure)
end

---------------------------------------------------------------------------------------------------
-- Expectations

local Expectation = { __name = "moonshake.expectation" }

-- Judges one matcher. An outcome holds (true), does not (false), or cannot be judged (nil): then it
-- fails, negated or not.
local function judge(expectation, name, ...)
  local matcher = matchers.by_name[name]
  matcher.check(("expect: %s"):format(name), ...)
  local case = scenario.current()
  if case then
    case:count_expectation()
  end
  local outcome
  if rawequal(expectation.value, marks.unknown) then
    outcome = { reason = "this stack cannot tell" }
  else
    outcome = matcher.judge(expectation.value, ...)
  end
  if outcome.holds == not expectation.negated then
    return true
  end
  local argument = matcher.shows_argument and select("#", ...) > 0 and diff.show_short((...))
  local failure = failure_of(expectation, name, argument or nil, outcome)
  if case then
    case:record_failure(failure) -- at once: a pcall of the script's cannot undo it
    if expectation.soft then
      return false
    end
  end
  error(failure, 0)
end

local calls = {}
for name in pairs(matchers.by_name) do
  calls[name] = function(expectation, ...)
    if getmetatable(expectation) ~= Expectation then
      strict.raise(("expect: %s: to be called with a colon: expect(v):%s(...)"):format(name, name))
    end
    return judge(expectation, name, ...)
  end
end

local function make(value, label, soft, negated)
  return setmetatable({ value = value, label = label, soft = soft, negated = negated },
                      Expectation)
end

function Expectation:__index(name)
  if calls[name] then
    return calls[name]
  elseif name == "no" then
    return make(rawget(self, "value"), rawget(self, "label"), rawget(self, "soft"),
                not rawget(self, "negated"))
  elseif name == "value" or name == "label" or name == "negated" or name == "soft" then
    return nil -- ours, and nil
  end
  strict.unknown("expect", "matcher", name, { "no", table.unpack(matchers.names) })
end

function Expectation.__tostring()
  return "an expectation that no matcher was called on"
end

local function begin(api, soft, label, count, value)
  if count == 0 then
    strict.raise(api .. ": a value is missing")
  elseif label ~= nil and type(label) ~= "string" then
    strict.raise(("%s: the label must be a string, got %s"):format(api, diff.show(label)))
  end
  return make(value, label, soft, false)
end

--- ms.expect(value, label): what is called on it next must hold, or the case ends as failed. The
--- matchers are those of matchers.lua; `.no` before one negates it. Each returns true.
---@param ... any value, label
function expect.expect(...)
  local value, label = ...
  return begin("ms.expect", false, label, select("#", ...), value)
end

--- ms.check(value, label): as ms.expect, but a failure is recorded and the case goes on; the
--- matcher returns whether it held. Outside of a scenario a failure is raised.
---@param ... any value, label
function expect.check(...)
  local value, label = ...
  return begin("ms.check", true, label, select("#", ...), value)
end

return expect
