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
