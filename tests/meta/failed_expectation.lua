-- SPDX-License-Identifier: MIT
-- An expectation about an end fails: what it was, where, and the last events of both ends.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

ms.scenario "a client without a certificate is refused" {
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run = function(case)
    local ca = pki.authority { cn = "Root" }
    local link = tls.link {
      server = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = "require" },
      client = { trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    link:handshake()
    ms.note("the server wanted a certificate, the client has none")
    expect(link.server):succeeded()
  end,
}
