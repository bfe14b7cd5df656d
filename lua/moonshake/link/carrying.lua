-- SPDX-License-Identifier: MIT
-- Carrying the bytes between a connection's end and its socket. `state` is the inside of a
-- connection (see connection.lua), `api` the action that complains, `due` the moment by now() at
-- which its time is over.
local acting = require "moonshake.link.acting"
local changes = require "moonshake.link.changes"
local native = require "moonshake.native"
local strict = require "moonshake.strict"

local carrying = {}

local natives = native.link_methods
local FIRST_BYTES = 256 -- of what the peer sent are kept: they tell what is no TLS
local MOST_QUEUED = 1 << 20 -- bytes that wait for a peer which does not read, while it is read from

--- What a peer may send, and cause, in one action without any data: a chain may have 10,000
--- certificates, and a single message may be as large as its header can say (RFC 8446 section 4),
--- which is for the TLS stack to refuse. (A test puts the bounds lower.)
carrying.most = { bytes = 1 << 25, events = 100000 }

--- The clock of moments.
---@return number seconds
function carrying.now()
  return require("moonshake.io.loop").now()
end

local now = carrying.now

--- How it stands with the end that is here and its peer.
---@param state table
---@return string word "idle", "waits" (in a handshake), "open", "closed" (by the peer) or "failed"
function carrying.standing(state)
  return natives.standing(state.native, state.role)
end

--- The end that is here fails with this problem, unless it is over.
---@param state table
---@param api string
---@param problem string a word of the contract
---@param message string
function carrying.break_off(state, api, problem, message)
  strict.check(api, natives.break_off(state.native, problem, message))
  state.events = nil
end

local function feed(state, api, bytes)
  if #state.first_bytes < FIRST_BYTES then
    state.first_bytes = (state.first_bytes .. bytes):sub(1, FIRST_BYTES)
  end
  state.received = state.received + #bytes
  strict.check(api, natives.feed(state.native, state.role, bytes))
end

-- A socket that takes nothing may still have what says why.
local function after_refused_write(state, api, problem, message)
  local bytes = state.socket:read(0)
  while bytes do
    feed(state, api, bytes)
    acting.carry_out(state, api)
    bytes = carrying.standing(state) ~= "failed" and state.socket:read(0)
  end
  carrying.break_off(state, api, problem, message)
end

--- Waits until the system has taken what this end wrote.
---@param state table
---@param api string
---@param due number
function carrying.flush(state, api, due)
  local done, problem, message = state.socket:flush(math.max(0, due - now()))
  if not done and problem ~= "closed" then
    after_refused_write(state, api, problem, message)
  end
  if carrying.standing(state) ~= "open" then
    state.socket:wake() -- another function may wait for bytes of what is over
  end
end

-- Hands the system what this end wrote.
local function put(state)
  local bytes = natives.take(state.native, state.role)
  if bytes ~= "" then
    state.socket:put(bytes)
  end
end

--- Works as far as it goes without the peer, and hands the system what this end wrote. It may take
--- that later: a peer that waits for this end to read would be waited for.
---@param state table
---@param api string
function carrying.work(state, api)
  do
    local _ <close> = setmetatable({}, { __close = function()
      if state.broken then -- a function of the script's raised: the peer is told
        put(state)
        state.socket:let_go()
      end
    end })
    acting.carry_out(state, api)
  end
  local epoch, number = natives.epoch(state.native)
  while number >= 0 and not state.told[epoch] do -- the peer began it
    changes.note_told(state, epoch)
    number = number - 1
    epoch = number >= 0 and natives.epoch(state.native, number)
  end
  put(state)
end

-- Reading has ended: by the peer's FIN or a reset, by this end, or for a moment only.
local function after_end(state, api, problem, message)
  local refused = state.socket.refused
  if problem == "woken" then
    return
  elseif problem ~= "closed" then
    carrying.break_off(state, api, problem, message)
  elseif state.socket:is_closed() then
    if carrying.standing(state) ~= "failed" then
      strict.raise(api .. ": the connection was closed meanwhile")
    end
  elseif refused or state.hung_up then
    carrying.break_off(state, api, table.unpack(refused or { "closed_early", message }, 1, 2))
  else
    state.hung_up = true
    natives.hang_up(state.native, state.role)
  end
end

-- Takes what the peer sends next. Returns how many bytes came, or nil when the time is over.
local function carry(state, api, due)
  local bytes, problem, message = state.socket:read(math.max(0, due - now()))
  if bytes then
    feed(state, api, bytes)
    return #bytes
  elseif problem == "timeout" and not state.socket.ended then
    return nil
  end
  after_end(state, api, problem, message)
  return 0
end

--- Raises where another function waits for the peer by this connection: bytes go to one only.
---@param state table
function carrying.check_free(state)
  if state.driving then
    strict.raise(("connection: busy: %s waits for the peer already"):format(state.driving))
  end
end

-- Ends what has come to too much without any data.
local function is_too_much(state, api, bytes, events)
  local most = carrying.most
  if bytes > most.bytes then
    carrying.break_off(state, api, "message_too_large",
                       ("the peer sent more than %d bytes and no data"):format(most.bytes))
  elseif events > most.events then
    carrying.break_off(state, api, "protocol_violation",
                       "the peer sent messages without end and no data")
  end
  return bytes > most.bytes or events > most.events
end

--- Works with the peer until over() holds, or this end is over.
---@param state table
---@param api string
---@param due number
---@param over fun(): boolean
---@return boolean in_time
function carrying.drive(state, api, due, over)
  carrying.check_free(state)
  state.driving = api
  local _ <close> = setmetatable({}, { __close = function()
    state.driving = nil
    state.progress:ring()
  end })
  local count, events = 0, natives.num_events(state.native)
  while true do
    carrying.work(state, api)
    if state.socket:num_queued() > MOST_QUEUED and carrying.standing(state) ~= "failed" then
      carrying.flush(state, api, due)
    end
    local stands = carrying.standing(state)
    if over() or stands == "failed" or stands == "closed" then
      return true
    end
    if is_too_much(state, api, count, natives.num_events(state.native) - events) then
      return true
    end
    state.progress:ring()
    local came = carry(state, api, due)
    if not came then
      return false
    end
    count = count + came
  end
end

local function is_over(state)
  return carrying.standing(state) ~= "waits"
end

--- Waits until no handshake is under way, which another function may be about.
---@param state table
---@param api string
---@param due number
---@return boolean in_time
function carrying.wait_for_handshake(state, api, due)
  while not is_over(state) do
    local left = math.max(0, due - now())
    if not state.driving then
      return carrying.drive(state, api, due, function() return is_over(state) end)
    end
    if not state.progress:await(left) then
      return false
    end
  end
  return true
end

--- Lets the socket go where nothing more is to be had from the peer, or to be said to it.
---@param state table
function carrying.let_go_if_over(state)
  local stands = carrying.standing(state)
  local over = stands == "failed" or stands == "closed" and natives.closed(state.native)
  if over and state.socket then
    state.socket:let_go()
  end
end

--- A handshake until it is over, in whichever way.
---@param state table
---@param api string
---@param seconds number that it may take in all
---@param due number
---@return boolean content
function carrying.shake_hands(state, api, seconds, due)
  local in_time = carrying.drive(state, api, due, function() return is_over(state) end)
  if not in_time then
    carrying.break_off(state, api, "timeout",
                       ("the handshake was not over within %g s"):format(seconds))
  elseif carrying.standing(state) ~= "failed" then
    carrying.flush(state, api, due)
  end
  carrying.let_go_if_over(state)
  return natives.content(state.native)
end

return carrying
