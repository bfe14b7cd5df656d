-- SPDX-License-Identifier: MIT
-- ms.tls: links, connections, and the values that stand for themselves.
local arguments = require "moonshake.arguments"
local connection = require "moonshake.connection"
local faults = require "moonshake.faults"
local link = require "moonshake.link"
local listener = require "moonshake.listener"
local marks = require "moonshake.marks"
local options = require "moonshake.options"
local settings = require "moonshake.settings"
local strict = require "moonshake.strict"

local tls = {}

--- Stands for nil in `has { ... }`, and as what `equals` and `one_of` compare with.
tls.none = marks.none

--- What a stack cannot tell: no expectation on it passes, negated or not.
tls.unknown = marks.unknown

--- As an option's value: takes back what was said before.
tls.default = marks.default

--- Ready tamper functions, see faults.lua.
tls.faults = faults.module

--- tls.link { client = {...}, server = {...}, ... }: a link between two ends in memory; nothing has
--- happened yet. Options beside the two ends hold for both, an end's own win. See options.ends for
--- the options of an end.
---@param given table
---@return table link
function tls.link(given)
  local api = "tls.link"
  if type(given) ~= "table" or getmetatable(given) ~= nil then
    strict.raise(("%s: wants a table of options, got %s"):format(api, arguments.describe(given)))
  end
  local shared = settings.check_shared(api, given)
  local checked = {}
  for _, role in ipairs { "client", "server" } do
    local own = settings.check(("%s: %s"):format(api, role), role, shared[role])
    checked[role] = settings.merge(settings.merge({}, shared), own)
    checked[role].client, checked[role].server = nil, nil
  end
  return link.new(api, checked, { client = {}, server = {} })
end

-- Where to connect to or to listen: a port, or a unix socket's path.
local function place_of(api, checked, port)
  if checked.path and (checked.host or checked.port) then
    strict.raise(api .. ": path is a unix socket, host and port an address: one of them")
  elseif checked.path then
    return { path = checked.path }
  elseif not (checked.port or port) then
    strict.raise(api .. ": port is missing: the port to connect to")
  end
  return { host = checked.host or "127.0.0.1", port = checked.port or port }
end

--- tls.connect { host = "127.0.0.1", port =, client = {...} }, or path = for a unix socket: a
--- connection whose client is here; nothing has happened yet, handshake() connects. A name with
--- several addresses is tried at each.
---@param given table
---@return table connection
function tls.connect(given)
  local api = "tls.connect"
  local checked = arguments.check(api, options.connect, given)
  local client = settings.check(api .. ": client", "client", checked.client)
  return connection.to(api, place_of(api, checked), settings.merge({}, client), {})
end

--- tls.listen { host = "127.0.0.1", port = 0, server = {...} }, or path = for a unix socket: a
--- listener. It takes connections from elsewhere only where its host says so; port 0 is one that is
--- free, see listener.port.
---@param given table
---@return table listener
function tls.listen(given)
  local api = "tls.listen"
  local checked = arguments.check(api, options.listen, given)
  local server = settings.check(api .. ": server", "server", checked.server)
  return listener.new(api, place_of(api, checked, 0), settings.merge({}, server))
end

--- tls.relay { listen = { host = "127.0.0.1", port = 0 }, to = { host =, port = }, tamper =,
--- seed =, keep = }, or path = for a unix socket: takes connections and makes one to that place for
--- each, while the script waits for something.
---@param given table
---@return table relay
function tls.relay(given)
  local api = "tls.relay"
  local checked = arguments.check(api, options.relay, given)
  local places = {}
  for _, name in ipairs { "listen", "to" } do
    local at = ("%s: %s"):format(api, name)
    local given_place = arguments.check(at, options["relay_" .. name], checked[name])
    places[name] = place_of(at, given_place, name == "listen" and 0 or nil)
  end
  local relay = require "moonshake.relay" -- few scripts need luv
  return relay.new(api, places.listen, places.to, checked)
end

return strict.module("tls", tls)
