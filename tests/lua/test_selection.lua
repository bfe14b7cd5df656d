-- SPDX-License-Identifier: MIT
-- Which cases paths, ids, texts and tags mean.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local loader = require "moonshake.runner.loader"
local selection = require "moonshake.runner.selection"
local test, equal, contains = unit.test, unit.equal, unit.contains

local directory = assert(files.temporary_directory())

local function put(name, text)
  assert(files.make_directory((directory .. "/" .. name):match "^(.*)/"))
  assert(files.write(directory .. "/" .. name, text))
end

put("some/a.lua", [[
local ms = require "moonshake"
local function run() end
ms.scenario "first" { tags = "slow", run = run }
ms.scenario "second" { tags = { "slow", "new" }, matrix = { n = { 1, 2 } }, run = run }
ms.scenario "a+b (third)" { run = run }]])
put("some/below/b.lua", [[
require("moonshake").scenario "fourth" { tags = "new", run = function() end }]])
put("some/.hidden.lua", "error 'never loaded'")
put("some/notes.txt", "no Lua at all")
put("a::b/c::d.lua", [[
require("moonshake").scenario "e::f" { run = function() end }]])
put("none/empty.lua", "")
put("broken/c.lua", "error 'it does not load'")

-- What the workers of a run would tell.
local function listings_of(paths)
  local listings = {}
  for _, path in ipairs(paths) do
    local file, problem = loader.load(path)
    listings[path] = { problem = problem, cases = file and {} }
    for index, case in ipairs(file and file.cases or {}) do
      listings[path].cases[index] = case:describe()
    end
  end
  return listings
end

-- What is selected: the ids without the directory, and the whole answer.
local function select(targets, filter)
  local paths = {}
  for index, target in ipairs(targets) do
    paths[index] = directory .. "/" .. target
  end
  local plan = selection.plan(paths)
  local made = selection.resolve(plan, listings_of(plan.files))
  made.cases = selection.filter(made.cases, filter or {})
  local ids = {}
  for index, case in ipairs(made.cases) do
    ids[index] = case.id:gsub("^.*/", "")
  end
  return table.concat(ids, " "), made
end

local ALL = "a.lua::first a.lua::second[n=1] a.lua::second[n=2] a.lua::a+b (third) b.lua::fourth"

test("a directory means the Lua files below it, in order, without hidden ones", function()
  local ids, made = select { "some" }
  equal(ids, ALL)
  equal(#made.problems, 0)
  equal(#made.unmatched, 0)
end)

test("FILE:LINE means the scenario that begins there, or the nearest before", function()
  equal(select { "some/a.lua:4" }, "a.lua::second[n=1] a.lua::second[n=2]")
  equal(select { "some/a.lua:3" }, "a.lua::first")
  equal(select { "some/a.lua:99" }, "a.lua::a+b (third)")
  local ids, made = select { "some/a.lua:2" }
  equal(ids, "")
  contains(made.unmatched[1], "some/a.lua:2: no scenario begins at or before this line")
end)

test("some cases come first, and all keep their order otherwise", function()
  local cases = { { id = "a" }, { id = "b" }, { id = "c" }, { id = "d" } }
  local ids = {}
  for index, case in ipairs(selection.with_first(cases, { b = true, d = true })) do
    ids[index] = case.id
  end
  equal(table.concat(ids), "bdac")
end)

test("a case is selected once, however often it is named", function()
  equal(select { "some", "some/a.lua", "some/a.lua::first" }, ALL)
  equal(select { "some/a.lua::second[n=2]", "some/a.lua::second" },
        "a.lua::second[n=2] a.lua::second[n=1]")
end)

test("an id means a case, a scenario's name all of its cases", function()
  equal(select { "some/a.lua::second[n=2]" }, "a.lua::second[n=2]")
  equal(select { "some/a.lua::second" }, "a.lua::second[n=1] a.lua::second[n=2]")
  local ids, made = select { "some/a.lua::secnd[n=2]" }
  equal(ids, "")
  contains(made.unmatched[1], "there is no such case (did you mean")
  contains(made.unmatched[1], 'a.lua::second[n=2]"?)')
end)

test("names of folders and files may have in them what ends one in an id", function()
  equal(select { "a::b" }, "c::d.lua::e::f")
  equal(select { "a::b/c::d.lua" }, "c::d.lua::e::f")
  equal(select { "a::b/c::d.lua:1" }, "c::d.lua::e::f")
  equal(select { "a::b/c::d.lua::e::f" }, "c::d.lua::e::f")
  equal(select { "a::b/../a::b/c::d.lua::e::f" }, "c::d.lua::e::f")
end)

-- Whether a case of this id would be selected, did it exist.
local function would_select(target, id)
  local plan = selection.plan { directory .. "/" .. target }
  return selection.would_select(plan, listings_of(plan.files), {}, directory .. "/" .. id)
end

test("a case that is gone is known by the file that its id begins with", function()
  equal(would_select("some", "some/a.lua::gone"), true)
  equal(would_select("some/a.lua", "some/a.lua::gone"), true)
  equal(would_select("some/a.lua", "some/below/b.lua::gone"), false)
  equal(would_select("some/a.lua::second", "some/a.lua::second[n=3]"), true)
  equal(would_select("broken", "broken/c.lua::x"), false)
  equal(would_select("a::b", "a::b/c::d.lua::gone"), true)
  equal(would_select("a::b/c::d.lua", "a::b/c::d.lua::gone"), true)
  equal(would_select("a::b", "a/c.lua::gone"), false)
end)

test("a text is no pattern", function()
  equal(select({ "some" }, { text = "+b (" }), "a.lua::a+b (third)")
  equal(select({ "some" }, { text = "f.*t" }), "")
end)

test("tags mean any of them, and none of those excluded", function()
  equal(select({ "some" }, { tags = { "slow" } }),
        "a.lua::first a.lua::second[n=1] a.lua::second[n=2]")
  equal(select({ "some" }, { tags = { "slow", "new" } }),
        "a.lua::first a.lua::second[n=1] a.lua::second[n=2] b.lua::fourth")
  equal(select({ "some" }, { tags = { "new", "slow" } }),
        "a.lua::first a.lua::second[n=1] a.lua::second[n=2] b.lua::fourth")
  equal(select({ "some" }, { tags = { "!slow" } }), "a.lua::a+b (third) b.lua::fourth")
  equal(select({ "some" }, { tags = { "slow", "!new" } }), "a.lua::first")
  equal(select({ "some" }, { tags = { "slow" }, text = "n=1" }), "a.lua::second[n=1]")
end)

test("what means no case, and what does not load, is told", function()
  local _, made = select { "none", "absent", "broken/c.lua", "some/notes.txt" }
  equal(#made.cases, 0)
  equal(#made.unmatched, 1)
  contains(made.unmatched[1], "none: there is no scenario in it")
  contains(made.problems[1], "absent: there is no such file or directory")
  contains(made.problems[2], "c.lua:1: it does not load")
  contains(made.problems[3], "notes.txt:1: ")
end)

test("a file that does not load is told of once", function()
  local _, made = select { "broken", "broken/c.lua", "broken/c.lua::x" }
  equal(#made.problems, 1)
end)

test("paths above the working directory stay as they are", function()
  equal(selection.id_path "../../x.lua", "../../x.lua")
  equal(selection.id_path "/.././a//x.lua", "/a/x.lua")
  equal(selection.id_path(files.working_directory() .. "s/x.lua"),
        files.working_directory() .. "s/x.lua")
end)

test("the file of an id is the one that is there, or else what is before its first ::", function()
  local function there(path)
    return path == "a::b.lua"
  end
  equal(selection.file_of("a::b.lua::case::more", there), "a::b.lua")
  equal(selection.file_of("gone.lua::a::b", there), "gone.lua")
  equal(selection.file_of("gone.lua", there), nil)
end)

files.remove_tree(directory)
unit.done()
