-- SPDX-License-Identifier: MIT
-- A connection: a link of which one end is here and the other is whatever is there, over a socket.
-- Every wait has a deadline. What a peer did, or a network, is data on the end that is here.
local acting = require "moonshake.link.acting"
local arguments = require "moonshake.arguments"
local carrying = require "moonshake.link.carrying"
local changes = require "moonshake.link.changes"
local endpoint = require "moonshake.endpoint"
local inside = require "moonshake.link.state"
local native = require "moonshake.native"
local options = require "moonshake.options"
local settings = require "moonshake.settings"
local shown = require "moonshake.link.shown"
local strict = require "moonshake.strict"

local connection = {}

local natives, now = native.link_methods, carrying.now
local SECONDS = 10 -- of an action, if the script says nothing

local Connection = { __name = "moonshake.connection" }
local methods = shown.methods(Connection, "connection")

-- Beside what every link has, the inside of a connection has
--   role      of the end that is here      place    where to connect to (a client)
--   socket    once there is one            data     what arrived and was not received
--   driving   the action that waits for the peer's bytes
--   first_bytes   the first ones that the peer sent
--   received      how many bytes the peer sent
--   progress  a bell (io/wait.lua) for another function that waits meanwhile
--   hung_up   whether the native link knows of the end of the peer's stream

-- The inside of a connection on which `api` may act now.
local function open(self, api)
  local state = inside.check(self, Connection, api)
  acting.check(state, api)
  return state
end

-- The problem word of the end that is here, or what became of it.
local function problem_of(state)
  local one = state[state.role]
  return one.error and one.error.problem or one.phase
end

---------------------------------------------------------------------------------------------------
-- Actions

--- connection:handshake { timeout = 10 }: connects (a client), and shakes hands, until this end's
--- own handshake is complete or over. A TLS 1.3 server may refuse a client after that: the client
--- learns of it by its next receive. A handshake that ran out of time is over.
---@param given? table timeout in seconds for all of it
---@return boolean content whether this end completed it
function methods:handshake(given)
  local api = "connection:handshake"
  local state = open(self, api)
  local seconds = arguments.check(api, options.handshake, given).timeout or SECONDS
  local due = now() + seconds
  if natives.closed(state.native) then
    strict.raise(api .. ": the link is closed")
  elseif carrying.standing(state) ~= "idle" then
    strict.raise(api .. ": it has had its handshake: make another connection")
  end
  if not state.socket then
    local connect = state.place.open or require("moonshake.io.socket").connect
    local made, problem, message = connect(state.place, seconds)
    if natives.closed(state.native) or carrying.standing(state) == "failed" then
      if made then
        made:close()
      end
      strict.raise(api .. ": the connection was closed meanwhile")
    elseif not made then
      carrying.break_off(state, api, problem, message)
      return false
    end
    state.socket, state.remote = made, made.remote
  end
  strict.check(api, natives.begin(state.native, "handshake", {}))
  return carrying.shake_hands(state, api, seconds, due)
end

--- connection:send { data =, timeout = 10 }: sends, and returns when the system has taken it.
---@param given table
---@return boolean|nil done
---@return string|nil problem where it could not be sent: "closed", or the problem of this end
function methods:send(given)
  local api = "connection:send"
  local state = open(self, api)
  local checked = arguments.check(api, options.send_live, given)
  local due = now() + (checked.timeout or SECONDS)
  if not carrying.wait_for_handshake(state, api, due) then
    return nil, "timeout"
  end
  strict.check(api, natives.begin(state.native, "send",
                                  { from = state.role, data = checked.data }))
  if carrying.standing(state) == "open" then
    carrying.work(state, api)
    carrying.flush(state, api, due)
  end
  if carrying.standing(state) == "open" then
    return true
  end
  carrying.let_go_if_over(state)
  return nil, problem_of(state)
end

--- connection:receive { timeout = 10, max = }: the data that comes next, as much as there is.
--- Session tickets, key updates, and a renegotiation or reauthentication that the peer wants, are
--- answered meanwhile.
---@param given? table max: at most so many bytes; the rest stays
---@return string|nil data
---@return string|nil why "timeout", "closed" (the peer's close_notify) or the problem of this end
function methods:receive(given)
  local api = "connection:receive"
  local state = open(self, api)
  local checked = arguments.check(api, options.receive, given)
  if carrying.standing(state) == "idle" then
    strict.raise(api .. ": the connection has had no handshake yet: call handshake()")
  end
  local in_time = true
  if state.data == "" and state.socket then
    in_time = carrying.drive(state, api, now() + (checked.timeout or SECONDS), function()
      state.data = natives.received(state.native, state.role)
      return state.data ~= ""
    end)
  end
  if state.data ~= "" then
    local data = state.data:sub(1, checked.max or #state.data)
    state.data = state.data:sub(#data + 1)
    return data
  elseif not in_time then
    return nil, "timeout"
  end
  carrying.let_go_if_over(state)
  return nil, problem_of(state)
end

--- connection:renegotiate { client = {...} or server = {...}, timeout = 10 }: another handshake,
--- asked for by this end (up to TLS 1.2). Options given change this end's for good.
---@param given? table
---@return boolean content
function methods:renegotiate(given)
  local api = "connection:renegotiate"
  local state = open(self, api)
  local checked = arguments.check(api, options.renegotiate_live, given, state.role)
  local seconds = checked.timeout or SECONDS
  carrying.check_free(state)
  changes.begin(state, api, "renegotiate", { by = state.role },
                changes.ends(state, api, checked))
  return carrying.shake_hands(state, api, seconds, now() + seconds)
end

--- connection:reauthenticate { server = {...}, timeout = 10 }: TLS 1.3's post-handshake
--- authentication, which a server asks for.
---@param given? table
---@return boolean content
function methods:reauthenticate(given)
  local api = "connection:reauthenticate"
  local state = open(self, api)
  if state.role ~= "server" then
    strict.raise(api .. ": only a server asks for it (RFC 8446 section 4.6.2)")
  end
  local checked = arguments.check(api, options.renegotiate_live, given, state.role)
  local seconds = checked.timeout or SECONDS
  carrying.check_free(state)
  local afterwards = changes.begin_reauthentication(state, api, changes.ends(state, api, checked))
  local content = carrying.shake_hands(state, api, seconds, now() + seconds)
  afterwards()
  return content
end

--- connection:update_keys { request_peer = false, timeout = 10 }: TLS 1.3's key update by this end.
---@param given? table
---@return boolean content
function methods:update_keys(given)
  local api = "connection:update_keys"
  local state = open(self, api)
  local checked = arguments.check(api, options.update_keys_live, given)
  strict.check(api, natives.begin(state.native, "update_keys", {
    by = state.role, request_peer = checked.request_peer or false,
  }))
  if state.socket then
    carrying.work(state, api)
    carrying.flush(state, api, now() + (checked.timeout or SECONDS))
  end
  return natives.content(state.native)
end

--- connection:close { how = "orderly", timeout = 10 }: sends close_notify and the end of the
--- stream, and does not wait for the peer's: receive does, and tells whether that came. "fin" ends
--- the stream without a close_notify, and "reset" by a reset: nothing can be received after. Before
--- the handshake there is only the stream to end, if it has begun.
---@param given? table
---@return boolean content
function methods:close(given)
  local api = "connection:close"
  local state = open(self, api)
  local checked = arguments.check(api, options.close_live, given)
  if checked.how and checked.how ~= "orderly" then
    carrying.break_off(state, api, "closed_early",
                       "this end closed the connection without close_notify")
    if state.socket and checked.how == "reset" then
      state.socket:close(true)
    elseif state.socket then
      state.socket:let_go()
    end
    return false
  end
  strict.check(api, natives.begin(state.native, "close", { by = state.role }))
  if state.socket then
    carrying.work(state, api)
    carrying.flush(state, api, now() + (checked.timeout or SECONDS))
    state.socket:shutdown()
    carrying.let_go_if_over(state)
  end
  return natives.content(state.native)
end

--- connection:resume { client = {...} }: a new connection to the same place, not begun, with this
--- one's options but for those given, whose client offers this one's session. May follow close.
--- Raises where there is no session to offer.
---@param given? table
---@return table connection
function methods:resume(given)
  local api = "connection:resume"
  local state = open(self, api)
  local own = arguments.check(api, options.resume_live, given)
  strict.check(api, natives.can_resume(state.native))
  local checked, changed = changes.for_resumption(state, api, own)
  return connection.to(api, state.place, checked.client, changed.client, state.native,
                       shown.carried(self))
end

---------------------------------------------------------------------------------------------------

do
  local fields = table.move(shown.fields, 1, #shown.fields, 1, {})
  fields[#fields + 1] = { name = "role", about = "which end is here: \"client\" or \"server\"" }
  fields[#fields + 1] = { name = "remote", about = "the peer's address: \"127.0.0.1:443\"" }
  shown.class(Connection, "connection", strict.schema("connection", fields), methods, {
    role = function(state) return state.role end,
    remote = function(state) return state.remote end,
  })
end

function Connection:__tostring()
  local state = inside.of(self)
  return ("connection (%s %s, with %s)"):format(state.role, state[state.role].phase, state.remote)
end

local function is_busy(state)
  return natives.busy(state.native)
end

local function dispose(state)
  if state.socket then
    state.socket:close()
  end
  natives.dispose(state.native)
end

function Connection:__close()
  dispose(inside.of(self))
end

-- libuv keeps a handle until it is closed.
function Connection:__gc()
  local state = inside.of(self)
  if state.socket then
    state.socket:close()
  end
end

---------------------------------------------------------------------------------------------------
-- For the rest of the library

local function new(state, kin)
  local role = state.role
  state.roles, state.policies, state.told, state.data = { role }, {}, {}, ""
  state.first_bytes, state.received = "", 0
  state.progress = require("moonshake.io.wait").bell()
  state.policies[role] = state.policy
  state.native = strict.check("tls", native.link(state.configs.client, state.configs.server, kin))
  local self = inside.new(Connection, state, is_busy, dispose)
  for _, one in ipairs { "client", "server" } do
    state[one] = endpoint.new(state.native, one, self, one ~= role and role or nil)
  end
  return self
end

--- A client that has not connected yet.
---@param api string
---@param place table where to, see io/socket.lua; `open(place, seconds)` in it, if any, is what
--- connects instead of that
---@param checked table options of the client
---@param changed table set of options that were changed
---@param resumed? userdata native link whose session is offered
---@param earlier? table what that link carried
---@return table
function connection.to(api, place, checked, changed, resumed, earlier)
  local config, policy = settings.make(api .. ": client", "client", checked, changed)
  return new({
    role = "client", place = place, remote = require("moonshake.io.socket").show(place),
    checked = { client = checked }, changed = { client = changed },
    configs = { client = config }, policy = policy, earlier = earlier,
  }, resumed)
end

--- A server on a socket that was accepted.
---@param socket table
---@param made table { checked =, config =, policy =, kin = } of the listener: kin is the native
--- link whose server takes back the sessions of all
---@return table
function connection.from(socket, made)
  return new({
    role = "server", socket = socket, remote = socket.remote,
    checked = { server = made.checked }, changed = { server = {} },
    configs = { server = made.config }, policy = made.policy,
  }, made.kin)
end

--- How many events a connection has on record: what its memory grows by.
---@param self table
---@return integer
function connection.num_events(self)
  return natives.num_events(inside.of(self).native)
end

return connection
