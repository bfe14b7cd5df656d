-- SPDX-License-Identifier: MIT
-- Text in columns of a terminal: how wide it is, how it is cut, folded and padded. Texts are valid
-- UTF-8 without controls: what escape.line() gives.
local columns = {}

-- Ranges of code points that take no column (marks that combine with what stands before them) and
-- two (East Asian wide ones, emoji). What terminals disagree about is left out.
local NONE = {
  { 0x0300, 0x036F }, { 0x0483, 0x0489 }, { 0x0591, 0x05BD }, { 0x0610, 0x061A },
  { 0x064B, 0x065F }, { 0x0E34, 0x0E3A }, { 0x0E47, 0x0E4E }, { 0x1AB0, 0x1AFF },
  { 0x1DC0, 0x1DFF }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }, { 0xFE20, 0xFE2F },
  { 0xE0100, 0xE01EF },
}
local TWO = {
  { 0x1100, 0x115F }, { 0x2E80, 0x303E }, { 0x3041, 0xA4CF }, { 0xA960, 0xA97C },
  { 0xAC00, 0xD7A3 }, { 0xF900, 0xFAFF }, { 0xFE30, 0xFE6F }, { 0xFF00, 0xFF60 },
  { 0xFFE0, 0xFFE6 }, { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF },
  { 0x20000, 0x3FFFD },
}

local function is_in(ranges, code)
  for _, range in ipairs(ranges) do
    if code < range[1] then
      return false
    elseif code <= range[2] then
      return true
    end
  end
  return false
end

local function width_of(code)
  if code < 0x300 then
    return 1
  end
  return is_in(NONE, code) and 0 or is_in(TWO, code) and 2 or 1
end

--- How many columns a text takes.
---@param text string
---@return integer
function columns.width(text)
  if not text:find "[\x80-\xFF]" then
    return #text
  end
  local width = 0
  for _, code in utf8.codes(text) do
    width = width + width_of(code)
  end
  return width
end

-- The longest beginning of a text that takes at most so many columns, and the rest.
local function split(text, width)
  local used = 0
  for at, code in utf8.codes(text) do
    used = used + width_of(code)
    if used > width then
      return text:sub(1, at - 1), text:sub(at)
    end
  end
  return text, ""
end

--- A text in at most so many columns; what is cut off is said by "...".
---@param text string
---@param width integer
---@return string
function columns.cut(text, width)
  if columns.width(text) <= width then
    return text
  end
  local mark = ("..."):sub(1, math.max(width, 0))
  return split(text, width - #mark) .. mark
end

--- A text filled up with spaces, behind it or before it.
---@param text string
---@param width integer
---@param before? boolean
---@return string
function columns.pad(text, width, before)
  local space = (" "):rep(width - columns.width(text))
  return before and space .. text or text .. space
end

--- Parts in lines of at most so many columns, a separator between two on a line; a part that is
--- longer than a line goes on in the next one, at a space where it has one.
---@param parts string[]
---@param width integer at least 2
---@param separator string
---@return string[] lines
function columns.fold(parts, width, separator)
  local lines, line = {}, nil
  for _, part in ipairs(parts) do
    local longer = line and line .. separator .. part
    if longer and columns.width(longer) <= width then
      line = longer
    else
      lines[#lines + 1] = line
      line = part
    end
    while columns.width(line) > width do
      local piece, rest = split(line, width)
      local before, after = piece:match "^(.*%S)%s+(%S*)$"
      if before and rest:sub(1, 1) ~= " " and columns.width(after) < width // 2 then
        piece, rest = before, after .. rest
      end
      lines[#lines + 1] = (piece:gsub("%s+$", ""))
      line = rest:gsub("^%s+", "")
    end
  end
  lines[#lines + 1] = line
  return lines
end

--- A text broken into lines, between words where that is possible.
---@param text string
---@param width integer at least 2
---@return string[] lines at least one
function columns.wrap(text, width)
  local words = {}
  for word in text:gmatch "[^ ]+" do
    words[#words + 1] = word
  end
  return #words > 0 and columns.fold(words, width, " ") or { "" }
end

return columns
