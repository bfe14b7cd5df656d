-- SPDX-License-Identifier: MIT
-- Where GnuTLS's own answers mislead. `local_*` and `peer_*` repeat its word; `wire`,
-- `verification`, `alert_*`, `certificate_requested` and `error.problem` must be facts. Each test
-- is one trap, and turns red when the handling of that trap is taken out.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local test, equal = unit.test, unit.equal

local ca = pki.authority { cn = "Root" }
local other_ca = pki.authority { cn = "Other Root" }
local server = ca:issue { dns = "server.example" }
local alice = ca:issue { cn = "alice" }
local bob = ca:issue { cn = "bob" }

local function merged(base, more)
  for key, value in pairs(more or {}) do
    base[key] = value
  end
  return base
end

local function link_with(version, of_client, of_server)
  return tls.link {
    client = merged({ trust = ca, server_name = "server.example" }, of_client),
    server = merged({ identity = server, trust = ca }, of_server),
    versions = version,
  }
end

local function each_version(name, run)
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    test(name .. " (" .. version .. ")", function() run(version) end)
  end
end

local function count(events, wanted)
  local found = 0
  for _, event in ipairs(events) do
    local fits = true
    for key, value in pairs(wanted) do
      fits = fits and event[key] == value
    end
    found = found + (fits and 1 or 0)
  end
  return found
end

each_version("nothing counts as verified before, without or after verification", function(version)
  local link = link_with(version, { verify = false })
  equal(link.client.verification, nil, "before")
  equal(link:handshake(), true)
  equal(link.client.verification, nil, "switched off")
  local judged = link_with(version)
  equal(judged:handshake(), true)
  equal(judged.client.verification.verified, true)
  equal(judged.server.verification, nil, "no certificate to judge")
  local asked = link_with(version, { verify = function(result)
    equal(result.verified, true)
    equal(result.accepted, nil, "that is the question")
    return true
  end })
  equal(asked:handshake(), true)
  equal(asked.client.verification.accepted, true)
  local again = judged:resume {}
  equal(again:handshake(), true)
  equal(again.client.resumed, true)
  equal(again.client.verification, nil, "resumed")
end)

each_version("an alert that never came is nil, not close_notify", function(version)
  local link = link_with(version)
  equal(link.client.alert_received, nil)
  equal(link:handshake(), true)
  equal(link.client.alert_received, nil)
  equal(link.server.alert_received, nil)
  equal(link.server.alert_sent, nil)
  link:close {}
  equal(link.server.alert_received.name, "close_notify")
  equal(link.server.alert_received.level, "warning")
end)

test("GnuTLS keeps the old peer when a renegotiation brings an empty Certificate", function()
  local link = link_with("TLS1.2", { identity = alice }, { client_auth = "request" })
  equal(link:handshake(), true)
  equal(link.server.peer_certificate, alice.certificate)
  equal(link:renegotiate { by = "server", client = { identity = tls.default } }, true)
  equal(link.server.peer_certificate, alice.certificate, "the library's word")
  equal(#link.server.wire.received_certificates, 0)
  equal(#link.client.wire.sent_certificates, 0)
  equal(link.server.verification, nil, "no stale chain is judged again")
end)

test("GnuTLS keeps the old peer when a renegotiation asks for none", function()
  local link = link_with("TLS1.2", { identity = alice }, { client_auth = "require" })
  equal(link:handshake(), true)
  equal(link:renegotiate { by = "client", server = { client_auth = "none" } }, true)
  equal(link.client.local_certificate, alice.certificate, "the library's word")
  equal(link.server.peer_certificate, alice.certificate, "the library's word")
  equal(link.client.wire.sent_certificates, nil)
  equal(link.server.wire.received_certificates, nil)
  equal(link.client.certificate_requested, false)
  equal(link.client.not_sent_because, "not_requested")
end)

test("a fatal alert is not a missing certificate, whatever GnuTLS returns", function()
  local link = link_with("TLS1.2", { trust = other_ca, identity = alice },
                         { client_auth = "require" })
  equal(link:handshake(), false)
  equal(link.server.error.code, "GNUTLS_E_NO_CERTIFICATE_FOUND", "the library's word")
  equal(link.server.error.problem, "peer_alert")
  equal(link.server.told_by, "peer")
  equal(link.server.alert_received.name, "bad_certificate")
  equal(link.server.alert_received.level, "fatal")
  equal(link.server.alert_sent, nil)
  equal(link.failed_first, "client")
end)

test("a fatal alert in a renegotiation, where it is encrypted, is one too", function()
  local link = link_with("TLS1.2", { identity = alice }, { client_auth = "require" })
  equal(link:handshake(), true)
  local strict = { trust = other_ca }
  equal(link:renegotiate { by = "server", client = strict }, false)
  equal(link.server.error.problem, "peer_alert")
  equal(link.server.alert_received.name, "bad_certificate")
  equal(link.server.alert_received.level, "fatal")
end)

-- Bytes of the messages that an end had made and received when it made the first of this type.
local function bytes_before(link, role, type)
  local total = 0
  for _, event in ipairs(link.events) do
    if event.role == role and event.kind == "message" then
      if event.type == type and event.direction == "sent" then
        return total
      end
      total = total + 4 + event.length
    end
  end
end

test("an alert in clear that GnuTLS cannot decrypt is read off the record", function()
  local whole = link_with "TLS1.3"
  equal(whole:handshake(), true)
  local hello = bytes_before(whole, "server", "ServerHello")
  -- The client gives up on the ServerHello, before there are keys; the server has them already.
  local link = link_with("TLS1.3", { max_message_size = hello + 20 })
  equal(link:handshake(), false)
  equal(link.client.error.problem, "message_too_large")
  equal(link.server.error.code, "GNUTLS_E_DECRYPTION_FAILED", "the library's word")
  equal(link.server.error.problem, "peer_alert")
  equal(link.server.told_by, "peer")
  equal(link.server.alert_received.level, "fatal")
  equal(link.server.alert_received.name, link.client.alert_sent.name)
  equal(link.server.alert_sent, nil)
end)

test("a warning of an earlier handshake is not why a later one fails", function()
  local link = link_with("TLS1.2", { renegotiation = "refuse" })
  equal(link:handshake(), true)
  equal(link:renegotiate { by = "server" }, false)
  equal(link.server.alert_received.name, "no_renegotiation")
  equal(link:renegotiate { by = "server", client = { renegotiation = tls.default },
                           server = { client_auth = "require" } }, false)
  equal(link.server.error.problem, "no_certificate")
  equal(link.server.told_by, "itself")
  equal(link.server.alert_received, nil, "none in this epoch")
end)

test("a TLS 1.3 client completes its handshake before it is refused", function()
  local link = link_with("TLS1.3", {}, { client_auth = "require" })
  equal(link:handshake(), false)
  equal(link.client.handshake_completed, true)
  equal(link.client.phase, "failed")
  equal(link.client.failed_during, "read")
  equal(link.client.told_by, "peer")
  equal(link.client.alert_received.name, "certificate_required")
  equal(link.server.handshake_completed, false)
  equal(link.failed_first, "server")
end)

-- Everything that can be done to a link, none of which changes what is told of one that failed.
local function leave_alone(link, version)
  local events, epochs = #link.events, #link.client.history
  if version == "TLS1.2" then
    equal(link:renegotiate { by = "client" }, false)
    equal(link:renegotiate { by = "server" }, false)
  else
    equal(link:reauthenticate {}, false)
    equal(link:update_keys { by = "client" }, false)
  end
  equal(link:send { from = "client", data = "x" }, nil)
  equal(link:send { from = "server", data = "x" }, nil)
  equal(link:close {}, false)
  equal(#link.events, events)
  for _, role in ipairs { "client", "server" } do
    equal(#link[role].history, epochs)
    equal(link[role].phase, "failed")
    equal(link[role].alert_received and link[role].alert_received.level,
          role == "client" and "fatal" or nil)
  end
end

each_version("a link that failed stays as it is", function(version)
  local link = link_with(version, {}, { client_auth = "require" })
  equal(link:handshake(), false)
  leave_alone(link, version)
  local later = link_with(version)
  equal(later:handshake(), true)
  local strict = { server = { client_auth = "require" } }
  if version == "TLS1.2" then
    equal(later:renegotiate { by = "server", server = strict.server }, false)
  else
    equal(later:reauthenticate(strict), false)
  end
  leave_alone(later, version)
end)

test("every post-handshake message is read before the link is called quiet", function()
  local link = link_with("TLS1.3", {}, { tickets = 7 })
  equal(link:handshake(), true)
  equal(link.client.tickets_received, 7)
  equal(link.server.tickets_received, nil, "it receives none")
  equal(link:reauthenticate {}, true)
  equal(link.client.tickets_received, 7, "no more for another round of authentication")
end)

test("a client that wants no tickets is given none, as far as it can say so", function()
  local link = link_with("TLS1.2", { tickets = 0 })
  equal(link:handshake(), true)
  equal(link.client.tickets_received, 0)
end)

test("the version in a record's header is the header's", function()
  local link = link_with "TLS1.3"
  equal(link:handshake(), true)
  local first = link.events[2]
  equal(first.kind, "record")
  equal(first.version, "TLS1.0", "of a first ClientHello (RFC 8446 section 5.1)")
end)

each_version("a priority's demands on certificates hold in our verification", function(version)
  local link = link_with(version, { priority = "NORMAL:%PROFILE_ULTRA" }, {})
  equal(link:handshake(), false)
  equal(link.client.error.problem, "certificate_rejected")
  equal(link.client.verification.problems[1], "insecure_algorithm", "P-256 is too weak for it")
end)

each_version("a chain is presented as given, however wrong and long", function(version)
  local deep = pki.chain { depth = 20, leaf = { dns = "server.example" } }
  local reversed = {}
  for index, certificate in ipairs(deep.chain) do
    reversed[#deep.chain + 1 - index] = certificate
  end
  table.insert(reversed, 1, table.remove(reversed)) -- the leaf stays in front
  local link = link_with(version, { verify = false },
                         { identity = deep:with { chain = reversed } })
  equal(link:handshake(), true)
  equal(#link.client.wire.received_certificates, 21)
  for index, certificate in ipairs(reversed) do
    equal(link.client.peer_certificates[index], certificate)
    equal(link.server.local_certificates[index], certificate)
  end
end)

each_version("an optional certificate that is missing is no verification failure", function(version)
  local link = link_with(version, {}, { client_auth = "request", verify = true })
  equal(link:handshake(), true)
  equal(link.server.verification, nil)
  equal(#link.server.wire.received_certificates, 0)
end)

test("a renegotiation of a resumed session asks for no certificate", function()
  local first = link_with("TLS1.2", { identity = alice })
  equal(first:handshake(), true)
  local link = first:resume {}
  equal(link:handshake(), true)
  equal(link.client.resumed, true)
  equal(link:renegotiate { by = "server", server = { client_auth = "require" } }, true)
  equal(link.client.certificate_requested, false)
  equal(link.server.certificate_requested, false)
  equal(link.server.wire.received_certificates, nil)
end)

test("a certificate that is selected need not be sent", function()
  local link = link_with("TLS1.3", { trust = other_ca, identity = alice },
                         { client_auth = "require" })
  equal(link:handshake(), false)
  equal(link.client.local_certificate, alice.certificate, "the library's word")
  equal(link.client.wire.sent_certificates, nil)
  equal(link.server.wire.received_certificates, nil)
  equal(link.client.not_sent_because, "failed_before")
  equal(count(link.events, { role = "client", kind = "selection" }), 1)
end)

test("a message that was made but never flushed was not sent", function()
  local broken = ca:issue { cn = "mute", key_usage = "keyAgreement" } -- it may not sign
  local link = link_with("TLS1.2", { identity = broken, send_certificate = "always" },
                         { client_auth = "require" })
  equal(link:handshake(), false)
  equal(link.failed_first, "client")
  equal(count(link.events, { role = "client", kind = "message", type = "Certificate",
                             direction = "sent", delivered = false }), 1)
  equal(link.client.wire.sent_certificates, nil)
  equal(link.server.wire.received_certificates, nil)
  equal(link.client.not_sent_because, "failed_before")
  local told = table.concat(require "moonshake.events".last(link.events, 8), "\n")
  unit.contains(told, "client made but never sent Certificate: CN=mute")
end)

test("what was not flushed was not sent, though an encrypted alert left after it", function()
  for _, case in ipairs { "client TLS1.2", "client TLS1.3", "server TLS1.3" } do
    local role, version = case:match "(%S+) (%S+)"
    local other = role == "client" and "server" or "client"
    local function mutual(size)
      return link_with(version, { identity = alice,
                                  max_message_size = role == "client" and size or nil },
                       { client_auth = "require",
                         max_message_size = role == "server" and size or nil })
    end
    local whole = mutual()
    equal(whole:handshake(), true)
    -- CertificateVerify is made, Finished is too much; signatures differ in length by a few bytes.
    local link = mutual(bytes_before(whole, role, "Finished") + 8)
    equal(link:handshake(), false)
    equal(link[role].error.problem, "message_too_large", case)
    for _, type in ipairs { "Certificate", "CertificateVerify" } do
      equal(count(link.events, { role = role, kind = "message", type = type, direction = "sent",
                                 delivered = false }), 1, type)
    end
    equal(link[role].signature_scheme, nil)
    equal(link[other].peer_signature_scheme, nil)
    equal(link[role].wire.sent_certificates, nil)
    equal(link[other].wire.received_certificates, nil)
    equal(link.server.certificate_requested, role == "client")
    equal(link.client.certificate_requested, role == "client")
  end
end)

test("after other options, GnuTLS reports the certificate of the last selection", function()
  local link = link_with("TLS1.2", { identity = alice }, { client_auth = "require",
                                                           identity_change = "allow" })
  equal(link:handshake(), true)
  equal(link:renegotiate { by = "client", client = { identity = bob },
                           server = { client_auth = "none" } }, true)
  collectgarbage()
  collectgarbage()
  equal(link.client.local_certificate, alice.certificate, "the library's word")
  equal(link.client.wire.sent_certificates, nil)
  equal(link:renegotiate { by = "client", server = { client_auth = "require" } }, true)
  equal(link.client.local_certificate, bob.certificate)
  equal(link.server.wire.received_certificates[1], bob.certificate)
  equal(link.client.history[1].local_certificate, alice.certificate)
end)

test("a choice that GnuTLS drops is GnuTLS's", function()
  local rsa = ca:issue { cn = "rsa", key = "rsa-2048" }
  local odd = alice:with { chain = { rsa.certificate } } -- not this key's certificate
  local link = link_with("TLS1.3", { identity = odd, send_certificate = "always" },
                         { client_auth = "request" })
  equal(link:handshake(), true)
  equal(#link.client.wire.sent_certificates, 0)
  equal(link.client.not_sent_because, "library_choice")
end)

each_version("an issuer is why nothing was sent only where it counts", function(version)
  local deep = ca:authority({ cn = "Issuing CA" }):issue { cn = "deep" }
  local function shake(issuers, send)
    local link = link_with(version, { identity = deep, send_certificate = send }, {
      client_auth = "request", issuers = issuers,
      identity = ca:issue { dns = "server.example", key = "rsa-2048" },
      signature_schemes = { "rsa_pkcs1_sha256", "rsa_pss_rsae_sha256" } })
    equal(link:handshake(), true)
    equal(#link.client.wire.sent_certificates, 0)
    equal(count(link.events, { role = "client", kind = "selection",
                               certificate = deep.certificate }), 0, "it was not even chosen")
    return link.client.not_sent_because
  end
  equal(shake "CN=Root", "no_common_signature_scheme", "any issuer of the chain is enough")
  equal(shake "CN=Somebody Else", "issuer_not_named")
  equal(shake("CN=Somebody Else", "always"), "no_common_signature_scheme")
end)

each_version("after resumption GnuTLS forgets its own certificate, not its peer's",
             function(version)
  local first = link_with(version, { identity = alice }, { client_auth = "require" })
  equal(first:handshake(), true)
  local link = first:resume { client = { identity = bob } }
  equal(link:handshake(), true)
  equal(link.client.resumed, true)
  equal(link.client.local_certificate, nil)
  equal(link.server.local_certificate, nil)
  equal(link.server.peer_certificate, alice.certificate)
  equal(link.client.wire.sent_certificates, nil)
  equal(link.server.wire.sent_certificates, nil)
  equal(link.client.not_sent_because, "not_requested")
end)

test("what an earlier handshake agreed on is not this one's", function()
  local link = link_with("TLS1.2", {}, {
    identity = ca:issue { dns = "server.example", key = "rsa-2048" } })
  equal(link:handshake(), true)
  equal(link.client.group ~= nil, true)
  equal(link.client.peer_signature_scheme ~= nil, true)
  equal(link:renegotiate { by = "client",
                           client = { cipher_suites = "TLS_RSA_WITH_AES_128_GCM_SHA256" } }, true)
  equal(link.client.cipher_suite, "TLS_RSA_WITH_AES_128_GCM_SHA256")
  equal(link.client.group, nil, "the key was transported")
  equal(link.server.group, nil)
  equal(link.client.peer_signature_scheme, nil, "nothing was signed")
  equal(link.server.signature_scheme, nil)
end)

test("a server's choice by function is not made again in a renegotiation", function()
  local asked = 0
  local link = link_with("TLS1.2", {}, { identity = function()
    asked = asked + 1
    return server
  end })
  equal(link:handshake(), true)
  equal(link:renegotiate { by = "server" }, true)
  equal(asked, 1)
  equal(link.server.wire.sent_certificates[1], server.certificate)
  equal(count(link.events, { role = "server", kind = "selection" }), 1)
end)

each_version("several server certificates are told apart by name", function(version)
  local a = ca:issue { dns = "a.example" }
  local b = ca:authority({ cn = "Issuing CA" }):issue { dns = "b.example" }
  for name, identity in pairs { ["a.example"] = a, ["b.example"] = b } do
    local link = link_with(version, { server_name = name }, { identity = { a, b } })
    equal(link:handshake(), true)
    equal(link.server.local_certificate, identity.certificate)
    equal(#link.server.local_certificates, #identity.chain)
    equal(link.client.wire.received_certificates[1], identity.certificate)
    equal(count(link.events, { role = "server", kind = "selection",
                               certificate = identity.certificate }), 1)
  end
end)

test("a refused renegotiation leaves the connection alive, whoever refused", function()
  for _, by in ipairs { "client", "server" } do
    local refuser = by == "client" and "server" or "client"
    local link = link_with("TLS1.2", { renegotiation = refuser == "client" and "refuse" or nil },
                           { renegotiation = refuser == "server" and "refuse" or nil })
    equal(link:handshake(), true)
    equal(link:renegotiate { by = by }, false)
    equal(link[by].error.problem, "renegotiation_refused", by)
    equal(link[by].told_by, "peer")
    equal(link[by].alert_received.name, "no_renegotiation")
    equal(link[by].phase, "established")
    equal(link[refuser].error, nil)
    equal(link[refuser].phase, "established")
    equal(link:send { from = "client", data = "" }, "", "the refusal is not this action's")
    equal(link:send { from = "client", data = "to the server" }, "to the server")
    equal(link:send { from = "server", data = "to the client" }, "to the client")
  end
end)

test("a renegotiation without RFC 5746 is refused by the end that wants it", function()
  local link = link_with("TLS1.2", { renegotiation = "absent" })
  equal(link:handshake(), true)
  equal(link.server.secure_renegotiation, false)
  equal(link:renegotiate { by = "client" }, false)
  equal(link.server.error.problem, "renegotiation_refused")
  equal(link.server.error.code, "GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED")
  equal(link.server.told_by, "itself")
  equal(link.client.error.problem, "renegotiation_refused")
  equal(link.server.phase, "failed", "GnuTLS gives the session up")
  equal(link.client.told_by, "peer")
  equal(link.client.phase, "established", "and its peer only learns that it was refused")
end)

test("before TLS 1.2 GnuTLS says yes to any length of keying material, and writes none", function()
  local link = link_with "TLS1.0"
  equal(link:handshake(), true)
  equal(#link.client:exporter("EXPORTER-x", nil, 200), 200)
  equal(link.client:exporter("EXPORTER-x", nil, 200), link.server:exporter("EXPORTER-x", nil, 200))
  unit.raises("at most 200 bytes", function() link.client:exporter("EXPORTER-x", nil, 201) end)
end)

test("fifty renegotiations in a row stay true", function()
  local link = link_with("TLS1.2", { identity = alice }, { client_auth = "require" })
  equal(link:handshake(), true)
  for round = 1, 50 do
    equal(link:renegotiate { by = round % 2 == 0 and "client" or "server" }, true)
    equal(link.server.wire.received_certificates[1], alice.certificate)
  end
  equal(link.client.renegotiations, 50)
  equal(#link.client.history, 51)
end)

test("a changed certificate shows as the peer's although it was refused", function()
  local link = link_with("TLS1.2", { identity = alice }, { client_auth = "require" })
  equal(link:handshake(), true)
  equal(link:renegotiate { by = "server", client = { identity = bob } }, false)
  equal(link.server.error.problem, "client_changed_identity")
  equal(link.server.peer_certificate, bob.certificate, "the library's word")
  equal(link.server.history[1].peer_certificate, alice.certificate)
  equal(link.server.wire.received_certificates[1], bob.certificate)
end)

test("a client that never offered post-handshake authentication is a fact, not a crash", function()
  local link = link_with("TLS1.3", { identity = alice, post_handshake_auth = false })
  equal(link:handshake(), true)
  equal(link:reauthenticate { server = { client_auth = "require" } }, false)
  equal(link.server.error.problem, "post_handshake_auth_not_offered")
  equal(link.server.phase, "established")
  equal(link.server.certificate_requested, false)
  equal(link.client.not_sent_because, "not_requested")
  equal(link:send { from = "client", data = "x" }, "x")
end)

test("more key updates than GnuTLS takes in a second pass", function()
  local link = link_with("TLS1.3")
  equal(link:handshake(), true)
  for _ = 1, 30 do
    equal(link:update_keys { by = "client" }, true)
    equal(link:update_keys { by = "server" }, true)
  end
  equal(link:send { from = "client", data = "fresh" }, "fresh")
end)

unit.done()
