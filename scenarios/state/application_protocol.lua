-- SPDX-License-Identifier: MIT
-- The application protocol (ALPN, RFC 7301): the client offers, the server picks, both report it.
-- Nothing shared is two different outcomes: GnuTLS goes on without a protocol unless the server was
-- told to refuse, which is what the RFC wants. A client that offers nothing is let in either way.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, client_alpn, server)
  local ca = pki.authority { cn = "Example Root" }
  server.identity, server.trust = ca:issue { dns = "server.example" }, ca
  return tls.link {
    server   = server,
    client   = { trust = ca, server_name = "server.example", alpn = client_alpn },
    versions = case.version,
  }
end

ms.scenario "of the shared protocols one end's first choice wins" {
  about  = "The client's by default, the server's where it has the preference.",
  rfc    = "RFC 7301 section 3.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, server_preference = { true, false } },
  run    = function(case)
    local link = link_with(case, { "h2", "http/1.1", "spdy/3" }, {
      alpn = { "http/1.1", "h2" }, server_preference = case.server_preference,
    })
    expect(link.client.alpn):is_nil()
    expect(link:handshake()):is_true()

    local protocol = case.server_preference and "http/1.1" or "h2"
    expect(link.client.alpn):equals(protocol)
    expect(link.server.alpn):equals(protocol)
  end,
}

ms.scenario "no shared protocol is silence or a refusal" {
  about  = "Silence is how a client comes to talk HTTP/2 to a server that does not; the refusal "
    .. "names the cause at the server and in the alert.",
  rfc    = "RFC 7301 section 3.3",
  tags   = { "state" },
  matrix = { version = VERSIONS, required = { true, false } },
  run    = function(case)
    local link = link_with(case, { "h2" }, { alpn = { "http/1.1" }, alpn_required = case.required })
    expect(link:handshake()):equals(not case.required)

    expect(link.client.alpn):is_nil()
    expect(link.server.alpn):is_nil()
    if case.required then
      expect(link.failed_first):equals "server"
      expect(link.server):failed "no_shared_protocol"
      expect(link.server.alert_sent):has { level = "fatal", name = "no_application_protocol" }
      expect(link.client):failed "no_application_protocol"
      expect(link.client.wire.received_certificates):is_nil()   -- too early for a certificate
    else
      expect(link):succeeded()
    end
  end,
}

ms.scenario "a protocol is only negotiated by two" {
  about  = "One end alone asks for nothing; not even a server that requires one refuses then.",
  rfc    = "RFC 7301 section 3.1",
  tags   = { "state" },
  matrix = { version = VERSIONS, only = { "client", "server", "neither" } },
  run    = function(case)
    local link = link_with(case, case.only == "client" and { "h2" } or nil, {
      alpn = case.only == "server" and { "h2" } or nil,
      alpn_required = case.only == "server" or nil,
    })
    expect(link:handshake()):is_true()
    expect(link.client):has { alpn = tls.none, error = tls.none }
    expect(link.server):has { alpn = tls.none, error = tls.none }
  end,
}

ms.scenario "a resumed session negotiates its protocol anew" {
  about  = "ALPN belongs to the connection and not to the session.",
  rfc    = "RFC 7301 section 3.1",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local first = link_with(case, { "h2" }, { alpn = { "h2", "http/1.1" } })
    expect(first:handshake()):is_true()
    expect(first.client.alpn):equals "h2"
    local link = first:resume { client = { alpn = { "http/1.1" } } }
    expect(link:handshake()):is_true()

    expect(link.client):has { resumed = true, alpn = "http/1.1" }
    expect(link.server):has { resumed = true, alpn = "http/1.1" }
    expect(first.client.alpn):equals "h2"
  end,
}
