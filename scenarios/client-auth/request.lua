-- SPDX-License-Identifier: MIT
-- A client shows its certificate only when the server sends a CertificateRequest (RFC 5246 section
-- 7.4.4, RFC 8446 section 4.3.2). A server has three attitudes: it does not ask ("none"), it asks
-- and goes on without an answer ("request"), or it insists ("require"). For a client that has a
-- fitting certificate the last two look the same on the wire.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local ALL_VERSIONS = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }

local function mutual_link(case, client_auth)
  local ca = pki.authority { cn = "Example Root" }
  local server, alice = ca:issue { dns = "server.example" }, ca:issue { cn = "alice" }
  return tls.link {
    server   = { identity = server, trust = ca, client_auth = client_auth },
    client   = { identity = alice, trust = ca, server_name = "server.example" },
    versions = case.version,
  }, server, alice
end

ms.scenario "a client that nobody asks keeps its certificate to itself" {
  about  = "Configuring a client certificate sends nothing by itself; there is no message at all.",
  rfc    = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2",
  tags   = { "client-auth" },
  matrix = { version = ALL_VERSIONS },
  run    = function(case)
    local link, server = mutual_link(case, "none")
    link:handshake()
    expect(link):succeeded()

    expect(link.client):has {
      certificate_requested = false,
      not_sent_because      = "not_requested",
      local_certificate     = tls.none,
      ["wire.sent_certificates"] = tls.none,                  -- not even an empty message
      ["wire.received_certificates"] = server.chain,
    }
    expect(link.server):has {
      certificate_requested = false,
      requested_issuers     = tls.none,
      peer_certificates     = tls.none,
      verification          = tls.none,
      ["wire.received_certificates"] = tls.none,
    }
  end,
}

ms.scenario "both ends authenticate when the server asks" {
  about  = "Mutual TLS: what each end reports of itself is what the other reports of its peer.",
  rfc    = "RFC 5246 section 7.4.8; RFC 8446 section 4.4.3",
  tags   = { "client-auth" },
  matrix = { version = ALL_VERSIONS, client_auth = { "request", "require" } },
  run    = function(case)
    local link, server, alice = mutual_link(case, case.client_auth)
    link:handshake()
    expect(link):succeeded()

    expect(link.client):has {
      version               = case.version,
      certificate_requested = true,
      requested_issuers     = { "CN=Example Root" },
      not_sent_because      = tls.none,
      local_certificates    = alice.chain,
      peer_certificates     = server.chain,
      ["wire.sent_certificates"] = alice.chain,
    }
    expect(link.server):has {
      certificate_requested = true,
      local_certificates    = server.chain,
      peer_certificates     = alice.chain,
      ["wire.received_certificates"] = alice.chain,
    }
    expect(link.client):verified()
    expect(link.server):verified()
    expect(link.server.verification.path):equals {
      alice.certificate, alice.issuer.certificate,
    }
    expect(link):mirrored()
    expect(link):truthful()
    expect(link:send { from = "client", data = "who am I?" }):equals "who am I?"
  end,
}

ms.scenario "each end names the scheme that the other signed with" {
  about  = "In TLS 1.2 ecdsa_secp256r1_sha256 only means ECDSA with SHA-256, whatever the curve: a "
    .. "P-384 key may sign with it. TLS 1.3 ties the scheme to the curve.",
  rfc    = "RFC 5246 section 7.4.1.4.1; RFC 8446 section 4.2.3",
  tags   = { "client-auth" },
  matrix = { version = { "TLS1.2", "TLS1.3" }, client_auth = { "none", "require" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example", key = "ecdsa-p256" },
        trust = ca, client_auth = case.client_auth,
      },
      client   = {
        identity = ca:issue { cn = "alice", key = "ecdsa-p384" },
        trust = ca, server_name = "server.example",
      },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()

    local by_client = tls.none
    if case.client_auth == "require" then
      by_client = case.version == "TLS1.3" and "ecdsa_secp384r1_sha384" or "ecdsa_secp256r1_sha256"
    end
    expect(link.server.peer_certificate and link.server.peer_certificate.key_type)
      :equals(case.client_auth == "require" and "ecdsa-p384" or nil)
    expect(link.client):has {
      signature_scheme      = by_client,
      peer_signature_scheme = "ecdsa_secp256r1_sha256",
    }
    expect(link.server):has {
      signature_scheme      = "ecdsa_secp256r1_sha256",
      peer_signature_scheme = by_client,
    }
  end,
}

ms.scenario "before TLS 1.2 there are no schemes to name" {
  about  = "The client signs all the same: SHA-1, or MD5 and SHA-1 for RSA, fixed by the protocol.",
  rfc    = "RFC 4346 section 7.4.3; RFC 8422 section 5.8",
  tags   = { "client-auth" },
  matrix = { version = { "TLS1.0", "TLS1.1" }, key = { "ecdsa-p256", "rsa-2048" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", key = case.key }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" }, trust = ca, client_auth = "require",
      },
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()

    for _, one in ipairs { link.client, link.server } do
      expect(one):has {
        version = case.version, signature_scheme = tls.none, peer_signature_scheme = tls.none,
      }
    end
    expect(link.server.peer_certificate):is(alice)
    expect(link.server):verified()
  end,
}
