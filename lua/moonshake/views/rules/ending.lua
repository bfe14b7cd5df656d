-- SPDX-License-Identifier: MIT
-- Connections that end before they should, or do not go on: too much, too early, never.
local learned = require "moonshake.views.learned"
local phrase = require "moonshake.views.phrase"

-- The last message that an end made or got before its error; nil if none.
local function last_message(story, role, direction, before)
  return story:last_of({ role = role, kind = "message", direction = direction }, before)
end

---------------------------------------------------------------------------------------------------
-- Too large

-- What an end was about when it failed: the last thing it received or was about to send.
local function at_work(story, fault)
  for index = #story.events, 1, -1 do
    local event = story.events[index]
    if event.index < fault.index and event.role == fault.role
      and (event.kind == "message" or event.kind == "selection")
    then
      return event
    end
  end
end

local function too_large(story)
  local fault = story:failed "message_too_large"
  if not fault then
    return nil
  end
  local role, other, at = fault.role, story:other(fault.role), at_work(story, fault)
  local limit = story.told[role].max_message_size
  local why = { limit and ("max_message_size of the %s is %d bytes"):format(role, limit)
                  or "GnuTLS's limit is 128 KiB, and it counts the handshake so far, too" }
  local message = at and at.type or "Certificate"
  if at and at.certificates then
    why[2] = ("the %s carries %s, %d bytes"):format(
      message, phrase.count(#at.certificates, "certificate"), at.length)
  elseif at and at.length then
    why[2] = ("the %s has %d bytes"):format(message, at.length)
  end
  local received = at and at.direction == "received"
  if not at or at.direction == "sent" and at.delivered then -- what came was not read to its end
    message = not at and role == "server" and "ClientHello" or "handshake"
    return {
      message = message,
      what = ("the %s refuses what the %s sends: its %s is too large"):format(role, other, message),
      why = { why[1] }, next = ("look at what the %s sends"):format(other),
    }
  end
  return {
    message = message,
    what = received and ("the %s refuses the %s's %s: it is too large"):format(role, other, message)
      or ("the %s cannot send its %s: it is too large"):format(role, message),
    why = why,
    next = ("send a shorter chain, or raise max_message_size of %s"):format(
      received and "the " .. role or "both ends"),
  }
end

---------------------------------------------------------------------------------------------------
-- Too early

local function closed_early(story)
  local fault = story:failed "closed_early"
  if not fault then
    return nil
  end
  local role, other = fault.role, story:other(fault.role)
  local awaited = fault.during == "handshake" and learned.awaited(story, role) or "close_notify"
  local last = last_message(story, role, "received", fault.index)
  return {
    side = role, message = awaited,
    what = ("the %s was gone without close_notify; the %s waited for %s"):format(other, role,
                                                                                awaited),
    why = {
      last and ("the last that the %s received was %s"):format(role, last.type)
        or ("the %s received nothing at all"):format(role),
      "what was received may have been cut short: without close_notify nobody can tell",
    },
    next = ("look at why the %s ended the connection: its own log or a device in between"):format(
      other),
  }
end

---------------------------------------------------------------------------------------------------
-- Never

local function stalled(story)
  if story.fault then
    return nil
  end
  for _, role in ipairs { "client", "server" } do
    if story[role].phase == "stalled" then
      local other, awaited = story:other(role), learned.awaited(story, role)
      local sent = last_message(story, other, "sent")
      return {
        side = role, message = awaited,
        what = ("the %s waits for %s, and the %s sends nothing more"):format(role, awaited, other),
        why = {
          sent and ("the last message of the %s was %s"):format(other, sent.type)
            or ("the %s has sent no message"):format(other),
          ("the %s is %s"):format(other, story[other].phase),
        },
        next = ("look at what keeps the %s from answering; a peer must send an alert when it fails")
          :format(other),
      }
    end
  end
end

---------------------------------------------------------------------------------------------------
-- Broken

local function no_certificate_type(story)
  local fault = story:failed("library_error", "client")
  if not fault or fault.code ~= "GNUTLS_E_UNKNOWN_PK_ALGORITHM" then
    return nil
  end
  return {
    message = "CertificateRequest",
    what = "the client cannot answer the CertificateRequest: it names no type of certificate",
    why = { "the server accepts "
              .. phrase.list(story.client.requested_signature_schemes or {}),
            "in TLS 1.2 a request also lists certificate types, and GnuTLS has none for EdDSA" },
    next = "let the server accept an ECDSA or RSA scheme as well, or use TLS 1.3",
  }
end

local function other_version_resumed(story)
  local fault = story:failed("protocol_violation", "client")
  local offer, hello = story:offer(), story:received("client", "ServerHello")
  local answered = hello and hello.hello and hello.hello.versions or {}
  if not (fault and offer and answered[1] == "TLS1.3"
          and (offer.ticket_presented or offer.session_id and #offer.session_id > 0)) then
    return nil
  end
  return {
    message = "ServerHello",
    what = "the client breaks on the ServerHello: it offered a session of an older version, and "
      .. "the server selects TLS1.3",
    why = { ("the error is %s"):format(fault.code),
            "the server has TLS 1.3 now; GnuTLS's client cannot change to it while it offers an "
              .. "older session" },
    next = "begin without the old session",
  }
end

-- What the peer did last, for whoever knows the protocol.
local function violation(story)
  local fault = story:failed "protocol_violation"
  if not fault then
    return nil
  end
  local role, other = fault.role, story:other(fault.role)
  local last = last_message(story, role, "received", fault.index)
    or last_message(story, other, "sent", fault.index)
  local alert = story[role].alert_sent
  return {
    message = last and last.type or "ClientHello",
    what = ("the %s cannot go on after the %s's %s: it calls what came a violation"):format(
      role, other, last and last.type or "first bytes"),
    why = { ("%s: %s"):format(phrase.plain(fault.code), phrase.plain(fault.message)),
            alert and ("it sent the alert %s"):format(phrase.alert(alert)) or nil },
    next = story.far and ("look at what the %s sent last, and into its own log"):format(other)
      or "compare the events of both ends: what one sent and what the other received",
  }
end

return {
  { name = "message_too_large", rfc = { older = "RFC 5246 section 7.4",
                                        newer = "RFC 8446 section 4" }, find = too_large },
  { name = "closed_early", rfc = { older = "RFC 5246 section 7.2.1",
                                   newer = "RFC 8446 section 6.1" }, find = closed_early },
  { name = "stalled", rfc = { older = "RFC 5246 section 7.3", newer = "RFC 8446 section 2" },
    find = stalled },
  { name = "no_certificate_type", rfc = "RFC 5246 section 7.4.4", find = no_certificate_type },
  { name = "session_of_another_version", rfc = "RFC 8446 section 4.2.1",
    find = other_version_resumed },
  { name = "protocol_violation", rfc = { older = "RFC 5246 section 7.2.2",
                                         newer = "RFC 8446 section 6.2" }, find = violation },
}
