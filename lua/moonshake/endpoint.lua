-- SPDX-License-Identifier: MIT
-- One end of a link as scripts see it: it answers as of now, and raises on what it does not have.
local arguments = require "moonshake.arguments"
local far = require "moonshake.far"
local native = require "moonshake.native"
local options = require "moonshake.options"
local strict = require "moonshake.strict"

local endpoint = {}

local FIELDS = native.fields "state"
local STATE = strict.schema("end", FIELDS, options.later_fields)
local SNAPSHOT = strict.schema("snapshot", FIELDS, options.later_fields)

local links = native.link_methods

-- Private to this file: what an end's table holds. NEAR: of a far end the role of the end that is
-- here.
local LINK, ROLE, OWNER, NEAR = {}, {}, {}, {}

local End = { __name = "moonshake.end", __schema = STATE }
local methods = {}

local function check_self(api, self)
  strict.called_on(api, self, End, "an end of a link")
  return rawget(self, LINK), rawget(self, ROLE)
end

--- Raises where the link runs a choosing function of the script, below a GnuTLS frame: nothing can
--- be read then.
---@param api string who complains
---@param link userdata
function endpoint.check_free(api, link)
  if links.busy(link) then
    strict.raise(api .. ": the link is in use: a function that it runs cannot read it")
  end
end

-- All fields as they are now, as a plain table.
local function values_of(self, api)
  local link, near = rawget(self, LINK), rawget(self, NEAR)
  local values = strict.check(api, links.snapshot(link, near or rawget(self, ROLE)))
  return near and far.of(values, rawget(self, ROLE)) or values
end

--- end:snapshot(): all fields as they are now, in a read-only table that raises on unknown ones.
---@return table
function methods:snapshot()
  endpoint.check_free("end:snapshot", (check_self("end:snapshot", self)))
  return strict.record(SNAPSHOT, values_of(self, "end:snapshot"))
end

--- end:exporter(label, context, length): keying material of this session (RFC 5705, RFC 8446 7.5).
--- Up to TLS 1.2 no context (nil) and an empty one differ. Raises where neither TLS 1.3 nor an
--- extended master secret protects it.
---@param label string
---@param context string|nil
---@param length integer bytes
---@return string
function methods:exporter(label, context, length)
  local api = "end:exporter"
  local link, role = check_self(api, self)
  arguments.check_one(api, options.exporter.label, label)
  if context ~= nil then
    arguments.check_one(api, options.exporter.context, context)
  end
  length = arguments.check_one(api, options.exporter.length, length)
  if rawget(self, NEAR) then
    strict.raise(api .. ": the far end cannot be asked: ask the one that is here")
  end
  endpoint.check_free(api, link)
  return (strict.check(api, links.exporter(link, role, label, context, length)))
end

local function project(api, self, name, how)
  local link = check_self(api, self)
  name = arguments.check_one(api, options.projection, name)
  endpoint.check_free(api, link)
  local projections = require "moonshake.views.projections"
  return projections[how](name, self, rawget(self, OWNER).events)
end

--- end:as(name): what the end is in the words of others: "go" (tls.ConnectionState), "channelz"
--- (gRPC's Security), "envoy" (principal and x-forwarded-client-cert), "python" (ssl.SSLSocket). A
--- read-only table with their names and values; tls.unknown is what cannot be told.
---@param name string
---@return table
function methods:as(name)
  return project("end:as", self, name, "of")
end

--- end:as_json(name): the same as JSON, bytes in Base64.
---@param name string
---@return string
function methods:as_json(name)
  return project("end:as_json", self, name, "json")
end

-- One snapshot for each epoch, the current one last.
local function history(link, role, near)
  local list = strict.check("end.history", links.history(link, near or role))
  for index, values in ipairs(list) do
    list[index] = strict.record(SNAPSHOT, near and far.of(values, role) or values)
  end
  return strict.wrap(list, nil, true)
end

function End:__index(name)
  if methods[name] then
    return methods[name]
  end
  local link, role = rawget(self, LINK), rawget(self, ROLE)
  if name == "history" then
    endpoint.check_free("end.history", link)
    return history(link, role, rawget(self, NEAR))
  end
  local field = STATE.by_name[name]
  if not field then
    if STATE.later[name] then
      strict.later(("link.%s: %s"):format(role, name))
    end
    strict.unknown("link." .. role, "field", name,
                   { "history", "snapshot", "exporter", "as", "as_json",
                     table.unpack(STATE.names) })
  end
  endpoint.check_free("link." .. role, link)
  if rawget(self, NEAR) then
    return strict.wrap(values_of(self, "link." .. role)[name], field.schema)
  end
  local known, value = links.field(link, role, name)
  if not known then
    strict.raise(("link.%s: %s: %s"):format(role, name, tostring(value)))
  end
  return strict.wrap(value, field.schema)
end

function End.__newindex()
  strict.raise "an end of a link: is read-only"
end

End.__pairs = strict.each

function End:__tostring()
  local version = self.version
  local phase = rawget(self, NEAR) and "somewhere else" or self.phase
  return ("%s end of link (%s%s)"):format(self.role, phase, version and ", " .. version or "")
end

--- Makes the end of a native link.
---@param native_link userdata
---@param role "client"|"server"
---@param owner table the link that scripts see
---@param near? "client"|"server" where the end is somewhere else: the role of the one that is here
function endpoint.new(native_link, role, owner, near)
  return setmetatable({ [LINK] = native_link, [ROLE] = role, [OWNER] = owner, [NEAR] = near }, End)
end

--- Whether an end is somewhere else: most of its fields are unknown.
---@param value table
---@return boolean
function endpoint.is_far(value)
  return rawget(value, NEAR) ~= nil
end

--- The link of an end.
---@param value table
---@return table
function endpoint.owner(value)
  return rawget(value, OWNER)
end

--- Whether a value is an end of a link.
---@param value any
---@return boolean
function endpoint.is_end(value)
  return type(value) == "table" and getmetatable(value) == End
end

--- Whether a value is an end's snapshot.
---@param value any
---@return boolean
function endpoint.is_snapshot(value)
  return strict.schema_of(value) == SNAPSHOT
end

--- The schema of ends.
endpoint.schema = STATE

return endpoint
