-- SPDX-License-Identifier: MIT
-- What a relay's tamper function raises fails the case: at the script's next wait on the relay, or
-- at the end. So does a fault that can no longer strike, because what it is about is encrypted.
local ms = require "moonshake"
local tls, expect = ms.tls, ms.expect

local function handshake_through(tamper)
  local listener = tls.listen {
    server = { identity = ms.pki.authority { cn = "Root" }:issue { dns = "server.example" } },
  }
  local relay = tls.relay { to = { port = listener.port }, tamper = tamper }
  local client = tls.connect { port = relay.port, client = { verify = false } }
  expect(client:handshake()):is_false()
  expect(client.client):failed "connection_reset"
  return relay
end

ms.scenario "nobody waits for the relay" {
  run = function()
    handshake_through(function() error "not with me" end)
  end,
}

ms.scenario "the script waits for the relay" {
  run = function()
    local relay = handshake_through(function() error "not with me" end)
    relay:wait()
  end,
}

ms.scenario "a tamper function expects" {
  run = function()
    handshake_through(function(flight)
      expect(flight.messages):equals { "ServerHello" }
    end)
  end,
}

local fault = tls.faults.drop { at = "Certificate", from = "server" } -- for all cases of the file

ms.scenario "a fault strikes" {
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run = function(case)
    local link = tls.link {
      server = { identity = ms.pki.authority { cn = "Root" }:issue { dns = "server.example" } },
      client = { verify = false }, versions = case.version,
    }
    if case.version == "TLS1.2" then
      link:tamper(fault)
    end
    link:handshake()
    expect(fault):struck()
  end,
}

ms.scenario "nobody waits for the relay of a fault that cannot strike" {
  run = function()
    local listener = tls.listen {
      server = { identity = ms.pki.authority { cn = "Root" }:issue { dns = "server.example" } },
    }
    local relay = tls.relay { to = { port = listener.port }, tamper = fault }
    local client = tls.connect { port = relay.port, client = { verify = false } }
    ms.together(function()
      client:handshake()
    end, function()
      listener:accept():handshake()
    end)
    expect(client.client):failed "connection_reset"
  end,
}
