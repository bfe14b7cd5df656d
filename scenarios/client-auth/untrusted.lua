-- SPDX-License-Identifier: MIT
-- A certificate of an authority that the server does not trust. Whether it is sent at all is up to
-- the client: the server's request names the authorities that it accepts (RFC 5246 section 7.4.4,
-- RFC 8446 section 4.2.4), and GnuTLS keeps a certificate of another one at home, without a word.
-- (OpenSSL sends it: curl/curl#1411.) So the same mistake has two faces: "no certificate", or
-- "certificate rejected" where the client was made to send it.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, client, server)
  local ca = pki.authority { cn = "Example Root" }
  server.identity = ca:issue { dns = "server.example" }
  if server.trust == nil then
    server.trust = ca
  end
  client.trust, client.server_name = ca, "server.example"
  return tls.link { server = server, client = client, versions = case.version }
end

-- The server refused what it was shown, and the client learned it when its version lets it.
local function expect_rejected(case, link, identity)
  local tls13 = case.version == "TLS1.3"
  expect(link.failed_first):equals "server"
  expect(link.server):has {
    handshake_completed = false,
    failed_during       = "handshake",
    told_by             = "itself",
    peer_certificates   = identity.chain,
    ["error.problem"]   = "certificate_rejected",
    ["alert_sent.name"] = "bad_certificate",                -- GnuTLS's alert for every cause
    ["wire.received_certificates"] = identity.chain,
  }
  expect(link.client):has {
    handshake_completed = tls13,
    failed_during       = tls13 and "read" or "handshake",
    told_by             = "peer",
    not_sent_because    = tls.none,
    local_certificates  = identity.chain,
    ["error.problem"]   = "peer_alert",
    ["alert_received.name"] = "bad_certificate",
    ["wire.sent_certificates"] = identity.chain,
  }
end

ms.scenario "a certificate of an authority that was not named stays at home" {
  about  = "The server reports a missing certificate; the client alone knows that it had one.",
  rfc    = "RFC 5246 section 7.4.4; RFC 8446 section 4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local link = link_with(case, { identity = mallory }, { client_auth = "require" })
    expect(link:handshake()):is_false()

    expect(link.server):failed "no_certificate"
    expect(link.server):has { verification = tls.none, ["wire.received_certificates"] = {} }
    expect(link.client):has {
      requested_issuers   = { "CN=Example Root" },
      not_sent_because    = "issuer_not_named",
      local_certificate   = tls.none,
      handshake_completed = case.version == "TLS1.3",
      ["error.problem"]   = "peer_alert",
      ["wire.sent_certificates"] = {},
    }
  end,
}

ms.scenario "a certificate of an unknown authority is rejected when it is sent" {
  about  = "Sent because the client insists, or because the request names nobody.",
  rfc    = "RFC 5280 section 6.1; RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, sent = { "client insists", "no issuer named" } },
  run    = function(case)
    local insists = case.sent == "client insists"
    local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local link = link_with(case,
      { identity = mallory, send_certificate = insists and "always" or "matching" },
      { client_auth = "require", issuers = not insists and {} or nil })
    expect(link:handshake()):is_false()

    expect_rejected(case, link, mallory)
    expect(link.server):unverified "signer_not_found"
    expect(link.server.verification):has {
      accepted = false,
      problems = { "signer_not_found" },
      path     = { mallory.certificate },                   -- it leads nowhere
    }
    expect(link.server.verification.certificate):is(mallory)
    expect(link.client.requested_issuers):equals(insists and { "CN=Example Root" } or {})
  end,
}

ms.scenario "an authority of the right name and the wrong key convinces only the client" {
  about  = "Issuers are named, not proved, in a request: the impostor's certificate is sent.",
  rfc    = "RFC 5280 section 6.1.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local mallory = pki.authority { cn = "Example Root" }:issue { cn = "mallory" }
    local link = link_with(case, { identity = mallory }, { client_auth = "require" })
    expect(link:handshake()):is_false()

    expect_rejected(case, link, mallory)
    expect(link.client.requested_issuers):equals { mallory.certificate.issuer }
    expect(link.server):unverified "signer_not_found"
    expect(link.server.verification.text):contains "with another key"
  end,
}

ms.scenario "a self-signed certificate is its own authority and nobody's" {
  about  = "Accepted only where exactly this certificate is trusted: pinning by trust.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, trusted = { true, false } },
  run    = function(case)
    local device = pki.authority { cn = "device-7", purpose = "client",
                                   key_usage = { "digitalSignature", "keyCertSign" } }
    local link = link_with(case, { identity = device, send_certificate = "always" },
      { client_auth = "require", trust = case.trusted and device or nil })
    expect(link:handshake()):equals(case.trusted)

    if case.trusted then
      expect(link):succeeded()
      expect(link.server):verified()
      expect(link.server.verification.path):equals { device.certificate }
      expect(link.server.peer_certificate):is(device)
    else
      expect_rejected(case, link, device)
      expect(link.server):unverified "signer_not_found"
    end
  end,
}

ms.scenario "a server that verifies and trusts nobody rejects every certificate" {
  about  = "Under \"request\" the anonymous client gets in, and the one with a name does not.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, client = { "alice", "anonymous" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" }, verify = true, client_auth = "request",
      },
      client   = {
        identity = case.client == "alice" and alice or nil,
        trust = ca, server_name = "server.example",
      },
      versions = case.version,
    }
    expect(link:handshake()):equals(case.client == "anonymous")

    expect(link.client.requested_issuers):equals {}         -- it has no name to give
    if case.client == "alice" then
      expect_rejected(case, link, alice)
      expect(link.server):unverified "signer_not_found"
    else
      expect(link):succeeded()
      expect(link.server):has {
        verification = tls.none,
        ["wire.received_certificates"] = {},
      }
    end
  end,
}

ms.scenario "a server that does not verify lets anybody in" {
  about  = "Requiring a certificate is not checking it: the peer is named, and nothing is proved.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local mallory = pki.authority { cn = "Other Root" }:issue { cn = "root", purpose = "client" }
    local link = link_with(case, { identity = mallory, send_certificate = "always" },
      { client_auth = "require", verify = false })
    link:handshake()
    expect(link):succeeded()

    expect(link.server):has { peer_certificates = mallory.chain, verification = tls.none }
    expect(link.server).no:verified()
    expect(link):mirrored()
  end,
}
