-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
local expect = ms.expect

leak = "first" -- luacheck: ignore 111

ms.scenario "one" { tags = { "quick", "fine" }, run = function() expect(1):equals(1) end }

ms.scenario "many" {
  tags = "quick",
  needs = "openssl",
  timeout = 5,
  rfc = "RFC 8446, 4.4.2",
  matrix = { version = { "TLS1.2", "TLS1.3" }, depth = { 0, 3 },
             list = { { "a", "b" }, { name = "named" } } },
  run = function(case) expect(case.depth):at_most(3) end,
}

ms.scenario "it's bad" { tags = "bad", run = function() expect(1):equals(2) end }
ms.scenario "comes after" { run = function() expect(1):equals(1) end }
