-- SPDX-License-Identifier: MIT
-- Our client against Apache, one of whose directories wants a certificate.
local ms = require "moonshake"
local common = require "peers.common"
local apache = require "peers.apache"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function world(case, auth)
  local root = pki.authority { cn = "Example Root" }
  local w = {
    root = root,
    alice = root:authority { cn = "Client CA" }:issue { cn = "alice" },
    stranger = pki.authority { cn = "Another Root" }:issue { cn = "stranger" },
  }
  w.program, w.port = apache.server(case, {
    identity = root:authority { cn = "Server CA" }:issue { dns = "server.example" },
    trust = root, client_auth = auth, version = case.version,
  })
  return w
end

-- GnuTLS 3.7.9 waits for another ticket in a renegotiation where there was one before.
local function connect(w, given)
  given.trust, given.server_name = w.root, "server.example"
  given.tickets = given.versions == "TLS1.2" and 0 or nil
  return tls.connect { port = w.port, client = given }
end

ms.scenario "Apache asks for a certificate when a directory wants one" {
  about = "By a renegotiation up to TLS 1.2, and after the handshake in TLS 1.3.",
  needs = "apache",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world(case)
    local client = connect(w, { identity = w.alice, versions = case.version })
    expect(client:handshake()):is_true()
    expect(client.client.certificate_requested):is_false()
    expect((common.get(client, "/secret/index.html"))):contains "the secret page"
    local history = client.client.history
    expect(#history):equals(2)
    expect(history[1]):has { epoch = "initial", certificate_requested = false,
                             not_sent_because = "not_requested" }
    expect(history[2]):has {
      epoch = case.version == "TLS1.2" and "renegotiation 1" or "reauthentication 1",
      certificate_requested = true, requested_issuers = { "CN=Example Root" },
      not_sent_because = tls.none, handshake_completed = true,
      ["wire.sent_certificates"] = w.alice.chain,
    }
    expect(client.server.history[2].certificate_requested):is_true()
  end,
}

ms.scenario "Apache asks nobody for a certificate who stays outside" {
  needs = "apache",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world(case)
    local client = connect(w, { identity = w.alice, versions = case.version })
    expect(client:handshake()):is_true()
    expect((common.get(client, "/index.html"))):contains "the open page"
    expect(#client.client.history):equals(1)
    expect(client.client.not_sent_because):equals "not_requested"
  end,
}

ms.scenario "Apache gets none for a directory that wants one" {
  needs = "apache",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world(case)
    local client = connect(w, { versions = case.version })
    expect(client:handshake()):is_true()
    local page = common.get(client, "/secret/index.html")
    expect(page).no:contains "the secret page"
    expect(client.client.certificate_requested):is_true()
    expect(client.client.wire.sent_certificates):equals {}
    if case.version == "TLS1.2" then
      expect(client.client.alert_received):has { level = "fatal", name = "handshake_failure" }
    else -- its alert may be lost with a reset
      expect(client.client.error.problem):one_of { "peer_alert", "connection_reset" }
    end
  end,
}

ms.scenario "Apache meets a client that does not offer to be asked afterwards" {
  needs = "apache",
  run = function(case)
    local w = world { version = "TLS1.3", dir = case.dir }
    local client = connect(w, { identity = w.alice, versions = "TLS1.3",
                                post_handshake_auth = false })
    expect(client:handshake()):is_true()
    expect((common.get(client, "/secret/index.html"))):contains "403 Forbidden"
    expect(#client.client.history):equals(1)
  end,
}

ms.scenario "Apache wants a certificate of everybody" {
  needs = "apache",
  matrix = { version = VERSIONS, identity = { "alice", "none", "stranger" } },
  run = function(case)
    local w = world(case, "require")
    local client = connect(w, { identity = w[case.identity], versions = case.version,
                                send_certificate = "always" })
    local late = case.version == "TLS1.3"
    local content = client:handshake()
    if case.identity == "alice" then
      expect(content):is_true()
      expect((common.get(client, "/index.html"))):contains "the open page"
      expect(client.client.wire.sent_certificates):equals(w.alice.chain)
      return
    end
    expect(content):equals(late)
    local why = select(2, client:receive())
    expect(why):one_of(late and { "peer_alert", "connection_reset" } or { "peer_alert" })
    if why == "peer_alert" then
      local missing = late and "certificate_required" or "handshake_failure"
      expect(client.client.alert_received.name):equals(case.identity == "none" and missing
                                                       or "unknown_ca")
    end
  end,
}
