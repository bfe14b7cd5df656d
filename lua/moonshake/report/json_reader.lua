-- SPDX-License-Identifier: MIT
-- Reads what json.lua wrote, so that it can be told again in any other format.
local json = require "dkjson"
local format = require "moonshake.report.json_format"

local json_reader = {}

local CASE_KEYS = { "id", "file", "line", "name", "tags", "needs", "params", "rfc",
                    "expected_failure" }

-- The value that the text begins with, without marks on its tables, and the position behind it; nil
-- and what is wrong. (A text of many brackets overflows dkjson's stack.)
local function decode(text, at)
  local done, value, behind, problem = pcall(json.decode, text, at, nil, nil, nil)
  if not done or problem then
    return nil, done and problem:gsub("line 1, ", "") or "it is nested too deeply"
  end
  return value, behind
end

-- An object that is all of the line; nil and what is wrong.
local function object(line)
  if not utf8.len(line) then
    return nil, "not UTF-8"
  end
  local value, behind = decode(line, 1)
  if type(value) ~= "table" then
    return nil, "no JSON object" .. (type(behind) == "string" and ": " .. behind or "")
  elseif line:find("%S", behind) then
    return nil, ("text behind the JSON object, from column %d on"):format(line:find("%S", behind))
  end
  return value
end

-- The JSON text of a key's value in the object of a line: what is decoded and encoded again has
-- lost its order. nil where it cannot be found.
local function raw(line, wanted)
  local at = line:match "^%s*{()"
  while at do
    local key, behind = decode(line, at)
    local from = key and line:match("^%s*:%s*()", behind)
    local value, to = nil, nil
    if from then
      value, to = decode(line, from)
    end
    if not to or value == nil and type(to) == "string" then
      return nil
    elseif key == wanted then
      return line:sub(from, to - 1)
    end
    at = line:match("^%s*,()", to)
  end
end

local Reading = {}
Reading.__index = Reading

function Reading:complain(message, ...)
  local problems = self.found.problems
  problems[#problems + 1] = ("line %d: " .. message):format(self.line, ...)
end

function Reading:run_start(event)
  if self.found.plan then
    self:complain "a second run_start: several files in one?"
  end
  event.v, event.event = nil, nil
  self.found.plan = event
end

function Reading.case_start()
end

-- Notes stand before the end of their case.
function Reading:note(event)
  local key = event.attempt .. " " .. event.id
  self.notes[key] = self.notes[key] or {}
  table.insert(self.notes[key], event.text)
end

function Reading:case_end(event, line)
  local case = {}
  for _, key in ipairs(CASE_KEYS) do
    case[key] = event[key]
  end
  local lead = case.file .. "::"
  case.label = case.id:sub(1, #lead) == lead and case.id:sub(#lead + 1) or case.id
  local key = event.attempt .. " " .. event.id
  for _, name in ipairs { "ends", "pictures" } do
    if type(event[name]) == "table" then
      event[name] = raw(line, name)
      if not event[name] then
        self:complain("%s: cannot be read", name)
      end
    end
  end
  table.insert(self.found.results, {
    case = case, attempt = event.attempt, outcome = event.outcome, reason = event.reason,
    failures = event.failures, notes = self.notes[key] or {}, seconds = event.seconds,
    output = event.output, output_cut = event.output_cut,
    explanation = event.explanation, captures = event.captures, ends = event.ends,
    pictures = event.pictures,
  })
  self.notes[key] = nil
end

function Reading:run_end(event)
  event.v, event.event = nil, nil
  self.found.summary = event
end

function Reading:take(line)
  local event, problem = object(line)
  problem = problem or format.wrong(event)
  if problem then
    self:complain("%s", problem)
  elseif self.found.summary then
    self:complain("%s behind run_end", event.event)
  elseif not self.found.plan and event.event ~= "run_start" then
    if not self.is_headless then -- said once
      self:complain("%s before run_start", event.event)
    end
    self.is_headless = true
  else
    self[event.event](self, event, line)
  end
end

--- What a file of JSON lines tells. A report made of it is told: begin(plan), for each result
--- case_begins(result.case, result.attempt) and case_ended(result), finish(summary).
---@param text string the file's content
---@return { plan: table?, results: table[], summary: table?, problems: string[] } found plan is nil
---   where nothing begins, summary where the file was cut short (in the midst of a line, too);
---   problems are complaints that name a line
function json_reader.read(text)
  local reading = setmetatable({
    found = { results = {}, problems = {} }, notes = {}, line = 0,
  }, Reading)
  for line, ending in text:gmatch "([^\n]*)(\n?)" do
    reading.line = reading.line + 1
    local is_torn = ending == "" and not reading.found.summary and not object(line)
    if line:find "%S" and not is_torn then
      reading:take(line)
    end
  end
  return reading.found
end

return json_reader
