-- SPDX-License-Identifier: MIT
-- Our client against `openssl s_server`.
local ms = require "moonshake"
local common = require "peers.common"
local openssl = require "peers.openssl"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function world()
  local root = pki.authority { cn = "Example Root" }
  return {
    root = root,
    server = root:authority { cn = "Server CA" }:issue { dns = "server.example" },
    alice = root:authority { cn = "Client CA" }:issue { cn = "alice" },
    stranger = pki.authority { cn = "Another Root" }:issue { cn = "stranger" },
  }
end

local function connect(w, port, given)
  given = given or {}
  given.trust, given.server_name = w.root, "server.example"
  return tls.connect { port = port, client = given }
end

-- Has the server begin something, and waits until it is over at both ends: data goes both ways.
local function command(program, client, letter)
  local function seen() -- what it prints of it stays in its buffer
    if letter ~= "K" then
      return client.client.epoch ~= "initial"
    end
    for _, event in ipairs(client.events) do
      if event.type == "KeyUpdate" then
        return true
      end
    end
  end
  expect(program:write(letter .. "\n")):is_true()
  repeat
    expect(client:receive { timeout = 0.05 }):is_nil()
  until seen()
  expect(program:write "after it\n"):is_true()
  expect(client:receive()):equals "after it\n"
  expect(client:send { data = "and back\n" }):is_true()
  expect(program:line { match = "^and back$" }):equals "and back"
end

ms.scenario "openssl s_server asks for no certificate" {
  needs = "openssl",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, { identity = w.server, version = case.version,
                                           page = true })
    local client = connect(w, port, { identity = w.alice })
    expect(client:handshake()):is_true()
    local page, why = common.get(client)
    expect(page):contains "HTTP/1.0 200 ok"
    expect(why):one_of { "closed", "closed_early" }
    expect(client.client):has {
      version = case.version, certificate_requested = false, not_sent_because = "not_requested",
      handshake_completed = true,
    }
    expect(client.client):verified()
    expect(#client.client.peer_certificates):equals(2)
    expect(client.server):has { version = case.version, certificate_requested = false }
  end,
}

ms.scenario "openssl s_server gets the certificate that it asks for" {
  needs = "openssl",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local w = world()
    local program, port = openssl.server(case, {
      identity = w.server, version = case.version, page = true, trust = w.root,
      client_auth = case.auth,
    })
    local client = connect(w, port, { identity = w.alice })
    expect(client:handshake()):is_true()
    expect(common.get(client)):contains "HTTP/1.0 200 ok"
    expect(client.client):has {
      certificate_requested = true, requested_issuers = { "CN=Example Root" },
      not_sent_because = tls.none,
    }
    expect(client.client.wire.sent_certificates):equals(w.alice.chain)
    if case.version == "TLS1.2" then -- in TLS 1.3 the server's Finished comes before it
      expect(client.server.wire.received_certificates):equals(w.alice.chain)
    end
    expect(program:line { match = "depth=0 CN = alice" }):contains "alice"
  end,
}

ms.scenario "openssl s_server gets none" {
  about = "Up to TLS 1.2 the handshake fails; in TLS 1.3 the client learns of it by its next read.",
  needs = "openssl",
  matrix = { version = VERSIONS, auth = { "request", "require" } },
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, {
      identity = w.server, version = case.version, page = true, trust = w.root,
      client_auth = case.auth,
    })
    local client = connect(w, port)
    local required, late = case.auth == "require", case.version == "TLS1.3"
    expect(client:handshake()):equals(late or not required)
    if not required then
      expect(common.get(client)):contains "HTTP/1.0 200 ok"
      expect(client.client.error):is_nil()
      return
    end
    expect(select(2, client:receive())):equals "peer_alert"
    expect(client.client):has {
      phase = "failed", failed_during = late and "read" or "handshake", told_by = "peer",
      handshake_completed = late,
      alert_received = { level = "fatal",
                         name = late and "certificate_required" or "handshake_failure" },
      ["wire.sent_certificates"] = {},
    }
    expect(client.server.alert_sent.name):equals(client.client.alert_received.name)
  end,
}

ms.scenario "openssl s_server does not know the client's authority" {
  about = "A client that goes by the issuers in the request sends nothing; another is refused.",
  needs = "openssl",
  matrix = { version = VERSIONS, send = { "matching", "always" } },
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, {
      identity = w.server, version = case.version, page = true, trust = w.root,
      client_auth = "require",
    })
    local client = connect(w, port, { identity = w.stranger, send_certificate = case.send })
    client:handshake()
    expect(select(2, client:receive())):equals "peer_alert"
    local missing = case.version == "TLS1.3" and "certificate_required" or "handshake_failure"
    local insists = case.send == "always"
    expect(client.client.alert_received.name):equals(insists and "unknown_ca" or missing)
    expect(client.client):has {
      not_sent_because = insists and tls.none or "issuer_not_named",
      ["wire.sent_certificates"] = insists and w.stranger.chain or {},
    }
  end,
}

ms.scenario "openssl s_server wants another group first" {
  needs = "openssl",
  rfc = "RFC 8446 section 4.1.4",
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, {
      identity = w.server, version = "TLS1.3", page = true, arguments = { "-groups", "P-384" },
    })
    local client = connect(w, port, { groups = { "x25519", "secp256r1", "secp384r1" } })
    expect(client:handshake()):is_true()
    local types = {}
    for _, event in ipairs(client.events) do
      if event.kind == "message" and event.direction == "received" then
        types[#types + 1] = event.type
      end
    end
    expect(types[1]):equals "HelloRetryRequest"
    expect(types[2]):equals "ServerHello"
    expect(client.client.group):equals "secp384r1"
  end,
}

ms.scenario "openssl s_server shares no version with the client" {
  needs = "openssl",
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, { identity = w.server, version = "TLS1.2", page = true })
    local client = connect(w, port, { versions = "TLS1.3" })
    expect(client:handshake()):is_false()
    expect(client.client.alert_received):has { level = "fatal", name = "protocol_version" }
  end,
}

ms.scenario "a session of openssl s_server is resumed" {
  needs = "openssl",
  matrix = { version = VERSIONS },
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, {
      identity = w.server, version = case.version, page = true, trust = w.root,
      client_auth = "request",
    })
    local first = connect(w, port, { identity = w.alice })
    expect(first:handshake()):is_true()
    expect(common.get(first)):contains "HTTP/1.0 200 ok"
    expect(first.client.resumed):is_false()
    first:close() -- s_server serves one after the other
    local second = first:resume()
    expect(second:handshake()):is_true()
    local page = common.get(second)
    expect(page):contains "Reused, TLSv1."
    expect(second.client):has { resumed = true, certificate_requested = false }
  end,
}

ms.scenario "openssl s_server renegotiates and asks for a certificate" {
  about = "With tickets GnuTLS 3.7.9 would wait for another one, which this server does not send.",
  needs = "openssl",
  matrix = { identity = { "alice", "none" } },
  run = function(case)
    local w = world()
    local program, port = openssl.server(case, {
      identity = w.server, version = "TLS1.2", trust = w.root,
      arguments = { "-no_resumption_on_reneg" },
    })
    local client = connect(w, port, { identity = w[case.identity], tickets = 0 })
    expect(client:handshake()):is_true()
    command(program, client, "R")
    expect(client.client):succeeded()
    expect(client.client.epoch):equals "renegotiation 1"
    expect(#client.client.history):equals(2)
    expect(client.client.history[1].certificate_requested):is_false()
    expect(client.client.history[2]):has {
      certificate_requested = true, renegotiations = 1,
      ["wire.sent_certificates"] = w[case.identity] and w.alice.chain or {},
    }
    client:close()
  end,
}

ms.scenario "a client that waits for a ticket in a renegotiation is explained" {
  about = "GnuTLS 3.7.9 waits for one ever after the first; s_server sends none.",
  needs = "openssl",
  run = function(case)
    local w = world()
    local program, port = openssl.server(case, {
      identity = w.server, version = "TLS1.2", arguments = { "-no_resumption_on_reneg" },
    })
    local client = connect(w, port, {})
    expect(client:handshake()):is_true()
    program:write "R\n"
    expect(client:receive()):is_nil()
    expect(client.client):failed "protocol_violation"
    expect(client:explain()):contains "waits for a session ticket in the renegotiation"
  end,
}

ms.scenario "openssl s_server asks for a certificate after the handshake" {
  needs = "openssl",
  rfc = "RFC 8446 section 4.6.2",
  matrix = { identity = { "alice", "none" } },
  run = function(case)
    local w = world()
    local program, port = openssl.server(case, {
      identity = w.server, version = "TLS1.3", trust = w.root,
    })
    local client = connect(w, port, { identity = w[case.identity] })
    expect(client:handshake()):is_true()
    command(program, client, "c")
    expect(client.client):succeeded()
    expect(client.client.epoch):equals "reauthentication 1"
    expect(#client.client.history):equals(2)
    expect(client.client.history[2]):has {
      certificate_requested = true,
      ["wire.sent_certificates"] = w[case.identity] and w.alice.chain or {},
    }
    client:close()
  end,
}

ms.scenario "keys are updated with openssl s_server" {
  needs = "openssl",
  run = function(case)
    local w = world()
    local program, port = openssl.server(case, { identity = w.server, version = "TLS1.3" })
    local client = connect(w, port)
    expect(client:handshake()):is_true()
    command(program, client, "K") -- its own, and ours
    expect(client:update_keys { request_peer = true }):is_true()
    expect(client:send { data = "more\n" }):is_true()
    expect(program:line { match = "^more$" }):equals "more"
    expect(client.client):succeeded()
  end,
}

ms.scenario "openssl s_server refuses a renegotiation that the client wants" {
  needs = "openssl",
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, { identity = w.server, version = "TLS1.2" })
    local client = connect(w, port)
    expect(client:handshake()):is_true()
    expect(client:renegotiate()):is_false()
    expect(client.client):has {
      phase = "established", told_by = "peer", ["error.problem"] = "renegotiation_refused",
      alert_received = { level = "warning", name = "no_renegotiation" },
    }
  end,
}

ms.scenario "openssl s_server shows what the client does not trust" {
  needs = "openssl",
  matrix = { version = VERSIONS, fault = { "unknown", "name", "intermediate" } },
  run = function(case)
    local w = world()
    local _, port = openssl.server(case, {
      identity = case.fault == "intermediate" and w.server:with { chain = { w.server } }
        or w.server,
      version = case.version, page = true,
    })
    local client = tls.connect { port = port, client = {
      trust = case.fault == "unknown" and w.stranger.issuer or w.root,
      server_name = case.fault == "name" and "other.example" or "server.example",
    } }
    expect(client:handshake()):is_false()
    expect(client.client):has {
      told_by = "itself", ["error.problem"] = "certificate_rejected",
      ["alert_sent.level"] = "fatal",
    }
    expect(client.client):unverified(case.fault == "name" and "unexpected_owner"
                                     or "signer_not_found")
  end,
}
