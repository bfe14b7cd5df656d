-- SPDX-License-Identifier: MIT
-- What `show` tells of. Suites, groups, schemes and the time are fixed, so that it is always the
-- same.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local SUITES = {
  ["TLS1.2"] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", ["TLS1.3"] = "TLS_AES_128_GCM_SHA256",
}

local function link_with(version, server)
  ms.clock:set(1700000000)
  local ca = pki.authority { cn = "Example Root" }
  local options = { identity = ca:issue { dns = "server.example" }, trust = ca, tickets = 1 }
  for name, value in pairs(server or {}) do
    options[name] = value
  end
  return tls.link {
    server = options, client = { trust = ca, server_name = "server.example" },
    versions = version, cipher_suites = SUITES[version], groups = "x25519",
    signature_schemes = "ecdsa_secp256r1_sha256",
  }
end

ms.scenario "nobody shows a certificate that is required" {
  about  = "Who notices, when, and with which alert. The two versions differ in what the client "
    .. "believes.",
  rfc    = "RFC 8446 section 4.4.2.4",
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local link = link_with(case.version, { client_auth = "require" })
    link:handshake()
    expect(link.server):failed "no_certificate"
  end,
}

ms.scenario "two links, with notes" {
  run = function()
    ms.note "Nothing has happened yet."
    local link = link_with "TLS1.2"
    link:handshake()
    ms.note "The first link is up.\nThe second one resumes its session."
    link:close()
    local second = link:resume()
    second:handshake()
    ms.note "Nobody had to show a certificate again."
    expect(second.client.resumed):is_true()
  end,
}

ms.scenario "links that were let go" {
  run = function()
    for _ = 1, 9 do
      link_with "TLS1.3"
      collectgarbage()
    end
    expect(true):is_true()
  end,
}

ms.scenario "several values" {
  matrix = { version = { "TLS1.2", "TLS1.3" }, auth = { "none", "request" } },
  run    = function(case)
    link_with(case.version, { client_auth = case.auth }):handshake()
    expect(true):is_true()
  end,
}

ms.scenario "another belief" {
  run = function()
    local link = link_with "TLS1.3"
    ms.check(link.client.phase):equals "idle"
    expect(link.client.phase):equals "established"
  end,
}

ms.scenario "no link at all" {
  run = function()
    print "printed by the case"
    expect(true):is_true()
  end,
}

ms.scenario "skipped" { run = function() ms.skip "there is nothing to see" end }

ms.scenario "its process dies" {
  run = function()
    local link = link_with "TLS1.3"
    link:handshake()
    require("disaster").segfault()
  end,
}
