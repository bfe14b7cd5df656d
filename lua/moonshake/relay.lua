-- SPDX-License-Identifier: MIT
-- A relay: stands between any two programs, passes on what they send, their half-closes and their
-- resets, and keeps what went by. A tamper function sees each record; bytes that are none pass as
-- they came. It works while the script waits for whatever it is, and reads from one side only what
-- the other has taken.
local arguments = require "moonshake.arguments"
local expect = require "moonshake.expect"
local flight = require "moonshake.flight"
local native = require "moonshake.native"
local options = require "moonshake.options"
local record = require "moonshake.relay.record"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"

local relay = {}

local SECONDS = 10       -- of a wait, if the script says nothing
local TO_CONNECT = 10    -- seconds until the place to connect to is given up
local KEEP = 65536       -- bytes of a connection's flights that are kept, if the script says nothing
local OTHER = { client = "server", server = "client" }

-- Private to this file: what a relay's table holds.
--   listener   the socket that listens      place       where to connect to
--   tamper, seed, keep                      connections states of record.lua, in order
--   tasks      what goes on in background   num_over    how many connections are over
--   change     a wait, until any of this is another    failure  what a tamper function raised
local STATE = {}

local SCHEMA = strict.schema("relay", {
  { name = "host", about = "the address that it listens on; nil for a unix socket" },
  { name = "port", about = "the port that it listens on; nil for a unix socket" },
  { name = "connections", about = "what went by, in the order in which they came" },
})

local Relay = { __name = "moonshake.relay", __schema = SCHEMA }
local methods = {}

---------------------------------------------------------------------------------------------------
-- A connection

local function changed(state)
  local change = state.change
  state.change = require("moonshake.io.wait").new()
  change:finish()
end

-- Ends it: "reset", "orderly" (with what is on its way), or, where both sides have, just so.
local function finish(state, one, how)
  if one.over then
    return
  end
  one.over = true
  for _, role in ipairs { "client", "server" } do
    local socket = one.sockets[role]
    if socket and how == "orderly" then
      socket:let_go()
    elseif socket then
      socket:close(how == "reset")
    end
  end
  state.num_over = state.num_over + 1
  changed(state)
end

-- At the bottom of what the relay calls of a script.
local function ask(state, one, from, found)
  local seen = flight.new(from, { found }, one.carrier, one.number)
  return flight.pieces("tls.relay: tamper", seen, state.tamper(seen), true)
end

local note_failure = native.undisturbed(function(value)
  return { value = value, frames = traceback.frames(ask) }
end)

-- What the script's function makes of it; nil where it raised, which ends the connection.
local function tampered(state, one, from, found)
  local done, result = xpcall(ask, note_failure, state, one, from, found)
  if done then
    return result
  end
  local failure = type(result) == "table" and result.frames and result
    or { value = result, frames = {} }
  if failure.value == native.deadline_message then
    error(failure.value, 0)
  end
  state.failure = state.failure or failure
  finish(state, one, "reset")
  changed(state)
  return nil
end

local function fate(pieces, bytes)
  local kept = {}
  for _, piece in ipairs(pieces) do
    kept[#kept + 1] = not flight.is_action(piece) and piece or nil
  end
  local arrived = table.concat(kept)
  return arrived == bytes and "as_sent" or arrived == "" and "dropped" or "changed"
end

-- Hands bytes on. False when the connection is over.
local function write(state, one, from, bytes)
  if bytes ~= "" and not one.over then
    local written = one.sockets[OTHER[from]]:write(bytes, math.huge)
    if not written and not one.over then
      one.ended[OTHER[from]] = "reset"
      finish(state, one, "reset")
    end
  end
  return not one.over
end

-- Does what stands among pieces and is none.
local function act(state, one, action, due)
  if action.kind ~= "delay" then
    finish(state, one, action.kind == "close" and "orderly" or "reset")
    return
  end
  local wait = require "moonshake.io.wait"
  wait.await(one.never, math.max(0, due + action.seconds - wait.now()))
end

-- Passes on one record, or what is none. False when the connection is over.
local function pass(state, one, from, found, came)
  local pieces = state.tamper and tampered(state, one, from, found)
  if not pieces then
    return false
  end
  record.add(one, from, found, fate(pieces, found.bytes))
  for _, piece in ipairs(pieces) do
    if flight.is_action(piece) then
      act(state, one, piece, came)
    else
      write(state, one, from, piece)
    end
    if one.over then
      return false
    end
  end
  return true
end

-- Passes on what came in one piece. Without a tamper function it goes as it came.
local function pass_all(state, one, from, bytes)
  local came = require("moonshake.io.wait").now()
  local list = strict.check("tls.relay", one.dissector:feed(from, bytes))
  for _, found in ipairs(list) do
    if not state.tamper then
      record.add(one, from, found, "as_sent")
    elseif not pass(state, one, from, found, came) then
      return false
    end
  end
  return state.tamper ~= nil or write(state, one, from, bytes)
end

-- At the end of what one side sends: the beginning of a record may be left.
local function pass_rest(state, one, from)
  local rest = one.dissector:rest(from)
  if rest == "" then
    return
  end
  local found = { bytes = rest, length = #rest, messages = {}, encrypted = false }
  if state.tamper then
    pass(state, one, from, found, require("moonshake.io.wait").now())
  else
    record.add(one, from, found, "as_sent")
  end
end

-- Passes on all that one side sends, until it ends.
local function carry(state, one, from)
  while true do
    local bytes, problem = one.sockets[from]:read()
    if one.over then
      return
    elseif bytes then
      if not pass_all(state, one, from, bytes) then
        return
      end
    elseif problem == "closed" then
      pass_rest(state, one, from)
      one.ended[from] = "closed"
      if one.over then
        return
      end
      one.sockets[OTHER[from]]:shutdown()
      if one.ended[OTHER[from]] then
        finish(state, one)
      end
      return
    else
      one.ended[from] = "reset"
      return finish(state, one, "reset")
    end
  end
end

local function start(state, f)
  local background = require "moonshake.background"
  local list = {}
  for _, task in ipairs(state.tasks) do
    list[#list + 1] = not task.over and task or nil
  end
  list[#list + 1] = background.start(f)
  state.tasks = list
end

local function connect(state, one)
  local socket, problem = require("moonshake.io.socket").connect(state.place, TO_CONNECT)
  if one.over then
    return socket and socket:close()
  elseif not socket then
    one.problem = problem
    return finish(state, one, "reset")
  end
  one.sockets.server = socket
  start(state, function() carry(state, one, "server") end)
  carry(state, one, "client")
end

local function take(state, socket)
  local number = #state.connections + 1
  local one = record.new(number, socket.remote, state.keep)
  one.sockets = { client = socket }
  one.dissector = native.dissector()
  one.carrier = { seed = state.seed }
  one.never = require("moonshake.io.wait").new()
  state.connections[number] = one
  start(state, function() connect(state, one) end)
end

---------------------------------------------------------------------------------------------------
-- What a script does with it

local function check(self, api)
  if type(self) ~= "table" or getmetatable(self) ~= Relay then
    strict.raise(api .. ": to be called with a colon, on a relay")
  end
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

--- relay:wait { connections = 1, timeout = 10 }: until so many connections are over. Raises what the
--- tamper function has raised meanwhile.
---@param given? table
---@return boolean|nil over
---@return string|nil why "timeout"
function methods:wait(given)
  local api = "relay:wait"
  local state = check(self, api)
  local checked = arguments.check(api, options.relay_wait, given)
  local wait = require "moonshake.io.wait"
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
    wait.await(state.change, left)
  end
end

local function dispose(state)
  state.closed = true
  state.listener:close()
  for _, one in ipairs(state.connections) do
    finish(state, one)
    for _, socket in pairs(one.sockets) do
      socket:close()
    end
  end
  for _, task in ipairs(state.tasks) do
    task:stop()
  end
  state.tasks = {}
  changed(state)
end

--- relay:close(): takes no more connections, and closes those that there are. Raises what the tamper
--- function has raised since the last wait.
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
  local sockets, wait = require "moonshake.io.socket", require "moonshake.io.wait"
  local listener, message = sockets.listen(listen, SECONDS)
  strict.check(api, listener, message)
  local state = {
    listener = listener, place = place, tamper = checked.tamper, seed = checked.seed,
    keep = checked.keep or KEEP, connections = {}, tasks = {}, num_over = 0, change = wait.new(),
    shown = ("%s to %s"):format(
      sockets.show { host = listener.host, port = listener.port, path = listen.path },
      sockets.show(place)),
  }
  start(state, function()
    while true do
      local socket = listener:accept(math.huge)
      if not socket then
        return
      end
      take(state, socket)
    end
  end)
  local case = scenario.current()
  if case then
    case:on_close(function() end_with(case, state) end)
  end
  return setmetatable({ [STATE] = state }, Relay)
end

return relay
