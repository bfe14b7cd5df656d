-- SPDX-License-Identifier: MIT
-- Who the client is may come up several times on one TLS 1.3 connection: in the handshake and in
-- every post-handshake authentication. RFC 8446 says that each answer stands for itself and leaves
-- to the application what a change means (section 4.6.2, appendix E.1.6). GnuTLS treats it like a
-- change in a renegotiation: refused, unless the server allows it.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

-- A connection on which alice has identified herself, in the handshake or right after it.
local function identified_link(case, options)
  local ca = pki.authority { cn = "Example Root" }
  local alice = ca:issue { cn = "alice" }
  local link = tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = case.first == "in the handshake" and "require" or "none",
                 identity_change = options.identity_change },
    client   = { identity = alice, trust = ca, server_name = "server.example" },
    versions = { "TLS1.3" },
  }
  expect(link:handshake()):is_true()
  if case.first == "after it" then
    expect(link:reauthenticate()):is_true()
  end
  expect(link.server.peer_certificate):is(alice)
  return link, ca, alice
end

local FIRST = { "in the handshake", "after it" }

ms.scenario "a client that shows another certificate after the handshake is refused" {
  about  = "The client considers itself done; the alert reaches its next read.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { first = FIRST },
  run    = function(case)
    local link, ca, alice = identified_link(case, {})
    local bob = ca:issue { cn = "bob" }

    expect(link:reauthenticate { client = { identity = bob } }):is_false()

    expect(link.failed_first):equals("server")
    expect(link.server):failed "client_changed_identity"
    expect(link.server):has {
      phase = "failed", handshake_completed = false, failed_during = "handshake",
      told_by = "itself", error = { code = "GNUTLS_E_SESSION_USER_ID_CHANGED" },
      alert_sent = { level = "fatal", name = "insufficient_security" }, verification = tls.none,
    }
    expect(link.client):has {
      phase = "failed", handshake_completed = true, failed_during = "read", told_by = "peer",
      error = { problem = "peer_alert" },
      alert_received = { level = "fatal", name = "insufficient_security" },
    }
    expect(link.client.wire.sent_certificates):equals(bob.chain)
    expect(link.server.peer_certificate):is(bob)
    expect(link.server.history[#link.server.history - 1].peer_certificate):is(alice)
  end,
}

ms.scenario "a client may show another certificate after the handshake where the server allows it" {
  about  = "The answers before stay in the history; the application decides what they mean "
    .. "together.",
  rfc    = "RFC 8446 appendix E.1.6",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { first = FIRST },
  run    = function(case)
    local link, ca, alice = identified_link(case, { identity_change = "allow" })
    local bob = ca:issue { cn = "bob" }

    expect(link:reauthenticate { client = { identity = bob } }):is_true()

    expect(link):succeeded()
    expect(link.server.peer_certificate):is(bob)
    expect(link.server):verified()
    expect(link.client.local_certificate):is(bob)
    expect(link.server.history[#link.server.history - 1].peer_certificate):is(alice)
    expect(link):truthful()
    expect(link):mirrored()
  end,
}

ms.scenario "a client that declines to identify itself again breaks a GnuTLS server" {
  about  = "Declining is allowed: an empty Certificate, then Finished, and the server had only "
    .. "asked. GnuTLS 3.7.9 still waits for the CertificateVerify of the round before and calls "
    .. "the Finished unexpected. It goes on reporting alice.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "renegotiation", "reauthentication" },
  matrix = { first = FIRST },
  run    = function(case)
    local link, _, alice = identified_link(case, {})

    expect(link:reauthenticate { server = { client_auth = "request" },
                                 client = { send_certificate = "never" } }):is_false()

    expect(link.server):failed "protocol_violation"
    expect(link.server):has {
      error = { code = "GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET" }, told_by = "itself",
      alert_sent = { level = "fatal", name = "unexpected_message" },
      ["wire.received_certificates"] = {},
    }
    expect(link.server.peer_certificate):is(alice)
    expect(link.client):has {
      not_sent_because = "policy", local_certificates = tls.none, handshake_completed = true,
      failed_during = "read", alert_received = { name = "unexpected_message" },
      ["wire.sent_certificates"] = {},
    }
    expect(link).no:truthful()
  end,
}
