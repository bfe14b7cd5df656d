-- SPDX-License-Identifier: MIT
-- The JSON format, version 1: which keys each event has, in which order, and what they hold. The
-- writer (json.lua) and the reader (json_reader.lua) both go by this table.
local json = require "dkjson"
local escape = require "moonshake.escape"
local json_map = require "moonshake.json_map"

local format = { VERSION = 1 }

-- A type has
--   name          for complaints: "text wanted"
--   write(value)  the value as dkjson is to encode it; never raises
--   wrong(value)  nil, or what is wrong with a value that was read

local function told(value)
  return type(value) == "table" and "a list or an object" or "a " .. type(value)
end

local function expects(name, holds)
  return function(value)
    if not holds(value) then
      return ("%s wanted, got %s"):format(name, told(value))
    end
  end
end

-- JSON has no word for what is no number, and none for infinity.
local function finite(value)
  value = tonumber(value)
  return value and value - value == 0 and value or 0
end

local TEXT = {
  write = function(value) return escape.utf8(tostring(value)) end,
  wrong = expects("a text", function(value) return type(value) == "string" end),
}

local NUMBER = {
  write = finite,
  wrong = expects("a number", function(value) return type(value) == "number" end),
}

local INTEGER = {
  write = function(value) return math.tointeger(finite(value)) or math.floor(finite(value)) end,
  wrong = expects("an integer", function(value) return math.type(value) == "integer" end),
}

-- To the microsecond: more is noise. (What is too much for an integer of milliseconds is no time.)
local SECONDS = {
  write = function(value) return math.floor(finite(value) * 1e6 + 0.5) / 1e6 end,
  wrong = function(value)
    return NUMBER.wrong(value) or expects("seconds from 0", function(seconds)
      return seconds >= 0 and seconds < 1e12
    end)(value)
  end,
}

-- A text, a number or a boolean: the value of a matrix, or what interrupted a run.
local SCALAR = {
  write = function(value)
    if type(value) == "boolean" then
      return value
    end
    return type(value) == "number" and finite(value) or TEXT.write(value)
  end,
  wrong = expects("a text, a number or a boolean", function(value)
    return type(value) ~= "table"
  end),
}

local function word(...)
  local words = {}
  for _, name in ipairs { ... } do
    words[name] = true
  end
  return {
    write = TEXT.write,
    wrong = function(value)
      return TEXT.wrong(value) or not words[value] and ("unknown word %q"):format(value) or nil
    end,
  }
end

local function list(of)
  return {
    write = function(value)
      local made = setmetatable({}, { __jsontype = "array" })
      for index, item in ipairs(type(value) == "table" and value or {}) do
        made[index] = of.write(item)
      end
      return made
    end,
    wrong = function(value)
      if type(value) ~= "table" then
        return ("a list wanted, got %s"):format(told(value))
      end
      local count = 0
      for _ in pairs(value) do
        count = count + 1
      end
      if count ~= #value then
        return "a list wanted, got an object"
      end
      for index, item in ipairs(value) do
        local problem = of.wrong(item)
        if problem then
          return ("[%d]: %s"):format(index, problem)
        end
      end
    end,
  }
end

-- An object with any keys.
local function map(of)
  return {
    write = function(value)
      local made = {}
      for name, item in pairs(type(value) == "table" and value or {}) do
        made[TEXT.write(name)] = of.write(item)
      end
      return json_map(made)
    end,
    wrong = function(value)
      if type(value) ~= "table" then
        return ("an object wanted, got %s"):format(told(value))
      end
      for name, item in pairs(value) do
        local problem = type(name) ~= "string" and "an object wanted, got a list" or of.wrong(item)
        if problem then
          return ("%s: %s"):format(name, problem)
        end
      end
    end,
  }
end

-- JSON that somebody else made. What is none is written as a text.
local RAW = {
  write = function(value)
    local text = escape.utf8(tostring(value))
    local done, decoded, behind = pcall(json.decode, text)
    if done and type(decoded) == "table" and not text:find("%S", behind)
      and not text:find "[\0-\31]"
    then
      return setmetatable({}, { __tojson = function() return text end })
    end
    return text
  end,
  wrong = function() end,
}

-- Fields are { name, type, is optional }. A list or a map that is not there is an empty one.
local function record(fields)
  local order = {}
  for index, field in ipairs(fields) do
    order[index] = field[1]
  end
  return {
    write = function(value)
      local made = setmetatable({}, { __jsontype = "object", __jsonorder = order })
      for _, field in ipairs(fields) do
        local name, kind, optional = table.unpack(field)
        if value[name] ~= nil or not optional then
          made[name] = kind.write(value[name])
        end
      end
      return made
    end,
    wrong = function(value)
      if type(value) ~= "table" then
        return ("an object wanted, got %s"):format(told(value))
      end
      for _, field in ipairs(fields) do
        local name, kind, optional = table.unpack(field)
        local problem
        if value[name] ~= nil then
          problem = kind.wrong(value[name])
        elseif not optional then
          problem = "is missing"
        end
        if problem then
          return ("%s: %s"):format(name, problem)
        end
      end
    end,
  }
end

local DIFFERENCE = record {
  { "path", TEXT }, { "found", TEXT, true }, { "wanted", TEXT, true },
}

local FAILURE = record {
  { "kind", TEXT }, { "message", TEXT }, { "file", TEXT, true }, { "line", INTEGER, true },
  { "source", TEXT, true }, { "found", TEXT, true }, { "wanted", TEXT, true },
  { "differences", list(DIFFERENCE) }, { "notes", list(TEXT) }, { "trace", list(TEXT), true },
  { "events", list(TEXT) },
}

-- selected, digest: all cases of which this is a shard, for merge (shard.lua says what they are).
local SHARD = record {
  { "index", INTEGER }, { "total", INTEGER }, { "selected", INTEGER, true },
  { "digest", TEXT, true },
}

-- Each event with its keys; "v" and "event" stand in front.
local EVENTS = {
  run_start = {
    { "version", TEXT }, { "stack", TEXT }, { "count", INTEGER }, { "jobs", INTEGER },
    { "seed", INTEGER, true }, { "shard", SHARD, true }, { "repeats", INTEGER },
    { "started", NUMBER },
  },
  case_start = { { "id", TEXT }, { "attempt", INTEGER } },
  note = { { "id", TEXT }, { "attempt", INTEGER }, { "text", TEXT } },
  case_end = {
    { "id", TEXT }, { "attempt", INTEGER }, { "file", TEXT }, { "line", INTEGER },
    { "name", TEXT }, { "tags", list(TEXT) }, { "needs", list(TEXT) }, { "params", map(SCALAR) },
    { "rfc", TEXT, true }, { "expected_failure", TEXT, true },
    { "outcome", word("passed", "failed", "skipped", "expected_failure") },
    { "reason", TEXT, true }, { "seconds", SECONDS }, { "failures", list(FAILURE) },
    { "output", TEXT, true }, { "output_cut", INTEGER, true },
    { "explanation", list(TEXT), true }, { "captures", list(TEXT), true }, { "ends", RAW, true },
    { "pictures", RAW, true },
  },
  run_end = {
    { "counts", map(INTEGER) }, { "not_run", INTEGER }, { "interrupted", SCALAR },
    { "seconds", SECONDS }, { "problems", list(TEXT) }, { "unmatched", list(TEXT) },
    { "lost", list(TEXT) }, { "status", INTEGER },
  },
}

local HEAD_FIELDS = {
  { "v", INTEGER },
  { "event", word("run_start", "case_start", "note", "case_end", "run_end") },
}
local HEAD = record(HEAD_FIELDS)

for name, fields in pairs(EVENTS) do
  table.move(fields, 1, #fields, #HEAD_FIELDS + 1)
  table.move(HEAD_FIELDS, 1, #HEAD_FIELDS, 1, fields)
  EVENTS[name] = record(fields)
end

--- The event as a line of JSON, without the line break.
---@param name string
---@param ... table where its keys are found, the first table that has one; what else they have is
---   left out
---@return string
function format.line(name, ...)
  local values = { v = format.VERSION, event = name }
  for _, source in ipairs { ... } do
    for key, value in pairs(source) do
      if values[key] == nil then
        values[key] = value
      end
    end
  end
  return json.encode(EVENTS[name].write(values))
end

--- What is wrong with an event that was read: a sentence that names the key, or nil.
---@param event table
---@return string|nil
function format.wrong(event)
  local head = HEAD.wrong(event)
  if head then
    return head
  elseif event.v ~= format.VERSION then
    return ("v: format %d, and only %d is known here"):format(event.v, format.VERSION)
  end
  return EVENTS[event.event].wrong(event)
end

return format
