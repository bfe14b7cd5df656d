-- SPDX-License-Identifier: MIT
-- Ends as plain tables for dkjson: every field of every epoch, in the order of the field table. Nil
-- is null, what a stack cannot tell { "unknown": true }, and bytes are hexadecimal digits.
local json = require "dkjson"
local marks = require "moonshake.marks"
local strict = require "moonshake.strict"

local plain = {}

local convert

local function list(values)
  local items = setmetatable({}, { __jsontype = "array" })
  for index = 1, #values do
    items[index] = convert(values[index])
  end
  return items
end

local function record(value, schema)
  local fields = setmetatable({}, { __jsontype = "object", __jsonorder = schema.names })
  for _, name in ipairs(schema.names) do
    fields[name] = convert(value[name], schema.by_name[name].type)
  end
  return fields
end

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

function convert(value, kind)
  if value == nil then
    return json.null
  elseif rawequal(value, marks.unknown) then
    return { unknown = true }
  elseif kind == "bytes" then
    return hexadecimal(value)
  end
  local schema = strict.schema_of(value)
  if schema then
    return record(value, schema)
  elseif type(value) == "table" then
    return list(value)
  end
  return value
end

--- Both ends of a link, each as a list of snapshots, one for each epoch, the current one last.
---@param link table
---@return table
function plain.ends(link)
  local ends = setmetatable({}, { __jsonorder = { "failed_first", "client", "server" } })
  ends.failed_first = convert(link.failed_first)
  for _, role in ipairs { "client", "server" } do
    ends[role] = list(link[role].history)
  end
  return ends
end

return plain
