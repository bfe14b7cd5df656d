-- SPDX-License-Identifier: MIT
-- Connections over sockets that never came about, broke, or led to something that speaks no TLS.
-- The end that failed is here; of the other one only what came is known.
local learned = require "moonshake.views.learned"
local phrase = require "moonshake.views.phrase"
local sniff = require "moonshake.views.sniff"

local RECORDS = { older = "RFC 5246 section 6.2.1", newer = "RFC 8446 section 5.1" }
local CLOSING = { older = "RFC 5246 section 7.2.1", newer = "RFC 8446 section 6.1" }

local STARTTLS = "it may expect something before TLS: STARTTLS, or the header of a proxy"

local function last_received(story, fault)
  return story:last_of({ role = fault.role, kind = "message", direction = "received" },
                       fault.index)
end

-- What a client sent of itself before its server was gone: refusals come without alerts, too.
local function add_certificate(story, fault, why)
  local message = fault.role == "client"
    and story:last_of({ role = "client", kind = "message", direction = "sent",
                        type = "Certificate" }, fault.index)
  if message and #message.certificates == 0 then
    why[#why + 1] = "the client had sent an empty Certificate: a server that requires one may end "
      .. "the connection without an alert"
  elseif message then
    why[#why + 1] = ("the client had sent its Certificate, %s: a server that refuses it may end "
                     .. "the connection without an alert"):format(
                       phrase.subject(message.certificates[1]))
  end
end

-- A server's chain may be what its client went away for.
local function add_chain(story, fault, why)
  local message = fault.role == "server"
    and story:last_of({ role = "server", kind = "message", direction = "sent",
                        type = "Certificate" }, fault.index)
  if message and message.delivered and #message.certificates > 0
    and not story.server.handshake_completed
  then
    why[#why + 1] = ("the server had sent its Certificate, %s: a client that distrusts it may end "
                     .. "the connection without an alert"):format(
                       phrase.subject(message.certificates[1]))
  end
end

local function add_last(story, fault, why)
  local last = last_received(story, fault)
  if last then
    why[#why + 1] = ("the last that the %s received was %s"):format(fault.role, last.type)
  elseif story.far.sent > 0 then
    why[#why + 1] = ("the %s received %s, and no whole message"):format(
      fault.role, phrase.count(story.far.sent, "byte"))
  else
    why[#why + 1] = ("the %s received nothing at all"):format(fault.role)
  end
  add_certificate(story, fault, why)
  add_chain(story, fault, why)
  return last
end

local function is_first(story)
  return story.index == 1
end

---------------------------------------------------------------------------------------------------
-- No connection

local function address(story)
  return phrase.plain(story.far.address)
end

local function never(problem, what, why, next_step)
  return function(story)
    local fault = story.far and story:failed(problem)
    return fault and {
      side = fault.role, message = "ClientHello", what = what:format(address(story)),
      why = { ("the system says: %s"):format(phrase.plain(fault.message)), why }, next = next_step,
    }
  end
end

local refused = never(
  "connection_refused", "the client could not connect: nobody listens at %s",
  "a server that is not running, that listens on another address or port, or a firewall that "
    .. "refuses for it",
  "check host and port, and that the server runs and listens there (ss -tln)")

local no_name = never(
  "name_not_found", "the client could not connect: %s leads nowhere",
  "a name that is misspelt, a resolver that does not know it, or a unix socket that is not there",
  "check the name, and what resolves it (getent hosts NAME)")

---------------------------------------------------------------------------------------------------
-- No TLS

local function no_tls(story)
  local fault = story.far and is_first(story) and story.fault
  local first = fault and story.far.first_bytes or ""
  if first == "" or story:first { role = fault.role, kind = "record", direction = "received" } then
    return nil
  end
  local found = sniff(first)
  if not found then
    return nil
  end
  local far = story.far.role
  return {
    side = far, message = far == "client" and "ClientHello" or "ServerHello",
    what = ("what %s sends is no TLS: %s"):format(story:named(far), found.looks),
    why = { "its first bytes: " .. found.shown, found.why }, next = found.next[far] or found.next,
  }
end

---------------------------------------------------------------------------------------------------
-- Connections that broke

local function own_doing(story, fault)
  return {
    side = fault.role, message = "close_notify",
    what = ("the %s ended the connection itself, without close_notify"):format(fault.role),
    why = { ("the %s cannot tell it from a connection that broke"):format(story.far.role) },
    next = "close in order, if that was not meant: connection:close()",
  }
end

local function gone(story)
  local fault = story.far and story:failed "closed_early"
  if not fault then
    return nil
  elseif fault.told_by ~= "peer" then
    return own_doing(story, fault)
  end
  local role, far, why = fault.role, story.far.role, {}
  local awaited = fault.during == "handshake" and learned.awaited(story, role) or "close_notify"
  local last = add_last(story, fault, why)
  if fault.during ~= "handshake" then
    why[#why + 1] = "what was received may have been cut short: without close_notify nobody can "
      .. "tell"
  elseif not last and role == "client" then
    why[#why + 1] = "what closes at a ClientHello may speak no TLS on this port, or only with a "
      .. "name that it knows (server_name); " .. STARTTLS
  elseif not last then
    why[#why + 1] = "a client that connects and goes away may only have looked whether the port "
      .. "is open"
  end
  return {
    side = role, message = awaited, why = why,
    what = ("%s was gone without close_notify; the %s waited for %s"):format(
      story:named(far), role, awaited),
    next = ("look at why the %s ended the connection: its own log or a device in between"):format(
      far),
  }
end

local function reset(story)
  local fault = story.far and story:failed "connection_reset"
  if not fault then
    return nil
  end
  local role, why = fault.role, {}
  local awaited = fault.during == "handshake" and learned.awaited(story, role)
    or "application data"
  add_last(story, fault, why)
  why[#why + 1] = "an end that closes with bytes unread resets the connection, and its last alert "
    .. "can be lost with that"
  return {
    side = role, message = awaited, why = why,
    what = ("the connection was reset, by the %s or on the way; the %s waited for %s"):format(
      story.far.role, role, awaited),
    next = ("read the log of the %s: what it refused may stand there"):format(story.far.role),
  }
end

local function timeout(story)
  local fault = story.far and story:failed "timeout"
  if not fault then
    return nil
  end
  local role, far, why = fault.role, story.far.role, { phrase.plain(fault.message) }
  if role == "client" and not story:first { role = "client", kind = "message" } then
    why[2] = "a host that is down, a network or firewall that drops what it does not want, or a "
      .. "server that accepts nobody"
    return {
      side = role, message = "ClientHello", why = why,
      what = ("the client could not connect: no answer from %s"):format(address(story)),
      next = "check host and port, and the way there",
    }
  end
  local awaited = learned.awaited(story, role)
  if not add_last(story, fault, why) and role == "client" then
    why[#why + 1] = STARTTLS
  end
  return {
    side = role, message = awaited, why = why,
    what = ("the %s waited for %s, and %s sent nothing more in time"):format(role, awaited,
                                                                             story:named(far)),
    next = ("look at what the %s waits for, or allow more time (timeout)"):format(far),
  }
end

return {
  { name = "connection_refused", rfc = "RFC 9293 section 3.5.2", find = refused },
  { name = "name_not_found", rfc = "RFC 1034 section 4.3.1", find = no_name },
  { name = "no_tls", rfc = RECORDS, find = no_tls },
  { name = "gone_without_close_notify", rfc = CLOSING, find = gone },
  { name = "connection_reset", rfc = "RFC 9293 section 3.5.2", find = reset },
  { name = "timeout", rfc = "RFC 9293 section 3.10.8", find = timeout },
}
