-- SPDX-License-Identifier: MIT
-- The life of one case: what it sees, what it recorded, what is closed when it ends.
local native = require "moonshake.native"
local events = require "moonshake.events"
local expect = require "moonshake.expect"
local needs = require "moonshake.needs"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"

local DEFAULT_TIMEOUT = 60
local LAST_EVENTS = 8 -- of each end

local Case = {}
Case.__index = Case

--- A case that has not run yet.
---@param made table a scenario (see scenario.lua)
---@param combination table of its matrix (see matrix.lua)
---@param file table the file it stands in (see loader.lua)
local function new(made, combination, file)
  return setmetatable({
    id = file.id .. "::" .. made.name .. combination.text,
    scenario = made,
    combination = combination,
    values = combination.values,
    file = file,
    expectations = 0,
    failures = {},
    notes = {},
    closers = {},
    tellers = {},
  }, Case)
end

--- Counts an expectation that is about to be judged.
function Case:count_expectation()
  self.expectations = self.expectations + 1
end

--- Keeps a failure, once; the case goes on.
function Case:record_failure(failure)
  for _, known in ipairs(self.failures) do
    if rawequal(known, failure) then
      return
    end
  end
  self.failures[#self.failures + 1] = failure
end

--- Keeps a line of narration.
function Case:note(text)
  self.notes[#self.notes + 1] = text
end

--- Has f() called when the case ends, the last one first. `tell`, if given, answers with the events
--- of what f() closes, or nil when that is gone already.
---@param f function
---@param tell? fun(): table[]|nil
function Case:on_close(f, tell)
  self.closers[#self.closers + 1] = f
  self.tellers[#self.tellers + 1] = tell
end

--- The path of the case's own directory, which is made now if it was not asked for before.
function Case:directory()
  if not self.made_directory then
    local files = require "moonshake.io.files" -- few cases need luv
    self.made_directory = strict.check("case.dir", files.temporary_directory())
  end
  return self.made_directory
end

-- What a script's `run` gets: the matrix's values, `id` and `dir`, and nothing else.
function Case:view()
  local case = self
  return setmetatable({}, {
    __name = "moonshake.case",
    __index = function(_, name)
      if name == "id" then
        return case.id
      elseif name == "dir" then
        return case:directory()
      elseif case.values[name] == nil then
        local words = { "id", "dir" }
        for word in pairs(case.values) do
          words[#words + 1] = word
        end
        strict.unknown("case", "name", name, words)
      end
      return case.values[name]
    end,
    __newindex = function()
      strict.raise("case: is read-only")
    end,
    __pairs = function()
      return pairs(case.values)
    end,
    __tostring = function()
      return case.id
    end,
  })
end

-- Runs at the place of the error. The deadline goes first: it would strike here again.
local function on_error(value)
  native.deadline(nil)
  if expect.is_failure(value) or scenario.is_skip(value) then
    return value
  end
  return traceback.failure(value, Case.play)
end

-- The last events of the link that the case made last: where it stood when it came to nothing.
function Case:last_events()
  for index = #self.tellers, 1, -1 do
    local all = self.tellers[index]()
    if all then
      return events.last(all, LAST_EVENTS)
    end
  end
  return {}
end

-- The error that ended `run` as a failure.
function Case:failure_of(value, timeout)
  if type(value) ~= "table" then -- the few errors that come without on_error are strings
    value = traceback.bare(value)
  end
  if traceback.is_deadline(value) then
    value.kind = "timeout"
    value.message = ("timeout after %g s"):format(timeout)
  end
  if #value.events == 0 and value.kind ~= "expectation" then
    value.events = self:last_events()
  end
  return value
end

-- Closes what the case opened, the last first.
function Case:close()
  for index = #self.closers, 1, -1 do
    self.closers[index]()
  end
  self.closers, self.tellers = {}, {}
  if self.made_directory then
    local removed, message = require("moonshake.io.files").remove_tree(self.made_directory)
    if not removed then
      self:note(message)
    end
  end
end

-- Runs the script's function and keeps what it failed with. Returns the reason of a skip.
function Case:play(timeout)
  native.clock_reset()
  native.rewind()
  scenario.set_current(self)
  native.deadline(timeout)
  local done, value = xpcall(self.scenario.run, on_error, self:view())
  native.deadline(nil)
  local skipped = not done and scenario.is_skip(value)
  local failure = not (done or skipped) and self:failure_of(value, timeout)
  self:close()
  scenario.set_current(nil)
  native.clock_reset()
  if done then
    if self.expectations == 0 then
      self:record_failure(traceback.at_scenario(self, "no_expectation",
                                                "the case made no expectation"))
    end
  elseif skipped then
    return value.reason
  else
    self:record_failure(failure)
  end
end

-- Judges by what was recorded.
function Case:verdict(reason)
  local expected = self.scenario.expected_failure
  if #self.failures == 0 and reason then
    return "skipped", reason
  elseif #self.failures > 0 then
    return expected and "expected_failure" or "failed", expected
  elseif expected then
    self:record_failure(traceback.at_scenario(
      self, "unexpected_pass", "the case passed, which it must not: " .. expected))
    return "failed"
  end
  return "passed"
end

--- Runs the case, once.
---@param timeout? number seconds; default the scenario's, else 60
---@return string outcome "passed", "failed", "skipped" or "expected_failure"
---@return string|nil reason of a skip or an expected failure
function Case:run(timeout)
  for _, word in ipairs(self.scenario.needs) do
    local reason = needs.missing(word)
    if reason then
      return "skipped", reason
    end
  end
  self.file:enter()
  local reason = self:play(timeout or self.scenario.timeout or DEFAULT_TIMEOUT)
  self.file:leave()
  return self:verdict(reason)
end

return { new = new }
