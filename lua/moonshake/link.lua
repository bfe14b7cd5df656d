-- SPDX-License-Identifier: MIT
-- A link: two ends in memory, and what can be done with them. Every action works until both ends
-- are quiet and returns whether both are content; what went wrong stands on the ends.
local acting = require "moonshake.link.acting"
local arguments = require "moonshake.arguments"
local changes = require "moonshake.link.changes"
local endpoint = require "moonshake.endpoint"
local faults = require "moonshake.faults"
local inside = require "moonshake.link.state"
local native = require "moonshake.native"
local options = require "moonshake.options"
local settings = require "moonshake.settings"
local shown = require "moonshake.link.shown"
local strict = require "moonshake.strict"

local link = {}

local natives = native.link_methods
local ROLES = { "client", "server" }
local OTHER = { client = "server", server = "client" }

local Link = { __name = "moonshake.link" }
local methods = shown.methods(Link, "link")

-- The inside of a link on which `api` may act now.
local function open(self, api)
  local state = inside.check(self, Link, api)
  acting.check(state, api)
  return state
end

--- link:handshake(): the first handshake, until both ends are quiet (late alerts and session
--- tickets of TLS 1.3 included).
---@return boolean content whether both ends completed it and nothing went wrong after
function methods:handshake(given)
  local state = open(self, "link:handshake")
  arguments.check("link:handshake", {}, given)
  changes.note_told(state, "initial")
  return acting.act(state, "link:handshake", "handshake", {})
end

--- link:renegotiate { by =, server = {...}, client = {...} }: another handshake on the same
--- connection, asked for by one end (up to TLS 1.2). Options given change that end's for good:
--- tls.default takes one back. identity_change, post_handshake_auth, alpn and sites cannot change.
---@param given table
---@return boolean content
function methods:renegotiate(given)
  local api = "link:renegotiate"
  local state = open(self, api)
  local checked = arguments.check(api, options.renegotiate, given)
  changes.begin(state, api, "renegotiate", { by = checked.by },
                changes.ends(state, api, checked))
  return acting.carry_out(state, api)
end

--- link:reauthenticate { server = {...}, client = {...} }: TLS 1.3's post-handshake authentication:
--- the server asks for the client's certificate now ("request" where client_auth is "none", for
--- this time). Options given change that end's for good.
---@param given? table
---@return boolean content
function methods:reauthenticate(given)
  local api = "link:reauthenticate"
  local state = open(self, api)
  local made = changes.ends(state, api, arguments.check(api, options.pair, given))
  local afterwards = changes.begin_reauthentication(state, api, made)
  local content = acting.carry_out(state, api)
  afterwards()
  return content
end

--- link:update_keys { by =, request_peer = false }: TLS 1.3's key update by one end, which may ask
--- the other for the same. GnuTLS's limit of 8 a second is not met: its clock is moved past it.
---@param given table
---@return boolean content
function methods:update_keys(given)
  local state = open(self, "link:update_keys")
  local checked = arguments.check("link:update_keys", options.update_keys, given)
  return acting.act(state, "link:update_keys", "update_keys",
             { by = checked.by, request_peer = checked.request_peer or false })
end

--- link:close { by = }: close_notify from one end, or from both.
---@param given? table
---@return boolean content
function methods:close(given)
  local state = open(self, "link:close")
  local checked = arguments.check("link:close", options.close, given)
  return acting.act(state, "link:close", "close", { by = checked.by })
end

-- Why data did not arrive: the problem of the end that failed first, else of the other, else what
-- became of the reader.
local function problem_of(self, reader)
  local first = self.failed_first or reader
  for _, role in ipairs { first, OTHER[first] } do
    local problem = self[role].error
    if problem then
      return problem.problem
    end
  end
  return self[reader].phase
end

--- link:send { from =, data = }: sends from one end what the other then reads.
---@param given table
---@return string|nil data what the other end read, nil if nothing
---@return string|nil problem then the problem word, or the reader's phase where no end has an error
function methods:send(given)
  local state = open(self, "link:send")
  local checked = arguments.check("link:send", options.send, given)
  local reader = OTHER[checked.from]
  local content = acting.act(state, "link:send", "send", checked)
  local data = natives.received(state.native, reader)
  if data and (data ~= "" or (content and checked.data == "")) then
    return data
  end
  return nil, problem_of(self, reader)
end

--- link:resume { server = {...}, client = {...} }: a new link, not begun, with this one's options
--- but for those given, whose client offers this link's session. May follow close. Raises where
--- there is no session to offer.
---@param given? table
---@return table link
function methods:resume(given)
  local api = "link:resume"
  local state = open(self, api)
  local pair = arguments.check(api, options.pair, given)
  strict.check(api, natives.can_resume(state.native))
  local checked, changed = changes.for_resumption(state, api, pair)
  return link.new(api, checked, changed, state.native, link.carried(self))
end

--- link:tamper(function(flight) ... end): the function sees every flight in transit, from now on,
--- and says what arrives of it: other bytes, a list of pieces, each of which the other end deals
--- with before the next one comes, false for nothing, nil for the flight as it is. link:tamper(nil)
--- takes it off. May be called inside of the function, too.
---@param f? function|false
function methods:tamper(f)
  local api = "link:tamper"
  local state = inside.check(self, Link, api)
  if f and type(f) ~= "function" then
    strict.raise(("%s: wants a function, or nil to take it off, got %s"):format(
      api, arguments.describe(f)))
  elseif f then
    faults.check_for_link(api, f)
  end
  strict.check(api, natives.tamper(state.native, f and true or false))
  state.tamper = f or nil
end

---------------------------------------------------------------------------------------------------

shown.class(Link, "link", strict.schema("link", shown.fields), methods, {})

function Link:__tostring()
  return ("link (client %s, server %s)"):format(self.client.phase, self.server.phase)
end

local function is_busy(state)
  return natives.busy(state.native)
end

local function dispose(state)
  natives.dispose(state.native)
end

-- `local link <close> = tls.link { ... }` frees it at the end of the block.
function Link:__close()
  dispose(inside.of(self))
end

---------------------------------------------------------------------------------------------------
-- For the rest of the library

--- Whether a value is a link, in memory or live.
link.is_link = inside.is_link

--- What Certificate messages of a link carried.
link.carried = shown.carried

--- What a capture of a link is made of.
link.capture = shown.capture

--- What no event tells of an end that is somewhere else.
link.far = inside.far

--- Makes a link from checked options.
---@param api string
---@param checked table<string, table> by role
---@param changed table<string, table> by role: sets of options that hold at every site
---@param resumed? userdata native link whose session is offered
---@param earlier? table what that link carried
function link.new(api, checked, changed, resumed, earlier)
  local state = { roles = ROLES, checked = checked, changed = changed, earlier = earlier,
                  configs = {}, policies = {}, told = {} }
  for _, role in ipairs(ROLES) do
    state.configs[role], state.policies[role] =
      settings.make(("%s: %s"):format(api, role), role, checked[role], changed[role])
  end
  state.native = strict.check(api, native.link(state.configs.client, state.configs.server,
                                               resumed))
  local self = inside.new(Link, state, is_busy, dispose)
  for _, role in ipairs(ROLES) do
    state[role] = endpoint.new(state.native, role, self)
  end
  return self
end

return link
