-- SPDX-License-Identifier: MIT
-- What the options of run do, where that is more than text.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

place.put("a.lua", [[
local ms = require "moonshake"
local function check() ms.expect(io.open "broken"):is_nil() end
ms.scenario "one" { run = check }
ms.scenario "two" { run = function() ms.expect(1):equals(1) end }
ms.scenario "three" { matrix = { n = { 1, 2, 3 } }, run = function(case)
  local file = io.open(case.dir .. "/kept", "w")
  file:write(case.n)
  file:close()
  ms.expect(case.n).no:equals(2)
end }]])

local function ids(text)
  local list = {}
  for id in text:gmatch "%(%s*%d+/%d+%) a.lua::([^\n]*)" do
    list[#list + 1] = id
  end
  return table.concat(list, " ")
end

test("without a known failure --last-failed says so and runs everything", function()
  local text = place.shell "moonshake run --last-failed a.lua::one"
  contains(text, "no failure is recorded here: all cases run")
  contains(text, "1 passed")
  equal(place.names(), "a.lua ")
end)

test("--last-failed runs what failed, until it passes", function()
  place.put("broken", "")
  local text, status = place.shell "moonshake run a.lua"
  equal(status, 1)
  contains(text, "2 failed, 3 passed")
  equal(place.get ".moonshake/.gitignore", "*\n")
  equal(ids(place.shell "moonshake run --last-failed a.lua"), "one three[n=2]")
  os.remove(place.directory .. "/broken")
  text, status = place.shell "moonshake run --last-failed a.lua"
  equal(ids(text), "one three[n=2]")
  equal(status, 1)
  equal(ids(place.shell "moonshake run --last-failed a.lua"), "three[n=2]")
end)

test("what did not run stays failed", function()
  place.shell "moonshake run a.lua::two"
  equal(ids(place.shell "moonshake run --last-failed a.lua"), "three[n=2]")
end)

test("a failed case that is gone is named", function()
  place.put(".moonshake/last-failed.json", '{"failed":["a.lua::gone","a.lua::two","b.lua::x"]}')
  local text, status = place.shell "moonshake run --last-failed a.lua"
  contains(text, "a.lua::gone: failed last time, and is not among the cases any more")
  equal(text:find("b.lua", 1, true), nil)
  equal(ids(text), "two")
  place.put(".moonshake/last-failed.json", '{"failed":["a.lua::one","a.lua::two"]}')
  text = place.shell "moonshake run --last-failed a.lua -k t"
  equal(text:find("any more", 1, true), nil)
  equal(ids(text), "two")
  equal(status, 0)
end)

test("and then forgotten, as are those of files that are no more", function()
  place.put(".moonshake/last-failed.json",
            '{"failed":["a.lua::gone","broken.lua::x","elsewhere.lua::y","gone.lua::z"]}')
  place.put("elsewhere.lua", "")
  place.put("broken.lua", "no Lua")
  equal(select(2, place.shell "moonshake run --last-failed a.lua broken.lua"), 2)
  equal(place.get ".moonshake/last-failed.json",
        '{\n  "failed":["broken.lua::x","elsewhere.lua::y"]\n}\n')
  os.remove(place.directory .. "/elsewhere.lua")
  os.remove(place.directory .. "/broken.lua")
  contains(place.shell "moonshake run --last-failed a.lua::two", "nothing was selected")
  contains(place.shell "moonshake run --last-failed a.lua::two", "no failure is recorded here")
end)

test("what is kept and cannot be read is said", function()
  place.put(".moonshake/last-failed.json", "no JSON")
  local text, status = place.shell "moonshake run --last-failed a.lua"
  contains(text, ".moonshake/last-failed.json: not what Moonshake wrote there; remove it")
  equal(status, 2)
  os.remove(place.directory .. "/.moonshake/last-failed.json")
end)

test("--repeat runs each case so many times, and --max-fail stops", function()
  local text = place.shell "moonshake run -j1 --repeat 3 a.lua::two 'a.lua::three[n=1]'"
  equal(ids(text), "two three[n=1] two (repeat 2) three[n=1] (repeat 2) two (repeat 3) "
                .. "three[n=1] (repeat 3)")
  text = place.shell "moonshake run -j1 --repeat 9 --max-fail 2 'a.lua::three[n=2]'"
  contains(text, "2 failed, 7 not run")
end)

test("the failure of a shuffled run tells the seed, and how to run it again", function()
  local text = place.shell "moonshake run -j1 --shuffle a.lua"
  local seed = text:match "seed (%d+)"
  contains(text, ("'a.lua::three[n=2]'"):format(seed))
  equal(ids(place.shell("moonshake run -j1 a.lua --shuffle=" .. seed)), ids(text))
end)

test("--keep leaves the directories of cases, and says where", function()
  local text = place.shell 'TMPDIR="$PWD" moonshake run --keep "a.lua::three[n=2]"'
  local path = text:match "kept (%S+)"
  contains(path, place.directory)
  local file <close> = assert(io.open(path .. "/kept"))
  equal(file:read "a", "2")
  os.execute("rm -r " .. place.directory .. "/moonshake-*")
  text = place.shell 'TMPDIR="$PWD" moonshake run --keep "a.lua::three[n=1]"'
  path = text:match "moonshake: the cases' directories are in (%S+)\n"
  contains(place.shell(("ls %s/*"):format(place.quoted(path))), "kept")
  os.execute("rm -r " .. place.directory .. "/moonshake-*")
  place.shell 'TMPDIR="$PWD" moonshake run a.lua'
  place.shell 'TMPDIR="$PWD" moonshake run --keep a.lua::two'
  equal(place.names(), ".moonshake a.lua ")
end)

test("a worker that is killed leaves no directory either", function()
  place.put("k/killed.lua", [[
local ms = require "moonshake"
ms.scenario "dies" { run = function(case)
  ms.expect(case.dir).no:equals ""
  os.execute "kill -KILL $PPID"
end }]])
  place.shell 'TMPDIR="$PWD" moonshake run k'
  equal(place.names(), ".moonshake a.lua k ")
end)

test("a report that cannot be written ends the run before it begins", function()
  local text, status = place.shell "moonshake run a.lua --format junit=nowhere/x.xml"
  equal(text, "moonshake: cannot write nowhere/x.xml: No such file or directory\n")
  equal(status, 2)
  text, status = place.shell "moonshake run a.lua --format json=/dev/full"
  contains(text, "No space left on device")
  equal(status, 2)
end)

test("what failed is kept where the report is lost, and not in Bazel's sandbox", function()
  os.execute("rm -r " .. place.directory .. "/.moonshake")
  local _, status = place.shell "TEST_TMPDIR=$PWD moonshake run 'a.lua::three[n=2]'"
  equal(status, 1)
  equal(place.names(), "a.lua k ")
  place.shell "moonshake run 'a.lua::three[n=2]' >/dev/full"
  equal(ids(place.shell "moonshake run --last-failed a.lua"), "three[n=2]")
end)

test("two reports cannot go to one file", function()
  local text, status = place.shell "moonshake run a.lua --format tap=same --format junit=./same"
  equal(text, "moonshake: --format tap and --format junit: both go to same\n")
  equal(status, 2)
  equal(place.get "same", nil)
  text, status = place.shell("moonshake run a.lua::two --format tap=/dev/null "
                             .. "--format junit=/dev/null")
  contains(text, "1 passed")
  equal(status, 0)
end)

test("a report behind a link replaces the file, not the link", function()
  place.put("reports/r.tap", "old")
  place.shell "ln -s reports/r.tap link"
  place.shell "moonshake run a.lua::two --format tap=link"
  equal(place.get "reports/r.tap", "TAP version 13\nok 1 - a.lua::two\n1..1\n")
  equal(place.shell "readlink link; rm -r link reports", "reports/r.tap\n")
end)

test("where there is no room for cases nothing begins, and nothing is left", function()
  local text, status = place.shell "TMPDIR=nowhere moonshake run a.lua --format tap=r.tap"
  contains(text, "moonshake: cannot make directory nowhere/moonshake-XXXXXX: ")
  equal(select(2, text:gsub("\n", "")), 1)
  equal(status, 2)
  text, status = place.shell "TMPDIR=nowhere moonshake list a.lua"
  equal(select(2, text:gsub("\n", "")), 1)
  equal(status, 2)
  equal(place.names(), ".moonshake a.lua k ")
end)

-- (A file is loaded with the program at its place, and that is gone when the next worker is due.)
test("where no process can be started the cases fail that it was for", function()
  place.put("gone/a.lua", [[
local ms = require "moonshake"
os.remove "program"
ms.scenario "dies" { run = function() os.execute "kill -KILL $PPID" end }
ms.scenario "is not there" { run = function() ms.expect(1):equals(1) end }]])
  place.put("gone/b.lua", "")
  place.shell(("cp %s program"):format(place.quoted(place.program)))
  local text, status = place.shell "./program run -j1 gone --format json=r.json"
  contains(text, "not loaded gone/b.lua: cannot start ")
  contains(text, "cannot start ")
  contains(text, "2 failed, 1 not loaded")
  equal(status, 2)
  equal(#place.events "r.json", 6)
end)

test("what is no file is written to as it is", function()
  equal(place.shell "moonshake run a.lua::two --format tap=/dev/stderr >/dev/null",
        "TAP version 13\nok 1 - a.lua::two\n1..1\n")
end)

test("--durations tells the slowest cases", function()
  local text = place.shell "moonshake run a.lua --durations 2"
  equal(select(2, text:match "slowest cases\n(.-)\nFAIL":gsub("\n", "")), 1)
  text = place.shell "moonshake run a.lua --durations 0"
  equal(select(2, text:match "slowest cases\n(.-)\nFAIL":gsub("\n", "")), 4)
end)

place.remove()
unit.done()
