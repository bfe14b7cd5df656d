-- SPDX-License-Identifier: MIT
-- A link: two ends in memory, and what can be done with them. Every action works until both ends
-- are quiet and returns whether both are content; what went wrong stands on the ends.
local arguments = require "moonshake.arguments"
local endpoint = require "moonshake.endpoint"
local key_log = require "moonshake.key_log"
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local options = require "moonshake.options"
local reported = require "moonshake.reported"
local scenario = require "moonshake.scenario"
local settings = require "moonshake.settings"
local strict = require "moonshake.strict"

local link = {}

local natives = native.link_methods
local ROLES = { "client", "server" }
local OTHER = { client = "server", server = "client" }
local LATER = { tamper = true }

local EVENT = strict.schema("event", native.fields "event")
local QUESTION
do
  local fields = native.fields "verification"
  fields[#fields + 1] = { name = "peer_certificates", about = "the chain as the peer sent it" }
  fields[#fields + 1] = { name = "server_name", about = "the name that was asked for, or nil" }
  QUESTION = strict.schema("verification", fields)
end

-- What a link has to show: for has{...} and for complaints.
local SCHEMA = strict.schema("link", {
  { name = "client", about = "the client's end" },
  { name = "server", about = "the server's end" },
  { name = "failed_first", about = "nil, \"client\" or \"server\": whose error came first" },
  { name = "events", about = "everything that the ends did, in order" },
  { name = "findings", about = "what went wrong and why, as views/explain.lua finds it" },
})
SCHEMA.by_name.client.schema = endpoint.schema
SCHEMA.by_name.server.schema = endpoint.schema

-- Private to this file: what a link's table holds.
--   native    the native link          checked   options in force, by role
--   configs   native configs, by role  policies  verify functions, by role
--   changed   sets of the options changed since the link was made, by role
--   client, server   the ends          events    the last answer of link.events
--   acting    the action that runs     broken    the action in which a policy raised
--   earlier   what Certificate messages of the resumed session carried (reported.lua)
--   told      by epoch and role: the options that were in force { checked, changed, config }
--   number    which link of the case   logged    how many of its secrets stand in the key log
local STATE = {}

local Link = { __name = "moonshake.link", __schema = SCHEMA }
local methods = {}

---------------------------------------------------------------------------------------------------
-- Acting

-- The state of a link on which `api` may act now.
local function open(self, api)
  if not link.is_link(self) then
    strict.raise(api .. ": to be called with a colon, on a link")
  end
  local state = rawget(self, STATE)
  if state.acting then
    strict.raise(("link: busy: %s cannot run inside a function that %s called"):format(
      api, state.acting))
  elseif state.broken then
    strict.raise(("%s: the link is unusable since a function raised an error in %s"):format(
      api, state.broken))
  end
  return state
end

-- After a policy raised: refuses whatever is asked until both ends are quiet, so that the sessions
-- end and the log is whole.
local function abandon(state)
  repeat
    local what, role = natives.pump(state.native)
    if what == "asks" then
      natives.answer(state.native, role, false)
    end
  until what ~= "asks" and what ~= "raised"
end

-- Has the script's function judge a verification. Where it raises, the link ends first, and the
-- error goes on as it is (no pcall around the function: its traceback stays whole).
local function ask(state, role)
  local verification = strict.check(state.acting, natives.question(state.native, role))
  verification.accepted = nil -- that is the question
  local question = strict.record(QUESTION, verification)
  local answered
  local _ <close> = setmetatable({}, {
    __close = function()
      if not answered then
        state.broken = state.acting
        natives.answer(state.native, role, false)
        pcall(abandon, state)
      end
    end,
  })
  local accept = state.policies[role](question)
  if type(accept) ~= "boolean" then
    strict.raise(("%s: %s: verify: the function must return true or false, got %s"):format(
      state.acting, role, arguments.describe(accept)))
  end
  answered = true
  natives.answer(state.native, role, accept)
end

-- Works until both ends are quiet.
local function pump(state)
  while true do
    local what, detail = natives.pump(state.native)
    if what == "quiet" then
      return natives.content(state.native)
    elseif what == "asks" then
      ask(state, detail)
    elseif what == "raised" then -- a choosing function did, below a GnuTLS frame
      state.broken = state.acting
      pcall(abandon, state)
      error(detail, 0)
    else
      strict.raise(("%s: %s"):format(state.acting, tostring(detail)))
    end
  end
end

-- Adds new secrets to the key log, if there is to be one. Returns nil and why where it cannot.
local function log_secrets(state)
  local secrets = key_log.wanted and natives.secrets(state.native) or {}
  local logged = state.logged or 0
  if #secrets == logged then
    return true
  end
  state.logged = #secrets
  return key_log.add(secrets, logged + 1)
end

-- Carries out an action that has begun.
local function carry_out(state, api)
  state.events = nil
  state.acting = api
  local _ <close> = setmetatable({}, {
    __close = function(_, failed)
      state.acting = nil
      local done, problem = log_secrets(state)
      if not done and not failed then
        strict.raise(("%s: %s"):format(api, problem))
      end
    end,
  })
  return pump(state)
end

local function act(state, api, action, args)
  strict.check(api, natives.begin(state.native, action, args))
  return carry_out(state, api)
end

-- Keeps by which options the epoch that has just begun goes.
local function note_told(state, epoch)
  state.told[epoch] = {}
  for _, role in ipairs(ROLES) do
    state.told[epoch][role] = { checked = state.checked[role], changed = state.changed[role],
                                config = state.configs[role] }
  end
end

---------------------------------------------------------------------------------------------------
-- Changed options

-- What an end would be with some options changed: made and checked, but not in force.
local function changed_end(state, place, role, changes)
  local changed = settings.merge(state.changed[role], {})
  for name, value in pairs(changes) do
    changed[name] = not rawequal(value, marks.default) or nil
  end
  local checked = settings.merge(state.checked[role], changes)
  local config, policy = settings.make(place, role, checked, changed)
  return { checked = checked, changed = changed, config = config, policy = policy }
end

local function changed_ends(state, api, given)
  local made = {}
  for _, role in ipairs(ROLES) do
    if given[role] then
      local place = ("%s: %s"):format(api, role)
      made[role] = changed_end(state, place, role,
                               settings.check_changes(place, role, given[role]))
    end
  end
  return made
end

-- Puts configs in force; on failure those of before again.
local function use(state, api, made)
  for _, role in ipairs(ROLES) do
    if made[role] then
      local done, message = natives.use(state.native, role, made[role].config)
      if not done then
        natives.use(state.native, "client", state.configs.client)
        strict.raise(("%s: %s: %s"):format(api, role, message))
      end
    end
  end
end

-- Begins an action with changed options, which stay. If it cannot begin, nothing has changed.
local function act_changed(state, api, action, args, made)
  use(state, api, made)
  local begun, message = natives.begin(state.native, action, args)
  for role, new in pairs(made) do
    if begun then
      state.checked[role], state.changed[role] = new.checked, new.changed
      state.configs[role], state.policies[role] = new.config, new.policy
    else
      natives.use(state.native, role, state.configs[role])
    end
  end
  strict.check(api, begun, message)
  local known, epoch = natives.field(state.native, "client", "epoch")
  if known then
    note_told(state, epoch)
  end
  return carry_out(state, api)
end

---------------------------------------------------------------------------------------------------
-- Actions

--- link:handshake(): the first handshake, until both ends are quiet (late alerts and session
--- tickets of TLS 1.3 included).
---@return boolean content whether both ends completed it and nothing went wrong after
function methods:handshake(given)
  local state = open(self, "link:handshake")
  arguments.check("link:handshake", {}, given)
  note_told(state, "initial")
  return act(state, "link:handshake", "handshake", {})
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
  return act_changed(state, api, "renegotiate", { by = checked.by },
                     changed_ends(state, api, checked))
end

-- The client_auth in force at a server with these options.
local function client_auth(state, checked, changed)
  local known, site = natives.field(state.native, "server", "site")
  local options_of_site = known and site and checked.sites and checked.sites[site]
  if options_of_site and options_of_site.client_auth and not changed.client_auth then
    return options_of_site.client_auth
  end
  return checked.client_auth or "none"
end

--- link:reauthenticate { server = {...}, client = {...} }: TLS 1.3's post-handshake authentication:
--- the server asks for the client's certificate now ("request" where client_auth is "none", for
--- this time). Options given change that end's for good.
---@param given? table
---@return boolean content
function methods:reauthenticate(given)
  local api = "link:reauthenticate"
  local state = open(self, api)
  local made = changed_ends(state, api, arguments.check(api, options.pair, given))
  local server = made.server or { checked = state.checked.server, changed = state.changed.server }
  if client_auth(state, server.checked, server.changed) ~= "none" then
    return act_changed(state, api, "reauthenticate", {}, made)
  end
  made.server = made.server or changed_end(state, api .. ": server", "server", {})
  local lasting = made.server.config
  made.server.config = settings.make(api .. ": server", "server",
                                     settings.merge(server.checked, { client_auth = "request" }),
                                     settings.merge(server.changed, { client_auth = true }))
  local content = act_changed(state, api, "reauthenticate", {}, made)
  state.configs.server = lasting
  natives.use(state.native, "server", lasting) -- fails only once the link is over
  return content
end

--- link:update_keys { by =, request_peer = false }: TLS 1.3's key update by one end, which may ask
--- the other for the same. GnuTLS's limit of 8 a second is not met: its clock is moved past it.
---@param given table
---@return boolean content
function methods:update_keys(given)
  local state = open(self, "link:update_keys")
  local checked = arguments.check("link:update_keys", options.update_keys, given)
  return act(state, "link:update_keys", "update_keys",
             { by = checked.by, request_peer = checked.request_peer or false })
end

--- link:close { by = }: close_notify from one end, or from both.
---@param given? table
---@return boolean content
function methods:close(given)
  local state = open(self, "link:close")
  local checked = arguments.check("link:close", options.close, given)
  return act(state, "link:close", "close", { by = checked.by })
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
  local content = act(state, "link:send", "send", checked)
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
  local checked, changed = {}, {}
  local pair = arguments.check(api, options.pair, given)
  strict.check(api, natives.can_resume(state.native))
  for _, role in ipairs(ROLES) do
    local changes = settings.check(("%s: %s"):format(api, role), role, pair[role])
    checked[role] = settings.merge(state.checked[role], changes)
    changed[role] = settings.merge(state.changed[role], {})
    for name, value in pairs(changes) do
      changed[role][name] = not rawequal(value, marks.default) or nil
    end
    if changes.sites then
      changed[role] = {}
    end
  end
  return link.new(api, checked, changed, state.native, link.carried(self))
end

---------------------------------------------------------------------------------------------------
-- What a link shows

-- What the ends were told, for those who explain: by epoch and role, see settings.in_force().
local function told_of(state)
  local told = {}
  for epoch, roles in pairs(state.told) do
    told[epoch] = {}
    for role, one in pairs(roles) do
      told[epoch][role] = function(site)
        return settings.in_force(one.checked, one.changed, one.config, site)
      end
    end
  end
  return told
end

local function findings_of(self)
  local state = rawget(self, STATE)
  endpoint.check_free("link.findings", state.native)
  return require("moonshake.views.explain").of(self, told_of(state))
end

--- link:explain(): what went wrong, where, why, and by which clause; how each end learned of it,
--- and what to do. In words for people; as tables for scripts in link.findings.
---@return string text lines, without a line break at the end
function methods:explain()
  if not link.is_link(self) then
    strict.raise "link:explain: to be called with a colon, on a link"
  end
  return table.concat(require("moonshake.views.explain").told(findings_of(self)), "\n")
end

--- link:pcapng(path): writes what the ends wrote to a file that Wireshark opens decrypted. Also
--- after close, and before the handshake (nothing is in it then). The file holds session keys: it
--- is for this user alone.
---@param path string
---@return string path
function methods:pcapng(path)
  local api = "link:pcapng"
  if not link.is_link(self) then
    strict.raise(api .. ": to be called with a colon, on a link")
  end
  endpoint.check_free(api, rawget(self, STATE).native)
  arguments.check_one(api, { name = "path", type = "name" }, path)
  local case = scenario.current()
  strict.check(api, require("moonshake.views.pcapng").write(path, { link.capture(self) },
                                                            case and case.id))
  return path
end

local function events_of(state)
  if state.events then
    return state.events
  end
  endpoint.check_free("link.events", state.native)
  local list = strict.check("link.events", natives.events(state.native))
  for index, values in ipairs(list) do
    list[index] = strict.record(EVENT, values)
  end
  list = strict.wrap(list, nil, true)
  state.events = not state.acting and list or nil
  return list
end

--- link:state { width = 80 }: the certificate state of both ends as text for a terminal: for each
--- epoch what each end reported and what Certificate messages carried, then each certificate.
---@param given? table
---@return string
function methods:state(given)
  if not link.is_link(self) then
    strict.raise "link:state: to be called with a colon, on a link"
  end
  local checked = arguments.check("link:state", options.state, given)
  local state_text = require "moonshake.views.state_text"
  return table.concat(state_text.text(self, checked.width), "\n")
end

--- link:diagram { format =, width = }: what happened, as a sequence diagram: "text" for a terminal
--- (the default, in ASCII), "mermaid" or "svg".
---@param given? table
---@return string
function methods:diagram(given)
  local api = "link:diagram"
  if not link.is_link(self) then
    strict.raise(api .. ": to be called with a colon, on a link")
  end
  local checked = arguments.check(api, options.diagram, given)
  local diagram = require "moonshake.views.diagram"
  return diagram.draw(diagram.model(self), checked.format or "text", { width = checked.width })
end

function Link:__index(name)
  local state = rawget(self, STATE)
  if methods[name] then
    return methods[name]
  elseif name == "client" or name == "server" then
    return state[name]
  elseif name == "events" then
    return events_of(state)
  elseif name == "findings" then
    return findings_of(self)
  elseif name == "failed_first" then
    endpoint.check_free("link.failed_first", state.native)
    return (natives.failed_first(state.native))
  elseif LATER[name] then
    strict.later("link:" .. name)
  end
  strict.no_field(SCHEMA, name, methods)
end

function Link.__newindex()
  strict.raise "a link: is read-only"
end

function Link:__tostring()
  return ("link (client %s, server %s)"):format(self.client.phase, self.server.phase)
end

-- `local link <close> = tls.link { ... }` frees it at the end of the block.
function Link:__close()
  natives.dispose(rawget(self, STATE).native)
end

---------------------------------------------------------------------------------------------------
-- For the rest of the library

--- Whether a value is a link.
---@param value any
---@return boolean
function link.is_link(value)
  return type(value) == "table" and getmetatable(value) == Link
end

--- What Certificate messages carried, as reported.carried() gives it.
---@param self table
---@param epochs? integer as of that epoch, by its number
function link.carried(self, epochs)
  return reported.carried(self, rawget(self, STATE).earlier, epochs)
end

--- What a capture of the link is made of (see views/pcapng.lua). Whoever has it can read what the
--- link carried, and no script gets it.
---@param self table
---@return table
function link.capture(self)
  local state = rawget(self, STATE)
  return {
    number = state.number, events = self.events, failed_first = self.failed_first,
    server_name = self.client.server_name or state.checked.client.server_name,
    phases = { client = self.client.phase, server = self.server.phase },
    clock_offset = function(event)
      local told = state.told[event.epoch] or {}
      return (told[event.role] or { checked = {} }).checked.clock_offset or 0
    end,
    secrets = strict.check("link:pcapng", natives.secrets(state.native)),
  }
end

local made_outside = 0 -- links that are no case's

--- Makes a link from checked options.
---@param api string
---@param checked table<string, table> by role
---@param changed table<string, table> by role: sets of options that hold at every site
---@param resumed? userdata native link whose session is offered
---@param earlier? table what that link carried
function link.new(api, checked, changed, resumed, earlier)
  local state = { checked = checked, changed = changed, earlier = earlier, configs = {},
                  policies = {}, told = {} }
  for _, role in ipairs(ROLES) do
    state.configs[role], state.policies[role] =
      settings.make(("%s: %s"):format(api, role), role, checked[role], changed[role])
  end
  state.native = strict.check(api, native.link(state.configs.client, state.configs.server,
                                               resumed))
  local self = setmetatable({ [STATE] = state }, Link)
  for _, role in ipairs(ROLES) do
    state[role] = endpoint.new(state.native, role, self)
  end
  local case = scenario.current()
  if case then
    -- Weak: a case may make thousands of links, and those it let go are gone already.
    local held = setmetatable({ self }, { __mode = "v" })
    local function native_of(made)
      return rawget(made, STATE).native
    end
    case:on_close(function()
      if held[1] then
        natives.dispose(native_of(held[1]))
      end
    end, function()
      return held[1] and not natives.busy(native_of(held[1])) and held[1] or nil
    end)
  end
  made_outside = made_outside + (case and 0 or 1)
  state.number = case and case:num_links() or made_outside
  return self
end

return link
