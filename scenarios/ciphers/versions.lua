-- SPDX-License-Identifier: MIT
-- Version negotiation, and what it looks like when there is no common one. The RFCs' alert is
-- protocol_version (RFC 5246 appendix E.1, RFC 8446 section 4.2.1). GnuTLS sends it only where it
-- compares versions as such; between TLS 1.2 and TLS 1.3 it runs out of suites instead and says
-- handshake_failure. `alerts = "rfc"` says protocol_version in all cases.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local function link_with(client, server, alerts)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server = { identity = ca:issue { dns = "server.example" }, versions = server, alerts = alerts },
    client = { trust = ca, server_name = "server.example", versions = client, alerts = alerts },
  }
end

ms.scenario "both ends use the newest version that they share" {
  about  = "In whatever order they are listed: versions are a set.",
  rfc    = "RFC 8446 section 4.2.1",
  tags   = { "ciphers" },
  matrix = {
    pair = { "all, all", "1.2 and 1.3, 1.2", "1.2, all", "all, 1.0", "1.0 and 1.1, 1.1 and 1.2",
             "default, default" },
  },
  run    = function(case)
    local all = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }
    local pairs_of = {
      ["all, all"]         = { all, { "TLS1.3", "TLS1.2", "TLS1.1", "TLS1.0" }, "TLS1.3" },
      ["1.2 and 1.3, 1.2"] = { { "TLS1.2", "TLS1.3" }, "TLS1.2", "TLS1.2" },
      ["1.2, all"]         = { "TLS1.2", all, "TLS1.2" },
      ["all, 1.0"]         = { all, "TLS1.0", "TLS1.0" },
      ["1.0 and 1.1, 1.1 and 1.2"] = {
        { "TLS1.0", "TLS1.1" }, { "TLS1.2", "TLS1.1" }, "TLS1.1",
      },
      ["default, default"] = { nil, nil, "TLS1.3" },
    }
    local client, server, version = table.unpack(pairs_of[case.pair], 1, 3)
    local link = link_with(client, server)
    link:handshake()
    expect(link):succeeded()
    expect(link.client.version):equals(version)
    expect(link.server.version):equals(version)
  end,
}

ms.scenario "TLS 1.0 and 1.1 are off unless they are named" {
  about  = "The default is TLS 1.2 and 1.3, though GnuTLS itself still enables the old ones.",
  rfc    = "RFC 8996 sections 4 and 5",
  tags   = { "ciphers" },
  matrix = { version = { "TLS1.0", "TLS1.1" }, named_by = { "client", "server" } },
  run    = function(case)
    local by_client = case.named_by == "client"
    local link = link_with(by_client and case.version or nil, not by_client and case.version or nil)
    expect(link:handshake()):is_false()
    expect(link):failed "no_shared_version"
  end,
}

ms.scenario "a server without a common version refuses the ClientHello" {
  about  = "The problem is the version; GnuTLS's alert says so only if TLS 1.2 is the server's.",
  rfc    = "RFC 5246 appendix E.1; RFC 8446 section 4.2.1",
  tags   = { "ciphers" },
  matrix = {
    pair   = { "1.2, 1.3", "1.3, 1.2", "1.3, 1.1", "1.1, 1.2", "1.1, 1.3" },
    alerts = { "library", "rfc" },
  },
  run    = function(case)
    local client, server = case.pair:match "^(.*), (.*)$"
    local link = link_with("TLS" .. client, "TLS" .. server, case.alerts)
    expect(link:handshake()):is_false()

    -- An old client is told at once; where TLS 1.3 is on one side, GnuTLS finds no suite for it.
    local told_as_version = client == "1.1"
    local alert = (told_as_version or case.alerts == "rfc")
      and { level = "fatal", name = "protocol_version", number = 70 }
      or { level = "fatal", name = "handshake_failure", number = 40 }
    expect(link.failed_first):equals "server"
    expect(link.server):has {
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "itself",
      version             = tls.none,
      alert_sent          = alert,
      ["error.problem"]   = "no_shared_version",
      ["error.code"]      = told_as_version and "GNUTLS_E_UNSUPPORTED_VERSION_PACKET"
                              or "GNUTLS_E_NO_CIPHER_SUITES",
    }
    expect(link.client):has {
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "peer",
      version             = tls.none,
      alert_received      = alert,
      ["error.problem"]   = "peer_alert",
    }
  end,
}

ms.scenario "a client refuses the older version that its server chose" {
  about  = "A TLS 1.1 server answers with its own version, as RFC 5246 wants; the client ends it.",
  rfc    = "RFC 5246 appendix E.1",
  tags   = { "ciphers" },
  matrix = { alerts = { "library", "rfc" }, server = { "TLS1.0", "TLS1.1" } },
  run    = function(case)
    local link = link_with("TLS1.2", case.server, case.alerts)
    expect(link:handshake()):is_false()

    local alert = { level = "fatal", name = "protocol_version", number = 70 }
    expect(link.failed_first):equals "client"
    expect(link.client):has {
      handshake_completed = false,
      told_by             = "itself",
      alert_sent          = alert,
      peer_certificate    = tls.none,
      ["error.problem"]   = "no_shared_version",
      ["wire.received_certificates"] = tls.none,            -- it did not read on
    }
    expect(link.server):has {
      handshake_completed = false,
      told_by             = "peer",
      alert_received      = alert,
      version             = case.server,
      ["error.problem"]   = "peer_alert",
    }
    expect(link.server.wire.sent_certificates):has_length(1)        -- its flight had left
  end,
}
