-- SPDX-License-Identifier: MIT
-- Cases for the engines to spread: one of each outcome.
local ms = require "moonshake"
local expect = ms.expect

ms.scenario "this one fails" {
  run = function()
    local ca = ms.pki.authority { cn = "Root" }
    local link = ms.tls.link {
      server = { identity = ca:issue { dns = "server.example" } },
      client = { trust = ca, server_name = "server.example" },
    }
    link:handshake()
    expect(link.client):failed()
  end,
}

ms.scenario "this one raises" {
  run = function() error "on purpose" end,
}

ms.scenario "this one is skipped" {
  run = function() ms.skip "because; of 'this' & \"that\"" end,
}

ms.scenario "this one is expected to fail" {
  expected_failure = "not yet",
  run = function() expect(1):equals(2) end,
}

ms.scenario "this one prints" {
  run = function()
    print "::error::from a case"
    ms.note "and has a note"
    expect(1):equals(1)
  end,
}
