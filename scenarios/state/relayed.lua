-- SPDX-License-Identifier: MIT
-- A relay between two ends on real sockets: what somebody in between can see of a handshake, and
-- what each end reports when he does more than look. He sees less of TLS 1.3: behind the hellos all
-- is encrypted (RFC 8446 section 2).
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

-- Both ends after a handshake through a relay, and what the relay knows of it.
local function through(case, tamper)
  local ca = pki.authority { cn = "Example Root" }
  local listener = tls.listen {
    server = { identity = ca:issue { dns = "server.example" }, trust = ca,
               client_auth = "require" },
  }
  local relay = tls.relay { to = { port = listener.port }, tamper = tamper }
  local client = tls.connect { port = relay.port, client = {
    identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example",
    versions = case.version,
  } }
  local server
  ms.together(function()
    client:handshake()
    client:receive() -- what the server has to say behind its handshake
    client:close()
  end, function()
    server = listener:accept()
    server:handshake()
    server:close()
    server:receive()
  end)
  expect(relay:wait()):is_true()
  return client, server, relay.connections[1]
end

-- Which messages of an end somebody in between can name.
local function named(connection, role)
  local names = {}
  for _, flight in ipairs(connection.flights) do
    for _, message in ipairs(flight.from == role and flight.messages or {}) do
      names[#names + 1] = message
    end
  end
  return names
end

ms.scenario "who stands in between names what is in the clear" {
  about  = "Up to TLS 1.2 all but Finished, both chains included; in TLS 1.3 the two hellos.",
  rfc    = "RFC 8446 section 2",
  tags   = { "state", "relay" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local client, server, seen = through(case)
    expect(client.client.handshake_completed):is_true()
    expect(server.server.handshake_completed):is_true()
    expect(seen.ended):has { client = "closed", server = "closed" }
    if case.version == "TLS1.3" then
      expect(named(seen, "client")):equals { "ClientHello" }
      expect(named(seen, "server")):equals { "ServerHello" }
    else
      expect(named(seen, "client")):equals {
        "ClientHello", "Certificate", "ClientKeyExchange", "CertificateVerify",
      }
      expect(named(seen, "server")):equals {
        "ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest",
        "ServerHelloDone", "NewSessionTicket",
      }
    end
  end,
}

ms.scenario "a changed ServerHello is noticed on real sockets as between the ends of a link" {
  rfc    = "RFC 5246 section 7.4.3",
  tags   = { "state", "relay", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local client, server, seen =
      through(case, tls.faults.flip { at = "ServerHello", byte = 20, bit = 0 })
    local tls13 = case.version == "TLS1.3"
    expect(client.client):failed(tls13 and "protocol_violation" or "bad_signature")
    expect(server.server):failed(tls13 and "protocol_violation" or "peer_alert")
    expect(seen.flights[2]):has { from = "server", messages = { "ServerHello" },
                                  arrived = "changed" }
  end,
}

ms.scenario "an encrypted record that is changed on the way is refused" {
  about  = "The client's first: its Finished up to TLS 1.2, its Certificate in TLS 1.3. Somebody "
    .. "in between cannot tell which; he names the record. In TLS 1.3 the client was done by then.",
  rfc    = "RFC 8446 section 5.2",
  tags   = { "state", "relay", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local fault = tls.faults.flip { at = "encrypted", from = "client", byte = -1, bit = 0 }
    local client, server, seen = through(case, fault)
    expect(fault):struck()
    expect(server.server):has { ["error.problem"] = "protocol_violation", told_by = "itself",
                                handshake_completed = false }
    expect(client.client):has { ["error.problem"] = "peer_alert",
                                handshake_completed = case.version == "TLS1.3" }
    expect(named(seen, "client")).no:contains "Finished"
  end,
}

ms.scenario "records that come byte by byte are a handshake" {
  rfc    = "RFC 8446 section 5.1",
  tags   = { "state", "relay", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local client, server = through(case, tls.faults.split { size = 1 })
    expect(client.client.handshake_completed):is_true()
    expect(server.server.handshake_completed):is_true()
    expect(server.server.peer_certificates):has_length(1)
  end,
}

ms.scenario "a connection that ends at the ServerHello is told by how it ended" {
  about  = "An end of the stream and a reset are different problems, and neither is an alert.",
  tags   = { "state", "relay", "tampering" },
  matrix = { version = VERSIONS, how = { "close", "reset" } },
  run    = function(case)
    local client, server = through(case, tls.faults[case.how] { at = "ServerHello" })
    local problem = case.how == "close" and "closed_early" or "connection_reset"
    expect(client.client):failed(problem)
    expect(server.server):failed(problem)
    expect(client.client.alert_received):is_nil()
  end,
}
