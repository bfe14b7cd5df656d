-- SPDX-License-Identifier: MIT
-- Explanations of handshakes after the first, of what ends too early or never, and of what is worth
-- a word though nobody failed for it: from both ends.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local explained = dofile(here .. "explained.lua")
local explain = require "moonshake.views.explain"
local ms = require "moonshake"
local pki = ms.pki
local test, equal, contains = unit.test, unit.equal, unit.contains

local root, alice = explained.root, explained.alice
local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory", dns = "server.example" }
local ROLES = explained.ROLES
local OTHER = { client = "server", server = "client" }

-- A link whose `role` has these options.
local function link_with(version, role, given, other)
  local ends = { [role] = given, [OTHER[role]] = other }
  return explained.link(version, ends.client, ends.server)
end

---------------------------------------------------------------------------------------------------
-- Renegotiation

test("a refused renegotiation is told at who refused, with the message that asked", function()
  for _, refuser in ipairs(ROLES) do
    local link = link_with("TLS1.2", refuser, { renegotiation = "refuse" })
    link:renegotiate { by = OTHER[refuser] }
    local found = explained.finding(link, "renegotiation_refused")
    local message = refuser == "client" and "HelloRequest" or "ClientHello"
    equal(found.side, refuser)
    equal(found.message, message)
    equal(found.epoch, "renegotiation 1")
    contains(found.what, ("the %s refuses to renegotiate: it answers the %s's %s"):format(
      refuser, OTHER[refuser], message))
    contains(explained.text(found), ('the %s was told renegotiation = "refuse"'):format(refuser))
    equal(found.told[refuser], "sent the warning alert no_renegotiation (100) and has no error")
    equal(found.told[OTHER[refuser]],
          "was told in its handshake by the warning alert no_renegotiation (100)")
    equal(found.rfc, "RFC 5246 section 7.2.2")
  end
end)

test("an unsafe renegotiation is told with who lacks RFC 5746", function()
  for _, lacks in ipairs(ROLES) do
    local link = link_with("TLS1.2", lacks, { renegotiation = "absent" })
    link:renegotiate { by = "client" }
    local found = explained.finding(link, "renegotiation_unsafe")
    equal(found.side, OTHER[lacks])
    equal(found.message, lacks == "client" and "ClientHello" or "ServerHello")
    contains(found.what, "it would not be safe")
    contains(explained.text(found), ('the %s was told renegotiation = "absent"'):format(lacks))
    contains(found.told[lacks], "was told in its handshake by the warning alert")
  end
end)

test("an end that insists on RFC 5746 is told with who lacks it", function()
  for _, lacks in ipairs(ROLES) do
    local link = link_with("TLS1.2", lacks, { renegotiation = "absent" },
                           { renegotiation = "safe" })
    local found = explained.finding(link, "secure_renegotiation_missing")
    equal(found.side, OTHER[lacks])
    contains(found.what, "it lacks renegotiation_info")
    contains(explained.text(found), ('the %s was told renegotiation = "safe"'):format(OTHER[lacks]))
    contains(explained.text(found), ('the %s was told renegotiation = "absent"'):format(lacks))
    contains(found.told[lacks], "fatal alert handshake_failure (40)")
  end
end)

test("a client that changed its identity is told with both", function()
  local bob = root:issue { cn = "bob" }
  local link = explained.link("TLS1.2", { identity = alice }, { client_auth = "require" })
  link:renegotiate { by = "server", client = { identity = bob } }
  local found = explained.finding(link, "client_changed_identity")
  equal(found.side, "server")
  contains(explained.text(found), "in the epoch before it was CN=alice (")
  contains(explained.text(found), "now it is CN=bob (")
  equal(found.rfc, "RFC 5746 section 5")
  link = explained.link("TLS1.3", { identity = alice }, { client_auth = "require" })
  link:reauthenticate { client = { identity = bob } }
  found = explained.finding(link, "client_changed_identity")
  equal(found.rfc, "RFC 8446 appendix E.1.6")
  contains(found.told.client, "then read the fatal alert insufficient_security (71)")
end)

test("a server that changed its identity is told with both", function()
  local link = explained.link("TLS1.2")
  local other = root:issue { dns = "server.example" }
  link:renegotiate { by = "client", server = { identity = other } }
  local found = explained.finding(link, "server_changed_identity")
  equal(found.side, "client")
  contains(found.what, "the client refuses the server's Certificate: it is another one than before")
  contains(explained.text(found),
           ("now it is CN=server.example (%s)"):format(other.certificate.fingerprint:sub(1, 16)))
end)

test("post-handshake authentication that was not offered is told with who lacks it", function()
  for _, lacks in ipairs(ROLES) do
    local link = link_with("TLS1.3", lacks, { post_handshake_auth = false })
    link:reauthenticate()
    local found = explained.finding(link, "post_handshake_auth_not_offered")
    equal(found.side, "server")
    contains(explained.text(found), ("the %s was told post_handshake_auth = false"):format(lacks))
    equal(found.told.client, "has no error (established)")
  end
end)

test("a renegotiation without the extended master secret of before is told", function()
  local link = explained.link("TLS1.2")
  link:renegotiate { by = "client", client = { extended_master_secret = false } }
  local found = explained.finding(link, "extended_master_secret_dropped")
  equal(found.rfc, "RFC 7627 section 5.4")
  contains(explained.text(found), "this ClientHello does not offer it")
  contains(found.told.client, "bad_record_mac (20)")
end)

test("a ClientHello that was refused spoils the next handshake", function()
  local link = explained.link("TLS1.2", {}, { renegotiation = "refuse" })
  link:renegotiate { by = "client" }
  link:renegotiate { by = "client", server = { renegotiation = ms.tls.default } }
  local found = explained.finding(link, "refused_hello_counted")
  equal(found.epoch, "renegotiation 2")
  equal(found.message, "Finished")
  local text = link:explain()
  contains(text, "in renegotiation 1: the server refuses to renegotiate")
  contains(text, "in renegotiation 2: the server refuses the client's Finished")
  contains(explain.short(link.findings)[1], "the server refuses the client's Finished")
end)

test("a client whose ClientHello was refused does not understand a HelloRequest", function()
  local link = explained.link("TLS1.2", {}, { renegotiation = "refuse" })
  link:renegotiate { by = "client" }
  link:renegotiate { by = "server" }
  local found = explained.finding(link, "refused_hello_counted")
  equal(found.side, "client")
  equal(found.message, "HelloRequest")
  contains(found.told.server, "unexpected_message (10)")
end)

test("a client that declines after it had identified itself is told", function()
  local link = explained.link("TLS1.3", { identity = alice }, { client_auth = "require" })
  link:reauthenticate { server = { client_auth = "request" },
                        client = { send_certificate = "never" } }
  local found = explained.finding(link, "declined_again")
  equal(found.rfc, "RFC 8446 section 4.6.2")
  contains(found.told.client, "unexpected_message (10)")
end)

test("a client that had a ticket waits for one in vain in the renegotiation", function()
  local link = explained.link("TLS1.2")
  link:renegotiate { by = "server", server = { priority = "NORMAL:%NO_TICKETS" } }
  local found = explained.finding(link, "ticket_awaited")
  contains(found.what, "its ServerHello promised none")
  contains(found.next, "tickets = 0")
  equal(#link.findings, 1, "what is true of TLS 1.3 alone is not said of TLS 1.2")
end)

test("the wait for a ticket is no excuse where the server promised one", function()
  for _, promised in ipairs { true, false } do
    local one, event = explained.failed("client", "protocol_violation",
                                        "GNUTLS_E_UNEXPECTED_PACKET",
                                        { epoch = "renegotiation 1", tickets_received = 1 })
    local link = explained.fake(one, { epoch = "renegotiation 1" }, {
      { role = "client", kind = "message", type = "ServerHello", direction = "received",
        hello = { ticket = promised } },
      event,
    })
    equal(explained.has(link, "ticket_awaited"), not promised)
  end
end)

test("a renegotiation that offers TLS 1.3 breaks the server, and the client waits", function()
  local link = explained.link(nil, { versions = "TLS1.2" })
  link:renegotiate { by = "client", client = { versions = { "TLS1.2", "TLS1.3" } } }
  local found = explained.finding(link, "newer_version_in_renegotiation")
  contains(found.what, "it offers TLS1.3 where TLS1.2 is in use")
  equal(found.told.client, "waits for ServerHello")
  contains(found.told.server, "and sent no alert")
  local note = explained.finding(link, "failed_silently")
  equal(note.kind, "note")
  equal(note.side, "client")
  contains(note.what, "the client waits for ServerHello: the server failed and sent no alert")
end)

---------------------------------------------------------------------------------------------------
-- Too much, too early, never

test("a message that is too large is told with its limit, at its receiver", function()
  local deep = pki.chain { depth = 8, leaf = { dns = "server.example", cn = "leaf" } }
  for _, version in ipairs(explained.VERSIONS) do
    for _, sender in ipairs(ROLES) do
      local link = explained.presented(version, sender, deep, { max_message_size = 2000 })
      local found = explained.finding(link, "message_too_large")
      equal(found.side, OTHER[sender])
      equal(found.message, "Certificate")
      contains(found.what, ("the %s refuses the %s's Certificate: it is too large"):format(
        OTHER[sender], sender))
      contains(explained.text(found),
               ("max_message_size of the %s is 2000 bytes"):format(OTHER[sender]))
      contains(explained.text(found), "the Certificate carries 9 certificates")
    end
  end
end)

test("a message that its sender may not send is told at its sender", function()
  local deep = pki.chain { depth = 8, leaf = { dns = "server.example", cn = "leaf" } }
  for _, version in ipairs(explained.VERSIONS) do
    local link = explained.link(version, { identity = deep, max_message_size = 2000 }, {
      client_auth = "require", issuers = {} })
    local found = explained.finding(link, "message_too_large")
    equal(found.side, "client")
    equal(found.what, "the client cannot send its Certificate: it is too large")
  end
end)

test("a connection that was gone is told with what was waited for", function()
  for _, role in ipairs(ROLES) do
    local one, event = explained.failed(role, "closed_early", "GNUTLS_E_PREMATURE_TERMINATION")
    one.version = "TLS1.2"
    local hello = { kind = "message", role = role, direction = "received",
                    type = role == "client" and "ServerHello" or "ClientHello" }
    local ends = { [role] = one, [OTHER[role]] = {} }
    local found = explained.finding(explained.fake(ends.client, ends.server, { hello, event }),
                                    "closed_early")
    local awaited = role == "client" and "Certificate" or "ClientKeyExchange"
    equal(found.side, role)
    equal(found.message, awaited)
    equal(found.what, ("the %s was gone without close_notify; the %s waited for %s"):format(
      OTHER[role], role, awaited))
    contains(explained.text(found), "the last that the " .. role .. " received was " .. hello.type)
    contains(found.rfc, "RFC 5246 section 7.2.1")
  end
end)

test("a connection that was gone after the handshake is told with close_notify", function()
  local one, event = explained.failed("client", "closed_early", "GNUTLS_E_PREMATURE_TERMINATION")
  one.failed_during, event.during, one.handshake_completed, one.version = "read", "read", true,
    "TLS1.3"
  local found = explained.finding(explained.fake(one, {}, { event }), "closed_early")
  equal(found.message, "close_notify")
  contains(explained.text(found), "the client received nothing at all")
  equal(found.rfc, "RFC 8446 section 6.1")
end)

test("ends that wait are told with what they wait for", function()
  for _, role in ipairs(ROLES) do
    for _, version in ipairs(explained.VERSIONS) do
      local ends = { [role] = { phase = "stalled", version = version,
                                certificate_requested = role == "server" },
                     [OTHER[role]] = { phase = "handshaking" } }
      local events = {
        { kind = "message", role = OTHER[role], direction = "sent", type = "Certificate" },
        { kind = "message", role = role, direction = "received", type = "Certificate" },
      }
      local found = explained.finding(explained.fake(ends.client, ends.server, events), "stalled")
      local awaited = ({ ["clientTLS1.2"] = "ServerHelloDone", ["clientTLS1.3"]
        = "CertificateVerify", ["serverTLS1.2"] = "ClientKeyExchange",
        ["serverTLS1.3"] = "Finished" })[role .. version]
      equal(found.side, role)
      equal(found.what, ("the %s waits for %s, and the %s sends nothing more"):format(
        role, awaited, OTHER[role]))
      equal(found.told[role], "waits for " .. awaited)
      contains(explained.text(found),
               ("the last message of the %s was Certificate"):format(OTHER[role]))
    end
  end
end)

test("an end that has seen nothing waits for the first message", function()
  local found = explained.finding(explained.fake({ phase = "stalled" }, {}), "stalled")
  equal(found.message, "ServerHello")
  contains(explained.text(found), "the server has sent no message")
  found = explained.finding(explained.fake({}, { phase = "stalled" }), "stalled")
  equal(found.message, "ClientHello")
end)

test("a request without a certificate type is told with what the server accepts", function()
  local ed = root:issue { dns = "server.example", key = "ed25519" }
  local link = explained.link("TLS1.2", { identity = alice }, {
    identity = ed, client_auth = "request", signature_schemes = "ed25519" })
  local found = explained.finding(link, "no_certificate_type")
  equal(found.side, "client")
  contains(explained.text(found), "the server accepts ed25519")
  contains(found.told.server, "was told in its handshake")
end)

test("an old session at a server that was upgraded is told", function()
  local link = explained.link("TLS1.2")
  local later = link:resume { client = { versions = { "TLS1.2", "TLS1.3" } },
                              server = { versions = "TLS1.3" } }
  later:handshake()
  local found = explained.finding(later, "session_of_another_version")
  equal(found.side, "client")
  equal(found.message, "ServerHello")
  contains(found.told.server, "unexpected_message (10)")
end)

test("a violation is told with the message that came last", function()
  for _, role in ipairs(ROLES) do
    local one, event = explained.failed(role, "protocol_violation", "GNUTLS_E_UNEXPECTED_PACKET")
    one.alert_sent = { level = "fatal", name = "unexpected_message", number = 10 }
    local ends = { [role] = one, [OTHER[role]] = {} }
    local finished = { kind = "message", role = role, direction = "received", type = "Finished" }
    local found = explained.finding(explained.fake(ends.client, ends.server, { finished, event }),
                                    "protocol_violation")
    equal(found.side, role)
    equal(found.message, "Finished")
    contains(found.what, ("the %s cannot go on after the %s's Finished"):format(role, OTHER[role]))
    contains(explained.text(found), "GNUTLS_E_UNEXPECTED_PACKET: Something is wrong.")
  end
end)

test("what no rule knows is told by what is certain", function()
  for _, role in ipairs(ROLES) do
    local one, event = explained.failed(role, "library_error", "GNUTLS_E_INTERNAL_ERROR")
    local ends = { [role] = one, [OTHER[role]] = {} }
    local found = explained.finding(explained.fake(ends.client, ends.server, { event }), "unknown")
    equal(found.side, role)
    contains(found.what, ("the %s failed behind the ClientHello: library_error"):format(role))
    equal(found.next, "moonshake explain GNUTLS_E_INTERNAL_ERROR")
  end
end)

---------------------------------------------------------------------------------------------------
-- Worth a word

local function note(link, rule, side, message)
  local found = explained.finding(link, rule)
  equal(found.kind, "note")
  equal(found.side, side)
  equal(found.message, message)
  contains(found.rfc, "RFC ")
  return explained.text(found)
end

test("a client that believed in success before is told so", function()
  local link = explained.link("TLS1.3", {}, { client_auth = "require" })
  contains(note(link, "late_alert", "client", "Finished"),
           "the client had sent its Finished and believed in success when it was refused")
  equal(explained.has(explained.link("TLS1.2", {}, { client_auth = "require" }), "late_alert"),
        false)
end)

test("an alert of the library that says less than the RFC's is told", function()
  for _, judge in ipairs(ROLES) do
    local link = explained.presented("TLS1.2", OTHER[judge], mallory)
    contains(note(link, "library_alert", judge, "Certificate"),
             "for signer_not_found the RFC has unknown_ca")
    link = explained.presented("TLS1.2", OTHER[judge], mallory, { alerts = "rfc" })
    equal(explained.has(link, "library_alert"), false)
  end
end)

test("a certificate that stayed at home silently is told with the reason", function()
  local stranger = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
  for _, version in ipairs(explained.VERSIONS) do
    local link = explained.link(version, { identity = stranger }, { client_auth = "request" })
    contains(note(link, "certificate_stayed_home", "client", "Certificate"),
             "the client's CN=mallory was issued by CN=Other Root")
    equal(explained.has(link, "not_asked"), false)
  end
end)

test("a certificate that nobody asked for is told", function()
  local link = explained.link("TLS1.3", { identity = alice })
  contains(note(link, "not_asked", "server", "CertificateRequest"),
           'the server was told client_auth = "none"')
  equal(explained.has(link, "certificate_stayed_home"), false)
end)

test("a resumed session asks nobody again", function()
  for _, version in ipairs(explained.VERSIONS) do
    local link = explained.link(version)
    local later = link:resume { server = { client_auth = "require" } }
    later:handshake()
    equal(later.client.resumed, true)
    contains(note(later, "resumed_unasked", "server", "CertificateRequest"),
             "the resumed session has no client certificate: the client is anonymous")
    link = explained.link(version, { identity = alice }, { client_auth = "require" })
    later = link:resume()
    later:handshake()
    contains(note(later, "resumed_unasked", "server", "CertificateRequest"),
             "it reports the peer of the resumed session: CN=alice")
  end
end)

test("a chain that a policy accepted all the same is told", function()
  for _, judge in ipairs(ROLES) do
    local link = explained.presented("TLS1.3", OTHER[judge], mallory, { verify = function()
      return true
    end })
    contains(note(link, "accepted_though_wrong", judge, "Certificate"),
             "though it is not valid: signer_not_found")
  end
end)

test("an end that verifies nothing is told", function()
  for _, judge in ipairs(ROLES) do
    local link = explained.presented("TLS1.3", OTHER[judge], mallory, { verify = false })
    contains(note(link, "nothing_verified", judge, "Certificate"),
             ("the %s was told verify = false"):format(judge))
    link = explained.presented("TLS1.3", OTHER[judge], mallory, { trust = "" })
    contains(note(link, "nothing_verified", judge, "Certificate"),
             ("the %s was not told whom to trust"):format(judge))
  end
end)

test("no protocol in common is told where none is required", function()
  local link = explained.link("TLS1.3", { alpn = "spdy/3" }, { alpn = { "h2" } })
  contains(note(link, "no_protocol_agreed", "server", "ClientHello"),
           'the client offers "spdy/3", the server has "h2"')
end)

test("of a link that went well there is nothing to say", function()
  local link = explained.link("TLS1.3")
  equal(#link.findings, 0)
  equal(link:explain(), "nothing went wrong, and nothing is worth a word")
  equal(#explain.short(link.findings), 0)
end)

explained.all_seen(unit, { "renegotiation", "ending", "notes" })
unit.done()
