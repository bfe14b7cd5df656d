-- SPDX-License-Identifier: MIT
-- A client certificate outside its validity period. The client does not look: it sends what it has,
-- and the server judges by its own clock (RFC 5280 section 4.1.2.5: both bounds are inclusive).
-- GnuTLS says bad_certificate; RFC 5246 section 7.2.2 has certificate_expired, see alerts.lua.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, alice, server)
  server = server or {}
  server.identity, server.trust = ca:issue { dns = "server.example" }, ca
  server.client_auth = "require"
  return tls.link {
    server   = server,
    client   = { identity = alice, trust = ca, server_name = "server.example" },
    versions = case.version,
  }
end

ms.scenario "a certificate outside its validity is sent and rejected" {
  about  = "The client sees nothing wrong with its own certificate; the server names the reason.",
  rfc    = "RFC 5280 section 6.1.3 (a)(2)",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, certificate = { "expired", "not yet valid" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local expired = case.certificate == "expired"
    local alice = ca:issue {
      cn = "alice",
      not_before = expired and "-10d" or "1d", not_after = expired and "-1d" or "10d",
    }
    local link = link_with(case, ca, alice)
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    expect(link.failed_first):equals "server"
    expect(link.client):has {
      handshake_completed = tls13,
      failed_during       = tls13 and "read" or "handshake",
      told_by             = "peer",
      local_certificates  = alice.chain,
      ["error.problem"]   = "peer_alert",
      ["alert_received.name"] = "bad_certificate",
      ["wire.sent_certificates"] = alice.chain,
    }
    expect(link.server):has {
      handshake_completed = false,
      peer_certificates   = alice.chain,
      ["error.problem"]   = "certificate_rejected",
      ["alert_sent.name"] = "bad_certificate",
      ["verification.problems"] = { expired and "expired" or "not_activated" },
      ["verification.path"]     = { alice.certificate, ca.certificate },    -- the chain is fine
    }
    expect(link.server.verification.certificate):is(alice)
    expect(link.server.verification.text)
      :contains(expired and "was valid until" or "is not valid before")
  end,
}

ms.scenario "a certificate is valid from its first to its last second" {
  about  = "notBefore and notAfter belong to the period; a second more does not.",
  rfc    = "RFC 5280 section 4.1.2.5",
  tags   = { "client-auth" },
  matrix = {
    version = VERSIONS,
    moment  = { "before", "first second", "last second", "after" },
  },
  run    = function(case)
    local first, last = 1900000000, 1900003600
    ms.clock:set(first)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", not_before = first, not_after = last }
    local link = link_with(case, ca, alice)
    local now = { before = first - 1, ["first second"] = first, ["last second"] = last,
                  after = last + 1 }
    ms.clock:set(now[case.moment])
    link:handshake()

    if case.moment == "before" then
      expect(link.server):unverified "not_activated"
      expect(link.server):failed "certificate_rejected"
    elseif case.moment == "after" then
      expect(link.server):unverified "expired"
      expect(link.server):failed "certificate_rejected"
    else
      expect(link):succeeded()
      expect(link.server):verified()
    end
    expect(link.client):verified()                          -- the server's was good all the time
    expect(link.server.wire.received_certificates):equals(alice.chain)
  end,
}

ms.scenario "a server whose clock is wrong rejects a good certificate" {
  about  = "Nothing is wrong with the certificate: the judge's clock decides, and no other.",
  rfc    = "RFC 5280 section 6.1.3 (a)(2)",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, clock = { "a year slow", "a year fast", "right" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root", not_before = "-3y" }
    local alice = ca:issue { cn = "alice" }
    local year = 365 * 24 * 60 * 60
    local offsets = { ["a year slow"] = -year, ["a year fast"] = year, right = 0 }
    local link = link_with(case, ca, alice, { clock_offset = offsets[case.clock] })
    expect(link:handshake()):equals(case.clock == "right")

    expect(link.client):verified()                          -- the client's clock is right
    if case.clock == "right" then
      expect(link.server):verified()
    else
      expect(link.server):failed "certificate_rejected"
      expect(link.server):unverified(case.clock == "a year slow" and "not_activated" or "expired")
      expect(link.client):failed "bad_certificate"
    end
  end,
}
