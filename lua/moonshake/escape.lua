-- SPDX-License-Identifier: MIT
-- The one sanitizer of text that somebody else wrote (names in certificates, SNI, what a peer sent,
-- paths): each function returns text that cannot do harm, or be misread, where it is printed.

local escape = {}

local REPLACEMENT = "\u{FFFD}"

-- Direction marks, and what else a terminal shows as nothing while it changes how the rest reads.
local function is_invisible(code)
  return code == 0x061C or code == 0xFEFF or code >= 0x200B and code <= 0x200F
    or code >= 0x2028 and code <= 0x202E or code >= 0x2060 and code <= 0x206F
end

-- One character, or the first byte of what is none: how a terminal may see it.
local function shown(character)
  local code = utf8.codepoint(character)
  if code < 0x20 or code == 0x7F then
    return ("\\x%02X"):format(code)
  elseif code >= 0x80 and code <= 0x9F or is_invisible(code) then
    return ("\\u{%X}"):format(code)
  end
  return character
end

--- `text` as valid UTF-8: each byte that belongs to no character becomes U+FFFD.
---@param text string
---@return string
function escape.utf8(text)
  if utf8.len(text) then
    return text
  end
  local pieces, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    if not bad then
      pieces[#pieces + 1] = text:sub(at)
      break
    end
    pieces[#pieces + 1] = text:sub(at, bad - 1)
    pieces[#pieces + 1] = REPLACEMENT
    at = bad + 1
  end
  return table.concat(pieces)
end

--- `text` for a terminal, on one line: control characters (line breaks and ESC among them), C1
--- controls and direction marks show as \xNN or \u{...}.
---@param text string
---@return string
function escape.line(text)
  if not text:find "[^\x20-\x7E]" then
    return text
  end
  return (escape.utf8(text):gsub(utf8.charpattern, shown))
end

local SHORT = 64 -- characters

--- `text` as escape.line() has it, but not longer than `most` characters: what is ends in "...".
---@param text string
---@param most? integer at least 3; default 64
---@return string
function escape.short(text, most)
  most = most or SHORT
  -- Of a long text enough for any answer: a character has at most 4 bytes, and none is left out.
  local line = escape.line(#text > 8 * most and text:sub(1, 8 * most) or text)
  if utf8.len(line) <= most then
    return line
  end
  return line:sub(1, utf8.offset(line, most - 2) - 1) .. "..."
end

--- The lines of `text`, each for a terminal.
---@param text string
---@return string[]
function escape.lines(text)
  local lines = {}
  for line in (text:gsub("\r\n", "\n") .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = escape.line((line:gsub("\t", "  ")))
  end
  return lines
end

--- The description of a TAP point: one line in which neither `#` nor `\` has a meaning.
---@param text string
---@return string
function escape.tap(text)
  return (escape.line(text):gsub("[\\#]", "\\%0"))
end

--- A YAML scalar in double quotes. Line breaks stay readable as \n.
---@param text string
---@return string
function escape.yaml(text)
  local inside = escape.utf8(text):gsub(utf8.charpattern, function(character)
    local code = utf8.codepoint(character)
    if character == "\n" then
      return "\\n"
    elseif character == '"' or character == "\\" then
      return "\\" .. character
    elseif code < 0x20 or code == 0x7F then
      return ("\\x%02X"):format(code)
    elseif code >= 0x80 and code <= 0x9F or is_invisible(code) then
      return ("\\u%04X"):format(code)
    end
  end)
  return '"' .. inside .. '"'
end

-- What XML 1.0 has no way to say: controls, and two code points. (C1 controls it has.)
local function sayable_in_xml(text)
  return (escape.utf8(text):gsub("[\0-\8\11\12\14-\31]", "")
    :gsub("\u{FFFE}", ""):gsub("\u{FFFF}", ""))
end

local XML = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["\t"] = "&#9;", ["\n"] = "&#10;", ["\r"] = "&#13;",
}

--- The text of an XML 1.0 element. Controls other than tab, LF and CR are left out: show them by
--- `lines` first, where they matter. (A bare CR would be read as LF.)
---@param text string
---@return string
function escape.xml(text)
  return (sayable_in_xml(text):gsub("[&<>\r]", XML))
end

--- The value of an XML 1.0 attribute, without the double quotes round it. (A bare tab or line break
--- would be read as a space.)
---@param text string
---@return string
function escape.xml_attribute(text)
  return (sayable_in_xml(text):gsub('[&<>"\t\n\r]', XML))
end

local HTML = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;", ["'"] = "&#39;" }

--- The text of an HTML element, or the value of an attribute in quotes; well-formed as XML, too.
--- What cannot be seen shows as in `lines`; only line breaks stay what they are.
---@param text string
---@return string
function escape.html(text)
  if text:find "[^\x20-\x7E]" then
    text = sayable_in_xml(table.concat(escape.lines(text), "\n"))
  end
  return (text:gsub("[&<>\"']", HTML))
end

--- A path as a reference from one page to another: nothing in it names a scheme or a host, or ends
--- the path.
---@param path string
---@return string
function escape.url_path(path)
  path = path:gsub("^//", "/.//")
  return (path:gsub("[^%w._~/-]", function(byte)
    return ("%%%02X"):format(byte:byte())
  end))
end

local GITHUB = { ["%"] = "%25", ["\r"] = "%0D", ["\n"] = "%0A", [":"] = "%3A", [","] = "%2C" }

--- The message of a GitHub workflow command: what stands behind `::error::`.
---@param text string
---@return string
function escape.github(text)
  return (escape.utf8(text):gsub("[%%\r\n]", GITHUB))
end

--- The value of a property of a GitHub workflow command: `::error title=VALUE::`.
---@param text string
---@return string
function escape.github_property(text)
  return (escape.utf8(text):gsub("[%%\r\n:,]", GITHUB))
end

-- What may begin something in GitHub's Markdown. A character that is named by its number is never
-- taken for markup, in a table's cell neither, where a backslash before `|` has rules of its own.
local MARKDOWN = "[][&<>\\`*_~|#!$@(){}^]"

--- A cell of a Markdown table, or other text within a line: markup loses its meaning, lines are
--- kept apart by <br>.
---@param text string
---@return string
function escape.markdown(text)
  local lines = escape.lines(text)
  for index, line in ipairs(lines) do
    lines[index] = line:gsub(MARKDOWN, function(character)
      return ("&#%d;"):format(character:byte())
    end)
  end
  return table.concat(lines, "<br>")
end

-- What ends a statement of Mermaid, begins a comment, a directive or a formula, or is taken for
-- HTML; and a colon, because Mermaid takes the semicolon off what looks like `style x: ...#...;`.
local MERMAID = "[!-'*+:-<>-@%[\\%]^`{-~]"

--- Text of a Mermaid diagram, on one line: what has a meaning is named by its number. (So are the
--- two signs by which Mermaid itself marks such numbers meanwhile.)
---@param text string
---@return string
function escape.mermaid(text)
  return (escape.line(text):gsub(MERMAID, function(character)
    return ("#%d;"):format(character:byte())
  end):gsub("\u{B6}", "#182;"):gsub("\u{FB02}", "#64258;"))
end

local function percent(byte)
  return ("%%%02X"):format(byte:byte())
end

--- A value of Envoy's x-forwarded-client-cert: quoted where it has to be. No byte is left that ends
--- the header or is no ASCII, and no backslash, of which it is not said how it is escaped (a quoted
--- value that ended in one would not end): those are written as in a URI, %0D.
---@param text string
---@return string
function escape.xfcc(text)
  local value = text:gsub("[^\x20-\x7E]", percent):gsub("\\", percent)
  return value:find '[,;=" ]' and '"' .. value:gsub('"', '\\"') .. '"' or value
end

-- A character of an RFC 4514 name, with the backslash before it if there is one.
local function of_name(slash, character)
  if character:find '[^\x20-\x7E]' or character == '"' or character == "\\" then
    return ("\\%02X"):format(character:byte())
  end
  return slash .. character
end

--- An RFC 4514 name as a value of x-forwarded-client-cert, always quoted. It is the same name, in
--- which quotes, backslashes and all that is not ASCII are written as \22, so that nothing in it
--- can be taken for the end.
---@param text string
---@return string
function escape.xfcc_name(text)
  return '"' .. text:gsub("(\\?)(.)", of_name) .. '"'
end

--- One word of a POSIX shell's command line, quoted where that is needed.
---@param text string
---@return string
function escape.shell(text)
  if text:find "^[%w_./:@%%+=-]+$" then
    return text
  end
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

return escape
