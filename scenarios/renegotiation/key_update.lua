-- SPDX-License-Identifier: MIT
-- The other use of renegotiation, fresh keys, is a single message in TLS 1.3: KeyUpdate says "from
-- here on I use my next keys" (RFC 8446 section 4.6.3). It can also request the same of the peer,
-- which must answer with a KeyUpdate before its next data. GnuTLS would wait for that data; the
-- harness has it answer before it calls the link quiet. Nobody is authenticated again and no
-- certificate crosses the wire.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }
local NOT_REQUESTED, REQUESTED = "\0", "\1"

local function mutual_link()
  local ca = pki.authority { cn = "Example Root" }
  local link = tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                 client_auth = "require" },
    client   = { identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example" },
    versions = { "TLS1.3" },
  }
  expect(link:handshake()):is_true()
  return link
end

-- The bodies of the KeyUpdate messages that an end sent or received, joined.
local function updates(link, role, direction)
  local bodies = {}
  for _, event in ipairs(link.events) do
    if event.kind == "message" and event.type == "KeyUpdate" and event.role == role
      and event.direction == direction then
      bodies[#bodies + 1] = event.bytes
    end
  end
  return table.concat(bodies)
end

local function expect_data_both_ways(link, data)
  for _, from in ipairs(BOTH) do
    expect(link:send { from = from, data = data .. from }, from):equals(data .. from)
  end
end

ms.scenario "an end updates its own keys" {
  about  = "One message, no answer; what was reported before stands: no epoch, no certificate.",
  rfc    = "RFC 8446 section 4.6.3",
  tags   = { "renegotiation", "key-update" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = mutual_link()
    local before = { client = link.client:snapshot(), server = link.server:snapshot() }
    local keying = link.client:exporter("EXPORTER-test", nil, 32)
    expect_data_both_ways(link, "before, from the ")

    expect(link:update_keys { by = case.by }):is_true()
    expect_data_both_ways(link, "after, from the ")

    expect(link):succeeded()
    expect(updates(link, case.by, "sent")):equals(NOT_REQUESTED)
    expect(updates(link, OTHER[case.by], "received")):equals(NOT_REQUESTED)
    expect(updates(link, OTHER[case.by], "sent")):equals("")
    for _, role in ipairs(BOTH) do
      expect(link[role].history, role):has_length(1)
      expect(link[role], role):has {
        epoch = "initial", renegotiations = 0,
        peer_certificates = before[role].peer_certificates,
        local_certificates = before[role].local_certificates,
        cipher_suite = before[role].cipher_suite,
      }
    end
    expect(link):truthful()
    expect(link):mirrored()
    expect(link.client:exporter("EXPORTER-test", nil, 32)):equals(keying)
  end,
}

ms.scenario "an end asks its peer to update, too" {
  about  = "The answer comes before the peer's next data, and asks for nothing in turn.",
  rfc    = "RFC 8446 section 4.6.3",
  tags   = { "renegotiation", "key-update" },
  matrix = { by = BOTH },
  run    = function(case)
    local link, peer = mutual_link(), OTHER[case.by]

    expect(link:update_keys { by = case.by, request_peer = true }):is_true()
    expect(updates(link, case.by, "sent")):equals(REQUESTED)
    expect(updates(link, peer, "sent")):equals(NOT_REQUESTED)
    expect(updates(link, case.by, "received")):equals(NOT_REQUESTED)

    expect(link:update_keys { by = peer, request_peer = true }):is_true()
    expect(updates(link, peer, "sent")):equals(NOT_REQUESTED .. REQUESTED)
    expect(updates(link, case.by, "sent")):equals(REQUESTED .. NOT_REQUESTED)

    expect_data_both_ways(link, "after, from the ")
    expect(updates(link, peer, "sent")):equals(NOT_REQUESTED .. REQUESTED)
    expect(link):succeeded()
  end,
}

ms.scenario "a hundred key updates in a row" {
  about  = "GnuTLS takes eight a second; the harness moves its clock past that window.",
  rfc    = "RFC 8446 section 4.6.3",
  tags   = { "renegotiation", "key-update" },
  matrix = { by = BOTH, request_peer = { false, true } },
  run    = function(case)
    local link, peer = mutual_link(), OTHER[case.by]
    for number = 1, 100 do
      expect(link:update_keys { by = case.by, request_peer = case.request_peer },
             "update " .. number):is_true()
    end
    expect_data_both_ways(link, "after all, from the ")

    expect(updates(link, case.by, "sent"))
      :equals((case.request_peer and REQUESTED or NOT_REQUESTED):rep(100))
    expect(updates(link, peer, "sent"))
      :equals(case.request_peer and NOT_REQUESTED:rep(100) or "")
    expect(link):succeeded()
  end,
}

ms.scenario "both ends update in turns with data between" {
  about  = "Each direction has keys of its own; neither gets out of step.",
  rfc    = "RFC 8446 section 7.2",
  tags   = { "renegotiation", "key-update" },
  matrix = { request_peer = { false, true } },
  run    = function(case)
    local link = mutual_link()
    for round = 1, 10 do
      for _, by in ipairs(BOTH) do
        expect(link:update_keys { by = by, request_peer = case.request_peer }):is_true()
        expect_data_both_ways(link, ("round %d, update by the %s, from the "):format(round, by))
      end
    end
    for _, role in ipairs(BOTH) do
      -- Its own ten and, where it was asked, ten answers.
      expect(updates(link, role, "sent"), role):has_length(case.request_peer and 20 or 10)
    end
    expect(link):succeeded()
  end,
}

ms.scenario "key updates and post-handshake authentication do not disturb each other" {
  about  = "The rounds of authentication are signed over the handshake, not over the keys in use.",
  rfc    = "RFC 8446 section 4.4",
  tags   = { "renegotiation", "key-update", "reauthentication" },
  matrix = { by = BOTH },
  run    = function(case)
    local link = mutual_link()
    local alice = link.server.peer_certificate
    for round = 1, 3 do
      expect(link:update_keys { by = case.by, request_peer = true }):is_true()
      expect(link:reauthenticate()):is_true()
      expect(link.server.epoch):equals("reauthentication " .. round)
      expect(link.server.wire.received_certificates):equals { alice }
      expect(link.server):verified()
      expect_data_both_ways(link, "round " .. round)
    end
    expect(link):succeeded()
  end,
}
