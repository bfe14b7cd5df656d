-- SPDX-License-Identifier: MIT
-- Values as the text of a Lua program, laid out as a person would: what fits stands on one line.
-- Strings are a stranger's: whatever they hold, they read back as they were, and a comment ends
-- with its line.
local escape = require "moonshake.escape"

local literal = {}

local WIDTH = 96 -- and what a scenario indents its statements by

-- A byte that no source should hold as it is.
local function byte(character)
  return ("\\x%02X"):format(character:byte())
end

-- A character of valid UTF-8: those that cannot be seen, or change how the rest reads, by number.
local function character_text(character)
  if #character > 1 and escape.line(character) ~= character then
    return ("\\u{%X}"):format(utf8.codepoint(character))
  end
end

--- A string literal on one line; what it holds reads back byte for byte.
---@param text string
---@return string
function literal.string(text)
  local inside = text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n"):gsub("[\0-\31\127]", byte)
  inside = utf8.len(inside) and inside:gsub(utf8.charpattern, character_text)
    or inside:gsub("[\128-\255]", byte)
  return '"' .. inside .. '"'
end

local KEYWORDS = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
               return then true until while]]):gmatch "%a+" do
  KEYWORDS[word] = true
end

-- The left side of a field.
local function key_text(name)
  return name:find "^[%a_][%w_]*$" and not KEYWORDS[name] and name
    or ("[%s]"):format(literal.string(name))
end

--- A table constructor, to be filled with `add`, and shown by `literal.render`.
---@return table
function literal.table()
  return { items = {} }
end

--- Adds a field, or with no key an item. Values: text of Lua (an expression), or a table of
--- literal.table(). `comment` (text, or lines of it) stands above it. Nil adds nothing.
---@param constructor table
---@param key string|nil
---@param value string|table|nil
---@param comment? string|string[]
function literal.add(constructor, key, value, comment)
  if value ~= nil then
    local item = { key = key, value = value }
    item.comment = type(comment) == "string" and { comment } or comment
    constructor.items[#constructor.items + 1] = item
  end
end

--- A value: a string, number or boolean as text, a list as a constructor. A list of one may stand
--- for its item where `single` is true.
---@param value any
---@param single? boolean
---@return string|table
function literal.value(value, single)
  if type(value) == "string" then
    return literal.string(value)
  elseif type(value) ~= "table" then
    return tostring(value)
  elseif single and #value == 1 then
    return literal.value(value[1])
  end
  local made = literal.table()
  for _, item in ipairs(value) do
    literal.add(made, nil, literal.value(item))
  end
  return made
end

-- On one line, or nil where a comment forbids it.
local function flat(node)
  if type(node) == "string" then
    return node
  elseif #node.items == 0 then
    return "{}"
  end
  local pieces = {}
  for index, item in ipairs(node.items) do
    local value = not item.comment and flat(item.value)
    if not value then
      return nil
    end
    pieces[index] = item.key and ("%s = %s"):format(key_text(item.key), value) or value
  end
  return "{ " .. table.concat(pieces, ", ") .. " }"
end

-- A string literal in pieces of at most `room` columns, none of which ends inside of an escape.
local function pieces_of(text, room)
  local pieces, piece = {}, ""
  local inside = text:sub(2, -2)
  local at = 1
  while at <= #inside do
    local unit = inside:match("^\\x%x%x", at) or inside:match("^\\u%b{}", at)
      or inside:match("^\\.", at) or inside:match("^" .. utf8.charpattern, at)
    if #piece + #unit > room - 2 then
      local words, rest = piece:match "^(.* )([^ ]*)$" -- between words, if there are any
      if not words or rest:find("\\", 1, true) then
        words, rest = piece, ""
      end
      pieces[#pieces + 1], piece = '"' .. words .. '"', rest
    end
    piece = piece .. unit
    at = at + #unit
  end
  pieces[#pieces + 1] = '"' .. piece .. '"'
  return pieces
end

-- Items that are short: as many on a line as fit.
local function filled(node, margin)
  local lines, line = {}, ""
  for _, item in ipairs(node.items) do
    local one = item.value .. ","
    if line ~= "" and #margin + #line + 1 + #one > WIDTH then
      lines[#lines + 1], line = margin .. line, ""
    end
    line = line == "" and one or line .. " " .. one
  end
  lines[#lines + 1] = margin .. line
  return lines
end

local function is_plain_list(node)
  for _, item in ipairs(node.items) do
    if item.key or item.comment or type(item.value) ~= "string" or #item.value > WIDTH - 20 then
      return false
    end
  end
  return true
end

--- A value as text, whose first line stands behind `before` columns and whose others are indented
--- by `indent`; `after` columns follow it.
---@param node string|table
---@param indent integer
---@param before integer
---@param after? integer
---@return string
function literal.render(node, indent, before, after)
  local line = flat(node)
  if line and before + #line + (after or 0) <= WIDTH then
    return line
  end
  local margin = (" "):rep(indent + 2)
  if type(node) == "string" then
    if node:find '^"' then
      local pieces = pieces_of(node, WIDTH - indent - 8)
      return table.concat(pieces, "\n" .. margin .. ".. ")
    end
    return node
  elseif is_plain_list(node) then
    return "{\n" .. table.concat(filled(node, margin), "\n") .. "\n" .. (" "):rep(indent) .. "}"
  end
  local lines = { "{" }
  for _, item in ipairs(node.items) do
    for _, comment in ipairs(literal.comment(item.comment or {}, indent + 2)) do
      lines[#lines + 1] = comment
    end
    local name = item.key and key_text(item.key) .. " = " or ""
    lines[#lines + 1] = margin .. name
      .. literal.render(item.value, indent + 2, indent + 2 + #name, 1) .. ","
  end
  lines[#lines + 1] = (" "):rep(indent) .. "}"
  return table.concat(lines, "\n")
end

-- Words of a line that are longer than a line are cut: they are a stranger's.
local function wrapped(text, room)
  local lines, line = {}, ""
  for word in text:gmatch "%S+" do
    word = utf8.len(word) > room and escape.short(word, room) or word
    if line ~= "" and utf8.len(line) + 1 + utf8.len(word) > room then
      lines[#lines + 1], line = line, ""
    end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return lines
end

--- Comments, a paragraph each, as lines.
---@param paragraphs string|string[]
---@param indent integer
---@return string[]
function literal.comment(paragraphs, indent)
  local lines = {}
  for _, text in ipairs(type(paragraphs) == "table" and paragraphs or { paragraphs }) do
    for _, line in ipairs(wrapped(escape.line(text), WIDTH - indent - 3)) do
      lines[#lines + 1] = (" "):rep(indent) .. ("-- " .. line):gsub("%s+$", "")
    end
  end
  return lines
end

return literal
