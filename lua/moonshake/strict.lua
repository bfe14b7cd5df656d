-- SPDX-License-Identifier: MIT
-- Strictness: complaints that name the script's line, and values that raise where a plain table
-- would answer nil. A misspelt field that read as nil would turn "is nil" into a false pass.
local suggest = require "moonshake.suggest"

local strict = {}

-- Where the library's own files are: what their chunk names begin with. The same for a directory of
-- files and for the files inside the program, whose chunk names keep the path.
local OWN = debug.getinfo(1, "S").source:match("^(.*)strict%.lua$") or "@moonshake/"

---------------------------------------------------------------------------------------------------
-- Raising at the script's line

--- Where the script stands: the first frame that is neither this library's nor C. A script that
--- ends in a tail call (`return tls.link {...}`) has left its frame: where the runner's call of it
--- comes next, nothing is known rather than a wrong line.
---@return string|nil file as Lua shortens it for messages, nil where no script is running
---@return integer|nil line
---@return string|nil source the chunk's whole name: "@" and a path
function strict.position()
  local level, before = 2, nil
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info or (before == "C" and info.source == OWN .. "case.lua") then
      return nil
    elseif info.what ~= "C" and info.source:sub(1, #OWN) ~= OWN and info.currentline > 0 then
      return info.short_src, info.currentline, info.source
    end
    level, before = level + 1, info.what
  end
end

--- Raises `message` as a string at the script's line.
---@param message string begins with the name of the API: "tls.link: server: ..."
function strict.raise(message)
  local file, line = strict.position()
  error(file and ("%s:%d: %s"):format(file, line, message) or message, 0)
end

--- Raises unless a method was called with a colon, on an object of its class.
---@param api string who complains: "relay:wait"
---@param self any
---@param class table the metatable of such objects
---@param kind string what they are: "a relay"
function strict.called_on(api, self, class, kind)
  if type(self) ~= "table" or getmetatable(self) ~= class then
    strict.raise(("%s: to be called with a colon, on %s"):format(api, kind))
  end
end

--- Passes on what a native function returned; where it failed (nil, message), raises the message at
--- the script's line with `api` in front.
---@param api string
---@param value any
---@param message any
function strict.check(api, value, message)
  if value == nil and message ~= nil then
    strict.raise(api .. ": " .. tostring(message))
  end
  return value
end

--- Raises for a word that is none of `words`, naming the nearest.
---@param api string who complains: "tls.link: server"
---@param what string what kind of word: "option", "field"
---@param word any
---@param words string[]
function strict.unknown(api, what, word, words)
  local shown = type(word) == "string" and ('"%s"'):format(word) or tostring(word)
  strict.raise(("%s: unknown %s %s%s"):format(api, what, shown, suggest.hint(word, words)))
end

--- Raises for a name of the contract that another version of this program will have.
---@param name string "tls.listen"
function strict.later(name)
  strict.raise(name .. " is not part of this version")
end

---------------------------------------------------------------------------------------------------
-- Schemas: which fields a value has

---@class moonshake.schema
---@field kind string what such a value is called in messages: "verification"
---@field names string[] in the order of the field table
---@field by_name table<string, { name: string, type: string, about: string, schema: table? }>
---@field later table<string, boolean> fields of the contract that this version lacks

--- Makes a schema from the list of fields that `native.fields()` gives.
---@param kind string
---@param fields { name: string, about: string, fields: table? }[]
---@param later? string[] fields of the contract that this version lacks
---@return moonshake.schema
function strict.schema(kind, fields, later)
  local schema = { kind = kind, names = {}, by_name = {}, later = {} }
  for _, name in ipairs(later or {}) do
    schema.later[name] = true
  end
  for _, field in ipairs(fields) do
    if not schema.later[field.name] then
      schema.names[#schema.names + 1] = field.name
      schema.by_name[field.name] = {
        name = field.name,
        type = field.type,
        about = field.about,
        schema = field.fields and strict.schema(kind .. "." .. field.name, field.fields),
      }
    end
  end
  return schema
end

--- Raises for a field that `schema` does not have.
---@param schema moonshake.schema
---@param name any
---@param methods? table<string, function> further names that would have been right
function strict.no_field(schema, name, methods)
  if schema.later[name] then
    strict.later(schema.kind .. "." .. name)
  end
  local words = { table.unpack(schema.names) }
  for method in pairs(methods or {}) do
    words[#words + 1] = method
  end
  strict.unknown(schema.kind, "field", name, words)
end

--- The schema of a record, certificate, end, ...; nil for every other value.
---@param value any
---@return moonshake.schema|nil
function strict.schema_of(value)
  local metatable = type(value) ~= "string" and getmetatable(value)
  return type(metatable) == "table" and metatable.__schema or nil
end

---------------------------------------------------------------------------------------------------
-- Lists and records

local VALUES = setmetatable({}, { __tostring = function() return "values" end })

-- What print() shows of a list or record. (diff requires this file, hence not at load time.)
local function show(value)
  return require("moonshake.diff").show(value)
end

local List = { __name = "moonshake.list", __tostring = show }

function List.__index(_, key)
  if math.type(key) ~= "integer" then
    strict.raise(("a list has no field %s: its items are numbered from 1"):format(
      type(key) == "string" and ('"%s"'):format(key) or tostring(key)))
  end
end

local FrozenList = { __name = "moonshake.list", __tostring = show }

function FrozenList:__index(key)
  if math.type(key) ~= "integer" then
    List.__index(self, key)
  end
  return rawget(self, VALUES)[key]
end

function FrozenList:__len()
  return #rawget(self, VALUES)
end

function FrozenList.__newindex()
  strict.raise "a list of a snapshot is read-only"
end

function FrozenList:__pairs()
  return ipairs(rawget(self, VALUES))
end

--- A list that raises when it is read by name. The items stay the caller's to change.
---@generic T
---@param items T[]
---@return T[]
function strict.list(items)
  return setmetatable(items, List)
end

--- Whether a table is a list: one of ours, or a plain one without any other key than 1, 2, ...
---@param value any
---@return boolean
function strict.is_list(value)
  local metatable = getmetatable(value)
  if metatable == List or metatable == FrozenList then
    return true
  elseif type(value) ~= "table" or metatable ~= nil then
    return false
  end
  local count = 0
  for key in pairs(value) do
    if math.type(key) ~= "integer" then
      return false
    end
    count = count + 1
  end
  return count == #value
end

local wrap

--- A record: a read-only table that has exactly the fields of its schema, raises on any other, and
--- answers `pairs` with those that are not nil, in the schema's order.
---@param schema moonshake.schema
---@param values table what the fields hold; taken, tables in it are wrapped
function strict.record(schema, values)
  for _, field in ipairs(schema.names) do
    values[field] = wrap(values[field], schema.by_name[field].schema, true)
  end
  schema.metatable = schema.metatable or {
    __name = "moonshake." .. schema.kind,
    __schema = schema,
    __index = function(record, field)
      if not schema.by_name[field] then
        strict.no_field(schema, field)
      end
      return rawget(record, VALUES)[field]
    end,
    __newindex = function()
      strict.raise(schema.kind .. ": is read-only")
    end,
    __pairs = strict.each,
    __tostring = show,
  }
  return setmetatable({ [VALUES] = values }, schema.metatable)
end

--- Whether a value is a record.
---@param value any
---@return boolean
function strict.is_record(value)
  local schema = strict.schema_of(value)
  return schema ~= nil and getmetatable(value) == schema.metatable
end

--- Whether a value is compared by what it holds: plain tables, lists, records, and what has fields
--- to iterate over (an end).
---@param value any
---@return boolean
function strict.has_values(value)
  return type(value) == "table"
    and (getmetatable(value) == nil or strict.is_list(value)
         or (strict.schema_of(value) ~= nil and getmetatable(value).__pairs ~= nil))
end

--- What a native function gave, made strict: records by schema, lists by List; all else as it is.
---@param value any
---@param schema moonshake.schema|nil of a record
---@param frozen boolean|nil whether lists are read-only too
function wrap(value, schema, frozen)
  if type(value) ~= "table" or getmetatable(value) then
    return value
  elseif schema then
    return strict.record(schema, value)
  elseif frozen then
    return setmetatable({ [VALUES] = value }, FrozenList)
  end
  return strict.list(value)
end
strict.wrap = wrap

--- Iterates over the fields of a value with a schema that are not nil, in the schema's order.
---@param value any
---@return function
function strict.each(value)
  local names, index = strict.schema_of(value).names, 0
  return function()
    while index < #names do
      index = index + 1
      local found = value[names[index]]
      if found ~= nil then
        return names[index], found
      end
    end
  end
end

---------------------------------------------------------------------------------------------------
-- Modules and marks

--- Makes a module's table raise on names that it does not have.
---@param name string "tls"
---@param module table
---@param later? table<string, boolean> names of the contract that this version lacks
function strict.module(name, module, later)
  return setmetatable(module, {
    __index = function(_, key)
      if later and later[key] then
        strict.later(name .. "." .. key)
      end
      local words = {}
      for word in pairs(module) do
        words[#words + 1] = word
      end
      strict.unknown(name, "name", key, words)
    end,
  })
end

--- A value that stands for itself and nothing else (tls.none, tls.unknown, tls.default).
---@param name string
---@param about string what is said when a script looks into it
function strict.mark(name, about)
  return setmetatable({}, {
    __name = name,
    __tostring = function() return name end,
    __index = function() strict.raise(("%s has no fields: %s"):format(name, about)) end,
    __newindex = function() strict.raise(name .. ": is read-only") end,
  })
end

return strict
