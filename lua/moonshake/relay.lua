-- SPDX-License-Identifier: MIT
-- A relay: stands between any two programs, passes on what they send, their half-closes and their
-- resets, and keeps what went by. A tamper function sees each record; bytes that are none pass as
-- they came. It works while the script waits for whatever it is, and reads from one side only what
-- the other has taken.
local arguments = require "moonshake.arguments"
local carrying = require "moonshake.relay.carrying"
local expect = require "moonshake.expect"
local faults = require "moonshake.faults"
local options = require "moonshake.options"
local scenario = require "moonshake.scenario"
local sockets = require "moonshake.io.socket"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"
local wait = require "moonshake.io.wait"

local relay = {}

local SECONDS = 10    -- of a wait, if the script says nothing
local KEEP = 65536    -- bytes of a connection's flights that are kept, if the script says nothing

-- Private to this file: what a relay's table holds.
--   listener   the socket that listens      place       where to connect to
--   tamper, seed, keep                      connections states of record.lua, in order
--   tasks      a set: what goes on in background       num_over  how many connections are over
--   failure    what a tamper function raised           news      a bell: something is another way
local STATE = {}

local SCHEMA = strict.schema("relay", {
  { name = "host", about = "the address that it listens on; nil for a unix socket" },
  { name = "port", about = "the port that it listens on; nil for a unix socket" },
  { name = "connections", about = "what went by, in the order in which they came" },
})

local Relay = { __name = "moonshake.relay", __schema = SCHEMA }
local methods = {}

---------------------------------------------------------------------------------------------------
-- What a script does with it

local function check(self, api)
  strict.called_on(api, self, Relay, "a relay")
  return rawget(self, STATE)
end

-- Raises, once, what a tamper function raised.
local function raise_failure(state)
  local failure = state.failure
  if failure then
    state.failure = nil
    traceback.rethrow(failure.value, failure.frames)
  end
end

--- relay:wait { connections = 1, timeout = 10 }: until so many connections are over. Raises what
--- the tamper function has raised meanwhile.
---@param given? table
---@return boolean|nil over
---@return string|nil why "timeout"
function methods:wait(given)
  local api = "relay:wait"
  local state = check(self, api)
  local checked = arguments.check(api, options.relay_wait, given)
  local due = wait.now() + (checked.timeout or SECONDS)
  while true do
    raise_failure(state)
    local left = due - wait.now()
    if state.num_over >= (checked.connections or 1) then
      return true
    elseif state.closed then
      strict.raise(api .. ": the relay is closed")
    elseif left <= 0 then
      return nil, "timeout"
    end
    state.news:await(left)
  end
end

local function dispose(state)
  state.closed = true
  state.listener:close()
  for _, one in ipairs(state.connections) do
    carrying.finish(state, one)
    for _, socket in pairs(one.sockets) do
      socket:close()
    end
  end
  for task in pairs(state.tasks) do
    task:stop()
  end
  state.tasks = {}
  state.news:ring()
end

--- relay:close(): takes no more connections, and closes those that there are. Raises what the
--- tamper function has raised since the last wait.
function methods:close()
  local state = check(self, "relay:close")
  dispose(state)
  raise_failure(state)
end

function Relay:__index(name)
  local state = rawget(self, STATE)
  if methods[name] then
    return methods[name]
  elseif name == "connections" then
    local views = {}
    for index, one in ipairs(state.connections) do
      views[index] = one.view
    end
    return strict.wrap(views, nil, true)
  elseif not SCHEMA.by_name[name] then
    strict.no_field(SCHEMA, name, methods)
  end
  return state.listener[name]
end

function Relay.__newindex()
  strict.raise "a relay: is read-only"
end

function Relay:__tostring()
  local state = rawget(self, STATE)
  return ("relay (%s)"):format(state.closed and "closed" or state.shown)
end

function Relay:__close()
  dispose(rawget(self, STATE))
end

---------------------------------------------------------------------------------------------------

-- At the end of a case: what nobody waited for is a failure of it.
local function end_with(case, state)
  dispose(state)
  local failure = state.failure
  if failure and expect.is_failure(failure.value) then
    case:record_failure(failure.value)
  elseif failure and not scenario.is_skip(failure.value) then
    local _, made = xpcall(traceback.rethrow, function(value)
      return traceback.failure(value, end_with)
    end, failure.value, failure.frames)
    case:record_failure(made)
  end
end

--- Makes a relay.
---@param api string
---@param listen table where to listen, see io/socket.lua
---@param place table where to connect to
---@param checked table { tamper =, seed =, keep = }
---@return table
function relay.new(api, listen, place, checked)
  if checked.tamper then
    faults.check_for_relay(api .. ": tamper", checked.tamper)
  end
  local listener, message = sockets.listen(listen, SECONDS)
  strict.check(api, listener, message)
  local state = {
    listener = listener, place = place, tamper = checked.tamper, seed = checked.seed,
    keep = checked.keep or KEEP, connections = {}, tasks = {}, num_over = 0, news = wait.bell(),
    shown = ("%s to %s"):format(
      sockets.show { host = listener.host, port = listener.port, path = listen.path },
      sockets.show(place)),
  }
  carrying.start(state, function()
    while true do
      local socket = listener:accept(math.huge)
      if not socket then
        return
      end
      carrying.take(state, socket)
    end
  end)
  local case = scenario.current()
  if case then
    case:on_close(function() end_with(case, state) end)
  end
  return setmetatable({ [STATE] = state }, Relay)
end

return relay
