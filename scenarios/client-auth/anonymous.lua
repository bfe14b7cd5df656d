-- SPDX-License-Identifier: MIT
-- The quietest failure of all: the server asks, the client has a certificate, none is sent, and the
-- session goes on without a name. No alert, no error, no log line; the application answers 401 or
-- 403 and nobody knows why. The reason is in the request and in the client's identities, and
-- `not_sent_because` says it.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

-- Each way to stay anonymous: what the server asks for, and what the client has.
local WAYS = {
  not_requested = function(_, alice)
    return { client_auth = "none" }, { identity = alice }
  end,
  issuer_not_named = function(_, alice)
    return { issuers = "CN=Somebody Else" }, { identity = alice }
  end,
  ambiguous = function(ca, alice)
    return { issuers = {} }, { identity = { alice, ca:issue { cn = "bob" } } }
  end,
  no_common_signature_scheme = function(ca)
    return { signature_schemes = "ecdsa_secp256r1_sha256" },
           { identity = ca:issue { cn = "alice", key = "ed25519" } }
  end,
  policy = function(_, alice)
    return {}, { identity = alice, send_certificate = "never" }
  end,
}

local function names_of(ways)
  local names = {}
  for name in pairs(ways) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

ms.scenario "an anonymous session goes on, and the client can say why" {
  about  = "Both ends are content and exchange data; only the reason tells a mistake from a wish.",
  rfc    = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = { "TLS1.2", "TLS1.3" }, why = names_of(WAYS) },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local server, client = WAYS[case.why](ca, ca:issue { cn = "alice" })
    server.identity, server.trust = ca:issue { dns = "server.example" }, ca
    server.client_auth = server.client_auth or "request"
    client.trust, client.server_name = ca, "server.example"
    local link = tls.link { server = server, client = client, versions = case.version }
    link:handshake()
    expect(link):succeeded()

    local asked = case.why ~= "not_requested"
    expect(link.client):has {
      not_sent_because      = case.why,
      certificate_requested = asked,
      local_certificate     = tls.none,
      alert_received        = tls.none,
      ["wire.sent_certificates"] = asked and {} or tls.none,
    }
    expect(link.server):has {
      peer_certificate = tls.none,
      verification     = tls.none,
      alert_sent       = tls.none,
      not_sent_because = tls.none,                          -- a server's answer is not optional
      ["wire.received_certificates"] = asked and {} or tls.none,
    }
    expect(link:send { from = "client", data = "GET /secret" }):equals "GET /secret"
    expect(link:send { from = "server", data = "403" }):equals "403"
  end,
}

ms.scenario "a client that sent its certificate has nothing to explain" {
  about  = "The other side of the coin: the reason is nil when there is none.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "client-auth" },
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "request" },
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    expect(link.client.not_sent_because):is_nil()           -- nothing has happened yet
    link:handshake()
    expect(link):succeeded()
    expect(link.client.not_sent_because):is_nil()
    expect(link.server.peer_certificate):is(alice)
  end,
}
