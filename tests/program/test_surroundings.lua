-- SPDX-License-Identifier: MIT
-- What is missing around a run (standard files, room for processes, directories) is said in a line,
-- and takes nothing from the reports that can be written.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

local PASSES = [[
local ms = require "moonshake"
ms.scenario "passes" { run = function() ms.expect(1):equals(1) end }]]

for number = 1, 9 do
  place.put(("many/%d.lua"):format(number), PASSES)
end
place.put("a.lua", PASSES)

-- Whether a JSON report is whole, and how many cases it tells of.
local function told_in(name)
  local events, count = place.events(name), 0
  for _, event in ipairs(events) do
    count = count + (event.event == "case_end" and 1 or 0)
  end
  equal(events[#events].event, "run_end")
  return count, events[#events]
end

local BAD = "moonshake: the report could not be written: Bad file descriptor\n"

for name, redirection in pairs {
  ["standard output"] = ">&-", ["all standard files"] = "<&- >&- 2>&-",
} do
  test("without " .. name .. " other reports are whole", function()
    local text, status = place.shell("moonshake run many --format json=r.json " .. redirection)
    equal(text, name == "standard output" and BAD or "")
    equal(status, 2)
    equal(told_in "r.json", 9)
  end)
end

test("without standard input or error everything is told", function()
  local text, status = place.shell "moonshake run many <&- 2>&-"
  contains(text, "9 passed")
  equal(status, 0)
end)

test("who reads the first line only does not hold the run up", function()
  local text = place.shell "{ moonshake run many --format tap; echo $? >status; } | head -n 1"
  contains(text, "TAP version 13\n")
  equal(place.get "status", "2\n")
  place.remove "status"
end)

test("where there is no room for temporary files that is said", function()
  place.put("r.json", "old")
  for _, command in ipairs { "run --format json=r.json", "list" } do
    local text, status = place.shell("TMPDIR=/nowhere moonshake " .. command .. " a.lua")
    equal(text, "moonshake: cannot make directory /nowhere/moonshake-XXXXXX: "
                .. "no such file or directory\n")
    equal(status, 2)
  end
  equal(place.get "r.json", "old")
  equal(place.names(), "a.lua many r.json ")
end)

test("a working directory that is gone is no reason not to run what has a whole path", function()
  place.put("gone/x", "")
  local text, status = place.shell(
    ("cd gone && rm -r ../gone; moonshake run %s/a.lua"):format(place.directory))
  contains(text, "/a.lua::passes")
  contains(text, "1 passed")
  equal(status, 0)
  text, status = place.shell [[
    mkdir gone; cd gone && rm -r ../gone; moonshake run; moonshake list a.lua]]
  contains(text, "moonshake: scenarios: there is no such file or directory\n1 not loaded in ")
  contains(text, "moonshake: a.lua: there is no such file or directory\n")
  equal(status, 2)
end)

test("what failed cannot always be remembered", function()
  place.put("fails.lua", PASSES:gsub("equals%(1%)", "equals(2)"))
  place.put(".moonshake", "")
  local text, status = place.shell "moonshake run fails.lua"
  contains(text, "moonshake: cannot make directory .moonshake: file already exists\n")
  contains(text, "1 failed")
  equal(status, 1)
  place.remove ".moonshake"
end)

place.remove()
unit.done()
