-- SPDX-License-Identifier: MIT
-- run --watch runs again what a change touches, failed cases first.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal = unit.test, unit.equal

local function scenario(name, wanted)
  return ('local ms = require "moonshake"\nms.scenario "%s" { run = function()\n'
          .. "  ms.expect(1):equals(%d)\nend }\n"):format(name, wanted)
end

place.put("s/a.lua", scenario("of a", 1) .. scenario("of a too", 1):gsub("^[^\n]*\n", ""))
place.put("s/b.lua", scenario("of b", 2))
place.put("s/c.lua", scenario("of c", 1))
place.put("s/notes.txt", "")

-- The program writes into a pipe, so that each round can be waited for.
place.put("start.sh", ("cd %s && exec %s run --watch -j1 s 2>&1"):format(
  place.quoted(place.directory), place.quoted(place.program)))
local pipe = assert(io.popen(("sh %s/start.sh & echo $!; wait $!; echo \"[exit $?]\""):format(
  place.quoted(place.directory))))
local pid = pipe:read "l"

-- The cases of one round, until it waits for changes.
local function round()
  local ids = {}
  while true do
    local line = assert(pipe:read "l", "the program ended")
    if line:find "^watching 1 folder for changes" then
      return table.concat(ids, " ")
    end
    ids[#ids + 1] = line:match "%(%s*%d+/%d+%) s/(.*)" or line:match "^moonshake: (.*)"
  end
end

test("the first round runs everything", function()
  equal(round(), "a.lua::of a a.lua::of a too b.lua::of b c.lua::of c")
end)

test("a changed file runs again, and before it what failed", function()
  place.put("s/a.lua", scenario("of a", 1))
  equal(round(), "b.lua::of b a.lua::of a")
end)

test("what passes now is not run again for another's change", function()
  place.put("s/notes.txt", "no scenario")
  place.put("s/b.lua", scenario("of b", 1))
  equal(round(), "b.lua::of b")
  place.put("s/c.lua", scenario("of c", 1))
  equal(round(), "c.lua::of c")
end)

test("a new file runs, and so does one that did not load", function()
  place.put("s/new.lua", "this is no Lua")
  unit.contains(round(), "s/new.lua:1:")
  place.put("s/new.lua", scenario("of new", 1))
  equal(round(), "new.lua::of new")
end)

test("SIGINT ends it", function()
  os.execute("kill -INT " .. pid)
  equal(pipe:read "a":match "%[exit %d+%]", "[exit 130]")
end)

pipe:close()

test("what is not there is not watched", function()
  local text, status = place.shell "moonshake run --watch nowhere"
  equal(status, 2)
  unit.contains(text, "nowhere: there is no such file or directory")
end)

place.remove()
unit.done()
