-- SPDX-License-Identifier: MIT
-- Cases for the engines to spread: real links, and a file of the case in the right place.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

ms.scenario "two ends shake hands" {
  tags = { "passes" },
  matrix = { version = { "TLS1.2", "TLS1.3" }, client_auth = { "none", "request", "require" } },
  run = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = case.client_auth },
      client = { identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    expect(link:handshake()):is_true()
  end,
}

-- An engine that has a place for temporary files may let nothing else be written.
ms.scenario "the directory of a case is where the engine wants it" {
  tags = { "passes" },
  run = function(case)
    local wanted = os.getenv "TEST_TMPDIR" or "/"
    expect(case.dir:sub(1, #wanted)):equals(wanted)
  end,
}
