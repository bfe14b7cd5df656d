-- SPDX-License-Identifier: MIT
-- What a relay does for each of its connections: it carries what one side sends to the other, past
-- the script's function, until both have ended.
local background = require "moonshake.background"
local flight = require "moonshake.flight"
local native = require "moonshake.native"
local record = require "moonshake.relay.record"
local sockets = require "moonshake.io.socket"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"
local wait = require "moonshake.io.wait"

local carrying = {}

local TO_CONNECT = 10 -- seconds until the place to connect to is given up
local OTHER = { client = "server", server = "client" }

--- Ends a connection: "reset", "orderly" (with what is on its way), or, where both sides have, just
--- so.
---@param state table of the relay
---@param one table the connection, see record.lua
---@param how? "reset"|"orderly"
function carrying.finish(state, one, how)
  if one.over then
    return
  end
  one.over = true
  local ended = one.ended
  if not (ended.client and ended.server or ended.client == "reset" or ended.server == "reset") then
    record.ends(one, "relay", how == "reset" and "reset" or "closed")
  end
  for _, role in ipairs { "client", "server" } do
    local socket = one.sockets[role]
    if socket and how == "orderly" then
      socket:let_go()
    elseif socket then
      socket:close(how == "reset")
    end
  end
  one.dissector = nil -- it remembers hellos
  state.num_over = state.num_over + 1
  state.news:ring()
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
  carrying.finish(state, one, "reset")
  state.news:ring()
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
      record.ends(one, OTHER[from], "reset")
      carrying.finish(state, one, "reset")
    end
  end
  return not one.over
end

-- Does what stands among pieces and is none.
local function act(state, one, action, due)
  if action.kind ~= "delay" then
    carrying.finish(state, one, action.kind == "close" and "orderly" or "reset")
    return
  end
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
  local came = wait.now()
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
    pass(state, one, from, found, wait.now())
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
      record.ends(one, from, "closed")
      if one.over then
        return
      end
      one.sockets[OTHER[from]]:shutdown()
      if one.ended[OTHER[from]] then
        carrying.finish(state, one)
      end
      return
    else
      record.ends(one, from, "reset")
      return carrying.finish(state, one, "reset")
    end
  end
end

--- Has f() go on in the background, until the relay is closed.
---@param state table of the relay
---@param f fun()
function carrying.start(state, f)
  local task
  task = background.start(function()
    f()
    state.tasks[task] = nil
  end)
  state.tasks[task] = true
end

local function connect(state, one)
  local socket, problem = sockets.connect(state.place, TO_CONNECT)
  if one.over then
    return socket and socket:close()
  elseif not socket then
    one.problem = problem
    return carrying.finish(state, one, "reset")
  end
  one.sockets.server = socket
  carrying.start(state, function() carry(state, one, "server") end)
  carry(state, one, "client")
end

--- Takes a connection, and makes one to the relay's place for it.
---@param state table of the relay
---@param socket table
function carrying.take(state, socket)
  local number = #state.connections + 1
  local one = record.new(number, socket.remote, state.keep)
  one.sockets = { client = socket }
  one.dissector = native.dissector()
  one.carrier = { seed = state.seed }
  one.never = wait.new()
  state.connections[number] = one
  carrying.start(state, function() connect(state, one) end)
end

return carrying
