-- SPDX-License-Identifier: MIT
-- A client with several certificates has to choose one. RFC 8446 section 4.4.2.3 leaves it free
-- within the request's limits. GnuTLS goes through the issuers that are named, in their order, and
-- takes its first certificate that fits; if none is named and it has several, it sends none.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function handshake_with(case, ca, server, client)
  server.identity, server.trust = ca:issue { dns = "server.example" }, server.trust or ca
  server.client_auth = "request"
  client.trust, client.server_name = ca, "server.example"
  local link = tls.link { server = server, client = client, versions = case.version }
  link:handshake()
  expect(link):succeeded()
  return link
end

local function expect_chosen(link, identity)
  expect(link.client.local_certificate):is(identity)
  expect(link.client.wire.sent_certificates):equals(identity.chain)
  expect(link.client.not_sent_because):is_nil()
  expect(link.server.peer_certificate):is(identity)
  expect(link.server):verified()
end

ms.scenario "the certificate of the named issuer is chosen" {
  about  = "Two authorities, a certificate of each: the request decides, not the order.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, trusted = { "work", "home" }, first = { "work", "home" } },
  run    = function(case)
    local work, home = pki.authority { cn = "Work Root" }, pki.authority { cn = "Home Root" }
    local at_work = work:issue { cn = "alice at work" }
    local at_home = home:issue { cn = "alice at home" }
    local trusted = case.trusted == "work" and work or home
    local link = handshake_with(case, trusted, {}, {
      identity = case.first == "work" and { at_work, at_home } or { at_home, at_work },
    })
    expect_chosen(link, trusted == work and at_work or at_home)
  end,
}

ms.scenario "of several named issuers the first one with a certificate wins" {
  about  = "The order of names in the request outweighs the order of the client's certificates.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, named_first = { "A", "B" } },
  run    = function(case)
    local root = pki.authority { cn = "Example Root" }
    local a, b = root:authority { cn = "CA A" }, root:authority { cn = "CA B" }
    local by_a, by_b = a:issue { cn = "alice" }, b:issue { cn = "alice" }
    local link = handshake_with(case, root,
      { issuers = case.named_first == "A" and { a, b } or { b, a } }, { identity = { by_a, by_b } })
    expect_chosen(link, case.named_first == "A" and by_a or by_b)
  end,
}

ms.scenario "of two certificates of one issuer the first is sent" {
  about  = "The server has no say: it gets alice where it might have liked the administrator.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, first = { "alice", "administrator" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice, administrator = ca:issue { cn = "alice" }, ca:issue { cn = "administrator" }
    local alice_first = case.first == "alice"
    local link = handshake_with(case, ca, {}, {
      identity = alice_first and { alice, administrator } or { administrator, alice },
    })
    expect_chosen(link, alice_first and alice or administrator)
  end,
}

ms.scenario "several certificates and no names mean that none is sent" {
  about  = "A trap of GnuTLS: one certificate would have been sent, a second one silences both.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, send = { "matching", "always" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice, bob = ca:issue { cn = "alice" }, ca:issue { cn = "bob" }
    local link = handshake_with(case, ca, { issuers = {} },
      { identity = { alice, bob }, send_certificate = case.send })

    expect(link.client.requested_issuers):equals {}
    if case.send == "always" then                           -- the way out: the first is as good
      expect_chosen(link, alice)
    else
      expect(link.client):has {
        not_sent_because  = "ambiguous",
        local_certificate = tls.none,
        ["wire.sent_certificates"] = {},
      }
      expect(link.server.peer_certificate):is_nil()
    end
  end,
}

ms.scenario "a key that the server can check is chosen before one that it cannot" {
  about  = "An RSA and an ECDSA certificate of one issuer: the schemes of the request decide.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, accepted = { "ecdsa", "rsa" } },
  run    = function(case)
    local only_rsa = case.accepted == "rsa"
    local ca = pki.authority { cn = "Example Root" }
    local rsa, ecdsa = ca:issue { cn = "alice", key = "rsa-2048" }, ca:issue { cn = "alice" }
    local server_key = only_rsa and "rsa-2048" or "ecdsa-p256"
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example", key = server_key }, trust = ca,
        client_auth = "require",
        signature_schemes = only_rsa and { "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256" }
          or "ecdsa_secp256r1_sha256",
      },
      client   = {
        identity = only_rsa and { ecdsa, rsa } or { rsa, ecdsa },   -- the wrong one stands first
        trust = ca, server_name = "server.example",
      },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()
    expect_chosen(link, only_rsa and rsa or ecdsa)
    expect(link.server.peer_signature_scheme)
      :equals(only_rsa and "rsa_pss_rsae_sha256" or "ecdsa_secp256r1_sha256")
  end,
}
