-- SPDX-License-Identifier: MIT
-- Installs into a temporary prefix, configures the project beside this file with what is there, and
-- compares the tests that its ctest knows, and how they end, with what its scenarios say.
--   lua5.4 tests/install/ctest.lua BUILD_FOLDER CMAKE CTEST
local json = require "dkjson"
local unit = dofile "tests/lua/harness.lua"
package.path = "tests/docs/?.lua;" .. package.path
local markdown = require "markdown"

local build, cmake, ctest = arg[1], arg[2], arg[3]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What a command prints, and its exit status. No variable of an outer ctest is to be seen.
local function run(format, ...)
  local words = { ... }
  for index, word in ipairs(words) do
    words[index] = quoted(word)
  end
  local pipe = io.popen("unset CTEST_OUTPUT_ON_FAILURE CTEST_PARALLEL_LEVEL; exec 2>&1; "
                        .. format:format(table.unpack(words)))
  local output = pipe:read "a"
  local _, _, status = pipe:close()
  return output, status
end

local function must(...)
  local output, status = run(...)
  assert(status == 0, output)
  return output
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

local place = must "mktemp -d":gsub("\n", "")
local prefix, other, project = place .. "/a prefix", place .. "/other", place .. "/a project"

local function configure(source)
  return must("%s -S %s -B %s -DCMAKE_PREFIX_PATH=%s", cmake, source, source .. "/build",
              other .. ";" .. prefix)
end

-- The tests of a project: name -> { number, command, file, line, PROPERTY = value, ... }.
local function tests_of(source)
  local output = must("%s --test-dir %s --show-only=json-v1", ctest, source .. "/build")
  local all = assert(json.decode(output:match "{.*}"))
  local graph, tests = all.backtraceGraph, {}
  for number, test in ipairs(all.tests) do
    local made = { number = number, command = test.command }
    local node = test.backtrace and graph.nodes[test.backtrace + 1]
    if node then
      made.file, made.line = graph.files[node.file + 1], node.line
    end
    for _, property in ipairs(test.properties) do
      made[property.name] = property.value
    end
    unit.equal(tests[test.name], nil, "twice " .. test.name)
    tests[test.name] = made
  end
  return tests, #all.tests
end

local function words(list)
  return table.concat(list, "|")
end

local NAME = "scenarios/hostile.lua::"
  .. [==[a;b "c" [[d ]e] ]=] $f ${g} $ENV{h} @i@ $<j> \k \; 'l' #m (n) ü ]==]
local PLAIN = "scenarios/plain.lua::"
local TAP = [[[TAP; "$\@i@] ]] .. "plain.lua::"
local WITHOUT = "without a program: scenarios"

-- How each test ends, as ctest says it.
local OUTCOMES = {
  [PLAIN .. "passes"] = "Passed",
  [PLAIN .. "fails"] = "***Failed",
  [PLAIN .. "is skipped"] = "***Skipped",
  [PLAIN .. "fails as expected"] = "Passed",
  [NAME .. "[value=]]]"] = "Passed",
  [NAME .. "[value=[[]"] = "Passed",
  [NAME .. "[value=]=]]"] = "Passed",
  [NAME .. "[value=x;y\\]"] = "Passed",
  ["scenarios/broken.lua"] = "***Failed",
  ["scenarios/misspelt.lua"] = "***Failed",
  [TAP .. "passes"] = "***Failed", -- -k of OPTIONS leaves it nothing
  [TAP .. "fails"] = "***Failed",
  [TAP .. "is skipped"] = "***Failed",
  [TAP .. "fails as expected"] = "Passed",
  nowhere = "***Failed",
  empty = "***Failed",
  endless = "***Failed",
  [WITHOUT] = "***Failed",
}

local tests, output

unit.test("what is installed is found by find_package", function()
  must("%s --install %s --prefix %s", cmake, build, prefix)
  must("mkdir -p %s && cp /bin/sh %s", other .. "/bin", other .. "/bin/moonshake") -- not to be used
  must("cp -R tests/install/project %s", project)
  must("mkdir %s %s", project .. "/empty", project .. "/endless")
  configure(project)
end)

unit.test("each case is a test, and what cannot be listed or loaded is one", function()
  local count
  tests, count = tests_of(project)
  for name in pairs(tests) do
    unit.equal(OUTCOMES[name] ~= nil, true, name)
  end
  for name in pairs(OUTCOMES) do
    unit.equal(tests[name] ~= nil, true, name)
  end
  unit.equal(count, 18)
end)

unit.test("labels are those of the call and the tags", function()
  unit.equal(words(tests[PLAIN .. "passes"].LABELS), "good|quick|tls|two words")
  unit.equal(words(tests[PLAIN .. "is skipped"].LABELS), "tls|two words")
  unit.equal(words(tests[NAME .. "[value=]]]"].LABELS), [["z" ${w} \|[p|q]|tls|two words|x;y]])
  unit.equal(words(tests["scenarios/misspelt.lua"].LABELS), "tls|two words")
end)

unit.test("a test gives the program more time than this gives the case", function()
  unit.equal(tests[PLAIN .. "passes"].TIMEOUT, 60 + 3 + 10)
  unit.equal(tests[PLAIN .. "fails"].TIMEOUT, 60 + 61 + 10)
  unit.equal(tests[TAP .. "fails"].TIMEOUT, 7 + 7 + 10)
  unit.contains(words(tests[TAP .. "fails"].command), "|--timeout|7|")
end)

unit.test("a test names the line of Lua that it comes from", function()
  for name, line in pairs { [PLAIN .. "passes"] = 6, [PLAIN .. "is skipped"] = 22 } do
    unit.equal(tests[name].file, project .. "/scenarios/plain.lua")
    unit.equal(tests[name].line, line)
  end
  unit.equal(tests[NAME .. "[value=]]]"].line, 5)
  unit.equal(tests["scenarios/misspelt.lua"].file, project .. "/scenarios/misspelt.lua")
  unit.equal(tests["scenarios/misspelt.lua"].line, 5)
  unit.equal(tests[TAP .. "fails"].file, project .. "/scenarios/plain.lua")
end)

unit.test("properties and the working directory are those of the call", function()
  unit.equal(tests[PLAIN .. "fails"].PROCESSORS, 2)
  unit.equal(words(tests[PLAIN .. "fails"].ENVIRONMENT), "FIRST=a b|SECOND=$c")
  unit.equal(tests[PLAIN .. "fails"].WORKING_DIRECTORY, project)
  unit.equal(tests[TAP .. "fails"].WORKING_DIRECTORY, project .. "/scenarios")
end)

unit.test("the installed program is what runs", function()
  unit.equal(tests[PLAIN .. "fails"].command[1], prefix .. "/bin/moonshake")
end)

unit.test("each test ends as its case does", function()
  write(project .. "/endless/loops.lua", "while true do end") -- costs a second each time
  output = run("%s --test-dir %s --output-on-failure", ctest, project .. "/build")
  must("rm -r %s", project .. "/endless")
  for name, wanted in pairs(OUTCOMES) do
    local ended = output:match(("\n *%%d+/18 Test +#%d: [^\n]- %%.*(%%**%%a+) +%%d+%%.%%d+ sec")
                               :format(tests[name].number))
    unit.equal(ended, wanted, name)
  end
end)

unit.test("a failing test says why", function()
  unit.contains(output, "plain.lua:18\n") -- the failed expectation
  unit.contains(output, "equals: found 1, wanted 2")
  unit.contains(output, 'misspelt.lua:5: scenario "has no run function": unknown key "runs"')
  unit.contains(output, "nowhere: there is no such file or directory")
  unit.contains(output, "empty: there is no scenario in it")
  unit.contains(output, "The listing ended with: Process terminated due to timeout")
  unit.contains(output, "The listing ended with: No such file or directory")
  unit.contains(output, "not ok 1 - plain.lua::fails") -- OPTIONS: TAP
end)

unit.test("ctest selects by tag", function()
  local selected = must("%s --test-dir %s -N -L '^quick$' -L tls", ctest, project .. "/build")
  unit.contains(selected, "Total Tests: 2\n")
  unit.contains(selected, PLAIN .. "passes\n")
  unit.contains(selected, PLAIN .. "fails\n")
end)

unit.test("a new case is a test without CMake or a build", function()
  write(project .. "/scenarios/misspelt.lua", [[
    require "moonshake".scenario "is new" { run = function() end }
  ]])
  local found = tests_of(project)
  unit.equal(found["scenarios/misspelt.lua"], nil)
  unit.equal(found["scenarios/misspelt.lua::is new"].line, 1)
end)

unit.test("the example of the README does what it says", function()
  local lines = markdown.lines(markdown.read "scenarios/README.md")
  local example
  for _, block in ipairs(markdown.blocks(lines)) do
    example = block.info == "cmake" and block.text or example
  end
  write(project .. "/CMakeLists.txt", example)
  configure(project)
  unit.equal(tests_of(project)[PLAIN .. "passes"] ~= nil, true)
end)

unit.test("a call that is wrong stops CMake, and says what is", function()
  for call, wanted in pairs {
    ["TIMEOUT 1.5"] = "TIMEOUT: whole seconds above 0 wanted, got 1.5",
    ["DISCOVERY_TIMEOUT 0"] = "DISCOVERY_TIMEOUT: whole seconds above 0 wanted, got 0",
    ["LABEL x"] = "unknown argument: LABEL;x",
    ["LABELS x PROGRAM"] = "no value: PROGRAM",
    ["PROPERTIES ENVIRONMENT A=1 COST"] = "PROPERTIES: each name wants a value",
  } do
    write(place .. "/wrong.cmake", ("include(%q)\nmoonshake_discover_scenarios(scenarios %s)\n")
      :format(prefix .. "/lib/cmake/Moonshake/MoonshakeConfig.cmake", call))
    local said, status = run("cd %s && %s -P wrong.cmake", place, cmake)
    unit.equal(status, 1, call)
    unit.contains(said:gsub("%s+", " "), wanted)
  end
end)

run("rm -rf %s", place)
unit.done()
