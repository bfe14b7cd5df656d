-- SPDX-License-Identifier: MIT
-- Text in columns of a terminal: how wide a text is there, cut and broken to a width. Texts come
-- escaped (escape.lua): nothing here looks for control characters.
local columns = {}

-- What takes no column of its own, and what takes two: the ranges that names are made of.
local NONE = { 0x0300, 0x036F, 0x1AB0, 0x1AFF, 0x1DC0, 0x1DFF, 0x20D0, 0x20FF, 0xFE00, 0xFE0F,
               0xFE20, 0xFE2F }
local TWO = { 0x1100, 0x115F, 0x2E80, 0xA4CF, 0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F,
              0xFF00, 0xFF60, 0xFFE0, 0xFFE6, 0x1F300, 0x1F64F, 0x1F900, 0x1F9FF,
              0x20000, 0x3FFFD }

local function is_in(ranges, code)
  for index = 1, #ranges, 2 do
    if code >= ranges[index] and code <= ranges[index + 1] then
      return true
    end
  end
end

local function width_of(code)
  return code < 0x300 and 1 or is_in(NONE, code) and 0 or is_in(TWO, code) and 2 or 1
end

--- The columns that a text takes.
---@param text string UTF-8
---@return integer
function columns.width(text)
  if not text:find "[^\x20-\x7E]" then
    return #text
  end
  local width = 0
  for _, code in utf8.codes(text) do
    width = width + width_of(code)
  end
  return width
end

-- As much of a text as fits, at least one character; and the rest.
local function split(text, width)
  local used = 0
  for at, code in utf8.codes(text) do
    used = used + width_of(code)
    if used > width and at > 1 then
      return text:sub(1, at - 1), text:sub(at)
    end
  end
  return text, ""
end

--- A text that takes no more columns than that: one that would ends in "...".
---@param text string
---@param width integer from 4
---@return string
function columns.cut(text, width)
  return columns.width(text) <= width and text or (split(text, width - 3)) .. "..."
end

--- A text filled up with spaces.
---@param text string
---@param width integer
---@return string
function columns.pad(text, width)
  return text .. (" "):rep(width - columns.width(text))
end

--- A text broken into lines, between words where that is possible.
---@param text string
---@param width integer from 2
---@return string[] at least one
function columns.wrap(text, width)
  local lines, line = {}, nil
  for word in text:gmatch "[^ ]+" do
    local longer = line and line .. " " .. word or word
    if columns.width(longer) <= width then
      line = longer
    else
      lines[#lines + 1] = line
      while columns.width(word) > width do
        lines[#lines + 1], word = split(word, width)
      end
      line = word ~= "" and word or nil
    end
  end
  lines[#lines + 1] = line
  return #lines > 0 and lines or { "" }
end

--- A text broken into lines, of which those after the first hang by two.
---@param text string
---@param width integer from 4
---@return string[] at least one
function columns.hang(text, width)
  local lines = columns.wrap(text, width - 2)
  for index = 2, #lines do
    lines[index] = "  " .. lines[index]
  end
  return lines
end

--- Texts in lines, a separator between two on a line; one that is longer than a line is broken.
---@param texts string[]
---@param width integer from 2
---@param separator string
---@return string[]
function columns.fold(texts, width, separator)
  local lines, line = {}, nil
  for _, text in ipairs(texts) do
    local longer = line and line .. separator .. text or text
    if columns.width(longer) <= width then
      line = longer
    else
      lines[#lines + 1] = line
      local broken = columns.wrap(text, width)
      table.move(broken, 1, #broken - 1, #lines + 1, lines)
      line = broken[#broken]
    end
  end
  lines[#lines + 1] = line
  return lines
end

return columns
