-- SPDX-License-Identifier: MIT
-- A case that crashes costs exactly itself, and tells where it was and what its link did last.
local ms = require "moonshake"
local disaster = require "disaster"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

ms.scenario "runs before" { run = function() expect(1):equals(1) end }

ms.scenario "crashes in a handshake" {
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run = function(case)
    print "about to crash"
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = "request" },
      client = { trust = ca, server_name = "server.example",
                 identity = function() disaster.segfault() end },
      versions = case.version,
    }
    link:handshake()
  end,
}

ms.scenario "uses up the stack" { run = function() disaster.overflow_the_stack() end }

ms.scenario "runs after them" { run = function() expect(1):equals(1) end }
