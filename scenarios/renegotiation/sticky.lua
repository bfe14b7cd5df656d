-- SPDX-License-Identifier: MIT
-- What GnuTLS keeps reporting after a renegotiation, against what crossed the wire. Its answers to
-- "which certificate does the peer have?" and "which did I send?" (gnutls_certificate_get_peers,
-- gnutls_certificate_get_ours) are overwritten by the next certificate and by nothing else: a
-- handshake without one leaves the old answer standing. A server that asks only these functions
-- takes a client that has just declined to identify itself for the one that did before. This is
-- GnuTLS's behaviour (3.7.9), not a rule of TLS; only `wire` tells what happened.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }

-- A connection on which alice has identified herself.
local function mutual_link(case)
  local ca = pki.authority { cn = "Example Root" }
  local alice = ca:issue { cn = "alice" }
  local link = tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = "require" },
    client   = { identity = alice, trust = ca, server_name = "server.example" },
    versions = { case.version },
  }
  expect(link:handshake()):is_true()
  expect(link.server.peer_certificate):is(alice)
  return link, alice
end

ms.scenario "a client that is not asked again is still reported at both ends" {
  about  = "No Certificate message, nothing verified, and yet both ends name alice: what they say "
    .. "is true of the epoch before.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local link, alice = mutual_link(case)

    expect(link:renegotiate { by = case.by, server = { client_auth = "none" } }):is_true()

    expect(link):succeeded()
    expect(link.client):has { certificate_requested = false, not_sent_because = "not_requested",
                              ["wire.sent_certificates"] = tls.none }
    expect(link.server):has { certificate_requested = false, verification = tls.none,
                              ["wire.received_certificates"] = tls.none }
    expect(link.server.peer_certificate):is(alice)
    expect(link.client.local_certificate):is(alice)
    expect(link):truthful()
    expect(link):mirrored()
  end,
}

ms.scenario "a client that declines to identify itself again is still reported at the server" {
  about  = "The client sends an empty Certificate and reports none; GnuTLS's server keeps naming "
    .. "alice. Neither mirrored nor truthful: a server must look at the message.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local link, alice = mutual_link(case)

    expect(link:renegotiate { by = case.by, server = { client_auth = "request" },
                              client = { send_certificate = "never" } }):is_true()

    expect(link):succeeded()
    expect(link.client):has { certificate_requested = true, not_sent_because = "policy",
                              local_certificates = tls.none, ["wire.sent_certificates"] = {} }
    expect(link.server):has { certificate_requested = true, verification = tls.none,
                              ["wire.received_certificates"] = {} }
    expect(link.server.peer_certificate):is(alice)
    expect(link).no:truthful()
    expect(link).no:mirrored()
  end,
}

ms.scenario "a client that fails to identify itself again is refused and still reported" {
  about  = "The server ends the connection for want of a certificate, and names one all the same.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local link, alice = mutual_link(case)

    expect(link:renegotiate { by = case.by, client = { send_certificate = "never" } }):is_false()

    expect(link.server):failed "no_certificate"
    expect(link.server.wire.received_certificates):equals {}
    expect(link.server.peer_certificate):is(alice)
    expect(link.client):has { not_sent_because = "policy", local_certificates = tls.none,
                              told_by = "peer", alert_received = { name = "decode_error" } }
  end,
}

ms.scenario "renegotiating a resumed session asks nobody for anything" {
  about  = "GnuTLS abbreviates this handshake, too: \"require\" is not acted on, no certificate "
    .. "crosses the wire and both ends are content. Whoever wants to know the client by a "
    .. "renegotiation needs a connection that began with a full handshake.",
  rfc    = "RFC 5246 section 7.3",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local first = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca },
      client   = { identity = ca:issue { cn = "alice" }, trust = ca,
                   server_name = "server.example" },
      versions = { "TLS1.2" },
    }
    expect(first:handshake()):is_true()
    local link = first:resume {}
    expect(link:handshake()):is_true()
    expect(link.client.resumed):is_true()

    expect(link:renegotiate { by = case.by, server = { client_auth = "require" } }):is_true()

    expect(link):succeeded()
    expect(link.client):has { renegotiations = 1, resumed = true, certificate_requested = false,
                              not_sent_because = "not_requested",
                              wire = { sent_certificates = tls.none,
                                       received_certificates = tls.none } }
    expect(link.server):has { renegotiations = 1, resumed = true, peer_certificates = tls.none,
                              verification = tls.none }
  end,
}
