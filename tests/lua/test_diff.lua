-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local diff = require "moonshake.diff"
local marks = require "moonshake.marks"
local strict = require "moonshake.strict"
local test, equal = unit.test, unit.equal

local function paths(found, wanted)
  local list = {}
  for index, difference in ipairs(diff.compare(found, wanted)) do
    list[index] = ("%s:%s|%s"):format(difference.path, difference.found, difference.wanted)
  end
  return table.concat(list, " ")
end

test("plain values are shown as Lua writes them", function()
  equal(diff.show(nil), "nil")
  equal(diff.show(true), "true")
  equal(diff.show(12), "12")
  equal(diff.show "a", '"a"')
  equal(diff.show(print), "function")
end)

test("strings are escaped: quotes, control characters, what is not UTF-8", function()
  equal(diff.show 'a"b\\c\n', [["a\"b\\c\n"]])
  equal(diff.show "\0\27[31m", [["\x00\x1b[31m"]])
  equal(diff.show "gr\xc3\xbc\xc3\x9fe!", '"gr\xc3\xbc\xc3\x9fe!"')
  equal(diff.show 'gr\xc3\xbc"\xff!', [["gr\xc3\xbc\"\xff!"]])
  equal(diff.show "\u{202E}x", [["\u{202E}x"]])
end)

test("a long string is cut, and says how long it is", function()
  local shown = diff.show(("x"):rep(5000))
  equal(#shown < 500, true)
  unit.contains(shown, "(5000 bytes)")
  unit.contains(diff.show(("\u{DF}"):rep(1000) .. "\xff"), "\u{DF}")
  unit.contains(diff.show("x" .. ("\u{DF}"):rep(1000)), "\u{DF}")
end)

test("keys are sorted and lists stay lists", function()
  equal(diff.show { b = 1, a = { 1, 2 }, ["c d"] = false },
        '{ a = { 1, 2 }, b = 1, ["c d"] = false }')
  equal(diff.show {}, "{}")
end)

test("a table that does not fit gets a line for each item", function()
  local text = diff.show { ("x"):rep(50), ("y"):rep(50) }
  equal(text, ('{\n  "%s",\n  "%s"\n}'):format(("x"):rep(50), ("y"):rep(50)))
end)

test("no address is ever shown", function()
  local odd = { setmetatable({}, { __name = "thing" }), coroutine.create(print), io.stdout, print }
  equal(diff.show(odd):find("0x", 1, true), nil)
end)

test("a table in itself ends", function()
  local loop = {}
  loop.self = loop
  equal(diff.show(loop), "{ self = <itself> }")
  local other = {}
  other.self = other
  equal(#diff.compare(loop, other), 0)
end)

test("equal values have no difference", function()
  equal(paths({ a = { 1, 2, { b = "x" } } }, { a = { 1, 2, { b = "x" } } }), "")
  equal(paths(1, 1.0), "")
  equal(paths(nil, nil), "")
end)

test("every differing path is told, sorted", function()
  equal(paths({ b = 1, a = { 1, 2 } }, { b = 2, a = { 1, 3, 4 }, c = true }),
        "a[2]:2|3 a[3]:nil|4 b:1|2 c:nil|true")
end)

test("keys that are no names are bracketed", function()
  equal(paths({ ["a b"] = 1 }, { ["a b"] = 2 }), '["a b"]:1|2')
end)

test("a plain difference has the empty path", function()
  equal(paths("a", "b"), ':"a"|"b"')
  equal(paths({ 1 }, nil), ":{ 1 }|nil")
end)

test("records and plain tables are compared by what they hold", function()
  local schema = strict.schema("pair", { { name = "a" }, { name = "b" } })
  equal(paths(strict.record(schema, { a = { 1 } }), { a = { 1 } }), "")
  equal(paths(strict.record(schema, { a = 1 }), { a = 1, b = 2 }), "b:nil|2")
end)

test("what cannot be told is marked", function()
  equal(diff.compare({ a = marks.unknown }, { a = 1 }).unknown, true)
  equal(diff.compare(marks.unknown, marks.unknown).unknown, true)
  equal(diff.compare({ a = 1 }, { a = 1 }).unknown, nil)
end)

unit.done()
