-- SPDX-License-Identifier: MIT
-- Text in columns of a terminal.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local columns = require "moonshake.views.columns"
local test, equal = unit.test, unit.equal

local function folded(texts, width, separator)
  return table.concat(columns.fold(texts, width, separator), "|")
end

test("a text's width is what a terminal takes for it", function()
  equal(columns.width "plain", 5)
  equal(columns.width "M\u{FC}ller", 6)
  equal(columns.width "\u{9577}\u{9577}", 4, "East Asian wide")
  equal(columns.width "e\u{301}", 1, "a mark that combines")
  equal(columns.width "", 0)
end)

test("texts are folded with a separator between two on a line", function()
  equal(folded({ "one", "two", "three" }, 10, "; "), "one; two|three")
  equal(folded({ "one", "two" }, 8, "; "), "one; two")
  equal(folded({ "one", "two" }, 7, "; "), "one|two")
  equal(folded({}, 10, "; "), "")
end)

test("a text longer than a line is broken, and the next one goes on behind it", function()
  equal(folded({ "a", "one two three", "b" }, 8, "; "), "a|one two|three; b")
  equal(folded({ ("x"):rep(20) }, 8, "; "), "xxxxxxxx|xxxxxxxx|xxxx")
  equal(folded({ ("\u{9577}"):rep(5) }, 3, "; "), ("\u{9577}|"):rep(4) .. "\u{9577}")
end)

test("what hangs is within the width, too", function()
  equal(table.concat(columns.hang("one two three four", 9), "|"), "one two|  three|  four")
  equal(table.concat(columns.hang("", 9), "|"), "")
end)

unit.done()
