-- SPDX-License-Identifier: MIT
-- A server with several certificates and one address: which one did it use? The client names the
-- host it wants in the clear (SNI, RFC 6066 section 3). GnuTLS looks for a certificate whose DNS
-- names match; where none does, it takes the first one that the client's algorithms allow.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, identities, client)
  client.trust = ca
  return tls.link {
    server   = { identity = identities },
    client   = client,
    versions = case.version,
  }
end

-- Both ends and both wires agree on which it was.
local function expect_used(link, identity)
  expect(link.server.local_certificate):is(identity)
  expect(link.server.wire.sent_certificates):equals(identity.chain)
  expect(link.client.wire.received_certificates):equals(identity.chain)
  expect(link.client.peer_certificate):is(identity)
end

ms.scenario "the name that the client asks for chooses the certificate" {
  about  = "Wherever it stands in the server's list, and whichever of its names was asked for.",
  rfc    = "RFC 6066 section 3",
  tags   = { "state" },
  matrix = {
    version = VERSIONS,
    name    = { "a.example", "b.example", "x.example", "c.example" },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local a, b = ca:issue { dns = "a.example" }, ca:issue { dns = { "x.example", "b.example" } }
    local c = ca:issue { cn = "c.example" }                 -- a name in the subject, without SAN
    local wanted = { ["a.example"] = a, ["b.example"] = b, ["x.example"] = b, ["c.example"] = c }
    local link = link_with(case, ca, { a, b, c }, { server_name = case.name })
    expect(link:handshake()):is_true()

    expect_used(link, wanted[case.name])
    expect(link.client):verified()
    expect(link.server):has { server_name = case.name, site = tls.none }
  end,
}

ms.scenario "a wildcard or a capital letter hides a certificate from GnuTLS's choice" {
  about  = "The choice compares names byte for byte, the client's verification does not: the wrong "
    .. "certificate is sent although the right one is there. GnuTLS's; `sites` does not have it.",
  rfc    = "RFC 6066 section 3; RFC 9525 section 6.3",
  tags   = { "state" },
  matrix = { version = VERSIONS, name = { "B.EXAMPLE", "www.c.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local a, b = ca:issue { dns = "a.example" }, ca:issue { dns = "b.example" }
    local c = ca:issue { dns = "*.c.example" }
    local link = link_with(case, ca, { a, b, c }, { server_name = case.name })
    expect(link:handshake()):is_false()

    expect_used(link, a)
    expect(link.client):unverified "unexpected_owner"
    expect(link.server.server_name):equals(case.name)
    local right = case.name == "B.EXAMPLE" and b or c
    expect(pki.verify { chain = right, trust = ca, name = case.name }.verified):is_true()
  end,
}

ms.scenario "without a matching name the first certificate is used" {
  about  = "The default host: the client that named nobody takes it, the client that named "
    .. "somebody else finds the wrong name in it.",
  rfc    = "RFC 6066 section 3",
  tags   = { "state" },
  matrix = { version = VERSIONS, name = { "none", "stranger.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local a, b = ca:issue { dns = "a.example" }, ca:issue { dns = "b.example" }
    local name = case.name ~= "none" and case.name or nil
    local link = link_with(case, ca, { a, b }, { server_name = name })
    expect(link:handshake()):equals(name == nil)

    expect_used(link, a)
    expect(link.client.server_name):equals(name)
    if name then
      expect(link.client):unverified "unexpected_owner"
      expect(link.server):failed "bad_certificate"
    else
      expect(link.client):verified()                        -- with no name none is checked
      expect(link.server.server_name):is_nil()
    end
  end,
}

ms.scenario "of two certificates for one name the client's algorithms choose" {
  about  = "An RSA and an ECDSA certificate side by side: the second one serves who cannot use the "
    .. "first.",
  rfc    = "RFC 8446 section 4.4.2.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, client = { "any", "rsa only", "ecdsa only" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local rsa = ca:issue { dns = "server.example", key = "rsa-2048" }
    local ecdsa = ca:issue { dns = "server.example" }
    local schemes = {
      ["rsa only"]   = { "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256" },
      ["ecdsa only"] = { "ecdsa_secp256r1_sha256" },
    }
    local link = link_with(case, ca, { ecdsa, rsa }, {
      server_name = "server.example", verify = false, signature_schemes = schemes[case.client],
    })
    expect(link:handshake()):is_true()

    expect_used(link, case.client == "rsa only" and rsa or ecdsa)
    expect(link.client.peer_signature_scheme)
      :equals(case.client == "rsa only" and "rsa_pss_rsae_sha256" or "ecdsa_secp256r1_sha256")
  end,
}

ms.scenario "a function may choose the certificate by the name in the hello" {
  about  = "It sees the name and the client's signature schemes, and is asked once.",
  rfc    = "RFC 6066 section 3",
  tags   = { "state" },
  matrix = { version = VERSIONS, name = { "a.example", "b.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local hosts = { ["a.example"] = ca:issue { dns = "a.example" },
                    ["b.example"] = ca:issue { dns = "b.example" } }
    local asked = {}
    local link = link_with(case, ca, function(request)
      asked[#asked + 1] = request.server_name
      return hosts[request.server_name]
    end, { server_name = case.name })
    expect(link:handshake()):is_true()

    expect(asked):equals { case.name }
    expect_used(link, hosts[case.name])
    expect(link.client):verified()
  end,
}

ms.scenario "the name to verify need not be the name that is sent" {
  about  = "Through a proxy the two differ: SNI picks the certificate, verify_name judges it.",
  rfc    = "RFC 9525 section 6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS, verify = { "the same", "another", "none" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local a, b = ca:issue { dns = "a.example" }, ca:issue { dns = "b.example" }
    local verify_name                                       -- nil: the name that is sent
    if case.verify == "another" then
      verify_name = "b.example"
    elseif case.verify == "none" then
      verify_name = false
    end
    local presented = case.verify == "none" and b or { a, b }
    local link = link_with(case, ca, presented,
                           { server_name = "a.example", verify_name = verify_name })
    expect(link:handshake()):equals(case.verify ~= "another")

    expect(link.server.server_name):equals "a.example"
    if case.verify == "the same" then
      expect_used(link, a)
      expect(link.client):verified()
    elseif case.verify == "another" then
      expect_used(link, a)
      expect(link.client):unverified "unexpected_owner"
      expect(link.client.verification.text):contains "b.example"
    else
      expect_used(link, b)
      expect(link.client):verified()
    end
  end,
}
