-- SPDX-License-Identifier: MIT
-- run --record, --compare and --certificates: what they write, and when they do not.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local json = require "dkjson"
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, part)
end

local function put(name, version, more)
  place.put(name, ([[
local ms = require "moonshake"
local function link(version)
  local ca = ms.pki.authority { cn = "Root" }
  local made = ms.tls.link {
    server = { identity = ca:issue { dns = "server.example", not_after = "+5d" } },
    client = { trust = ca, server_name = "server.example" }, versions = version,
  }
  ms.expect(made:handshake()):is_true()
  return made
end
ms.scenario "one" { run = function() link "%s" end }
ms.scenario "two" { tags = "t", run = function() link "TLS1.3" end }
%s]]):format(version, more or ""))
end

local function run(options)
  return place.shell("moonshake run " .. options)
end

put("d/a.lua", "TLS1.2")
put("d/b.lua", "TLS1.2")

test("a record is the same in every run, and differs from none", function()
  local text, status = run "--record r.json d"
  equal(status, 0)
  contains(text, "4 passed")
  local first = place.get "r.json"
  for _, options in ipairs { "-j1", "-j3", "--shuffle", "--repeat 3" } do
    text, status = run(options .. " --record again.json --compare r.json d")
    equal(status, 0)
    contains(text, "compared with r.json (moonshake ")
    contains(text, "0 changed, 0 new, 0 gone, ")
    equal(place.get "again.json", first, options)
  end
  equal(place.names():find("%.again%.json"), nil, "nothing is left beside it")
end)

test("our own scenarios' states are recorded the same, whatever the order and the jobs", function()
  local top = io.popen("pwd"):read "l"
  local state = place.quoted(top .. "/scenarios/state")
  local records = {}
  for index, options in ipairs { "-j1", "-j3", "-j3 --shuffle" } do
    local text, status = run(("%s --record s%d.json %s"):format(options, index, state))
    equal(status, 0, text:sub(-2000))
    records[index] = place.get(("s%d.json"):format(index))
  end
  equal(#records[1] > 1000000, true)
  equal(records[1] == records[2], true, "-j3")
  equal(records[1] == records[3], true, "--shuffle")
  equal(records[1]:find "%f[%w]%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x%x+%f[%W]", nil, "random digits")
end)

test("what changed is told, and fails the run; the new record can replace the old", function()
  put("d/a.lua", "TLS1.3", 'ms.scenario "three" { run = function() link "TLS1.2" end }')
  os.remove(place.directory .. "/d/b.lua")
  local text, status = run "--compare r.json --record r.json d"
  equal(status, 1)
  contains(text, "CHANGED d/a.lua::one\n")
  contains(text, '    links[1].client.initial.version\n'
           .. '      now:      "TLS1.3"\n      recorded: "TLS1.2"\n')
  contains(text, "NEW     d/a.lua::three\nGONE    d/b.lua::one\nGONE    d/b.lua::two\n")
  contains(text, "1 changed, 1 new, 2 gone, 1 the same\n")
  text, status = run "--compare r.json d"
  equal(status, 0)
  contains(text, "0 changed, 0 new, 0 gone, 3 the same\n")
end)

test("what was not selected is not gone", function()
  for _, options in ipairs { "d/a.lua::one", "-k one d", "--tag t d", "d/a.lua:12" } do
    local text, status = run("--compare r.json " .. options)
    equal(status, 0, text)
    contains(text, "0 changed, 0 new, 0 gone, 1 the same, 2 not run\n")
  end
  local text, status = run "--compare r.json d/a.lua"
  contains(text, "3 the same\n")
  equal(status, 0)
  for index = 1, 3 do
    text, status = run(("--shard %d/3 --compare r.json d"):format(index))
    contains(text, "0 gone")
    equal(status, 0)
  end
end)

test("a case that is gone is gone for whoever would have selected it", function()
  put("d/a.lua", "TLS1.3")
  for _, options in ipairs { "d", "./d", "d/a.lua", ".", "-k three d", "$PWD/d" } do
    local text = run("--compare r.json " .. options)
    contains(text, "GONE    d/a.lua::three\n")
  end
  local text = run "--compare r.json d/a.lua::two"
  contains(text, "0 gone, 1 the same, 2 not run\n")
end)

test("a file that does not load is another matter", function()
  place.put("d/a.lua", "no Lua")
  put("d/b.lua", "TLS1.2")
  local text, status = run "--compare r.json --record r.json d"
  equal(status, 2)
  contains(text, "2 new, 0 gone, 0 the same, 3 not run\n")
  contains(text, "moonshake: the report could not be written: r.json: nothing was recorded: "
           .. "not every file could be loaded\n")
  contains(place.get "r.json", '"d/a.lua::three"')
end)

test("half a run replaces no record", function()
  put("d/a.lua", "TLS1.3", 'ms.scenario "fails" { run = function() ms.expect(1):equals(2) end }\n'
      .. 'ms.scenario "last" { run = function() link "TLS1.2" end }')
  os.remove(place.directory .. "/d/b.lua")
  local text, status = run "-j1 --fail-fast --record r.json d/a.lua"
  equal(status, 2)
  contains(text, "r.json: nothing was recorded: 1 cases did not run\n")
  contains(place.get "r.json", '"d/a.lua::three"')
  text, status = run "--record r.json -k nothing d"
  equal(status, 2)
  contains(text, "nothing was recorded: no case ran")
  status = select(2, run "--record r.json d")
  equal(status, 1, "a case that fails is recorded as that")
  contains(place.get "r.json", '"d/a.lua::fails": {\n      "outcome": "failed"')
end)

test("a record that cannot be read is told before anything runs", function()
  place.put("broken.json", place.get "r.json":sub(1, 500))
  local text, status = run "--compare broken.json d"
  equal(status, 2)
  contains(text, "moonshake: broken.json: no record of a run: ")
  lacks(text, "PASS")
  text, status = run "--compare nowhere.json d"
  equal(status, 2)
  contains(text, "moonshake: cannot read nowhere.json: no such file or directory")
  text, status = run "--compare= d"
  equal(status, 2)
  contains(text, "a file wanted")
  text, status = run "--record nowhere/r.json d"
  equal(status, 2)
  contains(text, "cannot write nowhere/r.json")
end)

test("links that a case let go are recorded as if they were there, the last 64 of them", function()
  place.put("many.lua", [[
local ms = require "moonshake"
ms.scenario "many" { run = function()
  local ca = ms.pki.authority { cn = "Root" }
  local server = ca:issue { dns = "server.example" }
  for number = 1, 70 do
    local link = ms.tls.link { server = { identity = server }, versions = "TLS1.2",
                               client = { trust = ca, server_name = "server.example" } }
    ms.expect(link:handshake()):is_true()
    link = nil
    if os.getenv "COLLECT" or number == 70 then collectgarbage() end
  end
end }]])
  run "--record one.json --certificates=c.json many.lua"
  place.shell "COLLECT=1 moonshake run --record other.json many.lua"
  equal(place.get "one.json", place.get "other.json")
  local state = json.decode(place.get "one.json").cases["many.lua::many"].state
  equal(#state.links, 64)
  equal(state.links_left_out, 6)
  local told = json.decode(place.get "c.json")
  equal(told.presented[1].times, 64)
  equal(told.links_left_out, 6)
end)

test("--certificates takes no word that follows it", function()
  local text, status = run "--certificates many.lua"
  equal(status, 0)
  contains(text, "\ncertificates presented\n")
  contains(text, "      64      1             1  server  CN=server.example, issued by CN=Root\n")
  contains(text, "6 links are not counted: of a case the last 64 are\n")
  text = run "--certificates -k one d"
  contains(text, "  5 days  server  CN=server.example, in d/a.lua::one\n")
  text, status = run "--certificates= d"
  equal(status, 2)
  contains(text, "--certificates=: a file wanted behind the =")
end)

test("another format at standard output stays what it is", function()
  local text = run "--format tap --certificates --compare r.json -k two d 2>people"
  equal(text, "TAP version 13\nok 1 - d/a.lua::two\n1..1\n")
  contains(place.get "people", "certificates presented")
  contains(place.get "people", "0 changed, 0 new, 0 gone, 1 the same, 3 not run")
end)

test("the status that JSON tells is that of the run", function()
  put("d/a.lua", "TLS1.2", 'ms.scenario "fails" { run = function() ms.expect(1):equals(1) end }')
  local _, status = run "--format json=j.json --compare r.json d"
  equal(status, 1)
  local events = place.events "j.json"
  equal(events[#events].status, 1)
  equal(events[#events - 1].record, nil)
end)

place.remove()
unit.done()
