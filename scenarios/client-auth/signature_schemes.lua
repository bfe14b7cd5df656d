-- SPDX-License-Identifier: MIT
-- A CertificateRequest lists the signature schemes that the server can check. A client whose key
-- fits none of them has to send an empty Certificate message (RFC 5246 section 7.4.6, RFC 8446
-- section 4.4.2.3). What is said here of Ed25519 in TLS 1.2, and of RSA-PSS alone in TLS
-- 1.3, is GnuTLS 3.7.9's own.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, schemes, keys, client)
  local ca = pki.authority { cn = "Example Root" }
  client.identity = ca:issue { cn = "alice", key = keys.client }
  client.trust, client.server_name = ca, "server.example"
  return tls.link {
    server   = {
      identity = ca:issue { dns = "server.example", key = keys.server }, trust = ca,
      client_auth = "request", signature_schemes = schemes,
    },
    client   = client,
    versions = case.version,
  }, client.identity
end

local function expect_kept(link, why)
  expect(link):succeeded()
  expect(link.client):has {
    certificate_requested = true,
    not_sent_because      = why,
    signature_scheme      = tls.none,
    local_certificate     = tls.none,
    ["wire.sent_certificates"] = {},
  }
  expect(link.server):has {
    peer_certificate      = tls.none,
    peer_signature_scheme = tls.none,
    ["wire.received_certificates"] = {},
  }
end

local function expect_sent(link, alice, scheme)
  expect(link):succeeded()
  expect(link.client):has {
    not_sent_because   = tls.none,
    signature_scheme   = scheme,
    local_certificates = alice.chain,
    ["wire.sent_certificates"] = alice.chain,
  }
  expect(link.server):has { peer_certificates = alice.chain, peer_signature_scheme = scheme }
  expect(link.server):verified()
end

ms.scenario "an RSA certificate stays at home when only ECDSA can be checked" {
  about  = "Even a client told to send always: it could not sign what the server wants.",
  rfc    = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, send = { "matching", "always" } },
  run    = function(case)
    local link = link_with(case, "ecdsa_secp256r1_sha256", { client = "rsa-2048" },
      { send_certificate = case.send })
    link:handshake()
    expect(link):succeeded()

    expect(link.client.requested_signature_schemes):equals { "ecdsa_secp256r1_sha256" }
    expect(link.server.requested_signature_schemes):equals { "ecdsa_secp256r1_sha256" }
    expect_kept(link, "no_common_signature_scheme")
  end,
}

ms.scenario "a client signs with the first scheme of the request that its key allows" {
  about  = "The order of the server's list counts, for whatever key the client has.",
  rfc    = "RFC 8446 section 4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, first = { "rsa_pss_rsae_sha512", "rsa_pss_rsae_sha256" } },
  run    = function(case)
    local other = case.first == "rsa_pss_rsae_sha512" and "rsa_pss_rsae_sha256"
                    or "rsa_pss_rsae_sha512"
    local schemes = { case.first, other, "rsa_pkcs1_sha256" }
    local link, alice = link_with(case, schemes, { client = "rsa-2048", server = "rsa-2048" }, {})
    link:handshake()
    expect(link):succeeded()

    expect(link.client.requested_signature_schemes):equals(schemes)
    expect_sent(link, alice, case.first)
  end,
}

ms.scenario "an Ed25519 certificate is not found by a TLS 1.2 request that names issuers" {
  about  = "GnuTLS's TLS 1.2 request has no certificate type for EdDSA, so its client passes the "
    .. "key over, though the scheme is listed; with \"always\" it is sent and works.",
  rfc    = "RFC 8422 section 5.5",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, send = { "matching", "always" } },
  run    = function(case)
    local link, alice = link_with(case, nil, { client = "ed25519" },
      { send_certificate = case.send })
    link:handshake()
    expect(link):succeeded()

    expect(link.client.requested_signature_schemes):contains "ed25519"
    if case.version == "TLS1.2" and case.send == "matching" then
      expect_kept(link, "library_choice")
    else
      expect_sent(link, alice, "ed25519")
    end
  end,
}

ms.scenario "an RSA certificate is passed over when TLS 1.3 offers it RSA-PSS alone" {
  about  = "rsa_pss_rsae_* is made for such keys; GnuTLS looks for RSA-PSS keys instead. Listing "
    .. "rsa_pkcs1_sha256 as well, or sending always, helps.",
  rfc    = "RFC 8446 section 4.2.3",
  tags   = { "client-auth" },
  matrix = {
    version = VERSIONS, listed = { "PSS", "PSS and PKCS #1" }, send = { "matching", "always" },
  },
  run    = function(case)
    local schemes = { "rsa_pss_rsae_sha256" }
    if case.listed == "PSS and PKCS #1" then
      schemes[2] = "rsa_pkcs1_sha256"
    end
    local link, alice = link_with(case, schemes, { client = "rsa-2048", server = "rsa-2048" },
      { send_certificate = case.send })
    link:handshake()
    expect(link):succeeded()

    if case.version == "TLS1.3" and #schemes == 1 and case.send == "matching" then
      expect_kept(link, "library_choice")
    else
      expect_sent(link, alice, "rsa_pss_rsae_sha256")
    end
  end,
}

ms.scenario "a TLS 1.2 server that accepts EdDSA alone asks in vain" {
  about  = "Its request lists no certificate type at all, and GnuTLS's client gives up on that: a "
    .. "defect of GnuTLS at both ends. Nobody asked, the same keys are fine.",
  rfc    = "RFC 5246 section 7.4.4; RFC 8422 section 5.5",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, client_auth = { "none", "request" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example", key = "ed25519" }, trust = ca,
        client_auth = case.client_auth, signature_schemes = "ed25519",
      },
      client   = {
        identity = ca:issue { cn = "alice", key = "ed25519" },
        trust = ca, server_name = "server.example",
      },
      versions = case.version,
    }
    local works = case.version == "TLS1.3" or case.client_auth == "none"
    expect(link:handshake()):equals(works)

    if works then
      expect(link):succeeded()
      expect(link.client.peer_signature_scheme):equals "ed25519"
      expect(link.server.peer_signature_scheme)
        :equals(case.client_auth == "request" and "ed25519" or nil)
    else
      expect(link.failed_first):equals "client"
      expect(link.client):has {
        told_by           = "itself",
        not_sent_because  = "failed_before",
        ["error.code"]    = "GNUTLS_E_UNKNOWN_PK_ALGORITHM",
        ["alert_sent.name"] = "handshake_failure",
        ["wire.sent_certificates"] = tls.none,
      }
      expect(link.server):has {
        told_by = "peer", ["error.problem"] = "peer_alert",
        ["alert_received.name"] = "handshake_failure",
      }
    end
  end,
}
