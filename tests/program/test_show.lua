-- SPDX-License-Identifier: MIT
-- What `moonshake show` leaves behind: what it was told to write, and nothing else.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

place.put("case.lua", [[
local ms = require "moonshake"
ms.scenario "fails" { run = function()
  ms.tls.link {}
  ms.expect(1):equals(2)
end }
ms.scenario "passes" { run = function() ms.expect(1):equals(1) end }]])

test("a case that is shown does not count among those that failed last", function()
  place.shell "moonshake run case.lua::fails"
  local before = place.get ".moonshake/last-failed.json"
  contains(before, "case.lua::fails")
  place.shell "rm -r .moonshake"
  local text, status = place.shell "moonshake show case.lua::fails"
  equal(status, 1)
  contains(text, "found 1, wanted 2")
  equal(place.names(), "case.lua ")
end)

test("a picture goes to a file as a whole, and a case without one leaves the file alone", function()
  local draw = "moonshake show --format svg --output picture.svg "
  local text, status = place.shell(draw .. "case.lua::fails")
  equal(status, 1)
  equal(text, "")
  contains(place.get "picture.svg", "</svg>\n")
  text, status = place.shell(draw .. "case.lua::passes")
  equal(status, 2)
  contains(text, "nothing to draw")
  equal(place.names(), "case.lua picture.svg ")
end)

test("colours come where they are forced, and else not where there is no terminal", function()
  equal((place.shell "moonshake show case.lua::passes"):find("\27", 1, true), nil)
  contains(place.shell "CLICOLOR_FORCE=1 moonshake show case.lua::passes", "\27[32mPASS\27[0m")
  equal((place.shell "NO_COLOR=1 CLICOLOR_FORCE=1 moonshake show case.lua::passes")
    :find("\27", 1, true), nil)
end)

place.remove()
unit.done()
