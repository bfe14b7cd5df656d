-- SPDX-License-Identifier: MIT
-- TLS 1.3 has no renegotiation. A server that wants to know its client later sends a
-- CertificateRequest on the established connection, if the client said in its ClientHello that it
-- would answer (post_handshake_auth). The client answers with Certificate, CertificateVerify and
-- Finished, or with an empty Certificate and Finished (RFC 8446 section 4.6.2). The server is not
-- authenticated anew, no keys change, and the client never hears that its answer was taken: only a
-- refusal comes, as an alert that its next read finds.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local ASK = { "request", "require" }

-- An established connection on which nobody asked for a certificate. `options`: of the two ends.
local function link_with(ca, options)
  options.client.trust, options.client.server_name = ca, "server.example"
  options.server = options.server or {}
  options.server.identity, options.server.trust = ca:issue { dns = "server.example" }, ca
  options.versions = { "TLS1.3" }
  local link = tls.link(options)
  expect(link:handshake()):is_true()
  expect(link.client.certificate_requested):is_false()
  expect(link.server.peer_certificate):is_nil()
  return link
end

-- The types of the handshake messages that an end sent in the current epoch.
local function sent(one, link)
  local types = {}
  for _, event in ipairs(link.events) do
    if event.kind == "message" and event.direction == "sent" and event.role == one.role
      and event.epoch == one.epoch then
      types[#types + 1] = event.type
    end
  end
  return types
end

ms.scenario "a TLS 1.3 client is asked for its certificate after the handshake" {
  about  = "The per-directory case in TLS 1.3. Only the client's chain crosses the wire.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { ask = ASK },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:authority { cn = "Issuing CA" }:issue { cn = "alice", purpose = "client" }
    local link = link_with(ca, { client = { identity = alice } })
    local keying = link.client:exporter("EXPORTER-test", nil, 32)

    expect(link:reauthenticate { server = { client_auth = case.ask } }):is_true()

    expect(link):succeeded()
    expect(sent(link.server, link)):equals { "CertificateRequest" }
    expect(sent(link.client, link)):equals { "Certificate", "CertificateVerify", "Finished" }
    expect(link.client):has { epoch = "reauthentication 1", certificate_requested = true,
                              requested_issuers = { "CN=Example Root" },
                              not_sent_because = tls.none, renegotiations = 0 }
    expect(link.client.wire.sent_certificates):equals(alice.chain)
    expect(link.client.wire.received_certificates):is_nil()
    expect(link.client.local_certificates):equals(alice.chain)
    expect(link.server.wire.received_certificates):equals(alice.chain)
    expect(link.server.wire.sent_certificates):is_nil()
    expect(link.server.peer_certificates):equals(alice.chain)
    expect(link.server):verified()
    expect(link.server.verification.path):equals {
      alice.certificate, alice.issuer.certificate, ca.certificate,
    }
    -- The server's certificate of the handshake still stands, and so do the secrets.
    expect(link.client.peer_certificate.dns_names):equals { "server.example" }
    expect(link):truthful()
    expect(link):mirrored()
    expect(link.client:exporter("EXPORTER-test", nil, 32)):equals(keying)
    expect(link.server.history[1]):has { epoch = "initial", peer_certificates = tls.none }
  end,
}

ms.scenario "a server without a client policy asks with \"request\", for this time" {
  about  = "link:reauthenticate asks even where client_auth is none, and leaves the option as it "
    .. "was.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "renegotiation", "reauthentication" },
  run    = function()
    local ca = pki.authority { cn = "Example Root" }
    local link = link_with(ca, { client = {} })
    expect(link:reauthenticate()):is_true()
    expect(link):succeeded()
    expect(link.client):has { certificate_requested = true, ["wire.sent_certificates"] = {} }
    expect(link.server):has { peer_certificates = tls.none, verification = tls.none,
                              ["wire.received_certificates"] = {} }
    local again = link:resume {}
    expect(again:handshake()):is_true()
    expect(again.client.certificate_requested):is_false()
  end,
}

ms.scenario "a certificate required after the handshake never comes" {
  about  = "The client's part is over when it has sent an empty Certificate and Finished; that "
    .. "this was not enough it learns from its next read.",
  rfc    = "RFC 8446 sections 4.4.2.4 and 6.2",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { why = { "none configured", "issuer not named", "not wanted" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local client, reason = {}, nil
    if case.why == "issuer not named" then
      client = { identity = pki.authority { cn = "Other Root" }:issue { cn = "mallory" } }
      reason = "issuer_not_named"
    elseif case.why == "not wanted" then
      client = { identity = ca:issue { cn = "alice" }, send_certificate = "never" }
      reason = "policy"
    end
    local link = link_with(ca, { client = client })
    expect(link:send { from = "client", data = "GET /private" }):equals("GET /private")

    expect(link:reauthenticate { server = { client_auth = "require" } }):is_false()

    local alert = { level = "fatal", name = "certificate_required", number = 116 }
    expect(link.failed_first):equals("server")
    expect(link.server):failed "no_certificate"
    expect(link.server):has { phase = "failed", handshake_completed = false,
                              failed_during = "handshake", told_by = "itself", alert_sent = alert,
                              peer_certificates = tls.none,
                              error = { code = "GNUTLS_E_CERTIFICATE_REQUIRED" },
                              ["wire.received_certificates"] = {} }
    expect(link.client):has { phase = "failed", handshake_completed = true, failed_during = "read",
                              told_by = "peer", alert_received = alert,
                              error = { problem = "peer_alert" }, certificate_requested = true,
                              local_certificates = tls.none, ["wire.sent_certificates"] = {},
                              not_sent_because = reason or tls.none }
    expect(sent(link.client, link)):equals { "Certificate", "Finished" }
    local data, problem = link:send { from = "client", data = "GET /private, please" }
    expect(data):is_nil()
    expect(problem):equals("no_certificate")
  end,
}

ms.scenario "a certificate requested after the handshake never comes" {
  about  = "Nobody complains; the client is still anonymous and may be asked again.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "renegotiation", "reauthentication" },
  run    = function()
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = link_with(ca, { client = { identity = alice, send_certificate = "never" } })

    expect(link:reauthenticate { server = { client_auth = "request" } }):is_true()
    expect(link):succeeded()
    expect(link.client):has { not_sent_because = "policy", local_certificates = tls.none,
                              ["wire.sent_certificates"] = {} }
    expect(link.server):has { peer_certificates = tls.none, verification = tls.none,
                              ["wire.received_certificates"] = {} }

    expect(link:reauthenticate { server = { client_auth = "require" },
                                 client = { send_certificate = tls.default } }):is_true()
    expect(link):succeeded()
    expect(link.server.epoch):equals("reauthentication 2")
    expect(link.server.peer_certificate):is(alice)
    expect(link.server):verified()
  end,
}

ms.scenario "a certificate shown after the handshake is refused" {
  about  = "The client has done all it had to; the alert meets its next read.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { ask = ASK, fault = { "stranger", "expired", "purpose" },
             alerts = { "library", "rfc" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local issuer = case.fault == "stranger" and pki.authority { cn = "Other Root" } or ca
    local mallory = issuer:issue {
      cn = "mallory", not_before = "-2d", not_after = case.fault == "expired" and "-1h" or "+1d",
      purpose = case.fault == "purpose" and "server" or "client",
    }
    local wanted = ({
      stranger = { problem = "signer_not_found", alert = "unknown_ca" },
      expired  = { problem = "expired", alert = "certificate_expired" },
      purpose  = { problem = "purpose_mismatch", alert = "unsupported_certificate" },
    })[case.fault]
    local link = link_with(ca, { client = { identity = mallory, send_certificate = "always" },
                                 server = { alerts = case.alerts } })

    expect(link:reauthenticate { server = { client_auth = case.ask } }):is_false()

    local alert = { level = "fatal",
                    name = case.alerts == "rfc" and wanted.alert or "bad_certificate" }
    expect(link.failed_first):equals("server")
    expect(link.server):failed "certificate_rejected"
    expect(link.server):has { failed_during = "handshake", told_by = "itself", alert_sent = alert,
                              verification = { verified = false, accepted = false,
                                               problems = { wanted.problem } } }
    expect(link.server.verification.certificate):is(mallory)
    expect(link.client):has { handshake_completed = true, failed_during = "read",
                              told_by = "peer", alert_received = alert }
    expect(link.client.wire.sent_certificates):equals(mallory.chain)
    expect(link.server.wire.received_certificates):equals(mallory.chain)
  end,
}

ms.scenario "a client that did not offer post-handshake authentication is not asked" {
  about  = "A server must not ask it. GnuTLS refuses its application's wish; nothing is sent, and "
    .. "the connection goes on. The server, too, must have enabled the mechanism.",
  rfc    = "RFC 8446 section 4.2.6",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { lacks = { "client", "server" }, ask = ASK },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local options = { client = { identity = ca:issue { cn = "alice" } }, server = {} }
    options[case.lacks].post_handshake_auth = false
    local link = link_with(ca, options)

    expect(link:reauthenticate { server = { client_auth = case.ask } }):is_false()

    expect(link.server):failed "post_handshake_auth_not_offered"
    expect(link.server):has { phase = "established", handshake_completed = false,
                              told_by = "itself", alert_sent = tls.none,
                              certificate_requested = false, peer_certificates = tls.none }
    expect(link.client):has { phase = "established", error = tls.none, alert_received = tls.none,
                              certificate_requested = false, ["wire.sent_certificates"] = tls.none }
    expect(sent(link.server, link)):equals {}
    expect(link:send { from = "server", data = "403 Forbidden" }):equals("403 Forbidden")
    expect(link:send { from = "client", data = "as you wish" }):equals("as you wish")
  end,
}

ms.scenario "a client is asked again and again after the handshake" {
  about  = "Every round has a request of its own, with data before, between and after.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { first = { "none", "require" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = case.first },
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      versions = { "TLS1.3" },
    }
    expect(link:handshake()):is_true()
    for round = 1, 5 do
      local data = "before round " .. round
      expect(link:send { from = "client", data = data }):equals(data)
      expect(link:reauthenticate { server = { client_auth = "require" } }):is_true()
      expect(link):succeeded()
      expect(link.server):has { epoch = "reauthentication " .. round, certificate_requested = true }
      expect(link.server.wire.received_certificates):equals(alice.chain)
      expect(link.server):verified()
      expect(link:send { from = "server", data = data }):equals(data)
    end
    expect(link.client.history):has_length(6)
    expect(link.server.history[1].peer_certificate ~= nil):equals(case.first == "require")
  end,
}

ms.scenario "the request after the handshake may name other issuers than the server trusts" {
  about  = "Naming none leaves the choice to the client; naming a stranger keeps its certificate "
    .. "home.",
  rfc    = "RFC 8446 section 4.2.4",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { names = { "nobody", "somebody else" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = link_with(ca, { client = { identity = alice } })
    local issuers = case.names == "nobody" and {} or { "CN=Somebody Else" }

    expect(link:reauthenticate { server = { client_auth = "request", issuers = issuers } })
      :is_true()

    expect(link.client.requested_issuers):equals(issuers)
    if case.names == "nobody" then
      expect(link.client.wire.sent_certificates):equals(alice.chain)
      expect(link.server):verified()
    else
      expect(link.client):has { not_sent_because = "issuer_not_named",
                                ["wire.sent_certificates"] = {} }
      expect(link.server.peer_certificate):is_nil()
    end
  end,
}
