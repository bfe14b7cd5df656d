-- SPDX-License-Identifier: MIT
-- A renegotiation negotiates everything again: suite, group, signature scheme. This was its other
-- use, beside client certificates: to step up from an export suite ("server-gated cryptography").
-- What may not change is the version, and the server name (RFC 5746 section 5); GnuTLS watches over
-- the former less well than one would think, and not at all over the latter.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }
local AES = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
local CHACHA = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"

-- An established connection with these options on top of the plain ones.
local function link_with(options)
  local ca = pki.authority { cn = "Example Root" }
  local ends = {
    server = { identity = ca:issue { dns = { "server.example", "alias.example" } } },
    client = { trust = ca, server_name = "server.example", versions = { "TLS1.2" } },
  }
  ends.server.versions = options.server_versions or { "TLS1.2" }
  ends.cipher_suites = options.cipher_suites
  local link = tls.link(ends)
  expect(link:handshake()):is_true()
  return link
end

ms.scenario "a renegotiation moves to another cipher suite" {
  about  = "Only one end changes its offer; both report the new suite, the history the old one.",
  rfc    = "RFC 5246 section 7.4.1.2",
  tags   = { "renegotiation" },
  matrix = { by = BOTH, restricts = BOTH },
  run    = function(case)
    local link = link_with { cipher_suites = { AES, CHACHA } }
    expect(link.client.cipher_suite):equals(AES)

    expect(link:renegotiate { by = case.by, [case.restricts] = { cipher_suites = { CHACHA } } })
      :is_true()

    expect(link):succeeded()
    for _, role in ipairs(BOTH) do
      expect(link[role].cipher_suite, role):equals(CHACHA)
      expect(link[role].history[1].cipher_suite, role):equals(AES)
    end
    expect(link:send { from = "server", data = "under new keys" }):equals("under new keys")

    -- The change stays until it is taken back.
    expect(link:renegotiate { by = case.by }):is_true()
    expect(link.client.cipher_suite):equals(CHACHA)
    expect(link:renegotiate { by = case.by,
                              [case.restricts] = { cipher_suites = { AES, CHACHA } } }):is_true()
    expect(link.client.cipher_suite):equals(AES)
  end,
}

ms.scenario "a renegotiation that leaves no common suite ends the connection" {
  about  = "The old suite still worked; asking for better was the mistake.",
  rfc    = "RFC 5246 section 7.4.1.3",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = link_with { cipher_suites = { AES, CHACHA } }

    expect(link:renegotiate { by = case.by, client = { cipher_suites = { CHACHA } },
                              server = { cipher_suites = { AES } } }):is_false()

    expect(link.failed_first):equals("server")
    expect(link.server):failed "no_shared_cipher_suite"
    expect(link.server):has { failed_during = "handshake", told_by = "itself", phase = "failed",
                              alert_sent = { level = "fatal", name = "handshake_failure" } }
    expect(link.client):has { failed_during = "handshake", told_by = "peer", phase = "failed",
                              error = { problem = "peer_alert" },
                              wire = { received_certificates = tls.none } }
    expect(link.client.history[1]):succeeded()
  end,
}

ms.scenario "a renegotiation moves to another group" {
  about  = "The key exchange is done anew, so its group may be another, too.",
  rfc    = "RFC 8422 section 5.1.1",
  tags   = { "renegotiation" },
  matrix = { by = BOTH, restricts = BOTH },
  run    = function(case)
    local link = link_with {}
    expect(link.client.group):equals("secp256r1")

    expect(link:renegotiate { by = case.by, [case.restricts] = { groups = { "secp384r1" } } })
      :is_true()

    for _, role in ipairs(BOTH) do
      expect(link[role].group, role):equals("secp384r1")
      expect(link[role].history[1].group, role):equals("secp256r1")
    end
    expect(link):succeeded()
  end,
}

ms.scenario "a renegotiation moves to another signature scheme" {
  about  = "The server signs its key share with what the client offers now.",
  rfc    = "RFC 5246 section 7.4.1.4.1",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = link_with {}
    expect(link.server.signature_scheme):equals("ecdsa_secp256r1_sha256")

    expect(link:renegotiate {
      by = case.by,
      client = { signature_schemes = { "ecdsa_secp384r1_sha384", "ecdsa_secp256r1_sha256" } },
    }):is_true()

    expect(link.server.signature_scheme):equals("ecdsa_secp384r1_sha384")
    expect(link.client.peer_signature_scheme):equals("ecdsa_secp384r1_sha384")
    expect(link.client):verified()
  end,
}

ms.scenario "a renegotiation cannot lower the version" {
  about  = "The client still offers the version in use and refuses the older one it has just "
    .. "enabled.",
  rfc    = "RFC 5246 section 7.4.1.2",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = link_with { server_versions = { "TLS1.1", "TLS1.2" } }
    expect(link.client.version):equals("TLS1.2")

    expect(link:renegotiate { by = case.by, client = { versions = { "TLS1.1" } } }):is_false()

    expect(link):failed "no_shared_version"
    expect(link.client):has { version = "TLS1.2", renegotiations = 0, phase = "failed" }
    expect(link.server):has { version = "TLS1.2", renegotiations = 0, phase = "failed" }
    expect(link):failed "protocol_version"
  end,
}

ms.scenario "an end that enables TLS 1.3 alone stays with TLS 1.2 in a renegotiation" {
  about  = "The peer has no TLS 1.3, so nothing changes.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "renegotiation" },
  matrix = { by = BOTH, enables = BOTH },
  run    = function(case)
    local link = link_with {}

    expect(link:renegotiate { by = case.by,
                              [case.enables] = { versions = { "TLS1.2", "TLS1.3" } } }):is_true()

    expect(link):succeeded()
    expect(link.client.version):equals("TLS1.2")
    expect(link.server.version):equals("TLS1.2")
  end,
}

ms.scenario "a GnuTLS server breaks when a renegotiation offers it TLS 1.3" {
  about  = "It must retain the version; GnuTLS 3.7.9 begins with TLS 1.3, runs into an internal "
    .. "error and says nothing. The client waits: neither end moves, which is an outcome, not a "
    .. "hang.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = link_with { server_versions = { "TLS1.2", "TLS1.3" } }
    expect(link.server.version):equals("TLS1.2")

    expect(link:renegotiate { by = case.by, client = { versions = { "TLS1.2", "TLS1.3" } } })
      :is_false()

    expect(link.server):failed "GNUTLS_E_INTERNAL_ERROR"
    expect(link.server):has { phase = "failed", told_by = "itself", alert_sent = tls.none,
                              renegotiations = 0 }
    expect(link.client):has { phase = "stalled", handshake_completed = false, error = tls.none,
                              alert_received = tls.none, renegotiations = 0 }
  end,
}

ms.scenario "a renegotiation that drops the extended master secret fails" {
  about  = "A session without it is open to the triple handshake. GnuTLS's server remembers the "
    .. "extension from the first handshake and derives another secret than the client, whose "
    .. "Finished it cannot decrypt.",
  rfc    = "RFC 7627 section 5.4",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = link_with {}
    expect(link.client.extended_master_secret):is_true()

    expect(link:renegotiate { by = case.by, client = { extended_master_secret = false } })
      :is_false()

    local alert = { level = "fatal", name = "bad_record_mac" }
    expect(link.failed_first):equals("server")
    expect(link.server):failed "GNUTLS_E_DECRYPTION_FAILED"
    expect(link.server):has { phase = "failed", handshake_completed = false, told_by = "itself",
                              failed_during = "handshake", alert_sent = alert }
    expect(link.client):has { phase = "failed", handshake_completed = false, told_by = "peer",
                              failed_during = "handshake", alert_received = alert }
  end,
}

ms.scenario "a client may ask for another server name in a renegotiation" {
  about  = "RFC 5746 forbids it; GnuTLS lets it pass, and only the client's own verification "
    .. "stands between a virtual host and a client that was let in for another.",
  rfc    = "RFC 5746 section 5",
  tags   = { "renegotiation" },
  matrix = { by = BOTH, name = { "alias.example", "stranger.example" } },
  run    = function(case)
    local link = link_with {}
    expect(link.server.server_name):equals("server.example")

    expect(link:renegotiate { by = case.by, client = { server_name = case.name } })
      :equals(case.name == "alias.example")

    expect(link.server.server_name):equals(case.name)
    expect(link.server.history[1].server_name):equals("server.example")
    if case.name == "alias.example" then
      expect(link):succeeded()
      expect(link.client):verified()
    else
      expect(link.client):failed "certificate_rejected"
      expect(link.client):unverified "unexpected_owner"
      expect(link.server):has { told_by = "peer", alert_received = { name = "bad_certificate" } }
    end
  end,
}
