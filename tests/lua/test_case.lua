-- SPDX-License-Identifier: MIT
-- What the metatests cannot see from outside: the order of cases, the life of one, what a report is
-- told. Cases run in this process here (serial.lua).
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local loader = require "moonshake.runner.loader"
local matrix = require "moonshake.matrix"
local native = require "moonshake.native"
local selection = require "moonshake.runner.selection"
local serial = require "moonshake.runner.serial"
local test, equal = unit.test, unit.equal

local directory = assert(files.temporary_directory())

-- The cases of a scenario file with this text.
local function load_file(text, name)
  local path = directory .. "/" .. (name or "scenarios.lua")
  assert(files.write(path, 'local ms = require "moonshake"\n' .. text))
  local file, problem = loader.load(path)
  return file and file.cases, problem
end

-- Runs cases with a report that keeps what it is told.
local function run(cases)
  local told = { ended = {} }
  local report = {
    begin = function(_, plan) told.count = plan.count end,
    case_begins = function() end,
    case_ended = function(_, result) told.ended[#told.ended + 1] = result end,
    finish = function(_, summary)
      told.summary = summary
      return true
    end,
  }
  told.status = serial.run(cases, {}, report)
  return told
end

test("a matrix combines in the order of its lists, names alphabetically", function()
  local texts = {}
  for index, made in ipairs(matrix.combinations({ b = { 1, 2 }, a = { "x", true } }, {})) do
    texts[index] = made.text
  end
  equal(table.concat(texts, " "), "[a=x,b=1] [a=x,b=2] [a=true,b=1] [a=true,b=2]")
  equal(matrix.combinations(nil, {})[1].text, "")
end)

test("a table in a matrix has the same text in every run", function()
  local function text(value)
    return matrix.combinations({ v = { value } }, {})[1].text
  end
  equal(text { 1, 2, z = "y", a = { b = false } }, "[v={1,2,a={b=false},z=y}]")
  equal(text { name = "short", f = print }, "[v=short]")
  for _, bad in ipairs { print, { print }, { [{}] = 1 } } do
    equal(matrix.combinations({ v = { bad } }, {}), nil)
  end
end)

test("a matrix refuses names that cases have, holes and what is no list", function()
  for _, bad in ipairs { { id = { 1 } }, { v = { x = 1 } }, { v = 1 }, { ["a b"] = { 1 } }, {},
                         { v = { "1", 1 } }, { v = { 1, x = 2 } } } do
    local made, problem = matrix.combinations(bad, { id = true })
    equal(made, nil)
    equal(type(problem), "string")
  end
end)

test("a path is the same however it is written", function()
  for written, wanted in pairs {
    ["./a//b/../c.lua"] = "a/c.lua", ["../x.lua"] = "../x.lua", ["a/../../x"] = "../x",
    ["/../a"] = "/a", ["."] = ".", [files.working_directory() .. "/a/b.lua"] = "a/b.lua",
  } do
    equal(selection.id_path(written), wanted)
  end
end)

test("a case keeps its last links only", function()
  local told = run(load_file [[
    ms.scenario "makes many" {
      run = function()
        local seen = setmetatable({}, { __mode = "k" })
        for _ = 1, 40 do
          seen[ms.tls.link { client = { verify = false }, server = {} }] = true
          seen[ms.tls.connect { port = 1, client = {} }] = true
        end
        collectgarbage()
        collectgarbage() -- what has a finaliser goes in the second
        local count = 0
        for _ in pairs(seen) do
          count = count + 1
        end
        ms.expect(count):at_most(20)
      end,
    }
  ]])
  equal(told.ended[1].outcome, "passed")
end)

test("a case's links and directory are gone when it has ended, however it did", function()
  kept = {} -- luacheck: ignore 111
  local told = run(load_file [[
    for _, how in ipairs { "passes", "fails", "raises", "skips" } do
      ms.scenario(how) { run = function(case)
        local current = require("moonshake.scenario").current()
        kept[#kept + 1] = case.dir
        current:on_close(function() kept[#kept + 1] = "second" end)
        current:on_close(function() kept[#kept + 1] = "first" end)
        ms.expect(1):equals(how == "fails" and 2 or 1)
        if how == "raises" then error "no" elseif how == "skips" then ms.skip "why" end
      end }
    end]])
  equal(#told.ended, 4)
  for number = 0, 3 do
    equal(files.kind(kept[number * 3 + 1]), nil) -- luacheck: ignore 113
    equal(kept[number * 3 + 2], "first") -- luacheck: ignore 113
    equal(kept[number * 3 + 3], "second") -- luacheck: ignore 113
  end
  equal(told.ended[4].outcome, "skipped")
  equal(told.ended[4].reason, "why")
  equal(told.status, 1)
end)

test("a link of a case that has ended is closed, and still tells what it was", function()
  left = {} -- luacheck: ignore 111
  run(load_file [[
    ms.scenario "a" { run = function()
      local ca = ms.pki.authority { cn = "Root" }
      left[1] = ms.tls.link { server = { identity = ca:issue { dns = "server.example" } },
                              client = { trust = ca, server_name = "server.example" } }
      ms.expect(left[1]:handshake()):is_true()
    end }]])
  local link = left[1] -- luacheck: ignore 113
  equal(link.client.version, "TLS1.3")
  unit.raises("the link is closed", function() link:send { from = "client", data = "x" } end)
end)

test("whatever value is raised, there is a sentence for it", function()
  local told = run(load_file [[
    local values = {
      text = "why", number = 5, table = {}, ["nil"] = nil,
      speaking = setmetatable({}, { __tostring = function() return "I say" end }),
      broken = setmetatable({}, { __tostring = function() error "no" end }),
    }
    for _, name in ipairs { "text", "number", "table", "nil", "speaking", "broken" } do
      ms.scenario(name) { run = function() error(values[name], 0) end }
    end]])
  local wanted = { "why", "5", "the error value is a table that has no text",
                   "error was called without a value", "I say",
                   "the error value's __tostring failed" }
  for index, sentence in ipairs(wanted) do
    equal(told.ended[index].failures[1].message, sentence)
  end
end)

test("a complaint whose line is gone names no other line", function()
  local told = run(load_file [[
    ms.scenario "ends in a tail call" { run = function() return ms.tls.link { sever = {} } end }]])
  local made = told.ended[1].failures[1]
  unit.contains(made.message, 'tls.link: unknown option "sever"')
  equal(made.message:find(".lua:%d"), nil)
end)

test("a case can be read, not written or misread", function()
  local told = run(load_file [[
    ms.scenario "a" { matrix = { version = { "TLS1.2" } }, run = function(case)
      ms.expect(case.version):equals "TLS1.2"
      ms.expect(tostring(case)):equals(case.id)
      ms.expect(case.id):matches "::a%[version=TLS1.2%]$"
      ms.expect(function() case.version = "TLS1.3" end):raises "case: is read%-only"
      ms.expect(function() return case.verison end):raises 'did you mean "version"'
      local names = {}
      for name in pairs(case) do
        names[#names + 1] = name
      end
      ms.expect(names):equals { "version" }
    end }]])
  equal(told.ended[1].outcome, "passed")
end)

test("each case begins with the system's clock, and leaves it behind", function()
  local told = run(load_file [[
    ms.scenario "moves time" { run = function()
      ms.clock:set(1000)
      ms.expect(ms.clock:now()):equals(1000)
    end }
    ms.scenario "comes after" { run = function()
      ms.expect(ms.clock:now()):at_least(1e9)
      ms.clock:set(1000)
    end }]])
  equal(told.status, 0)
  equal(native.clock_now() > 1000000000, true)
end)

test("a clock that a file moves while it loads is not its cases' clock", function()
  local told = run(load_file [[
    ms.clock:set(1000)
    ms.scenario "later" { run = function() ms.expect(ms.clock:now()):at_least(1e9) end }]])
  equal(told.status, 0)
end)

test("each case is dealt the same RSA keys, which are too dear to make anew", function()
  dealt = {} -- luacheck: ignore 111
  run(load_file [[
    for _, name in ipairs { "a", "b" } do
      ms.scenario(name) { run = function()
        for index = 1, 2 do
          local identity = ms.pki.authority { cn = "x", key = "rsa-2048" }
          dealt[#dealt + 1] = identity.key:pem()
        end
        ms.expect(#dealt):at_least(2)
      end }
    end]])
  equal(#dealt, 4) -- luacheck: ignore 113
  equal(dealt[1] == dealt[2], false) -- luacheck: ignore 113
  equal(dealt[3], dealt[1]) -- luacheck: ignore 113
  equal(dealt[4], dealt[2]) -- luacheck: ignore 113
end)

test("a global of a file is seen by nobody else", function()
  load_file "leaked = true ms.scenario 'x' { run = function() end }"
  equal(rawget(_G, "leaked"), nil)
end)

test("package.path and os.exit are as before", function()
  local path, exit = package.path, os.exit
  local told = run(load_file "ms.scenario 'exits' { run = function() os.exit(true) end }")
  equal(told.ended[1].failures[1].kind, "error")
  equal(package.path, path)
  equal(os.exit, exit)
end)

test("the last events are told of a case that raises", function()
  local told = run(load_file [[
    ms.scenario "raises" { run = function()
      local current = require("moonshake.scenario").current()
      local event = { index = 7, role = "client", kind = "data", direction = "sent", length = 3 }
      current:on_close(function() end, function() return { events = { event } } end)
      current:on_close(function() end, function() return nil end)
      error "now"
    end }]])
  equal(told.ended[1].failures[1].message, "now")
  equal(told.ended[1].failures[1].events[1], "  7 client sent 3 bytes of data")
end)

test("a scenario is made while its file loads, and at no other time", function()
  local told = run(load_file [[
    local late = ms.scenario "late"
    late { run = function() ms.expect(1):equals(1) end }
    ms.scenario "a" { run = function() late { run = function() end } end }
    ms.scenario "b" { run = function() ms.scenario "inner" { run = function() end } end }]])
  unit.contains(told.ended[2].failures[1].message, "too late")
  unit.contains(told.ended[3].failures[1].message, "a case cannot make a scenario")
end)

test("a missing program skips the case, with its name", function()
  local needs = require "moonshake.needs"
  local before = needs.missing
  needs.missing = function(word) return "needs " .. word .. ", which is not in PATH" end
  local told = run(load_file [[
    ms.scenario "a" { needs = { "tshark" }, run = function() error "never" end }]])
  needs.missing = before
  equal(told.ended[1].outcome, "skipped")
  equal(told.ended[1].reason, "needs tshark, which is not in PATH")
  equal(told.status, 0)
end)

files.remove_tree(directory)
unit.done()
