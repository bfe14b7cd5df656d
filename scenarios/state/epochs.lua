-- SPDX-License-Identifier: MIT
-- A connection can authenticate more than once: renegotiation up to TLS 1.2, post-handshake
-- authentication in TLS 1.3. Each starts an epoch. `end.history` keeps what an end said when each
-- was over; what belongs to a message (requests, alerts, the wire) starts anew with an epoch, what
-- the library reports may be older than it.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local function link_with(version, client_auth)
  local ca = pki.authority { cn = "Example Root" }
  local alice, host = ca:issue { cn = "alice" }, ca:issue { dns = "server.example" }
  return tls.link {
    server   = { identity = host, trust = ca, client_auth = client_auth },
    client   = { identity = alice, trust = ca, server_name = "server.example" },
    versions = version,
  }, alice, host
end

local function epochs_of(one)
  local names = {}
  for index, epoch in ipairs(one.history) do
    names[index] = epoch.epoch
  end
  return names
end

ms.scenario "a renegotiation adds an epoch and leaves the first as it was" {
  about  = "The client certificate is asked for only in the second handshake; the first epoch "
    .. "still says that nobody asked.",
  rfc    = "RFC 5246 section 7.4.1.1",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link, alice, host = link_with("TLS1.2", "none")
    expect(link:handshake()):is_true()
    expect(epochs_of(link.client)):equals { "initial" }
    expect(link:renegotiate { by = case.by, server = { client_auth = "require" } }):is_true()

    for _, role in ipairs { "client", "server" } do
      expect(link[role].epoch):equals "renegotiation 1"
      expect(link[role].renegotiations):equals(1)
      expect(epochs_of(link[role])):equals { "initial", "renegotiation 1" }
    end
    local client, server = link.client.history, link.server.history
    expect(client[1]):has {
      certificate_requested = false, not_sent_because = "not_requested",
      local_certificate = tls.none, renegotiations = 0,
      wire = { sent_certificates = tls.none, received_certificates = host.chain },
    }
    expect(client[2]):has {
      certificate_requested = true, not_sent_because = tls.none,
      local_certificates = alice.chain, renegotiations = 1,
      wire = { sent_certificates = alice.chain, received_certificates = host.chain },
    }
    expect(server[1]):has { peer_certificates = tls.none, verification = tls.none }
    expect(server[2]):has { peer_certificates = alice.chain, ["verification.verified"] = true }
  end,
}

ms.scenario "post-handshake authentication adds an epoch in which only the client is named" {
  about  = "The server's certificate belongs to the first epoch: it is still reported, and not "
    .. "sent again.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "state" },
  run    = function()
    local link, alice, host = link_with("TLS1.3", "none")
    expect(link:handshake()):is_true()
    expect(link.server):has { peer_certificate = tls.none, certificate_requested = false }
    expect(link:reauthenticate()):is_true()

    expect(epochs_of(link.client)):equals { "initial", "reauthentication 1" }
    expect(epochs_of(link.server)):equals { "initial", "reauthentication 1" }
    expect(link.client):has {
      certificate_requested = true, local_certificates = alice.chain,
      peer_certificates = host.chain, not_sent_because = tls.none,
      wire = { sent_certificates = alice.chain, received_certificates = tls.none },
    }
    expect(link.server):has {
      certificate_requested = true, local_certificates = host.chain,
      peer_certificates = alice.chain, ["verification.verified"] = true,
      wire = { sent_certificates = tls.none, received_certificates = alice.chain },
    }
    expect(link.client.history[1].not_sent_because):equals "not_requested"
    expect(link.server.history[1].peer_certificates):is_nil()
    expect(link):truthful()
    expect(link):mirrored()
  end,
}

ms.scenario "each round of post-handshake authentication is an epoch of its own" {
  about  = "Requests are counted, not merged; the last one is the current epoch.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "state" },
  run    = function()
    local link, alice = link_with("TLS1.3", "require")
    expect(link:handshake()):is_true()
    for round = 1, 3 do
      expect(link:reauthenticate()):is_true()
      expect(link.server.epoch):equals("reauthentication " .. round)
      expect(link.server.history):has_length(round + 1)
      expect(link.server.wire.received_certificates):equals(alice.chain)
    end
    expect(link.client.renegotiations):equals(0)            -- that is another thing
  end,
}

ms.scenario "a key update changes the keys and no report" {
  about  = "Same epoch, same peers, same exported secrets: only the traffic keys are new.",
  rfc    = "RFC 8446 section 4.6.3",
  tags   = { "state" },
  matrix = { by = { "client", "server" }, request_peer = { true, false } },
  run    = function(case)
    local link = link_with("TLS1.3", "require")
    expect(link:handshake()):is_true()
    local before = { client = link.client:snapshot(), server = link.server:snapshot() }
    local exported = link.client:exporter("EXPERIMENTAL moonshake", "", 32)
    expect(link:update_keys { by = case.by, request_peer = case.request_peer }):is_true()

    for _, role in ipairs { "client", "server" } do
      for _, name in ipairs { "epoch", "phase", "cipher_suite", "local_certificates",
                              "peer_certificates", "certificate_requested", "tickets_received",
                              "resumed" } do
        expect(link[role][name], name):equals(before[role][name])
      end
      expect(link[role].history):has_length(1)
      expect(link[role]:exporter("EXPERIMENTAL moonshake", "", 32)):equals(exported)
    end
    local senders = {}
    for _, event in ipairs(link.events) do
      if event.kind == "message" and event.type == "KeyUpdate" and event.direction == "sent" then
        senders[#senders + 1] = event.role
      end
    end
    local peer = case.by == "client" and "server" or "client"
    expect(senders):equals { case.by, case.request_peer and peer or nil }
    expect(link:send { from = "client", data = "ping" }):equals "ping"
    expect(link:send { from = "server", data = "pong" }):equals "pong"
  end,
}

ms.scenario "a renegotiation without a request leaves the client certificate standing" {
  about  = "GnuTLS goes on reporting the client of the handshake before; on the wire of this epoch "
    .. "there was none. Who trusts the report believes that the client proved itself again.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link, alice = link_with("TLS1.2", "require")
    expect(link:handshake()):is_true()
    expect(link:renegotiate { by = case.by, server = { client_auth = "none" } }):is_true()

    expect(link.server):has {
      peer_certificates = alice.chain, certificate_requested = false, verification = tls.none,
      ["wire.received_certificates"] = tls.none,
    }
    expect(link.client):has {
      local_certificates = alice.chain, not_sent_because = "not_requested",
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link):truthful()                                 -- the last message that there was
    expect(link.server.history[1].wire.received_certificates):equals(alice.chain)
  end,
}

ms.scenario "a renegotiation answered with no certificate shows the report lying" {
  about  = "The client is anonymous now and said so; GnuTLS keeps naming alice at the server.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link, alice = link_with("TLS1.2", "request")
    expect(link:handshake()):is_true()
    expect(link:renegotiate { by = case.by, client = { identity = tls.default } }):is_true()

    expect(link.server.certificate_requested):is_true()
    expect(link.server.wire.received_certificates):equals {}
    expect(link.server.verification):is_nil()
    expect(link.server.peer_certificate):is(alice)          -- GnuTLS's word, and wrong
    expect(link).no:truthful()
  end,
}

ms.scenario "a failed renegotiation is told apart from the session before it" {
  about  = "The first epoch stays a success in the history; the failure belongs to the second.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link, _, host = link_with("TLS1.2", "none")
    expect(link:handshake()):is_true()
    expect(link:renegotiate {
      by = case.by, server = { client_auth = "require" }, client = { identity = tls.default },
    }):is_false()

    expect(link.server):failed "no_certificate"
    expect(link.failed_first):equals "server"
    for _, role in ipairs { "client", "server" } do
      local first, second = link[role].history[1], link[role].history[2]
      expect(first):has {
        phase = "established", handshake_completed = true, error = tls.none,
        alert_sent = tls.none, alert_received = tls.none,
      }
      expect(second):has {
        epoch = "renegotiation 1", phase = "failed", handshake_completed = false,
        renegotiations = 0, failed_during = "handshake",
      }
    end
    expect(link.server.local_certificates):equals(host.chain)
    expect(link.client.wire.sent_certificates):equals {}
  end,
}
