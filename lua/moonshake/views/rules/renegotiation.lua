-- SPDX-License-Identifier: MIT
-- Handshakes after the first one: refused, unsafe, or with somebody else.
local phrase = require "moonshake.views.phrase"

local function sent_warning(one)
  return one.alert_sent and one.alert_sent.name == "no_renegotiation"
end

-- How an end asks.
local function wish(role)
  return role == "server" and "HelloRequest" or "ClientHello"
end

-- Who does not know RFC 5746, as far as they were told.
local function add_lacking(story, why)
  for _, role in ipairs { "client", "server" } do
    if story.told[role].renegotiation == "absent" then
      why[#why + 1] = ('the %s was told renegotiation = "absent": it does not send '
                       .. "renegotiation_info"):format(role)
    end
  end
end

local function refused_by_policy(story)
  local fault = story:failed "renegotiation_refused"
  local refuser = fault and fault.told_by == "peer" and story:other(fault.role)
  if not refuser or story[refuser].error or not sent_warning(story[refuser]) then
    return nil
  end
  local told = story.told[refuser].renegotiation
  return {
    side = refuser, message = wish(fault.role),
    what = ("the %s refuses to renegotiate: it answers the %s's %s with the warning "
            .. "no_renegotiation"):format(refuser, fault.role, wish(fault.role)),
    why = { told == "refuse" and ('the %s was told renegotiation = "refuse"'):format(refuser)
              or nil, "the connection goes on as it was" },
    next = ("do without, or let the %s renegotiate: renegotiation = \"partial\""):format(refuser),
  }
end

-- GnuTLS denied: its peer does not know RFC 5746.
local function unsafe(story)
  local fault = story:failed "renegotiation_refused"
  if not fault or fault.code ~= "GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED" then
    return nil
  end
  local message = fault.role == "server" and "ClientHello" or "ServerHello"
  local why = { "nothing binds the new handshake to the one before (secure_renegotiation is "
                  .. "false)" }
  add_lacking(story, why)
  return {
    message = message,
    what = ("the %s refuses to renegotiate at the %s: it would not be safe"):format(fault.role,
                                                                                    message),
    why = why,
    next = ("teach the %s RFC 5746, or take the risk: renegotiation = \"unsafe\""):format(
      story:other(fault.role)),
  }
end

-- GnuTLS insisted on RFC 5746 in the first handshake.
local function insisted(story)
  local fault = story:failed "renegotiation_refused"
  if not fault or fault.code ~= "GNUTLS_E_SAFE_RENEGOTIATION_FAILED" then
    return nil
  end
  local message = fault.role == "server" and "ClientHello" or "ServerHello"
  local why = {}
  if story.told[fault.role].renegotiation == "safe" then
    why[1] = ('the %s was told renegotiation = "safe": it talks to no peer without RFC 5746')
      :format(fault.role)
  end
  add_lacking(story, why)
  return {
    message = message,
    what = ("the %s refuses the %s: it lacks renegotiation_info"):format(fault.role, message),
    why = why,
    next = ("teach the %s RFC 5746, or let the %s be content with \"partial\""):format(
      story:other(fault.role), fault.role),
  }
end

local function changed_identity(problem, changer)
  return function(story)
    local fault = story:failed(problem)
    if not fault then
      return nil
    end
    local one = story[fault.role]
    local now = one.wire.received_certificates
    local why = {}
    if story.before then
      local earlier = story.before[fault.role].peer_certificate
      why[1] = earlier and ("in the epoch before it was %s"):format(phrase.certificate(earlier))
    end
    why[#why + 1] = now and now[1] and ("now it is %s"):format(phrase.certificate(now[1])) or nil
    return {
      message = "Certificate", certificate = now and now[1],
      what = ("the %s refuses the %s's Certificate: it is another one than before"):format(
        fault.role, changer),
      why = why,
      next = ("show the same certificate, or let the %s allow it: identity_change = \"allow\"")
        :format(fault.role),
    }
  end
end

---------------------------------------------------------------------------------------------------
-- What GnuTLS does wrong in a later handshake

local function is_later(story)
  return story.epoch ~= "initial"
end

local function had_refusal(story)
  local before = story.before
  while before do
    if before.fault and before.fault.problem == "renegotiation_refused" then
      return true
    end
    before = before.before
  end
  return false
end

local function extended_master_secret_dropped(story)
  local fault = story:failed("protocol_violation", "server")
  local offer = story:offer()
  local before = story.before and story.before.server
  if not (fault and is_later(story) and before and before.extended_master_secret and offer)
    or offer.extended_master_secret
  then
    return nil
  end
  return {
    message = "Finished",
    what = "the server cannot read the client's Finished: the two derived different keys",
    why = { "the handshake before used an extended master secret, and this ClientHello does not "
              .. "offer it", "the server (GnuTLS) goes on using it, the client does not" },
    next = "leave extended_master_secret as it was, or begin a new connection",
  }
end

-- The client, whose ClientHello was refused, is still in that handshake.
local function request_after_refusal(story)
  local asked = story:last_of { role = "server", direction = "sent", type = "HelloRequest" }
  return asked and {
    message = "HelloRequest",
    what = "the client refuses the server's HelloRequest: it still waits for the answer to its own "
      .. "ClientHello",
    why = { "that ClientHello was refused, and the client (GnuTLS) is still in that handshake" },
    next = "begin a new connection after a refused renegotiation",
  }
end

local function transcript_with_refused_hello(story)
  local fault = story:failed "protocol_violation"
  if not fault or not is_later(story) or not had_refusal(story) then
    return nil
  elseif fault.role == "client" then
    return request_after_refusal(story)
  elseif story.far then
    return nil -- of a client that is not ours it is not known what it counts
  end
  return {
    message = "Finished",
    what = "the server refuses the client's Finished: it covers another handshake than the "
      .. "server saw",
    why = { "an earlier ClientHello was refused, and the client (GnuTLS) still counts it to the "
              .. "handshake" },
    next = "begin a new connection after a refused renegotiation",
  }
end

local function declined_again(story)
  local fault = story:failed("protocol_violation", "server")
  local came = story.server.wire.received_certificates
  if not (fault and story.epoch:find "^reauthentication" and came and #came == 0) then
    return nil
  end
  return {
    message = "Finished",
    what = "the server calls the client's Finished unexpected, though an empty Certificate may be "
      .. "followed by it",
    why = { "the client had shown a certificate before and now declines with an empty one",
            "the server (GnuTLS 3.7.9) still waits for the CertificateVerify of the round before" },
    next = "let a client that identified itself once show the same certificate again",
  }
end

local function newer_version_offered(story)
  local fault = story:failed("library_error", "server")
  local offer = story:offer()
  local before = story.before and story.before.server.version
  if not (fault and story.epoch:find "^renegotiation" and offer and before) then
    return nil
  end
  for _, version in ipairs(offer.versions or {}) do
    if version == "TLS1.3" and before ~= "TLS1.3" then
      return {
        message = "ClientHello",
        what = ("the server breaks on the ClientHello of a renegotiation: it offers TLS1.3 where "
                .. "%s is in use"):format(before),
        why = { "a renegotiation keeps the version in use; GnuTLS begins with TLS 1.3 and runs "
                  .. "into " .. fault.code },
        next = "offer the version in use alone when renegotiating",
      }
    end
  end
end

---------------------------------------------------------------------------------------------------

-- GnuTLS waits for a ticket in each handshake after one that brought one (3.7.9).
local function ticket_awaited(story)
  local fault = is_later(story) and story:failed "protocol_violation"
  if not fault or fault.role ~= "client" or fault.code ~= "GNUTLS_E_UNEXPECTED_PACKET"
    or not story.client.tickets_received or story.client.tickets_received == 0
  then
    return nil
  end
  local hello = story:last_of({ role = "client", kind = "message", direction = "received",
                                type = "ServerHello" }, fault.index)
  if not hello or not hello.hello or hello.hello.ticket then
    return nil
  end
  return {
    side = "client", message = "ChangeCipherSpec",
    what = "the client waits for a session ticket in the renegotiation, and the server goes on "
      .. "without one, as it may: its ServerHello promised none",
    why = { "a ticket came in a handshake before, and GnuTLS 3.7.9 waits for one ever after" },
    next = "do not ask for tickets: tickets = 0 at the client",
  }
end

return {
  { name = "renegotiation_refused", rfc = "RFC 5246 section 7.2.2", find = refused_by_policy },
  { name = "renegotiation_unsafe", rfc = "RFC 5746 sections 4.2 and 4.4", find = unsafe },
  { name = "secure_renegotiation_missing", rfc = "RFC 5746 sections 4.1 and 4.3",
    find = insisted },
  { name = "client_changed_identity",
    rfc = { older = "RFC 5746 section 5", newer = "RFC 8446 appendix E.1.6" },
    find = changed_identity("client_changed_identity", "client") },
  { name = "server_changed_identity", rfc = "RFC 5746 section 5",
    find = changed_identity("server_changed_identity", "server") },
  {
    name = "post_handshake_auth_not_offered", rfc = "RFC 8446 section 4.2.6",
    find = function(story)
      local fault = story:failed("post_handshake_auth_not_offered", "server")
      if not fault then
        return nil
      end
      local lacking = {}
      for _, role in ipairs { "client", "server" } do
        if story.told[role].post_handshake_auth == false then
          lacking[#lacking + 1] = ("the %s was told post_handshake_auth = false"):format(role)
        end
      end
      return {
        message = "CertificateRequest",
        what = "the server may not send a CertificateRequest after the handshake: the ClientHello "
          .. "did not offer post_handshake_auth, or the server has it off",
        why = lacking,
        next = "offer it at both ends (post_handshake_auth = true), or ask in the handshake",
      }
    end,
  },
  { name = "extended_master_secret_dropped", rfc = "RFC 7627 section 5.4",
    find = extended_master_secret_dropped },
  { name = "refused_hello_counted", rfc = "RFC 5246 section 7.4.9",
    find = transcript_with_refused_hello },
  { name = "declined_again", rfc = "RFC 8446 section 4.6.2", find = declined_again },
  { name = "ticket_awaited", rfc = "RFC 5077 section 3.3", find = ticket_awaited },
  { name = "newer_version_in_renegotiation", rfc = "RFC 8446 section 4.1.2",
    find = newer_version_offered },
}
