-- SPDX-License-Identifier: MIT
-- Records as plain tables for dkjson: their fields in the order of the field table. Nil is null,
-- what a stack cannot tell { "unknown": true }, and bytes are hexadecimal digits.
local certificates = require "moonshake.certificates"
local escape = require "moonshake.escape"
local json = require "dkjson"
local marks = require "moonshake.marks"
local strict = require "moonshake.strict"

local plain = {}

local convert

local function list(values, kind, bytes)
  local items = setmetatable({}, { __jsontype = "array" })
  for index = 1, #values do
    items[index] = convert(values[index], kind, bytes)
  end
  return items
end

-- A certificate that cannot be read has no fields.
local function record(value, schema, bytes)
  local fields = setmetatable({}, { __jsontype = "object", __jsonorder = schema.names })
  if schema.kind == "certificate" and #certificates.readable { value } == 0 then
    value = {}
  end
  for _, name in ipairs(schema.names) do
    if value[name] ~= nil or not schema.omits_nil then
      fields[name] = convert(value[name], schema.by_name[name].type, bytes)
    end
  end
  return fields
end

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

function convert(value, kind, bytes)
  if value == nil then
    return json.null
  elseif rawequal(value, marks.unknown) then
    return { unknown = true }
  elseif type(value) == "string" then
    return kind == "bytes" and bytes(value) or escape.utf8(value)
  end
  local schema = strict.schema_of(value)
  if schema then
    return record(value, schema, bytes)
  elseif type(value) == "table" then
    return list(value, kind, bytes)
  end
  return value
end

--- A record, a list or another value. Fields that are nil are left out where the record's schema
--- has `omits_nil`.
---@param value any
---@param bytes? fun(bytes: string): string how bytes are written
---@return any
function plain.value(value, bytes)
  return convert(value, nil, bytes or hexadecimal)
end

--- Both ends of a link, each as a list of snapshots, one for each epoch, the current one last.
---@param link table
---@return table
function plain.ends(link)
  local ends = setmetatable({}, { __jsonorder = { "failed_first", "client", "server" } })
  ends.failed_first = plain.value(link.failed_first)
  for _, role in ipairs { "client", "server" } do
    ends[role] = plain.value(link[role].history)
  end
  return ends
end

return plain
