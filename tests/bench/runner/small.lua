-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

ms.scenario "a client trusts the issuer" {
  run = function()
    local ca = pki.authority { cn = "Root" }
    local link = tls.link {
      server = { identity = ca:issue { dns = "a.example" } },
      client = { trust = ca, server_name = "a.example" },
    }
    expect(link:handshake()):is_true()
    expect(link.client):verified()
  end,
}
