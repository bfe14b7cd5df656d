-- SPDX-License-Identifier: MIT
-- run --watch runs again what a change touches, failed cases first.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

local function scenario(name, wanted)
  return ('local ms = require "moonshake"\nms.scenario "%s" { run = function()\n'
          .. "  ms.expect(1):equals(%d)\nend }\n"):format(name, wanted)
end

place.put("s/a.lua", scenario("of a", 1) .. scenario("of a too", 1):gsub("^[^\n]*\n", ""))
place.put("s/b.lua", scenario("of b", 2))
place.put("s/c.lua", scenario("of c", 1))
place.put("s/notes.txt", "")

-- A run with --watch, told what to watch and in which folder. It writes into a pipe, so that each
-- round can be waited for.
local function watch(words, folder)
  place.put("start.sh", ("cd %s && exec %s run --watch -j1 %s 2>&1"):format(
    place.quoted(place.directory .. "/" .. (folder or "")), place.quoted(place.program), words))
  local pipe = assert(io.popen(("sh %s/start.sh & echo $!; wait $!; echo \"[exit $?]\""):format(
    place.quoted(place.directory))))
  local pid = pipe:read "l"
  local watched = {}

  -- The cases of one round, until it waits for changes.
  function watched.round()
    local ids = {}
    while true do
      local line = assert(pipe:read "l", "the program ended")
      if line:find "^watching %d+ folders? for changes" then
        return table.concat(ids, " ")
      end
      ids[#ids + 1] = line:match "%(%s*%d+/%d+%) (.*)" or line:match "^moonshake: (.*)"
    end
  end

  -- What is printed until it ends, with the exit status.
  function watched.rest()
    local text = pipe:read "a"
    pipe:close()
    return text
  end

  -- Sends a signal. Returns the exit status.
  function watched.kill(signal)
    os.execute(("kill -%s %s"):format(signal, pid))
    return watched.rest():match "%[exit (%d+)%]"
  end

  return watched
end

local all = watch "s"
local round = all.round

test("the first round runs everything", function()
  equal(round(), "s/a.lua::of a s/a.lua::of a too s/b.lua::of b s/c.lua::of c")
end)

test("a changed file runs again, and before it what failed", function()
  place.put("s/a.lua", scenario("of a", 1))
  equal(round(), "s/b.lua::of b s/a.lua::of a")
end)

test("what passes now is not run again for another's change", function()
  place.put("s/notes.txt", "no scenario")
  place.put("s/b.lua", scenario("of b", 1))
  equal(round(), "s/b.lua::of b")
  place.put("s/c.lua", scenario("of c", 1))
  equal(round(), "s/c.lua::of c")
end)

test("a new file runs, and so does one that did not load", function()
  place.put("s/new.lua", "this is no Lua")
  contains(round(), "s/new.lua:1:")
  place.put("s/new.lua", scenario("of new", 1))
  equal(round(), "s/new.lua::of new")
end)

test("folders may come and go, with what failed in them", function()
  place.put("s/more/empty/deep.lua", scenario("of deep", 2))
  equal(round(), "s/more/empty/deep.lua::of deep")
  place.shell "rm -r s/more"
  place.put("s/c.lua", scenario("of c", 1))
  equal(round(), "s/c.lua::of c")
end)

test("SIGINT ends it", function()
  equal(all.kill "INT", "130")
end)

test("only what was asked for runs again", function()
  local one = watch "'s/a.lua::of a' s/b.lua:2 --tag '!x'"
  place.put("s/a.lua", scenario("of a", 1) .. scenario("of a too", 1):gsub("^[^\n]*\n", ""))
  equal(one.round(), "s/a.lua::of a s/b.lua::of b")
  place.put("s/a.lua", place.get "s/a.lua")
  equal(one.round(), "s/a.lua::of a")
  equal(one.kill "TERM", "143")
end)

test("what changes during a run runs after it", function()
  place.put("s/a.lua", [[
local ms = require "moonshake"
ms.scenario "changes another" { run = function()
  if io.open "once" then
    os.remove "once"
    os.execute "touch s/b.lua"
  end
  ms.expect(1):equals(1)
end }]])
  local two = watch "s/a.lua s/b.lua"
  equal(two.round(), "s/a.lua::changes another s/b.lua::of b")
  place.put("once", "")
  place.put("s/a.lua", place.get "s/a.lua")
  equal(two.round(), "s/a.lua::changes another")
  equal(two.round(), "s/b.lua::of b")
  equal(two.kill "HUP", "129")
end)

test("a hang-up during a run ends it", function()
  place.put("waits.lua", 'os.execute "echo $PPID >waits; exec tail -f /dev/null"')
  local three = watch "waits.lua"
  place.shell "until [ -s waits ]; do :; done"
  equal(three.kill "HUP", "129")
end)

test("files may come that are not there yet", function()
  place.put("later/notes.txt", "")
  local four = watch "later/x.lua later/folder"
  contains(four.round(), "later/x.lua: there is no such file or directory")
  place.put("later/x.lua", scenario("of x", 1))
  equal(four.round(), "later/x.lua::of x")
  place.put("later/folder/y.lua", scenario("of y", 1))
  equal(four.round(), "later/folder/y.lua::of y")
  equal(four.kill "INT", "130")
  local text, status = place.shell "moonshake run --watch nowhere/at/all"
  contains(text, "nowhere/at/all: there is no such file or directory")
  equal(text:find("watching", 1, true), nil)
  equal(status, 2)
end)

test("it ends where there is nothing left to watch", function()
  place.put("gone/s/a.lua", scenario("of a", 1))
  local five = watch("s/a.lua", "gone")
  equal(five.round(), "s/a.lua::of a")
  place.shell "rm -r gone/s"
  equal(five.rest(), "moonshake: there is no folder to watch\n[exit 0]\n")
end)

place.remove()
unit.done()
