-- SPDX-License-Identifier: MIT
-- What is worth a word though nobody failed for it: a belief in success that came too early, a
-- certificate that stayed at home, a session in which nobody was asked again.
local absence = require "moonshake.views.absence"
local learned = require "moonshake.views.learned"
local phrase = require "moonshake.views.phrase"

local function is_content(story)
  for _, role in ipairs { "client", "server" } do
    if not (story[role].handshake_completed or story:is_far(role)) then
      return false
    end
  end
  return not story.fault
end

local function late_alert(story)
  local fault = story.fault
  local one = fault and story[story.far and fault.role or story:other(fault.role)]
  if not (one and one.handshake_completed and one.told_by == "peer" and one.alert_received
          and one.failed_during ~= "handshake" and one.version == "TLS1.3") then
    return nil
  end
  local data = story:first { role = one.role, kind = "data", direction = "sent" }
  local judge = story:other(one.role)
  return {
    side = one.role, message = "Finished",
    what = ("the %s had sent its Finished and believed in success when it was refused"):format(
      one.role),
    why = {
      ("in TLS 1.3 the %s is done before the %s has judged its last flight"):format(one.role,
                                                                                    judge),
      data and "it had sent application data by then" or nil,
    },
    next = ("do not count on the %s's handshake alone: read once before believing it"):format(
      one.role),
  }
end

-- An end that failed and told nobody.
local function silent(story)
  local fault = story.fault
  local other = fault and story:other(fault.role)
  if not fault or fault.problem == "closed_early" or story[other].phase ~= "stalled"
    or story[fault.role].alert_sent
  then
    return nil
  end
  return {
    side = other, message = learned.awaited(story, other),
    what = ("the %s waits for %s: the %s failed and sent no alert"):format(
      other, learned.awaited(story, other), fault.role),
    why = { "an end that fails must tell its peer by a fatal alert" },
    next = "close the connection: nothing more will come",
  }
end

-- The alert that the RFCs name for a problem of a verification.
local NAMED = { signer_not_found = "unknown_ca", revoked = "certificate_revoked",
                expired = "certificate_expired", not_activated = "certificate_expired",
                purpose_mismatch = "unsupported_certificate" }

local function library_alert(story)
  for _, role in ipairs { "client", "server" } do
    local one = story[role]
    local fault = story:failed("certificate_rejected", role)
    local alert = one.alert_sent
    for _, problem in ipairs(fault and one.verification and one.verification.problems or {}) do
      local named = NAMED[problem]
      if named and alert and alert.name ~= named then
        return {
          side = role, message = "Certificate",
          what = ("the alert %s for the Certificate says less than the %s knows"):format(
            phrase.alert(alert), role),
          why = { ("GnuTLS sends it for every cause; for %s the RFC has %s"):format(problem,
                                                                                    named) },
          next = 'send the RFC\'s alert: alerts = "rfc"',
        }
      end
    end
  end
end

-- Whether the client kept a certificate at home in a session that stands, asked for it or not.
local function is_home(story, asked)
  local word = story.client.not_sent_because
  return is_content(story) and word and word ~= "failed_before" and not story.client.resumed
    and (word ~= "not_requested") == asked
end

local function stayed_home(story)
  if not is_home(story, true) then
    return nil
  end
  local why, next_step = absence.reasons(story)
  return {
    side = "client", message = "Certificate", why = why, next = next_step,
    what = "the client has a certificate and sent an empty Certificate all the same",
  }
end

local function not_asked(story)
  if not is_home(story, false) then
    return nil
  end
  local why, next_step = absence.reasons(story)
  return {
    side = "server", message = "CertificateRequest", why = why, next = next_step,
    what = "the client has a certificate, and the server sent no CertificateRequest",
  }
end

local function resumed(story)
  local wanted = story.told.server.client_auth
  if not is_content(story) or not story.server.resumed
    or (wanted ~= "require" and wanted ~= "request")
  then
    return nil
  end
  local peer = story.server.peer_certificate
  return {
    side = "server", message = "CertificateRequest",
    what = ("the session was resumed, so the server sent no CertificateRequest, though it was told "
            .. 'client_auth = "%s"'):format(wanted),
    why = {
      peer and ("it reports the peer of the resumed session: %s"):format(phrase.subject(peer))
        or "the resumed session has no client certificate: the client is anonymous",
    },
    next = ("ask again after the handshake (%s:reauthenticate), or send no tickets (tickets = 0)")
      :format(story.far and "connection" or "link"),
  }
end

-- Accepted by a script's policy though something is wrong.
local function accepted(story)
  for _, role in ipairs { "client", "server" } do
    local judgement = story:judgement(role)
    local verification = judgement and judgement.verification
    if verification and verification.accepted and not verification.verified then
      return {
        side = role, message = "Certificate", certificate = verification.certificate,
        what = ("the %s accepted the %s's Certificate though it is not valid: %s"):format(
          role, judgement.sender, phrase.list(verification.problems)),
        why = { ("the verify function of the %s said yes"):format(role) },
        next = "look at the verify function, if that was not meant",
      }
    end
  end
end

local function why_unverified(told, role)
  if told.verify == false then
    return ("the %s was told verify = false"):format(role)
  elseif told.verify_policy == "never" then
    return ("the %s was not told whom to trust"):format(role)
  end
end

local function unverified(story)
  for _, role in ipairs { "client", "server" } do
    local received = story[role].wire.received_certificates
    if is_content(story) and not story:is_far(role) and received and #received > 0
      and not story[role].verification
    then
      return {
        side = role, message = "Certificate", certificate = received[1],
        what = ("the %s verified nothing: any Certificate of the %s would have done"):format(
          role, story:other(role)),
        why = { why_unverified(story.told[role], role) },
        next = ("tell the %s whom to trust (`trust`), and leave verify on"):format(role),
      }
    end
  end
end

local function no_protocol(story)
  local offer = story:offer()
  local own = story.told.server.alpn
  if not (is_content(story) and offer and offer.alpn and own) or story.client.alpn
    or story.client.resumed
  then
    return nil
  end
  return {
    side = "server", message = "ClientHello",
    what = "no application protocol was agreed on: none of the ClientHello is the server's",
    why = { ("the client offers %s, the server has %s"):format(
      phrase.list(offer.alpn, phrase.quoted), phrase.list(own, phrase.quoted)) },
    next = "list a protocol that both have (`alpn`), or refuse such clients: alpn_required = true",
  }
end

local function note(name, rfc, find)
  return {
    name = name, rfc = rfc,
    find = function(story)
      local found = find(story)
      if found then
        found.kind = "note"
      end
      return found
    end,
  }
end

return {
  note("late_alert", "RFC 8446 section 4.4.4", late_alert),
  note("library_alert", { older = "RFC 5246 section 7.2.2", newer = "RFC 8446 section 6.2" },
       library_alert),
  note("failed_silently", { older = "RFC 5246 section 7.2.2", newer = "RFC 8446 section 6.2" },
       silent),
  note("certificate_stayed_home",
       { older = "RFC 5246 section 7.4.6", newer = "RFC 8446 section 4.4.2" }, stayed_home),
  note("not_asked", { older = "RFC 5246 section 7.4.4", newer = "RFC 8446 section 4.3.2" },
       not_asked),
  note("resumed_unasked", { older = "RFC 5246 section 7.3", newer = "RFC 8446 section 4.3.2" },
       resumed),
  note("accepted_though_wrong",
       { older = "RFC 5246 section 7.4.2", newer = "RFC 8446 section 4.4.2.4" }, accepted),
  note("nothing_verified",
       { older = "RFC 5246 section 7.4.2", newer = "RFC 8446 section 4.4.2.4" }, unverified),
  note("no_protocol_agreed", "RFC 7301 section 3.2", no_protocol),
}
