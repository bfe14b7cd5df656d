-- SPDX-License-Identifier: MIT
-- Values as text, and the difference of two values path by path.
local escape = require "moonshake.escape"
local marks = require "moonshake.marks"
local strict = require "moonshake.strict"

local diff = {}

local LONG_TEXT = 400  -- bytes of a string that are shown
local LONG_LIST = 40   -- items or fields of one table that are shown
local LINE = 78        -- a table that fits is shown on one line
local DEEP = 12        -- tables within tables that are shown

local ESCAPES = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\" }

local function escape_byte(byte)
  return ESCAPES[byte] or ("\\x%02x"):format(byte:byte())
end

-- A text cut after about as many bytes, between two characters if it has any.
local function cut_text(text, most)
  local cut = text:sub(1, most)
  for back = 0, 3 do
    if utf8.len(cut, 1, most - back) then
      return cut:sub(1, most - back)
    end
  end
  return cut
end

-- A quoted string: control characters and direction marks are escaped, and what is not UTF-8 as a
-- whole is taken for bytes.
local function show_string(text)
  local shown = #text > LONG_TEXT and cut_text(text, LONG_TEXT) or text
  local inside
  if utf8.len(shown) then
    inside = escape.line((shown:gsub('[%c"\\]', escape_byte)))
  else
    inside = shown:gsub('[^ !#-Z%[%]^-~]', escape_byte)
  end
  return #shown < #text and ('"%s"... (%d bytes)'):format(inside, #text) or '"' .. inside .. '"'
end

local function show_key(key)
  if type(key) == "string" and key:match("^[%a_][%w_]*$") then
    return key
  end
  return "[" .. diff.show(key) .. "]"
end

-- Numbers before strings before the rest, each in their own order.
local function before(a, b)
  local type_a, type_b = type(a), type(b)
  if type_a ~= type_b then
    return type_a < type_b
  elseif type_a == "number" or type_a == "string" then
    return a < b
  end
  return tostring(a) < tostring(b)
end

-- Whether a table is looked into: plain ones, lists and records are; ends and links speak for
-- themselves (tostring), as marks do.
local function is_open(value)
  if type(value) ~= "table" then
    return false
  end
  local metatable = getmetatable(value)
  return metatable == nil or strict.is_list(value) or strict.is_record(value)
    or not (type(metatable) == "table" and metatable.__tostring)
end

-- The keys of an open table in the order in which they are shown.
local function keys_of(value)
  local keys = {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, before)
  return keys
end

local show

local function show_table(value, indent, above)
  if above[value] then
    return "<itself>"
  elseif #indent // 2 >= DEEP then
    return "{ ... }"
  end
  above[value] = true
  local inner, pieces, width = indent .. "  ", {}, 4
  local list = strict.is_list(value)
  local keys = list and value or keys_of(value)
  for index = 1, math.min(#keys, LONG_LIST) do
    local piece = list and show(value[index], inner, above)
      or show_key(keys[index]) .. " = " .. show(value[keys[index]], inner, above)
    pieces[index] = piece
    width = width + #piece + 2
  end
  if #keys > LONG_LIST then
    pieces[#pieces + 1] = ("... %d more"):format(#keys - LONG_LIST)
  end
  above[value] = nil
  if #pieces == 0 then
    return "{}"
  elseif width <= LINE and not table.concat(pieces):find("\n", 1, true) then
    return "{ " .. table.concat(pieces, ", ") .. " }"
  end
  return "{\n" .. inner .. table.concat(pieces, ",\n" .. inner) .. "\n" .. indent .. "}"
end

function show(value, indent, above)
  local kind = type(value)
  if kind == "string" then
    return show_string(value)
  elseif is_open(value) then
    return show_table(value, indent, above)
  elseif kind == "function" or kind == "thread" then
    return kind
  end
  local metatable = getmetatable(value)
  if kind == "userdata" and not (metatable and metatable.__tostring) then
    return metatable and metatable.__name or kind
  end
  -- What other libraries' values say of themselves may hold an address, which no run repeats.
  return kind == "number" and tostring(value) or (tostring(value):gsub("%s*[:(]%s*0x%x+%)?", ""))
end

--- A value as text for people: strings quoted and escaped, tables with sorted keys, certificates as
--- `CN=... (first 16 digits of the fingerprint)`, never an address. Long values are cut, saying so.
---@param value any
---@param indent? string what the lines after the first begin with
---@return string
function diff.show(value, indent)
  return show(value, indent or "", {})
end

--- A value on one line, for summaries; nil when it does not fit.
---@param value any
---@return string|nil
function diff.show_short(value)
  local text = diff.show(value)
  return #text <= LINE and not text:find("\n", 1, true) and text or nil
end

---------------------------------------------------------------------------------------------------

local function join(path, key)
  if type(key) == "string" and key:match("^[%a_][%w_]*$") then
    return path == "" and key or path .. "." .. key
  end
  return path .. "[" .. diff.show(key) .. "]"
end
diff.join = join

-- The values of an open table or of an end (which is compared by what it answers) by key.
local function values_of(value)
  local values = {}
  if strict.is_list(value) then
    for index = 1, #value do
      values[index] = value[index]
    end
  else
    for key, item in pairs(value) do
      values[key] = item
    end
  end
  return values
end

local compare

local function compare_tables(found, wanted, path, result, above)
  if above[found] and above[found][wanted] then
    return
  end
  above[found] = above[found] or {}
  above[found][wanted] = true
  local in_found, in_wanted = values_of(found), values_of(wanted)
  local all = {}
  for key in pairs(in_found) do
    all[key] = true
  end
  for key in pairs(in_wanted) do
    all[key] = true
  end
  for _, key in ipairs(keys_of(all)) do
    compare(in_found[key], in_wanted[key], join(path, key), result, above)
  end
end

local function add(result, path, found, wanted)
  result[#result + 1] = { path = path, found = diff.show(found), wanted = diff.show(wanted) }
end

function compare(found, wanted, path, result, above)
  if rawequal(found, marks.unknown) or rawequal(wanted, marks.unknown) then
    result.unknown = true
    add(result, path, found, wanted)
  elseif strict.has_values(found) and strict.has_values(wanted) then
    compare_tables(found, wanted, path, result, above) -- of one table too: it may hold tls.unknown
  elseif found ~= wanted then
    add(result, path, found, wanted)
  end
end

--- Every path in which two values differ, sorted: a list of { path =, found =, wanted = }, the
--- values printed. Tables, records and snapshots are compared by what they hold, everything else
--- with `==`. Its field `unknown` is true where either holds tls.unknown.
---@param found any
---@param wanted any
---@param path? string what the paths begin with
---@return { path: string, found: string, wanted: string }[]
function diff.compare(found, wanted, path)
  local result = {}
  compare(found, wanted, path or "", result, {})
  return result
end

return diff
