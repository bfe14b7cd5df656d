-- SPDX-License-Identifier: MIT
-- One connection to the server that is probed: a handshake, something harmless said, what came of
-- it. A TLS 1.3 server refuses a client after the client's handshake was complete, and some servers
-- say no in HTTP: so nothing is believed before something was read.
local answers = require "moonshake.probe.answer"
local connection = require "moonshake.connection"
local link = require "moonshake.link"
local loop = require "moonshake.io.loop"
local settings = require "moonshake.settings"
local socket = require "moonshake.io.socket"
local starttls = require "moonshake.probe.starttls"

local attempt = {}

local PATIENCE = 3 -- seconds for an answer, once the handshake is complete
local SILENCE = 2 -- seconds after which a server that says nothing has let us in
local LATE = 1 -- seconds for session tickets, which come when the server likes

---@class moonshake.attempt
---@field label string what was tried
---@field connection table
---@field outcome "accepted"|"refused"|"unreachable"|"unclear"
---@field stage "starttls"|"handshake"|"after"|"application"|nil where it ended, if not well;
---  "after" our handshake was complete
---@field by "server"|"us"|nil who refused
---@field alert { name: string, number: integer }|nil that the server sent
---@field problem string|nil a word of the contract
---@field message string|nil
---@field answer table|nil of answer.lua
---@field closed string|nil how the server closed without an answer: a problem word
---@field without_tickets boolean none was asked for
---@field silent boolean? nothing was said, and nothing came
---@field first_bytes string what came first over the socket

-- What connects, for the attempt at hand: over STARTTLS where that is wanted.
local function opener(context)
  return function(place, seconds)
    local made = context.attempt
    local due = loop.now() + seconds
    local opened, problem, message = socket.connect(place, seconds)
    if not opened then
      return nil, problem, message
    end
    made.reached, made.address = true, opened.remote
    if context.protocol then
      local asked
      asked, problem, message = starttls.ask(opened, context.protocol, {
        name = context.client.server_name, seconds = due - loop.now(),
      })
      if not asked then
        made.stage = "starttls"
        opened:close()
        return nil, problem, message
      end
    end
    return opened
  end
end

-- Whether anything of TLS came back: a record of a kind that TLS has.
local function spoke_tls(made)
  local kind, major = made.first_bytes:byte(1, 2)
  return kind ~= nil and kind >= 20 and kind <= 23 and major == 3
end

---------------------------------------------------------------------------------------------------
-- What came of it

-- An end that failed, in words of an attempt.
local function note_failure(made, stage)
  local client = made.connection.client
  local failure = client.error
  made.stage = made.stage or stage
  made.problem, made.message = failure and failure.problem, failure and failure.message
  if client.alert_received and client.alert_received.level == "fatal" then
    made.alert = { name = client.alert_received.name, number = client.alert_received.number }
  end
  if not made.reached or made.stage == "starttls" then
    made.outcome = "unreachable"
  elseif made.alert then
    made.outcome, made.by = "refused", "server"
  elseif not spoke_tls(made) then
    made.outcome, made.no_tls = "unreachable", true
  elseif made.problem == "closed_early" or made.problem == "connection_reset" then
    made.outcome, made.by, made.closed = "refused", "server", made.problem
  elseif made.problem == "timeout" then
    made.outcome = "unclear"
  else
    made.outcome, made.by = "refused", "us"
  end
end

-- All that the server says until it is enough; nil and why nothing came.
local function listen(made, context, seconds)
  local due, text = loop.now() + seconds, ""
  repeat
    local data, why = made.connection:receive { timeout = math.max(0.001, due - loop.now()) }
    if not data then
      return text ~= "" and text or nil, why
    end
    text = text .. data
  until answers.is_whole(text, context.protocol)
  return text
end

local function note_answer(made, text, context)
  made.answer = made.connection.client.alpn == "h2" and answers.HTTP2
    or answers.read(text, context.protocol)
  if made.answer.refuses or made.answer.forbidden then
    made.outcome, made.by, made.stage = "refused", "server", "application"
  else
    made.outcome = "accepted"
  end
end

-- The connection ended, or nothing came, where an answer was expected.
local function note_no_answer(made, why)
  if why == "timeout" then
    made.outcome, made.silent = "accepted", true
  elseif why == "closed" or why == "closed_early" or why == "connection_reset" then
    made.outcome, made.stage, made.closed = "unclear", "after", why
  else
    note_failure(made, "after")
  end
end

-- Says something harmless, and reads what comes of it.
local function converse(made, context)
  local told, why = made.connection:send { data = context.request }
  if not told then
    return note_no_answer(made, why)
  end
  local text
  text, why = listen(made, context, math.min(context.timeout, PATIENCE))
  if text then
    note_answer(made, text, context)
  else
    note_no_answer(made, why)
  end
end

-- Says nothing: a server that refuses us says so by itself, or closes.
local function wait_for_refusal(made, context)
  local data, why = made.connection:receive { timeout = math.min(context.timeout, SILENCE) }
  if data then
    made.outcome, made.answer = "accepted", answers.read(data, "other")
  elseif why == "timeout" then
    made.outcome, made.silent = "accepted", true
  elseif why == "closed" or why == "closed_early" or why == "connection_reset" then
    made.outcome, made.by, made.stage, made.closed = "refused", "server", "after", why
  else
    note_failure(made, "after")
  end
end

local function begin(context, how)
  if how.resumes then
    local could, made = pcall(how.resumes.connection.resume, how.resumes.connection)
    return could and made or nil
  end
  local place = settings.merge(context.place, { open = opener(context) })
  local client = settings.check("probe: client", "client",
                                settings.merge(context.client, how.client or {}))
  return connection.to("probe", place, client, {})
end

-- Before TLS 1.3 a session can be resumed without one.
local function wait_for_tickets(made)
  local client = made.connection.client
  local due = loop.now() + LATE
  made.outcome = "accepted"
  while client.version == "TLS1.3" and client.tickets_received == 0 and loop.now() < due do
    local _, why = made.connection:receive { timeout = LATE, max = 1 }
    if why then
      return
    end
  end
end

--- One connection, closed at the end; nil where there is no session to offer.
---@param context { place: table, client: table, timeout: number, protocol: string?,
---  request: string, progress: fun(label: string) }
---@param how { label: string, client: table?, talk: "ask"|"silent"|"tickets"|"no",
---  resumes: table? } client: options over those of the context; talk: what follows the
---  handshake; resumes: the attempt whose session is offered
---@return moonshake.attempt|nil
function attempt.run(context, how)
  local made = { label = how.label,
                 without_tickets = how.client ~= nil and how.client.tickets == 0 }
  context.progress(how.label)
  context.attempt = made
  made.connection = begin(context, how)
  if not made.connection then
    return nil
  end
  made.completed = made.connection:handshake { timeout = context.timeout }
  made.first_bytes = link.far(made.connection).first_bytes
  if not made.completed then
    note_failure(made, "handshake")
  elseif how.talk == "no" then
    made.outcome = "accepted"
  elseif how.talk == "silent" then
    wait_for_refusal(made, context)
  elseif how.talk == "tickets" then
    wait_for_tickets(made)
  else
    converse(made, context)
  end
  made.connection:close()
  return made
end

return attempt
