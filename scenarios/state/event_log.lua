-- SPDX-License-Identifier: MIT
-- Everything that both ends did, in one list and in order: records, handshake messages in clear (in
-- TLS 1.3 too), alerts, certificate requests, selections, verifications, errors and data. The
-- reports of an end say what is; the log says when it came to be, and who was first.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, client, server)
  local ca = pki.authority { cn = "Example Root" }
  local alice, host = ca:issue { cn = "alice" }, ca:issue { dns = "server.example" }
  client.identity, client.trust = client.identity or alice, client.trust or ca
  client.server_name = "server.example"
  server.identity, server.trust, server.client_auth = host, server.trust or ca, "require"
  return tls.link { server = server, client = client, versions = case.version }, alice, host
end

-- The events that fit, in order.
local function events_of(link, wanted)
  local found = {}
  for _, event in ipairs(link.events) do
    local fits = true
    for name, value in pairs(wanted) do
      fits = fits and event[name] == value
    end
    found[#found + 1] = fits and event or nil
  end
  return found
end

local function types_of(list)
  local types = {}
  for index, event in ipairs(list) do
    types[index] = event.type
  end
  return types
end

ms.scenario "the messages of a mutual handshake stand in the order of the RFC" {
  about  = "What one end sends the other receives, each message of it, TLS 1.3's in clear as well.",
  rfc    = "RFC 5246 section 7.3; RFC 8446 section 2",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, {}, { tickets = 1 })
    expect(link:handshake()):is_true()

    local by_client, by_server
    if case.version == "TLS1.3" then
      by_client = { "ClientHello", "Certificate", "CertificateVerify", "Finished" }
      by_server = { "ServerHello", "EncryptedExtensions", "CertificateRequest", "Certificate",
                    "CertificateVerify", "Finished", "NewSessionTicket" }
    else
      by_client = { "ClientHello", "Certificate", "ClientKeyExchange", "CertificateVerify",
                    "Finished" }
      by_server = { "ServerHello", "Certificate", "ServerKeyExchange", "CertificateRequest",
                    "ServerHelloDone", "NewSessionTicket", "Finished" }
    end
    for role, types in pairs { client = by_client, server = by_server } do
      local other = role == "client" and "server" or "client"
      local sent = events_of(link, { kind = "message", role = role, direction = "sent" })
      local received = events_of(link, { kind = "message", role = other, direction = "received" })
      expect(types_of(sent)):equals(types)
      expect(types_of(received)):equals(types)
      for index, event in ipairs(sent) do
        expect(event.delivered):is_true()
        expect(event.length):equals(received[index].length)
        expect(event.index):at_most(received[index].index - 1)
      end
    end
  end,
}

ms.scenario "events are numbered, and each belongs to an end and an epoch" {
  about  = "The index is the place in the list; a misspelt field of an event raises.",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, {}, {})
    expect(link.events):has_length(0)
    expect(link:handshake()):is_true()
    expect(link:send { from = "client", data = "GET /" }):equals "GET /"

    for index, event in ipairs(link.events) do
      expect(event.index):equals(index)
      expect(event.role):one_of { "client", "server" }
      expect(event.epoch):equals "initial"
      expect(event.kind):one_of {
        "record", "message", "request", "selection", "verification", "data",
      }
    end
    local sent = events_of(link, { kind = "data", role = "client" })
    local read = events_of(link, { kind = "data", role = "server" })
    expect(sent):has_length(1)
    expect(read):has_length(1)
    expect(sent[1]):has { direction = "sent", length = 5 }
    expect(read[1]):has { direction = "received", length = 5 }
    expect(function() return link.events[1].direktion end):raises "direction"
  end,
}

ms.scenario "a certificate is requested, chosen, sent and judged, in this order" {
  about  = "Four events tell the story of a client certificate; the last one is the server's.",
  rfc    = "RFC 8446 section 4.4",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, alice = link_with(case, {}, {})
    expect(link:handshake()):is_true()

    local request = events_of(link, { kind = "request", role = "client" })
    local choice = events_of(link, { kind = "selection", role = "client" })
    local message = events_of(link, { kind = "message", type = "Certificate", role = "client",
                                      direction = "sent" })
    local verdict = events_of(link, { kind = "verification", role = "server" })
    for _, list in ipairs { request, choice, message, verdict } do
      expect(list):has_length(1)
    end
    expect(request[1]):has { direction = "received", issuers = { "CN=Example Root" } }
    expect(choice[1].certificate):is(alice)
    expect(message[1].certificates):equals(alice.chain)
    expect(verdict[1].verification):has { verified = true, accepted = true }
    expect(request[1].index):at_most(choice[1].index)
    expect(choice[1].index):at_most(message[1].index)
    expect(message[1].index):at_most(verdict[1].index)
  end,
}

ms.scenario "who failed first stands first in the log" {
  about  = "The peer's error is only the echo; the log has both, and the alert between them.",
  rfc    = "RFC 8446 section 6.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, first = { "client", "server" } },
  run    = function(case)
    local stranger = { trust = pki.authority { cn = "Other Root" } }
    local at_server = case.first == "server"
    local link = link_with(case,
      at_server and { send_certificate = "always" } or stranger, at_server and stranger or {})
    expect(link:handshake()):is_false()

    local second = at_server and "client" or "server"
    local errors = events_of(link, { kind = "error" })
    expect(errors):has_length(2)
    expect(errors[1]):has {
      role = case.first, problem = "certificate_rejected", told_by = "itself",
    }
    expect(errors[2]):has { role = second, problem = "peer_alert", told_by = "peer" }
    expect(link.failed_first):equals(case.first)

    local alerts = events_of(link, { kind = "alert" })
    expect(alerts):has_length(2)
    expect(alerts[1]):has {
      role = case.first, direction = "sent", level = "fatal", name = "bad_certificate",
    }
    expect(alerts[2]):has { role = second, direction = "received", name = "bad_certificate" }
    expect(alerts[2].index):at_most(errors[2].index)
  end,
}

ms.scenario "a message that was made and never flushed is marked" {
  about  = "A key that may not sign fails after the Certificate was made: the client's log has the "
    .. "message, its wire does not, and the server never heard of it.",
  rfc    = "RFC 5246 section 7.4.8",
  tags   = { "state" },
  run    = function()
    local ca = pki.authority { cn = "Example Root" }
    local mute = ca:issue { cn = "mute", key_usage = "keyAgreement" }
    local link = link_with({ version = "TLS1.2" },
      { identity = mute, trust = ca, send_certificate = "always", verify = false }, { trust = ca })
    expect(link:handshake()):is_false()

    expect(link.failed_first):equals "client"
    local made = events_of(link, { kind = "message", type = "Certificate", role = "client",
                                   direction = "sent" })
    expect(made):has_length(1)
    expect(made[1]):has { delivered = false, certificates = mute.chain }
    expect(events_of(link, { kind = "message", type = "Certificate", role = "server",
                             direction = "received" })):has_length(0)
    expect(link.client.wire.sent_certificates):is_nil()
    expect(link.server.wire.received_certificates):is_nil()
    expect(link.client.not_sent_because):equals "failed_before"
  end,
}

ms.scenario "records are seen as they cross, the inner type hidden by TLS 1.3" {
  about  = "From the first encrypted record on everything looks like application data; TLS 1.2 "
    .. "shows the types to anybody.",
  rfc    = "RFC 8446 section 5.2; RFC 5246 section 6.2.1",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, {}, {})
    expect(link:handshake()):is_true()

    local seen = {}
    for _, event in ipairs(events_of(link, { kind = "record", role = "server",
                                             direction = "sent" })) do
      seen[event.type] = (seen[event.type] or 0) + 1
    end
    if case.version == "TLS1.3" then
      expect(seen.handshake):equals(1)                      -- the ServerHello
      expect(seen.application_data):at_least(5)
    else
      expect(seen.handshake):at_least(6)
      expect(seen.application_data):is_nil()
    end
    expect(seen.change_cipher_spec):equals(1)
    local sent = events_of(link, { kind = "record", direction = "sent" })
    local received = events_of(link, { kind = "record", direction = "received" })
    expect(#sent):equals(#received)                         -- nothing was lost on the way
  end,
}

ms.scenario "the events of each epoch say so" {
  about  = "What a renegotiation added can be told from what was there.",
  rfc    = "RFC 5246 section 7.4.1.1",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link = link_with({ version = "TLS1.2" }, {}, {})
    expect(link:handshake()):is_true()
    local before = #link.events
    expect(link:renegotiate { by = case.by }):is_true()

    for index, event in ipairs(link.events) do
      expect(event.epoch):equals(index <= before and "initial" or "renegotiation 1")
    end
    for _, direction in ipairs { "sent", "received" } do
      local requests = events_of(link, { type = "HelloRequest", direction = direction })
      expect(requests):has_length(case.by == "server" and 1 or 0)
    end
    expect(events_of(link, { type = "ClientHello", direction = "sent" })):has_length(2)
  end,
}
