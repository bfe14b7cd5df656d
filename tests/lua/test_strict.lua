-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local strict = require "moonshake.strict"
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local ALERT = strict.schema("alert", {
  { name = "level", about = "" },
  { name = "name", about = "" },
  { name = "names", about = "" },
  { name = "cause", about = "", fields = { { name = "problem", about = "" } } },
}, { "revoked_by" })

local function alert(values)
  return strict.record(ALERT, values or { level = "fatal", names = { "a", "b" } })
end

test("an error names the script's line, however deep the library is", function()
  local module = strict.module("tls", { link = true })
  local message = raises("tls: unknown name", function() return module.lonk, 1 end)
  contains(message, ("test_strict.lua:%d: "):format(unit.line() - 1))
  contains(message, '(did you mean "link"?)')
end)

test("an error names the script's line through C functions", function()
  local module = strict.module("tls", {})
  local line
  local _, message = pcall(function()
    line = unit.line() + 1
    table.sort({ 2, 1 }, function() return module.absent, 1 end)
  end)
  contains(message, (":%d: "):format(line))
end)

test("a name of another version says so", function()
  local module = strict.module("tls", {}, { listen = true })
  raises("tls.listen is not part of this version", function() return module.listen end)
end)

test("a native failure becomes an error with the API in front", function()
  equal(strict.check("pki.load", "value"), "value")
  equal(strict.check("pki.load", nil), nil)
  raises("pki.load: no such file", function() strict.check("pki.load", nil, "no such file") end)
end)

test("a record answers its fields, also those that are nil", function()
  equal(alert().level, "fatal")
  equal(alert().name, nil)
end)

test("a record raises on any other field, with the nearest", function()
  raises('alert: unknown field "nmae" (did you mean "name"?)', function() return alert().nmae end)
  raises("alert.revoked_by is not part of this version", function() return alert().revoked_by end)
end)

test("a record is read-only, also where it has a field", function()
  raises("read-only", function() alert().level = "warning" end)
  raises("read-only", function() alert().other = 1 end)
  raises("read-only", function() alert().names[1] = "x" end)
end)

test("pairs gives a record's fields in the order of its schema", function()
  local names = {}
  for name in pairs(alert()) do
    names[#names + 1] = name
  end
  equal(table.concat(names, " "), "level names")
end)

test("records within records are records", function()
  local one = alert { cause = { problem = "timeout" } }
  equal(one.cause.problem, "timeout")
  raises('alert.cause: unknown field "porblem"', function() return one.cause.porblem end)
end)

test("a list of a record has a length and items", function()
  local names = alert().names
  equal(#names, 2)
  equal(names[2], "b")
  equal(names[3], nil)
  equal(table.concat(names, ","), "a,b")
  local seen = {}
  for index, name in ipairs(names) do
    seen[index] = name
  end
  equal(#seen, 2)
  local paired = {}
  for index, name in pairs(names) do
    paired[index] = name
  end
  equal(table.concat(paired, ","), "a,b")
  raises("a list has no field", function() return names.first end)
end)

test("a list that belongs to the script can be changed but not misread", function()
  local list = strict.list { "a", "b" }
  table.remove(list, 1)
  equal(#list, 1)
  equal(list[5], nil)
  raises("a list has no field", function() return list.lenght end)
end)

test("lists are told from other tables", function()
  equal(strict.is_list {}, true)
  equal(strict.is_list { 1, 2 }, true)
  equal(strict.is_list { a = 1 }, false)
  equal(strict.is_list { [1] = 1, [3] = 3 }, false)
  equal(strict.is_list(alert().names), true)
  equal(strict.is_list(alert()), false)
  equal(strict.is_list "ab", false)
end)

test("a mark has no fields and says what it is", function()
  local mark = strict.mark("tls.unknown", "it cannot be told")
  equal(tostring(mark), "tls.unknown")
  raises("tls.unknown has no fields", function() return mark.version end)
  raises("tls.unknown: is read-only", function() mark.version = 1 end)
end)

unit.done()
