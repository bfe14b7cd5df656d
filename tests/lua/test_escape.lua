-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local escape = require "moonshake.escape"
local test, equal = unit.test, unit.equal

-- What a peer may put into a name, each byte value among it.
local function every_byte()
  local bytes = {}
  for code = 0, 255 do
    bytes[#bytes + 1] = string.char(code)
  end
  return table.concat(bytes)
end

local HOSTILE = {
  every_byte(), "\27]0;title\7", "a\r\nb", "\u{202E}txt.exe", "\u{200B}", "\u{FEFF}", "\u{9B}31m",
  "\u{2028}\u{2029}", "\u{2066}\u{2067}\u{2068}\u{2069}", "\u{206F}", "\u{061C}",
  "\xC0\xAF", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\xE2\x82", "caf\u{E9} \u{1F600}", "",
}

-- Whether nothing in `text` moves a cursor, ends a line or turns the direction of writing.
local function is_harmless(text)
  if not utf8.len(text) then
    return false
  end
  for _, code in utf8.codes(text) do
    if code < 0x20 or code >= 0x7F and code <= 0x9F or code >= 0x200B and code <= 0x200F
      or code >= 0x2028 and code <= 0x202E or code >= 0x2060 and code <= 0x206F or code == 0xFEFF
      or code == 0x061C
    then
      return false
    end
  end
  return true
end

test("invalid UTF-8 becomes the replacement character, byte by byte", function()
  equal(escape.utf8 "a\xFFb", "a\u{FFFD}b")
  equal(escape.utf8 "\xE2\x82", "\u{FFFD}\u{FFFD}")
  equal(escape.utf8 "\xED\xA0\x80", "\u{FFFD}\u{FFFD}\u{FFFD}", "a surrogate")
  equal(escape.utf8 "caf\u{E9}", "caf\u{E9}")
end)

test("a line shows control characters and direction marks, and leaves letters alone", function()
  equal(escape.line "\27[31mred\7", "\\x1B[31mred\\x07")
  equal(escape.line "a\r\nb\tc\0\x7F", "a\\x0D\\x0Ab\\x09c\\x00\\x7F")
  equal(escape.line "\u{202E}\u{9B}", "\\u{202E}\\u{9B}")
  equal(escape.line "caf\u{E9} \u{4E2D} \u{1F600}", "caf\u{E9} \u{4E2D} \u{1F600}")
end)

test("no hostile text gets through to a terminal, TAP or YAML", function()
  for index, text in ipairs(HOSTILE) do
    equal(is_harmless(escape.line(text)), true, "line " .. index)
    equal(is_harmless(escape.tap(text)), true, "tap " .. index)
    equal(is_harmless(escape.yaml(text)), true, "yaml " .. index)
    for _, line in ipairs(escape.lines(text)) do
      equal(is_harmless(line), true, "lines " .. index)
    end
  end
end)

test("lines are kept apart, whatever ends them", function()
  local lines = escape.lines "one\r\ntwo\n\n\tthree"
  equal(table.concat(lines, "|"), "one|two||  three")
end)

test("TAP directives and escapes lose their meaning", function()
  equal(escape.tap "a # SKIP \\ b", "a \\# SKIP \\\\ b")
end)

test("a YAML scalar reads back as the text", function()
  equal(escape.yaml 'a "b" \\ c', '"a \\"b\\" \\\\ c"')
  equal(escape.yaml "a\nb\27", '"a\\nb\\x1B"')
  equal(escape.yaml "\u{202E}", '"\\u202E"')
  equal(escape.yaml "yes", '"yes"')
end)

test("a shell word is one word and that text", function()
  for _, text in ipairs { "a b", "it's", "$(id)", "`id`", "a;b", "*", "~", "\\", "!x", "-n", "a=b",
                          "tests/a.lua::x", "[a]", "" } do
    local pipe = assert(io.popen("printf '%s|' " .. escape.shell(text)))
    local found = pipe:read "a"
    pipe:close()
    equal(found, text .. "|")
  end
  equal(escape.shell "tests/a.lua::x", "tests/a.lua::x")
end)

unit.done()
