-- SPDX-License-Identifier: MIT
-- Application-layer protocol negotiation (RFC 7301): the client offers protocols, the server picks
-- one. If none is shared the RFC wants the alert no_application_protocol; GnuTLS's default is to go
-- on without one, and `alpn_required` makes it follow the RFC. A client that offers nothing is let
-- in either way.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, client, server, required)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server   = {
      identity = ca:issue { dns = "server.example" }, alpn = server, alpn_required = required,
    },
    client   = { trust = ca, server_name = "server.example", alpn = client },
    versions = case.version,
  }
end

local function expect_protocol(link, protocol)
  expect(link):succeeded()
  expect(link.client.alpn):equals(protocol)
  expect(link.server.alpn):equals(protocol)
end

ms.scenario "a shared protocol is agreed on" {
  about  = "One of the client's that the server has too, required or not.",
  rfc    = "RFC 7301 section 3.2",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS, alpn_required = { true, false } },
  run    = function(case)
    local link = link_with(case, { "spdy/3", "http/1.1" }, { "h2", "http/1.1" },
      case.alpn_required)
    link:handshake()
    expect_protocol(link, "http/1.1")
  end,
}

ms.scenario "no shared protocol is an error only where one is required" {
  about  = "Otherwise both ends go on, each free to guess what the other speaks.",
  rfc    = "RFC 7301 section 3.2",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS, alpn_required = { true, false } },
  run    = function(case)
    local link = link_with(case, "spdy/3", { "h2", "http/1.1" }, case.alpn_required)
    link:handshake()

    if not case.alpn_required then
      expect_protocol(link, nil)
      return
    end
    local alert = { level = "fatal", name = "no_application_protocol", number = 120 }
    expect(link.failed_first):equals "server"
    expect(link.server):has {
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "itself",
      alpn                = tls.none,
      alert_sent          = alert,
      ["error.problem"]   = "no_shared_protocol",
    }
    expect(link.client):has {
      handshake_completed = false,                          -- in TLS 1.3 too: it is the hello's
      failed_during       = "handshake",
      told_by             = "peer",
      alpn                = tls.none,
      alert_received      = alert,
      ["error.problem"]   = "peer_alert",
    }
  end,
}

ms.scenario "a client that offers no protocol is let in" {
  about  = "Requiring one binds only those who speak the extension.",
  rfc    = "RFC 7301 section 3.1",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS, alpn_required = { true, false } },
  run    = function(case)
    local link = link_with(case, nil, { "h2", "http/1.1" }, case.alpn_required)
    link:handshake()
    expect_protocol(link, nil)
  end,
}

ms.scenario "a server that knows no protocols ignores the client's" {
  about  = "No answer is no agreement; the client sees nil, not its own first choice.",
  rfc    = "RFC 7301 section 3.2",
  tags   = { "ciphers" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, { "h2" }, nil)
    link:handshake()
    expect_protocol(link, nil)
  end,
}
