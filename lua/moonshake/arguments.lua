-- SPDX-License-Identifier: MIT
-- Named arguments checked against a table of options (see options.lua): unknown names, wrong types
-- and words that do not exist raise at the script's line.
local diff = require "moonshake.diff"
local native = require "moonshake.native"
local strict = require "moonshake.strict"
local suggest = require "moonshake.suggest"

local arguments = {}

---@class moonshake.option
---@field name string
---@field type string a name of `types` below
---@field about string one sentence for people
---@field role? "client"|"server" the only end that has it
---@field required? boolean
---@field later? boolean part of the contract, but not of this version
---@field min? integer
---@field max? integer
---@field words? string[] of an enumeration
---@field kind? string of a name of TLS: what native.find() takes
---@field full? boolean a list must not be empty

-- Raises for the value of one option.
local function wrong(at, message)
  strict.raise(("%s: %s: %s"):format(at.api, at.name, message))
end

local function wants(at, what, got)
  wrong(at, ("wants %s, got %s"):format(what, arguments.describe(got)))
end

--- What a script gave, for a complaint: the value and what it is.
---@param value any
---@return string
function arguments.describe(value)
  local kind = type(value)
  if value == nil or kind == "boolean" then
    return tostring(value)
  elseif kind == "string" or kind == "number" then
    return ("%s (a %s)"):format(diff.show_short(value) or kind, kind)
  elseif kind == "table" and getmetatable(value) == nil then
    return strict.is_list(value) and (next(value) == nil and "{}" or "a list") or "a table"
  elseif kind == "function" then
    return "a function"
  end
  return diff.show_short(value) or kind
end

local CLASSES = {}
for _, name in ipairs { "identity", "authority", "certificate", "key" } do
  CLASSES[native.class(name)] = name
end

--- The class of an object of this library: "identity", "authority", "certificate", "key" or nil.
---@param value any
---@return string|nil
function arguments.class_of(value)
  return type(value) == "userdata" and CLASSES[getmetatable(value)] or nil
end

--- Whether a value is an identity (an authority is one).
---@param value any
---@return boolean
function arguments.is_identity(value)
  local class = arguments.class_of(value)
  return class == "identity" or class == "authority"
end

--- The certificate that stands for a value: its own, or an identity's leaf; nil for all else.
---@param value any
---@return userdata|nil
function arguments.certificate_of(value)
  local class = arguments.class_of(value)
  if class == "certificate" then
    return value
  elseif class == "identity" or class == "authority" then
    return value.certificate
  end
  return nil
end

---------------------------------------------------------------------------------------------------

-- The items of a value that may be a list: a single one may stand for a list of one.
local function items_of(at, value)
  if type(value) ~= "table" or getmetatable(value) ~= nil and not strict.is_list(value) then
    return { value }
  elseif not strict.is_list(value) then
    wrong(at, "wants a list (items 1, 2, ... and no hole), got a table with other keys or a hole")
  end
  return value
end

-- A list whose items `convert` makes from those given; lists in it are taken apart if `deep`.
local function list_of(at, option, value, convert, deep)
  local list = {}
  local function add(items)
    for index = 1, #items do
      local item = items[index]
      if deep and type(item) == "table" and strict.is_list(item) then
        add(item)
      else
        list[#list + 1] = convert(at, option, item)
      end
    end
  end
  add(items_of(at, value))
  if option.full and #list == 0 then
    wrong(at, "is an empty list, which would allow nothing")
  elseif option.max and #list > option.max then
    wrong(at, ("takes at most %d, got %d"):format(option.max, #list))
  end
  return list
end

local UNITS = { s = 1, m = 60, h = 3600, d = 86400, y = 365 * 86400 }

local types = {}

function types.string(at, _, value)
  if type(value) ~= "string" then
    wants(at, "a string", value)
  end
  return value
end

function types.name(at, option, value)
  value = types.string(at, option, value)
  if value == "" or value:find("\0", 1, true) then
    wants(at, "a name", value)
  end
  return value
end

-- A name for the server_name extension, which cannot carry an address (RFC 6066 section 3).
types["host name"] = function(at, option, value)
  value = types.name(at, option, value)
  if value:find ":" or value:find "^%d+%.%d+%.%d+%.%d+$" then
    wrong(at, ("%q is an address, which server_name cannot carry (RFC 6066 section 3): "
               .. "give it as verify_name"):format(value))
  elseif #value > 253 then
    wrong(at, ("a DNS name has at most 253 bytes, got %d (RFC 1035 section 2.3.4)"):format(#value))
  end
  return value
end

types["a name or false"] = function(at, option, value)
  if value == false then
    return false
  elseif type(value) ~= "string" then
    wants(at, "a name or false", value)
  end
  return types.name(at, option, value)
end

function types.boolean(at, _, value)
  if type(value) ~= "boolean" then
    wants(at, "true or false", value)
  end
  return value
end

function types.integer(at, option, value)
  local integer = type(value) == "number" and math.tointeger(value)
  if not integer or integer < option.min or integer > option.max then
    wants(at, ("an integer from %d to %d"):format(option.min, option.max), value)
  end
  return integer
end

function types.word(at, option, value)
  for _, word in ipairs(option.words) do
    if value == word then
      return value
    end
  end
  local choices = '"' .. table.concat(option.words, '", "') .. '"'
  if type(value) ~= "string" then
    wants(at, "one of " .. choices, value)
  end
  wrong(at, ("unknown word %s%s; it takes one of %s"):format(
    diff.show(value), suggest.hint(value, option.words), choices))
end

types["list of words"] = function(at, option, value)
  return list_of(at, { full = option.full }, value, function(_, _, item)
    return types.word(at, option, item)
  end)
end

types["list of strings"] = function(at, option, value)
  return list_of(at, option, value, types.string)
end

types["list of names"] = function(at, option, value)
  return list_of(at, option, value, types.name)
end

-- Names of TLS in any spelling, given back as IANA has them.
local function tls_name(at, option, value)
  local called = option.kind:gsub("_", " ")
  if type(value) ~= "string" then
    wants(at, "the name of a " .. called, value)
  elseif option.kind == "version" and value:match("^DTLS") then
    strict.later(("%s: %s: %s"):format(at.api, at.name, value))
  end
  local name = native.find(option.kind, value)
  if not name then
    wrong(at, ("unknown %s %s%s"):format(called, diff.show(value),
                                         suggest.hint(value, native.names(option.kind))))
  end
  return name
end

-- What a record carries: a HandshakeType, in any spelling, or a ContentType.
function types.carried(at, _, value)
  local name = type(value) == "string"
    and (native.find("message", value) or native.find("record", value)
         or value == "encrypted" and value)
  if name then
    return name
  elseif type(value) ~= "string" then
    wants(at, "the name of a message or of a ContentType, or \"encrypted\"", value)
  end
  local names = native.names "message"
  local records = native.names "record"
  table.move(records, 1, #records, #names + 1, names)
  names[#names + 1] = "encrypted"
  wrong(at, ("unknown message %s%s"):format(diff.show(value), suggest.hint(value, names)))
end

types["list of tls names"] = function(at, option, value)
  local list = list_of(at, option, value, tls_name)
  local seen = {}
  for _, name in ipairs(list) do
    if seen[name] then
      wrong(at, ("%s stands in it twice"):format(name))
    end
    seen[name] = true
  end
  return list
end

types["alpn protocols"] = function(at, option, value)
  local list = list_of(at, option, value, types.string)
  for _, protocol in ipairs(list) do
    if #protocol < 1 or #protocol > 31 then
      wants(at, "protocols of 1 to 31 bytes", protocol)
    end
  end
  return list
end

function types.pattern(at, option, value)
  value = types.string(at, option, value)
  local sound, problem = pcall(string.find, "", value)
  if not sound then
    wrong(at, problem)
  end
  return value
end

function types.environment(at, option, value)
  for name, text in pairs(types.table(at, option, value)) do
    if type(name) ~= "string" or name == "" or name:find "[=%z]" then
      wants(at, "names of variables", name)
    elseif text ~= false and (type(text) ~= "string" or text:find "%z") then
      wants(at, ("a string or false for %s"):format(name), text)
    end
  end
  return value
end

-- Certificates; an identity or authority stands for its own.
local function certificate(at, _, value)
  local found = arguments.certificate_of(value)
  if not found then
    wants(at, "authorities, identities or certificates", value)
  end
  return found
end

types.certificates = function(at, option, value)
  return list_of(at, option, value, certificate, true)
end

function types.trust(at, option, value)
  if value == "system" then
    return value
  elseif type(value) == "string" then
    wants(at, 'authorities, identities, certificates or "system"', value)
  end
  return types.certificates(at, option, value)
end

function types.issuers(at, option, value)
  return list_of(at, option, value, function(_, _, item)
    return type(item) == "string" and item or arguments.certificate_of(item)
      or wants(at, "RFC 4514 names, authorities or certificates", item)
  end, true)
end

-- A chain to present or to judge: an identity's own, or exactly these certificates.
function types.chain(at, _, value)
  if arguments.is_identity(value) then
    return value.chain
  end
  local list = list_of(at, {}, value, certificate, true)
  if #list == 0 then
    wrong(at, "is empty")
  end
  return list
end

local function identity(at, _, value)
  if not arguments.is_identity(value) then
    wants(at, "an identity", value)
  end
  return value
end

-- Identities, or the function that chooses one.
function types.identities(at, option, value)
  if type(value) == "function" then
    return value
  end
  return list_of(at, option, value, identity, true)
end

function types.verify(at, _, value)
  if type(value) ~= "boolean" and type(value) ~= "function" then
    wants(at, "true, false or a function", value)
  end
  return value
end

-- "gnutls" is there; every other stack is for another version.
function types.stack(at, option, value)
  if types.string(at, option, value) ~= "gnutls" then
    strict.later(("%s: stack %s"):format(at.api, diff.show(value)))
  end
  return value
end

types["function"] = function(at, _, value)
  if type(value) ~= "function" then
    wants(at, "a function", value)
  end
  return value
end

types["table"] = function(at, _, value)
  if type(value) ~= "table" or getmetatable(value) ~= nil then
    wants(at, "a table of options", value)
  end
  return value
end

-- A span of time.
function types.seconds(at, _, value)
  if type(value) ~= "number" or not (value >= 0 and value < 1e9) then
    wants(at, "a number of seconds from 0 to below 1e9", value)
  end
  return value
end

-- A point in time: seconds since the epoch, or relative to the clock in force.
function types.time(at, _, value)
  local seconds = type(value) == "number" and math.tointeger(value)
  if seconds then
    return seconds
  end
  local sign, number, unit = tostring(value):match("^([+-]?)(%d+)([smhdy])$")
  number = math.tointeger(tonumber(number))
  if type(value) ~= "string" or not number or number > 100000000000 then
    wants(at, 'seconds since the epoch, or a relative time such as "-1d" or "+90d"', value)
  end
  return native.clock_now() + (sign == "-" and -1 or 1) * number * UNITS[unit]
end

-- A word for a fresh key, or a key.
function types.key(at, _, value)
  if arguments.class_of(value) == "key" then
    return value
  end
  return types.word(at, { words = native.key_words }, value)
end

-- Hex digits, given back in lower case and in whole bytes.
function types.hex(at, _, value)
  if math.type(value) == "integer" and value >= 0 then
    value = ("%x"):format(value)
  elseif type(value) ~= "string" or not value:match("^%x+$") then
    wants(at, "hex digits", value)
  end
  return (#value % 2 == 1 and "0" or "") .. value:lower()
end

local PURPOSES = { "server", "client", "both", "any" }

local function is_oid(value)
  return type(value) == "string" and value:match("^%d+%.[%d.]*%d$") ~= nil
end

-- A list of "server", "client", "any" and OIDs; false for no extension.
function types.purpose(at, _, value)
  if value == false then
    return false
  end
  local list = {}
  for _, item in ipairs(items_of(at, value)) do
    if not is_oid(item) then
      types.word(at, { words = PURPOSES }, item)
    end
    if item == "both" then
      table.move({ "server", "client" }, 1, 2, #list + 1, list)
    else
      list[#list + 1] = item
    end
  end
  return list
end

types["key usage"] = function(at, option, value)
  if value == false then
    return false
  end
  return types["list of words"](at, option, value)
end

local NAME_KINDS = {
  { name = "dns", type = "list of strings", about = "DNS names" },
  { name = "ip", type = "list of strings", about = "networks: \"10.0.0.0/8\"" },
  { name = "email", type = "list of strings", about = "mail addresses or hosts" },
  { name = "uri", type = "list of strings", about = "hosts of URIs" },
}

-- Name constraints as "dns:example.org", ...; a string or a list means DNS names.
types["name constraints"] = function(at, option, value)
  local list = {}
  if type(value) == "string" or strict.is_list(value) then
    value = { dns = value }
  end
  value = types.table(at, option, value)
  local names = arguments.check(at.api .. ": " .. at.name, NAME_KINDS, value)
  for _, kind in ipairs(NAME_KINDS) do
    for _, name in ipairs(names[kind.name] or {}) do
      if kind.name == "dns" and name:find("[:/]") then
        wrong(at, ('%q is no DNS name: other kinds are { ip = "192.0.2.0/24" }, '
                      .. "{ email = ... } and { uri = ... }"):format(name))
      end
      list[#list + 1] = kind.name .. ":" .. name
    end
  end
  return list
end

local EXTENSION = {
  { name = "oid", type = "string", required = true, about = "object identifier" },
  { name = "critical", type = "boolean", about = "default false" },
  { name = "der", type = "string", required = true, about = "the extension's value" },
}

-- Raw extensions; one alone may stand without a list.
types.extensions = function(at, _, value)
  local list = {}
  if type(value) ~= "table" then
    wants(at, "a list of { oid =, critical =, der = }", value)
  end
  for index, item in ipairs(value.oid and { value } or value) do
    local extension = arguments.check(("%s: %s[%d]"):format(at.api, at.name, index), EXTENSION,
                                      item)
    if not is_oid(extension.oid) then
      wants(at, 'an object identifier such as "1.2.3"', extension.oid)
    end
    extension.critical = extension.critical or false
    list[index] = extension
  end
  return list
end

-- A file's path or the text itself: the text has a line that begins a PEM block.
types["file or pem"] = function(at, _, value)
  if type(value) ~= "string" or value == "" then
    wants(at, "the path of a file, or PEM", value)
  end
  return value
end

---------------------------------------------------------------------------------------------------

local function names_of(entries, role)
  local names = {}
  for _, option in ipairs(entries) do
    if not (option.role and role and option.role ~= role) then
      names[#names + 1] = option.name
    end
  end
  return names
end

local function sorted_keys(given)
  local keys = {}
  for key in pairs(given) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- A list of options, made ready for look-ups once: options by name, and those that are required.
local indexes = {}
local function index_of(entries)
  local index = indexes[entries]
  if not index then
    index = { by_name = {}, required = {} }
    for _, option in ipairs(entries) do
      index.by_name[option.name] = option
      index.required[#index.required + 1] = option.required and option or nil
    end
    indexes[entries] = index
  end
  return index
end

-- An option that cannot be given here, or the option.
local function look_up(api, entries, key, role)
  if type(key) ~= "string" then
    strict.raise(("%s: options have names, got an item at [%s]"):format(api, tostring(key)))
  end
  local option = index_of(entries).by_name[key]
  if not option then
    strict.unknown(api, "option", key, names_of(entries, role))
  elseif option.later then
    strict.later(("%s: %s"):format(api, key))
  elseif option.role and role and option.role ~= role then
    strict.raise(('%s: "%s" is an option of the %s'):format(api, key, option.role))
  end
  return option
end

--- Checks one value as an option of this name would be: for arguments without a table around them.
---@param api string
---@param option moonshake.option
---@param value any
---@return any normalised
function arguments.check_one(api, option, value)
  return types[option.type]({ api = api, name = option.name }, option, value)
end

--- Checks named arguments. Gives a new table of normalised values: lists where a list is wanted,
--- IANA names, times in seconds since the epoch, certificates for identities.
---@param api string who complains: "tls.link: server"
---@param entries moonshake.option[]
---@param given any the script's table; nil stands for an empty one
---@param role? "client"|"server" leaves out the options of the other
---@param kept? any a value that is passed through unchecked (tls.default)
---@return table
function arguments.check(api, entries, given, role, kept)
  if given == nil then
    given = {}
  elseif type(given) ~= "table" or getmetatable(given) ~= nil then
    strict.raise(("%s: wants a table of options, got %s"):format(api, arguments.describe(given)))
  end
  local checked = {}
  for _, key in ipairs(sorted_keys(given)) do
    local option, value = look_up(api, entries, key, role), given[key]
    if kept ~= nil and rawequal(value, kept) then
      checked[key] = kept
    else
      checked[key] = arguments.check_one(api, option, value)
    end
  end
  for _, option in ipairs(index_of(entries).required) do
    if checked[option.name] == nil then
      strict.raise(("%s: %s is missing: %s"):format(api, option.name, option.about))
    end
  end
  return checked
end

return arguments
