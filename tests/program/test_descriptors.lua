-- SPDX-License-Identifier: MIT
-- Who starts the program without standard descriptors gets no surprise: what it opens must not take
-- their place.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

place.put("a.lua", [[
local ms = require "moonshake"
ms.scenario "reads and prints" { run = function()
  print "printed"
  ms.expect(io.read "a"):equals ""
end }]])

test("without standard input it runs", function()
  local text, status = place.shell "moonshake run a.lua <&-"
  contains(text, "1 passed")
  equal(status, 0)
end)

test("without standard output it says that nobody can read what it came to", function()
  local text, status = place.shell "moonshake run a.lua >&-"
  equal(text, "moonshake: the report could not be written: Bad file descriptor\n")
  equal(status, 2)
  text, status = place.shell "moonshake run a.lua --format tap=r.tap --format json >&-"
  equal(status, 2)
  contains(place.get "r.tap", "ok 1 - a.lua::reads and prints\n1..1\n")
  equal(text, "moonshake: the report could not be written: Bad file descriptor\n")
end)

test("a list that cannot be written is an error", function()
  local text, status = place.shell "moonshake list a.lua >/dev/full"
  equal(text, "moonshake: the list could not be written: No space left on device\n")
  equal(status, 2)
end)

test("so is an explanation that cannot be written", function()
  local text, status = place.shell "moonshake explain 42 >/dev/full"
  equal(text, "moonshake: the explanation could not be written: No space left on device\n")
  equal(status, 2)
end)

test("so is a case that is shown to nobody, be it short or long", function()
  place.put("long.lua", [[
local ms = require "moonshake"
ms.scenario "tells much" { run = function()
  for i = 1, 1000 do
    ms.note(("line %d of many"):format(i))
  end
  ms.expect(1):equals(1)
end }]])
  for _, name in ipairs { "a.lua", "long.lua" } do
    for _, form in ipairs { "text", "json" } do
      local text, status = place.shell(("moonshake show %s --format %s >/dev/full"):format(name,
                                                                                         form))
      equal(text, "moonshake: the report could not be written: No space left on device\n")
      equal(status, 2)
    end
  end
end)

test("without standard error it runs", function()
  local text, status = place.shell "{ moonshake run a.lua; } 2>&-"
  contains(text, "1 passed")
  equal(status, 0)
end)

place.remove()
unit.done()
