-- SPDX-License-Identifier: MIT
-- Our client against gnutls-serv.
local ms = require "moonshake"
local common = require "peers.common"
local gnutls = require "peers.gnutls"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

-- A client of a server with this policy.
local function connect(case, auth, which)
  local root = pki.authority { cn = "Example Root" }
  local identities = {
    alice = root:authority { cn = "Client CA" }:issue { cn = "alice" },
    stranger = pki.authority { cn = "Another Root" }:issue { cn = "stranger" },
  }
  local _, port = gnutls.server(case, {
    identity = root:authority { cn = "Server CA" }:issue { dns = "server.example" },
    trust = root, client_auth = auth, version = case.version,
  })
  return tls.connect { port = port, client = {
    identity = identities[which], send_certificate = "always", trust = root,
    server_name = "server.example",
  } }, identities[which]
end

ms.scenario "gnutls-serv asks for no certificate" {
  needs = "gnutls",
  matrix = { version = VERSIONS },
  run = function(case)
    local client = connect(case, "none", "alice")
    expect(client:handshake()):is_true()
    expect((common.get(client))):contains "200 OK"
    expect(client.client):has { version = case.version, certificate_requested = false,
                                not_sent_because = "not_requested" }
    expect(client.client):verified()
  end,
}

ms.scenario "gnutls-serv gets the certificate that it asks for" {
  needs = "gnutls",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local client, alice = connect(case, case.auth, "alice")
    expect(client:handshake()):is_true()
    local page = common.get(client)
    expect(page):contains "200 OK"
    expect(page):contains "CN=alice"
    expect(client.client.wire.sent_certificates):equals(alice.chain)
  end,
}

ms.scenario "gnutls-serv gets none" {
  about = "In TLS 1.3 its alert competes with the end of the connection.",
  needs = "gnutls",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local client = connect(case, case.auth, "nobody")
    local content = client:handshake()
    if case.auth == "request" then
      expect(content):is_true()
      expect((common.get(client))):contains "200 OK"
      return
    end
    local late = case.version == "TLS1.3"
    expect(content):equals(late)
    local why = select(2, client:receive())
    expect(why):one_of { "peer_alert", "connection_reset", "closed_early" }
    if why == "peer_alert" then
      expect(client.client.alert_received):has {
        level = "fatal", name = late and "certificate_required" or "decode_error",
      }
    end
  end,
}

ms.scenario "gnutls-serv does not know the client's authority" {
  about = "It lets the handshake complete in either version, and refuses after it.",
  needs = "gnutls",
  matrix = { version = VERSIONS },
  run = function(case)
    local client, stranger = connect(case, "require", "stranger")
    client:handshake()
    local page, why = common.get(client)
    expect(page).no:contains "200 OK"
    expect(why):one_of { "peer_alert", "connection_reset", "closed_early" }
    if why == "peer_alert" then
      expect(client.client.alert_received):has { level = "fatal", name = "access_denied" }
    end
    expect(client.client.wire.sent_certificates):equals(stranger.chain)
  end,
}
