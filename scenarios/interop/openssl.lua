-- SPDX-License-Identifier: MIT
-- The same situation, another stack at the far end: `openssl s_server` and `s_client`, started by
-- the scenario, on a port that is free. What OpenSSL thinks is unknown here; what it sent is not.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSION = { ["TLS1.2"] = "-tls1_2", ["TLS1.3"] = "-tls1_3" }

-- A server of OpenSSL's, and its port.
local function openssl_server(case, ca, ...)
  local certificate, _, key = ca:issue { dns = "server.example" }:save(case.dir .. "/server")
  local server = ms.program { "openssl", "s_server", "-accept", "127.0.0.1:0",
                              "-cert", certificate, "-key", key, VERSION[case.version], ... }
  local _, port = server:line { match = "^ACCEPT 127%.0%.0%.1:(%d+)" }
  return server, math.tointeger(port)
end

-- A client of OpenSSL's that stays until its server ends.
local function openssl_client(case, port, identity)
  local certificate, _, key = identity:save(case.dir .. "/client")
  return ms.program { "openssl", "s_client", "-connect", "127.0.0.1:" .. port, "-ign_eof",
                      "-cert", certificate, "-key", key, VERSION[case.version] }
end

ms.scenario "OpenSSL requires a certificate that never comes" {
  about  = "It says handshake_failure up to TLS 1.2, where GnuTLS says decode_error.",
  tags   = { "client-auth" },
  needs  = "openssl",
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local root = ca:save(case.dir .. "/root")
    local _, port = openssl_server(case, ca, "-CAfile", root, "-Verify", "1")
    local client = tls.connect {
      port = port, client = { trust = ca, server_name = "server.example" },
    }

    -- In TLS 1.3 the client is done before it is refused: the refusal comes with its first read.
    expect(client:handshake()):equals(case.version == "TLS1.3")
    client:receive()

    expect(client):failed(case.version == "TLS1.3" and "certificate_required"
                          or "handshake_failure")
    expect(client.client):has { told_by = "peer", wire = { sent_certificates = {} } }
    expect(client.server):has { certificate_requested = true,
                                requested_issuers = { "CN=Example Root" } }
    expect(client.server.alert_sent.level):equals "fatal"
  end,
}

ms.scenario "GnuTLS keeps a certificate at home that OpenSSL sends" {
  about  = "The server names one authority, the client's certificate is of another. GnuTLS sends "
    .. "none, so the server says that there is none; OpenSSL sends it, so the server rejects it.",
  tags   = { "client-auth" },
  needs  = "openssl",
  matrix = { version = { "TLS1.2", "TLS1.3" }, client = { "gnutls", "openssl" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = pki.authority { cn = "Another Root" }:issue { cn = "alice" }
    local listener = tls.listen {
      server = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = "require", versions = case.version },
    }
    local server
    if case.client == "openssl" then
      openssl_client(case, listener.port, alice)
      server = listener:accept()
      server:handshake()
    else
      local client = tls.connect {
        port = listener.port,
        client = { identity = alice, trust = ca, server_name = "server.example" },
      }
      ms.together(function()
        client:handshake()
      end, function()
        server = listener:accept()
        server:handshake()
      end)
      expect(client.client.not_sent_because):equals "issuer_not_named"
    end

    if case.client == "openssl" then
      expect(server.client.wire.sent_certificates):equals { alice.certificate }
      expect(server):failed "certificate_rejected"
      expect(server.server):unverified "signer_not_found"
    else
      expect(server.client.wire.sent_certificates):equals {}
      expect(server):failed "no_certificate"
    end
  end,
}

ms.scenario "OpenSSL does not ask again in a session that it takes back" {
  about  = "A client that had no certificate has one now, and nobody wants to know: the session "
    .. "goes on as that of nobody in particular.",
  tags   = { "client-auth", "resumption" },
  rfc    = "RFC 8446 section 4.6.1",
  needs  = "openssl",
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local root = ca:save(case.dir .. "/root")
    -- -verify asks and takes none for an answer; -www answers a request, and closes.
    local _, port = openssl_server(case, ca, "-CAfile", root, "-verify", "1", "-www")
    local function ask(client)
      expect(client:handshake()):is_true()
      client:send { data = "GET / HTTP/1.0\r\n\r\n" }
      expect(client:receive()):contains "HTTP/1.0 200"
      client:close()
      repeat until not client:receive()
      return client
    end
    local first = ask(tls.connect {
      port = port, client = { trust = ca, server_name = "server.example" },
    })
    expect(first.client):has { certificate_requested = true, resumed = false }

    local second = ask(first:resume { client = { identity = ca:issue { cn = "alice" } } })
    expect(second.client):has { certificate_requested = false, resumed = true,
                                wire = { sent_certificates = tls.none } }
  end,
}
