-- SPDX-License-Identifier: MIT
-- A listener: a server's end for whoever connects. Connections of one listener share what takes
-- back their sessions, as those of one server do.
local arguments = require "moonshake.arguments"
local connection = require "moonshake.connection"
local native = require "moonshake.native"
local options = require "moonshake.options"
local scenario = require "moonshake.scenario"
local settings = require "moonshake.settings"
local strict = require "moonshake.strict"

local listener = {}

local SECONDS = 10 -- of a wait, if the script says nothing

-- Private to this file: what a listener's table holds: { socket =, made = }.
local STATE = {}

local SCHEMA = strict.schema("listener", {
  { name = "host", about = "the address that it listens on; nil for a unix socket" },
  { name = "port", about = "the port that it listens on; nil for a unix socket" },
})

local Listener = { __name = "moonshake.listener", __schema = SCHEMA }
local methods = {}

local function check(self, api)
  strict.called_on(api, self, Listener, "a listener")
  return rawget(self, STATE)
end

--- listener:accept { timeout = 10 }: the next connection, whose handshake has not begun.
---@param given? table
---@return table|nil connection
---@return string|nil why "timeout", or "closed" where another function closed the listener
function methods:accept(given)
  local api = "listener:accept"
  local state = check(self, api)
  local seconds = arguments.check(api, options.handshake, given).timeout or SECONDS
  if state.closed then
    strict.raise(api .. ": the listener is closed")
  end
  local socket = state.socket:accept(seconds)
  if not socket then
    return nil, state.closed and "closed" or "timeout"
  end
  return connection.from(socket, state.made)
end

--- listener:close(): takes no more connections; those that nobody accepted are closed.
function methods:close()
  local state = check(self, "listener:close")
  state.closed = true
  state.socket:close()
end

function Listener:__index(name)
  local method = methods[name]
  if method then
    return method
  elseif not SCHEMA.by_name[name] then
    strict.no_field(SCHEMA, name, methods)
  end
  return rawget(self, STATE).socket[name]
end

function Listener.__newindex()
  strict.raise "a listener: is read-only"
end

function Listener:__tostring()
  local state = rawget(self, STATE)
  return ("listener (%s)"):format(state.closed and "closed" or state.shown)
end

function Listener:__close()
  methods.close(self)
end

-- libuv keeps a handle until it is closed.
function Listener:__gc()
  rawget(self, STATE).socket:close()
end

--- Makes a listener.
---@param api string
---@param place table where, see io/socket.lua
---@param checked table options of the server
---@return table
function listener.new(api, place, checked)
  local config, policy = settings.make(api .. ": server", "server", checked, {})
  local sockets = require "moonshake.io.socket" -- few scripts need luv
  local kin = strict.check(api, native.link(nil, config))
  local socket = strict.check(api, sockets.listen(place, SECONDS))
  local state = {
    socket = socket,
    made = { checked = checked, config = config, policy = policy, kin = kin },
    shown = sockets.show { host = socket.host, port = socket.port, path = place.path },
  }
  local case = scenario.current()
  if case then
    case:on_close(function() socket:close() end)
  end
  return setmetatable({ [STATE] = state }, Listener)
end

return listener
