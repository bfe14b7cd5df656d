-- SPDX-License-Identifier: MIT
-- Our client against nginx, which lets the handshake complete and refuses by HTTP.
local ms = require "moonshake"
local common = require "peers.common"
local nginx = require "peers.nginx"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

-- The page that a client with this identity gets, and its end.
local function ask(case, auth, which)
  local root = pki.authority { cn = "Example Root" }
  local identities = {
    alice = root:authority { cn = "Client CA" }:issue { cn = "alice" },
    stranger = pki.authority { cn = "Another Root" }:issue { cn = "stranger" },
  }
  local _, path = nginx.server(case, {
    identity = root:authority { cn = "Server CA" }:issue { dns = "server.example" },
    trust = root, client_auth = auth, version = case.version,
  })
  local client = tls.connect { path = path, client = {
    identity = identities[which], send_certificate = "always", trust = root,
    server_name = "server.example",
  } }
  expect(client:handshake()):is_true()
  local page, why = common.get(client)
  expect(why):one_of { "closed", "closed_early" }
  expect(client.client):has { version = case.version, handshake_completed = true }
  expect(client.client):verified()
  return page, client.client, identities[which]
end

ms.scenario "nginx asks for no certificate" {
  needs = "nginx",
  matrix = { version = VERSIONS },
  run = function(case)
    local page, client = ask(case, nil, "alice")
    expect(page):contains "verify=NONE"
    expect(client):has { certificate_requested = false, not_sent_because = "not_requested" }
  end,
}

ms.scenario "nginx gets the certificate that it asks for" {
  needs = "nginx",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local page, client, alice = ask(case, case.auth, "alice")
    expect(page):contains "verify=SUCCESS subject=CN=alice"
    expect(client.wire.sent_certificates):equals(alice.chain)
    expect(client.requested_issuers):equals { "CN=Example Root" }
  end,
}

ms.scenario "nginx gets no certificate" {
  about = "The handshake is complete at both ends; a page says what is wrong.",
  needs = "nginx",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local page, client = ask(case, case.auth, "nobody")
    if case.auth == "require" then
      expect(page):contains "400 Bad Request"
      expect(page):contains "No required SSL certificate was sent"
    else
      expect(page):contains "verify=NONE"
    end
    expect(client.alert_received and client.alert_received.level):one_of { tls.none, "warning" }
    expect(client.wire.sent_certificates):equals {}
  end,
}

ms.scenario "nginx does not know the client's authority" {
  needs = "nginx",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local page, client, stranger = ask(case, case.auth, "stranger")
    expect(page):contains "400 Bad Request"
    expect(page):contains "The SSL certificate error"
    expect(client.wire.sent_certificates):equals(stranger.chain)
  end,
}
