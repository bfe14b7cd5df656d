-- SPDX-License-Identifier: MIT
-- ms.scenario, ms.skip and ms.note: what a scenario may say, and which case runs.
--
-- What other parts of the library may ask of the running case:
--   scenario.current() -> the case that runs, or nil outside of one. Of the case:
--     case:count_expectation()      an expectation is about to be judged
--     case:record_failure(failure)  a failed check; the case goes on (what a failure is stands at
--                                   the top of expect.lua)
--     case:on_close(f, tell)        f() is called when the case ends, in reverse order, even if the
--                                   case failed; it does not raise. tell(), optional, gives the
--                                   link that f() closes, for what is shown of a case that failed;
--                                   nil when there is nothing any more
--     case:directory()              the path of the case's own directory, made when first asked for
local strict = require "moonshake.strict"
local escape = require "moonshake.escape"
local matrix = require "moonshake.matrix"
local needs = require "moonshake.needs"

local scenario = {}

local running -- the case that runs
local collector -- what takes the scenarios of the file that is being loaded

-- Every case has these beside its matrix's values.
local CASE_NAMES = { id = true, dir = true }

local SKIP = { __name = "moonshake.skip" }

---------------------------------------------------------------------------------------------------
-- What a scenario may say

local function check_list(value)
  if type(value) == "string" then
    value = { value }
  end
  if not strict.is_list(value) then
    return nil, "a string or a list of strings"
  end
  for _, word in ipairs(value) do
    if type(word) ~= "string" or word == "" then
      return nil, "a string or a list of strings"
    end
  end
  return value
end

local function of_type(wanted)
  return function(value)
    if type(value) ~= wanted then
      return nil, "a " .. wanted
    end
    return value
  end
end

-- key -> a function that gives the value as we keep it, or nil and what was wanted
local KEYS = {
  about = of_type "string",
  rfc = of_type "string",
  run = of_type "function",
  matrix = of_type "table",
  needs = check_list,
  expected_failure = function(value)
    if type(value) ~= "string" or value == "" then
      return nil, "a string, the reason"
    end
    return value
  end,
  tags = function(value)
    local list, wanted = check_list(value)
    for _, tag in ipairs(list or {}) do
      if tag:sub(1, 1) == "!" then
        return nil, "a tag that does not begin with ! (which excludes)"
      end
    end
    return list, wanted
  end,
  timeout = function(value)
    if type(value) ~= "number" or not (value > 0 and value < 1e9) then -- native.deadline's limit
      return nil, "a number of seconds above 0, below 1e9"
    end
    return value
  end,
}

local function key_names()
  local names = {}
  for name in pairs(KEYS) do
    names[#names + 1] = name
  end
  return names
end

local function check_name(name)
  if type(name) ~= "string" or name == "" then
    strict.raise("ms.scenario: a name wanted, a sentence in quotes")
  elseif escape.line(name) ~= name then
    strict.raise(("ms.scenario: the name %s has a character that cannot be printed"):format(
      escape.yaml(name)))
  end
end

-- A scenario as the runner keeps it; raises at the script's line for what is wrong with it.
local function build(name, description)
  local api = ('scenario "%s"'):format(name)
  if type(description) ~= "table" then
    strict.raise(("%s: a table wanted, got a %s"):format(api, type(description)))
  end
  local made = { name = name, tags = {}, needs = {} }
  for key, value in pairs(description) do
    if not KEYS[key] then
      strict.unknown(api, "key", key, key_names())
    end
    local kept, wanted = KEYS[key](value)
    if kept == nil then
      strict.raise(("%s: %s: %s wanted, got a %s"):format(api, key, wanted, type(value)))
    end
    made[key] = kept
  end
  if not made.run then
    strict.raise(api .. ": it has no run function")
  end
  for _, word in ipairs(made.needs) do
    if not needs.known(word) then
      strict.unknown(api .. ": needs", "word", word, needs.words())
    end
  end
  local combinations, problem = matrix.combinations(made.matrix, CASE_NAMES)
  if not combinations then
    strict.raise(("%s: matrix: %s"):format(api, problem))
  end
  made.combinations = combinations
  for _, combination in ipairs(combinations) do
    if escape.line(combination.text) ~= combination.text then
      strict.raise(("%s: matrix: %s has a character that cannot be printed"):format(
        api, escape.yaml(combination.text)))
    end
  end
  made.short_file, made.line = strict.position()
  return made
end

--- ms.scenario: `ms.scenario "name" { run = function(case) ... end, ... }`. The keys are those of
--- the contract; anything else raises. The scenario runs once the whole file is loaded: by
--- `moonshake run`, or, in a file that a stock interpreter was given, at once with the others.
---@param name string
---@return fun(description: table)
function scenario.define(name)
  if running then
    strict.raise("ms.scenario: a case cannot make a scenario")
  elseif not collector then
    require("moonshake.standalone").run() -- does not return
  end
  check_name(name)
  local _, line = strict.position()
  collector.begun[name] = line or 0
  return function(description)
    if running or not collector then
      strict.raise("ms.scenario: the file is loaded, it is too late for another scenario")
    end
    local made = build(name, description)
    local before = collector.by_name[name]
    if before then
      strict.raise(('scenario "%s": the name is used twice, first in line %d'):format(name,
                                                                                      before.line))
    end
    collector.begun[name] = nil
    collector.by_name[name] = made
    collector[#collector + 1] = made
  end
end

---------------------------------------------------------------------------------------------------
-- In a case

--- The case that runs, or nil outside of one (see the top of this file).
function scenario.current()
  return running
end

--- ms.skip: ends the case as skipped.
---@param reason string
function scenario.skip(reason)
  if type(reason) ~= "string" or reason == "" then
    strict.raise("ms.skip: a reason wanted, a string")
  elseif not running then
    strict.raise("ms.skip: no case is running")
  end
  error(setmetatable({ reason = reason }, SKIP), 0)
end

--- Whether an error value is that of ms.skip.
function scenario.is_skip(value)
  return type(value) == "table" and getmetatable(value) == SKIP
end

--- ms.note: says what the script is about to show; printed where the case is told of. Outside of a
--- scenario nothing is printed.
---@param text string
function scenario.note(text)
  if type(text) ~= "string" then
    strict.raise(("ms.note: a string wanted, got a %s"):format(type(text)))
  elseif running then
    running:note(text)
  end
end

---------------------------------------------------------------------------------------------------
-- For the runner

--- Names which case runs, nil for none.
function scenario.set_current(case)
  running = case
end

--- Calls f() and returns the scenarios it made, in order, and what `call` (xpcall, or what stands
--- for it) returned. The list's `begun` has the lines of those that have a name and nothing else.
---@param call fun(f: function, handler: function): boolean, any
---@param f function
---@param handler fun(value: any): any
---@return table[] scenarios, boolean done, any result
function scenario.collect(call, f, handler)
  local outer = collector
  local scenarios = { by_name = {}, begun = {} }
  collector = scenarios
  local done, result = call(f, handler)
  collector = outer
  return scenarios, done, result
end

return scenario
