-- SPDX-License-Identifier: MIT
-- The life of one case: what it sees, what it recorded, what is closed when it ends.
local native = require "moonshake.native"
local events = require "moonshake.events"
local evidence = require "moonshake.evidence"
local expect = require "moonshake.expect"
local needs = require "moonshake.needs"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"

local DEFAULT_TIMEOUT = 60
local LAST_EVENTS = 8 -- of each end
local MOST_NAMES = 8 -- that are told of what a case changed

local Case = {}
Case.__index = Case

--- A case that has not run yet.
---@param made table a scenario (see scenario.lua)
---@param combination table of its matrix (see matrix.lua)
---@param file table the file it stands in (see loader.lua)
local function new(made, combination, file)
  local case = setmetatable({
    id = file.id .. "::" .. made.name .. combination.text,
    scenario = made,
    combination = combination,
    values = combination.values,
    file = file,
    closers = {},
    tellers = {},
    kept = {},
    most_links = evidence.LAST_LINKS,
  }, Case)
  case:forget()
  return case
end

--- Counts an expectation that is about to be judged.
function Case:count_expectation()
  self.expectations = self.expectations + 1
end

--- Keeps a failure, once; the case goes on.
function Case:record_failure(failure)
  if not self.recorded[failure] then
    self.recorded[failure] = true
    self.failures[#self.failures + 1] = failure
  end
end

--- Keeps a line of narration and, where steps are told, behind which it stands: so many events of
--- the link that was made last.
function Case:note(text)
  self.notes[#self.notes + 1] = text
  local link = self.tells and self.tellers[1] and self.tellers[#self.tellers]()
  if link then
    self.places[#self.notes] = { link = link, after = #link.events }
  end
end

--- Has f() called when the case ends, the last one first. `tell`, if given, answers with the link
--- that f() closes, or nil when that is gone already. The last links do not go before the case
--- ends, or what is told of a case would depend on when garbage was collected.
---@param f function
---@param tell? fun(): table|nil
function Case:on_close(f, tell)
  self.closers[#self.closers + 1] = f
  self.tellers[#self.tellers + 1] = tell
  if tell then
    self.kept[#self.tellers % self.most_links + 1] = tell()
  end
end

--- How many links the case has made.
---@return integer
function Case:num_links()
  return #self.tellers
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

-- Runs at the place of the error.
local function on_error(value)
  if expect.is_failure(value) or scenario.is_skip(value) then
    return value
  end
  return traceback.failure(value, Case.play)
end

--- The last events of the link that the case made last: where it stood when it came to nothing.
---@return string[]
function Case:last_events()
  for index = #self.tellers, 1, -1 do
    local link = self.tellers[index]()
    if link then
      return events.last(link.events, LAST_EVENTS)
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
  elseif traceback.is_out_of_memory(value) then
    collectgarbage()
    self.damage = true
    value = traceback.at_scenario(self, "memory",
                                  "the case used more memory than a worker may have (--memory)")
  end
  if #value.events == 0 and value.kind ~= "expectation" then
    value.events = self:last_events()
  end
  return value
end

-- Closes what the case opened, the last first.
function Case:close(keeps_directory)
  for index = #self.closers, 1, -1 do
    self.closers[index]()
  end
  self.closers, self.tellers, self.kept = {}, {}, {}
  if self.made_directory and keeps_directory then
    self:note("kept " .. self.made_directory)
  elseif self.made_directory then
    local removed, message = require("moonshake.io.files").remove_tree(self.made_directory)
    if not removed then
      self:note(message)
    end
  end
end

-- Puts back what the script changed of what others share.
function Case:mend(mend)
  local changed = mend and mend() or {}
  if #changed > 0 then
    self.damage = true
    local names = table.concat(changed, ", ", 1, math.min(#changed, MOST_NAMES))
    local more = #changed > MOST_NAMES and (" and %d more"):format(#changed - MOST_NAMES) or ""
    self:note(("the case changed %s%s: the file's other cases run in a fresh process")
              :format(names, more))
  end
end

-- Runs the script's function and keeps what it failed with. Returns the reason of a skip.
function Case:play(timeout, how)
  native.clock_reset()
  native.rewind()
  self.tells = how.evidence and (how.evidence.story or how.evidence.pictures)
  self.most_links = evidence.most_links(how.evidence)
  scenario.set_current(self)
  native.deadline(timeout)
  local done, value = xpcall(self.scenario.run, function(value)
    native.deadline(nil) -- it would strike here again
    self:mend(how.mend) -- what is to be told needs what the script may have changed
    return on_error(value)
  end, self:view())
  native.deadline(nil)
  self:mend(how.mend)
  local skipped = not done and scenario.is_skip(value)
  if not (done or skipped) then
    self:record_failure(self:failure_of(value, timeout))
  elseif done and self.expectations == 0 then
    self:record_failure(traceback.at_scenario(self, "no_expectation",
                                              "the case made no expectation"))
  end
  self.evidence = how.evidence and evidence.of(self, how.evidence, how.attempt or 1)
  self:close(how.keep)
  scenario.set_current(nil)
  native.clock_reset()
  return skipped and value.reason or nil
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

--- Runs the case. What it recorded stands in its `failures`, `notes` and `evidence` until forget();
--- `damage` is then true where what cases share may not be what it was.
---@param timeout number|nil seconds; default the scenario's, else 60
---@param how { evidence: table?, attempt: integer?, keep: boolean?, mend: (fun(): string[])? } what
--- is to be kept of its links (see evidence.lua); which run of it this is; whether its directory
--- stays; what puts back what it changed
---@return string outcome "passed", "failed", "skipped" or "expected_failure"
---@return string|nil reason of a skip or an expected failure
function Case:run(timeout, how)
  for _, word in ipairs(self.scenario.needs) do
    local reason = needs.missing(word)
    if reason then
      return "skipped", reason
    end
  end
  self.file:enter()
  local reason = self:play(timeout or self:seconds(), how)
  self.file:leave()
  return self:verdict(reason)
end

--- Lets go of what the last run() recorded; the case can be run again.
function Case:forget()
  self.expectations, self.failures, self.recorded = 0, {}, {}
  self.notes, self.places = {}, {}
  self.evidence, self.made_directory, self.damage = nil, nil, nil
end

--- How long the case may take unless the command line says otherwise.
---@return number seconds
function Case:seconds()
  return self.scenario.timeout or DEFAULT_TIMEOUT
end

-- What JSON has a word for stays what it is; of a table there is its text.
local function parameters(combination)
  local shown = {}
  for name, value in pairs(combination.values) do
    shown[name] = type(value) == "table" and combination.texts[name] or value
  end
  return shown
end

--- What can be known of the case without running it, for other processes and for reports.
---@return table description
function Case:describe()
  local made = self.scenario
  return {
    id = self.id,
    file = self.file.path,
    line = made.line,
    name = made.name,
    label = made.name .. self.combination.text,
    tags = setmetatable(made.tags, { __jsontype = "array" }),
    needs = setmetatable(made.needs, { __jsontype = "array" }),
    timeout = made.timeout,
    seconds = self:seconds(),
    rfc = made.rfc,
    about = made.about,
    expected_failure = made.expected_failure,
    params = parameters(self.combination),
  }
end

return { new = new }
