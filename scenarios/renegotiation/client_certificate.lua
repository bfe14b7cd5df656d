-- SPDX-License-Identifier: MIT
-- A server may learn only from the request that it wants to know the client: Apache's
-- `SSLVerifyClient require` inside a <Directory> or <Location>. Up to TLS 1.2 it then renegotiates
-- and asks in that handshake (RFC 5246 section 7.4.4). The connection was anonymous until then;
-- what the client answers, and what an answer of nothing means, is the whole point of asking.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.0", "TLS1.2" }
local BOTH = { "client", "server" }

-- An anonymous connection whose server trusts `ca` and whose client holds `identity`, if any.
local function anonymous_link(case, ca, client)
  client.trust, client.server_name = ca, "server.example"
  local link = tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca },
    client   = client,
    versions = { case.version },
  }
  expect(link:handshake()):is_true()
  expect(link.client.certificate_requested):is_false()
  expect(link.server.peer_certificate):is_nil()
  return link
end

ms.scenario "the client is asked for its certificate only in a renegotiation" {
  about  = "The per-directory case: anonymous first, then identified on the same connection.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "renegotiation" },
  matrix = { version = VERSIONS, by = BOTH, ask = { "request", "require" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:authority { cn = "Issuing CA" }:issue { cn = "alice", purpose = "client" }
    local link = anonymous_link(case, ca, { identity = alice })
    expect(link.client.not_sent_because):equals("not_requested")
    expect(link:send { from = "client", data = "GET /private" }):equals("GET /private")

    expect(link:renegotiate { by = case.by, server = { client_auth = case.ask } }):is_true()

    expect(link):succeeded()
    expect(link.client):has { certificate_requested = true, not_sent_because = tls.none,
                              requested_issuers = { "CN=Example Root" } }
    expect(link.client.local_certificates):equals(alice.chain)
    expect(link.client.wire.sent_certificates):equals(alice.chain)
    expect(link.server.peer_certificates):equals(alice.chain)
    expect(link.server.wire.received_certificates):equals(alice.chain)
    expect(link.server):verified()
    expect(link.server.verification.path):equals {
      alice.certificate, alice.issuer.certificate, ca.certificate,
    }
    expect(link):mirrored()
    expect(link:send { from = "server", data = "200 alice" }):equals("200 alice")

    -- The history keeps what was true before.
    expect(link.server.history[1]):has { epoch = "initial", certificate_requested = false,
                                         peer_certificates = tls.none, verification = tls.none }
  end,
}

ms.scenario "the certificate that is required on renegotiation never comes" {
  about  = "Both ends fail inside the handshake. The alert is GnuTLS's choice: it says "
    .. "decode_error where RFC 5246 asks for handshake_failure; alerts = \"rfc\" sends that.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "renegotiation" },
  matrix = { version = VERSIONS, by = BOTH, alerts = { "library", "rfc" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = anonymous_link(case, ca, {})
    expect(link:send { from = "client", data = "GET /private" }):equals("GET /private")

    expect(link:renegotiate {
      by = case.by, server = { client_auth = "require", alerts = case.alerts },
    }):is_false()

    local alert = { level = "fatal",
                    name = case.alerts == "rfc" and "handshake_failure" or "decode_error" }
    expect(link.failed_first):equals("server")
    expect(link.server):has {
      phase = "failed", handshake_completed = false, failed_during = "handshake",
      told_by = "itself", alert_sent = alert, alert_received = tls.none,
      error = { problem = "no_certificate", code = "GNUTLS_E_NO_CERTIFICATE_FOUND" },
      renegotiations = 0, peer_certificates = tls.none, verification = tls.none,
      ["wire.received_certificates"] = {},
    }
    expect(link.client):has {
      phase = "failed", handshake_completed = false, failed_during = "handshake", told_by = "peer",
      alert_received = alert, error = { problem = "peer_alert" }, certificate_requested = true,
      local_certificates = tls.none, ["wire.sent_certificates"] = {},
    }
    -- What worked a moment ago is over, too.
    expect(link.client.history[1].handshake_completed):is_true()
    local data, problem = link:send { from = "client", data = "still there?" }
    expect(data):is_nil()
    expect(problem):equals("no_certificate")
  end,
}

ms.scenario "the certificate that is merely requested never comes" {
  about  = "The client answers with an empty Certificate message and stays anonymous; no end "
    .. "complains.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "renegotiation" },
  matrix = { version = VERSIONS, by = BOTH },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = anonymous_link(case, ca, {})

    expect(link:renegotiate { by = case.by, server = { client_auth = "request" } }):is_true()

    expect(link):succeeded()
    expect(link.client):has { certificate_requested = true, local_certificates = tls.none,
                              ["wire.sent_certificates"] = {} }
    expect(link.server):has { peer_certificates = tls.none, verification = tls.none,
                              ["wire.received_certificates"] = {}, renegotiations = 1 }
    expect(link:send { from = "client", data = "as nobody" }):equals("as nobody")
  end,
}

ms.scenario "a renegotiating client keeps the certificate whose issuer the server does not name" {
  about  = "GnuTLS matches by issuer name and says nothing when it finds none: the server sees an "
    .. "anonymous client and only not_sent_because tells why.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "renegotiation" },
  matrix = { version = VERSIONS, ask = { "request", "require" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local stranger = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local link = anonymous_link(case, ca, { identity = stranger })

    expect(link:renegotiate { by = "server", server = { client_auth = case.ask } })
      :equals(case.ask == "request")

    expect(link.client):has { not_sent_because = "issuer_not_named", local_certificates = tls.none,
                              requested_issuers = { "CN=Example Root" },
                              ["wire.sent_certificates"] = {} }
    expect(link.server.wire.received_certificates):equals {}
    if case.ask == "require" then
      expect(link.server):failed "no_certificate"
    else
      expect(link):succeeded()
    end
  end,
}

ms.scenario "the certificate shown on renegotiation is from a stranger" {
  about  = "Sent all the same (OpenSSL's clients do), it is judged and refused; the connection "
    .. "ends.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "renegotiation" },
  matrix = { version = VERSIONS, by = BOTH, ask = { "request", "require" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local link = anonymous_link(case, ca, { identity = mallory, send_certificate = "always" })

    expect(link:renegotiate { by = case.by, server = { client_auth = case.ask } }):is_false()

    expect(link.server):failed "certificate_rejected"
    expect(link.server):has {
      failed_during = "handshake", told_by = "itself",
      alert_sent = { level = "fatal", name = "bad_certificate" },
      verification = { verified = false, accepted = false, problems = { "signer_not_found" } },
    }
    expect(link.server.verification.certificate):is(mallory)
    expect(link.server.verification.path):equals(mallory.chain)
    expect(link.server.verification.text):matches "CN=Other Root.* not trusted"
    expect(link.client):has {
      handshake_completed = false, failed_during = "handshake", told_by = "peer",
      alert_received = { level = "fatal", name = "bad_certificate" }, not_sent_because = tls.none,
    }
    expect(link.client.wire.sent_certificates):equals(mallory.chain)
    expect(link.server.peer_certificates):equals(mallory.chain)
  end,
}
