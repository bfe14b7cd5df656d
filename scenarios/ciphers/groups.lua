-- SPDX-License-Identifier: MIT
-- The groups of the key exchange: elliptic curves and finite fields. Both versions negotiate them
-- in one extension (RFC 8422 section 5.1.1, RFC 7919, RFC 8446 section 4.2.7). Without a common one
-- the server answers handshake_failure. Up to TLS 1.2 there is a way around that is easily missed:
-- RSA key exchange needs no group, so an end restricted in groups alone may end up without forward
-- secrecy.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, groups, key)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server   = {
      identity = ca:issue { dns = "server.example", key = key }, groups = groups.server,
    },
    client   = { trust = ca, server_name = "server.example", groups = groups.client },
    versions = case.version,
  }
end

ms.scenario "the group that one end lists is used by both" {
  about  = "Either end may be the one that restricts; the certificate's curve does not matter.",
  rfc    = "RFC 8422 section 5.1.1; RFC 8446 section 4.2.7",
  tags   = { "ciphers" },
  matrix = {
    version    = VERSIONS,
    group      = { "secp384r1", "secp521r1", "x25519", "x448" },
    restricted = { "client", "server" },
  },
  run    = function(case)
    local link = link_with(case, { [case.restricted] = case.group })
    link:handshake()
    expect(link):succeeded()

    expect(link.client):has { version = case.version, group = case.group }
    expect(link.server):has { version = case.version, group = case.group }
    expect(link.client.peer_certificate.key_type):equals "ecdsa-p256"
  end,
}

ms.scenario "a finite field serves TLS 1.3, and TLS 1.2 with a DHE suite" {
  about  = "In TLS 1.2 curves and fields belong to different suites; TLS 1.3 has one list.",
  rfc    = "RFC 7919 section 4; RFC 8446 section 4.2.7",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS, group = { "ffdhe2048", "ffdhe3072" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example", key = "rsa-2048" } },
      client   = {
        trust = ca, server_name = "server.example", groups = case.group,
        cipher_suites = case.version == "TLS1.2" and "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" or nil,
      },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()
    expect(link.client.group):equals(case.group)
    expect(link.server.group):equals(case.group)
  end,
}

ms.scenario "two ends without a common group part at the ClientHello" {
  about  = "One cause, two codes in GnuTLS: in TLS 1.2 it says that there was no suite.",
  rfc    = "RFC 8422 section 5.1; RFC 8446 section 4.1.1",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS, server = { "x25519", "secp384r1" } },
  run    = function(case)
    local link = link_with(case, { server = case.server, client = { "secp256r1", "secp521r1" } })
    expect(link:handshake()):is_false()

    local alert = { level = "fatal", name = "handshake_failure", number = 40 }
    expect(link.failed_first):equals "server"
    expect(link.server):has {
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "itself",
      group               = tls.none,
      alert_sent          = alert,
      ["error.problem"]   = "no_shared_group",
      ["error.code"]      = case.version == "TLS1.2" and "GNUTLS_E_NO_CIPHER_SUITES"
                              or "GNUTLS_E_NO_COMMON_KEY_SHARE",
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.client):has {
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "peer",
      alert_received      = alert,
      peer_certificate    = tls.none,
      ["error.problem"]   = "peer_alert",
    }
  end,
}

ms.scenario "a TLS 1.2 server with an RSA key answers a lack of groups without forward secrecy" {
  about  = "No common group, and a session all the same: RSA key exchange needs none. In TLS 1.3 "
    .. "there is no such way out, and a restricted suite closes it in TLS 1.2.",
  rfc    = "RFC 9325 section 4.1",
  tags   = { "ciphers" },
  matrix = {
    version = VERSIONS,
    suites  = { "not restricted", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local restricted = case.version == "TLS1.2" and case.suites ~= "not restricted"
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example", key = "rsa-2048" },
                   groups = "x25519", cipher_suites = restricted and case.suites or nil },
      client   = { trust = ca, server_name = "server.example", groups = "secp256r1" },
      versions = case.version,
    }
    link:handshake()

    if case.version == "TLS1.2" and not restricted then
      expect(link):succeeded()
      expect(link.client.cipher_suite):matches "^TLS_RSA_WITH_"
      expect(link.client.group):is_nil()
      expect(link.client.peer_signature_scheme):is_nil()
    else
      expect(link.server):failed "no_shared_group"
      expect(link.server):failed "handshake_failure"
      expect(link.client):failed "peer_alert"
      expect(link.client.told_by):equals "peer"
    end
  end,
}
