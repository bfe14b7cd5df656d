-- SPDX-License-Identifier: MIT
-- Partial comparison: whether a value has at least what a table says (`has { ... }`).
local arguments = require "moonshake.arguments"
local diff = require "moonshake.diff"
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local strict = require "moonshake.strict"

local partial = {}

-- A table that names some fields; a list is compared whole.
local function names_fields(wanted)
  return type(wanted) == "table" and getmetatable(wanted) == nil and not strict.is_list(wanted)
end

local function sorted_keys(wanted)
  local keys = {}
  for key in pairs(wanted) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

--- Raises where a table says nothing, or has keys that cannot name a field.
---@param api string
---@param wanted table
function partial.check(api, wanted)
  if next(wanted) == nil then
    strict.raise(api .. ": an empty table says nothing")
  elseif not names_fields(wanted) then
    strict.raise(api .. ": wants fields by name; equals compares a list")
  end
  for _, key in ipairs(sorted_keys(wanted)) do
    if type(key) ~= "string" and math.type(key) ~= "integer" then
      strict.raise(("%s: %s names no field"):format(api, diff.show(key)))
    elseif key == "" or type(key) == "string" and ("." .. key .. "."):find("..", 1, true) then
      strict.raise(("%s: %s names no field"):format(api, diff.show(key)))
    elseif names_fields(wanted[key]) then
      partial.check(api, wanted[key])
    end
  end
end

-- The schema of a field whose value may be nil.
local function schema_below(schema, key)
  local field = schema.by_name[key]
  if not field then
    strict.no_field(schema, key)
  elseif field.type == "certificate" then
    return native.class("certificate").__schema
  end
  return field.schema
end

-- One step along a path: the value there, and its schema where one is known. Raises where the path
-- cannot exist.
local function step(found, schema, key, path)
  if found == nil then
    return nil, schema and schema_below(schema, key)
  elseif rawequal(found, marks.unknown) then
    return found
  elseif strict.is_list(found) and not strict.schema_of(found)
    and (next(found) ~= nil or getmetatable(found) ~= nil) then -- a script's {} may be either
    local index = math.tointeger(tonumber(key))
    if not index then
      strict.raise(("expect: has: %s is a list: its items are numbered from 1, %s is none"):format(
        path == "" and "the value" or path, diff.show(key)))
    end
    return found[index]
  elseif type(found) ~= "table" and type(found) ~= "userdata" then
    strict.raise(("expect: has: %s is a %s, which has no field %s"):format(
      path == "" and "the value" or path, type(found), diff.show(key)))
  end
  local own = strict.schema_of(found)
  return found[key], own and own.by_name[key] and schema_below(own, key)
end

local match

-- Follows a key, which may be dotted, and compares what is there.
local function follow(found, schema, key, wanted, path, result)
  if type(key) == "string" then
    for part in key:gmatch "[^.]+" do
      found, schema = step(found, schema, part, path)
      path = diff.join(path, math.tointeger(tonumber(part)) or part)
    end
  else
    found = step(found, schema, key, path)
    path = diff.join(path, key)
  end
  match(found, schema, wanted, path, result)
end

function match(found, schema, wanted, path, result)
  if names_fields(wanted) and not rawequal(found, marks.unknown) then
    if found == nil and not schema then
      result[#result + 1] = { path = path, found = "nil", wanted = diff.show(wanted) }
      return
    end
    for _, key in ipairs(sorted_keys(wanted)) do
      follow(found, schema or strict.schema_of(found), key, wanted[key], path, result)
    end
    return
  elseif rawequal(wanted, marks.none) then
    wanted = nil
  elseif arguments.class_of(found) == "certificate" then
    wanted = arguments.certificate_of(wanted) or wanted
  end
  local differences = diff.compare(found, wanted, path)
  table.move(differences, 1, #differences, #result + 1, result)
  result.unknown = result.unknown or differences.unknown
end

--- Compares, as an outcome (see matchers.lua).
---@param found any
---@param wanted table as partial.check() let it through
function partial.match(found, wanted)
  if found == nil or type(found) ~= "table" and type(found) ~= "userdata" then
    return { reason = "found " .. (diff.show_short(found) or type(found)) }
  end
  local differences = {}
  match(found, strict.schema_of(found), wanted, "", differences)
  local outcome = { holds = #differences == 0, differences = differences }
  if differences.unknown then
    outcome.holds, outcome.reason = nil, "this stack cannot tell all of it"
  elseif #differences > 0 then
    outcome.reason = #differences == 1 and differences[1].path .. " differs"
      or ("%d paths differ"):format(#differences)
  end
  return outcome
end

return partial
