-- SPDX-License-Identifier: MIT
-- What a server may sign with: the client lists the schemes that it can check, in its order of
-- preference (RFC 5246 section 7.4.1.4.1, RFC 8446 section 4.2.3). A server whose key fits none of
-- them cannot prove who it is. `signature_schemes` is one list for what an end signs with and for
-- what it accepts. The client's side of it, certificates that stay at home, is in client-auth/.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, schemes, keys, server)
  local ca = pki.authority { cn = "Example Root" }
  server = server or {}
  server.identity, server.signature_schemes = {}, schemes.server
  for index, key in ipairs(keys) do
    server.identity[index] = ca:issue { dns = "server.example", key = key }
  end
  return tls.link {
    server   = server,
    client   = {
      trust = ca, server_name = "server.example", signature_schemes = schemes.client,
    },
    versions = case.version,
  }, server.identity
end

local function expect_no_shared_scheme(link)
  local alert = { level = "fatal", name = "handshake_failure", number = 40 }
  expect(link.failed_first):equals "server"
  expect(link.server):has {
    handshake_completed = false,
    told_by             = "itself",
    signature_scheme    = tls.none,
    alert_sent          = alert,
    ["error.problem"]   = "no_shared_signature_scheme",
    ["wire.sent_certificates"] = tls.none,
  }
  expect(link.client):has {
    handshake_completed = false,
    told_by             = "peer",
    alert_received      = alert,
    peer_certificate    = tls.none,
    ["error.problem"]   = "peer_alert",
  }
end

ms.scenario "a server signs with the scheme that its client lists" {
  about  = "Each kind of key with one scheme; both ends name it.",
  rfc    = "RFC 5246 section 7.4.3; RFC 8446 section 4.4.3",
  tags   = { "ciphers" },
  matrix = {
    version = VERSIONS,
    scheme  = {
      "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384", "ed25519", "ed448",
      "rsa_pss_rsae_sha512", "rsa_pss_pss_sha256",
    },
  },
  run    = function(case)
    local keys = {
      ecdsa_secp256r1_sha256 = "ecdsa-p256", ecdsa_secp384r1_sha384 = "ecdsa-p384",
      rsa_pss_rsae_sha512 = "rsa-2048", rsa_pss_pss_sha256 = "rsa-pss-2048",
    }
    local key = keys[case.scheme] or case.scheme
    local link = link_with(case, { client = case.scheme }, { key })
    link:handshake()
    expect(link):succeeded()

    expect(link.server.signature_scheme):equals(case.scheme)
    expect(link.client.peer_signature_scheme):equals(case.scheme)
    expect(link.server.cipher_suite).no:matches "^TLS_RSA_WITH"     -- which would not sign at all
  end,
}

ms.scenario "the client's order of schemes decides, whatever the server prefers" {
  about  = "GnuTLS lets server_preference rule suites, groups and ALPN, and not the signature.",
  rfc    = "RFC 8446 section 4.2.3",
  tags   = { "ciphers" },
  matrix = {
    version = VERSIONS, server_preference = { true, false },
    first = { "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha512" },
  },
  run    = function(case)
    local other = case.first == "rsa_pss_rsae_sha256" and "rsa_pss_rsae_sha512"
                    or "rsa_pss_rsae_sha256"
    local link = link_with(case,
      { client = { case.first, other }, server = { other, case.first } }, { "rsa-2048" },
      { server_preference = case.server_preference })
    link:handshake()
    expect(link):succeeded()
    expect(link.server.signature_scheme):equals(case.first)
    expect(link.client.peer_signature_scheme):equals(case.first)
  end,
}

ms.scenario "the schemes choose among a server's certificates" {
  about  = "The ECDSA certificate stands first; a client that checks RSA alone gets the RSA one.",
  rfc    = "RFC 8446 section 4.4.2.2",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS, client = { "RSA", "ECDSA", "everything" } },
  run    = function(case)
    local schemes = { RSA = "rsa_pss_rsae_sha256", ECDSA = "ecdsa_secp256r1_sha256" }
    local link, identities = link_with(case, { client = schemes[case.client] },
      { "ecdsa-p256", "rsa-2048" })
    link:handshake()
    expect(link):succeeded()

    local chosen = identities[case.client == "RSA" and 2 or 1]
    expect(link.server.local_certificate):is(chosen)
    expect(link.client.wire.received_certificates):equals(chosen.chain)
    expect(link.server.signature_scheme):equals(schemes[case.client] or "ecdsa_secp256r1_sha256")
  end,
}

ms.scenario "a server whose key fits no scheme of the client fails" {
  about  = "GnuTLS says \"no cipher suites\", and the signature is the cause.",
  rfc    = "RFC 8446 section 4.4.2.2",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case,
      { client = { "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256" } }, { "ecdsa-p256" })
    expect(link:handshake()):is_false()
    expect_no_shared_scheme(link)
    expect(link.server.error.code):equals "GNUTLS_E_NO_CIPHER_SUITES"
  end,
}

ms.scenario "lists without a common scheme fail though each fits the server's key" {
  about  = "Both could sign and check ECDSA, with other hashes.",
  rfc    = "RFC 8446 section 4.2.3",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case,
      { server = "ecdsa_secp384r1_sha384", client = "ecdsa_secp256r1_sha256" },
      { "ecdsa-p256", "ecdsa-p384" })
    expect(link:handshake()):is_false()
    expect_no_shared_scheme(link)
  end,
}

ms.scenario "a curve is part of the scheme in TLS 1.3 only" {
  about  = "ecdsa_secp384r1_sha384 with a P-256 key: the hash is all that it means in TLS 1.2.",
  rfc    = "RFC 8446 section 4.2.3",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, { client = "ecdsa_secp384r1_sha384" }, { "ecdsa-p256" })
    link:handshake()

    if case.version == "TLS1.2" then
      expect(link):succeeded()
      expect(link.client.peer_signature_scheme):equals "ecdsa_secp384r1_sha384"
      expect(link.client.peer_certificate.key_type):equals "ecdsa-p256"
    else
      expect_no_shared_scheme(link)
    end
  end,
}

ms.scenario "a TLS 1.2 server with an RSA key evades a lack of schemes" {
  about  = "RSA key exchange signs nothing, so nothing has to fit: restrict the suites as well.",
  rfc    = "RFC 9325 section 4.1",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, { client = "ecdsa_secp256r1_sha256" }, { "rsa-2048" })
    link:handshake()

    if case.version == "TLS1.2" then
      expect(link):succeeded()
      expect(link.client.cipher_suite):matches "^TLS_RSA_WITH_"
      expect(link.client.peer_signature_scheme):is_nil()
      expect(link.client.peer_certificate.key_type):equals "rsa"
    else
      expect_no_shared_scheme(link)
    end
  end,
}
