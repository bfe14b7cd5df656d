-- SPDX-License-Identifier: MIT
-- What a scenario may say of itself, and what is said where it may not.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local loader = require "moonshake.runner.loader"
local scenario = require "moonshake.scenario"
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local directory = assert(files.temporary_directory())
local path = directory .. "/scenarios.lua"

local function load_text(text)
  assert(files.write(path, text))
  return loader.load(path)
end

-- Loads a file with one scenario of these keys.
local function load_keys(keys, name)
  return load_text(('local ms = require "moonshake"\nms.scenario "%s" { %s }'):format(
    name or "one", keys))
end

local RUN = "run = function() end, "

test("a scenario may have these keys", function()
  local file = assert(load_keys(RUN .. [[about = "a", rfc = "b", tags = "c", needs = "openssl",
    timeout = 0.5, expected_failure = "d", matrix = { x = { 1 } }]]))
  equal(#file.cases, 1)
  equal(file.cases[1].scenario.tags[1], "c")
  equal(file.cases[1].scenario.needs[1], "openssl")
end)

test("what a key may not have is told at its line, with what it may", function()
  for keys, message in pairs {
    [RUN .. "tags = '!slow'"] = "tags: a tag that does not begin with ! (which excludes) wanted",
    [RUN .. "tags = { 1 }"] = "tags: a string or a list of strings wanted",
    [RUN .. "tags = { '' }"] = "tags: a string or a list of strings wanted",
    [RUN .. "needs = { 'opnssl' }"] = 'unknown word "opnssl" (did you mean "openssl"?)',
    [RUN .. "timeout = 0"] = "timeout: a number of seconds above 0, below 1e9 wanted",
    [RUN .. "timeout = 1/0"] = "timeout: a number of seconds above 0, below 1e9 wanted",
    [RUN .. "timeout = 1e9"] = "timeout: a number of seconds above 0, below 1e9 wanted",
    [RUN .. "timeout = 0/0"] = "timeout: a number of seconds above 0, below 1e9 wanted",
    [RUN .. "timeout = '1'"] = "timeout: a number of seconds above 0, below 1e9 wanted",
    [RUN .. "expected_failure = ''"] = "expected_failure: a string, the reason wanted",
    [RUN .. "expected_failure = true"] = "expected_failure: a string, the reason wanted",
    [RUN .. "abuot = 'x'"] = 'unknown key "abuot" (did you mean "about"?)',
    [RUN .. "matrix = { x = { '\\27[2J' } }"] = "has a character that cannot be printed",
    ["about = 'x'"] = "it has no run function",
    ["run = 1"] = "run: a function wanted",
  } do
    local file, problem = load_keys(keys)
    equal(file, nil, keys)
    contains(problem, path .. ":2: ")
    contains(problem, message)
  end
end)

test("a name is printable, and used once in a file", function()
  local _, problem = load_keys(RUN, "a\\27b")
  contains(problem, "has a character that cannot be printed")
  _, problem = load_keys(RUN, "")
  contains(problem, "a name wanted")
  _, problem = load_text [[
local ms = require "moonshake"
ms.scenario "twice" { run = print }
ms.scenario "twice" { run = print }]]
  contains(problem, 'scenarios.lua:3: scenario "twice": the name is used twice, first in line 2')
end)

test("only text is loaded", function()
  local _, problem = load_text(string.dump(function() end))
  contains(problem, "attempt to load a binary chunk")
end)

test("skips and notes are for cases", function()
  raises("ms.skip: no case is running", function() scenario.skip "why" end)
  scenario.set_current {}
  local done, message = pcall(scenario.skip, "")
  scenario.set_current(nil)
  equal(done, false)
  contains(message, "ms.skip: a reason wanted")
  raises("ms.note: a string wanted, got a number", function() scenario.note(1) end)
  scenario.note "printed nowhere"
end)

files.remove_tree(directory)
unit.done()
