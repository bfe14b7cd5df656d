-- SPDX-License-Identifier: MIT
-- A resumed session authenticates nobody: no Certificate message is sent, nothing is verified, and
-- both ends go on with the identities of the session before (RFC 8446 section 2.2, RFC 5246 section
-- 7.3). GnuTLS keeps the peer's chain with the session and forgets its own certificate, so that the
-- two ends' reports no longer fit together. That is a finding about GnuTLS, shown here with `.no`.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local ROLES = { "client", "server" }

local function first_link(case, server_options)
  local root = pki.authority { cn = "Example Root" }
  local issuing = root:authority { cn = "Issuing CA" }
  local alice, host = issuing:issue { cn = "alice" }, issuing:issue { dns = "server.example" }
  local server = { identity = host, trust = root, client_auth = "require" }
  for name, value in pairs(server_options or {}) do
    server[name] = value
  end
  local link = tls.link {
    server   = server,
    client   = { identity = alice, trust = root, server_name = "server.example" },
    versions = case.version,
  }
  expect(link:handshake()):is_true()
  return link, alice, host, issuing
end

ms.scenario "a resumed session has peers and no certificates on the wire" {
  about  = "Each end still names its peer, with the whole chain; nothing was sent or judged.",
  rfc    = "RFC 8446 section 2.2; RFC 5077 section 3.1",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local first, alice, host = first_link(case)
    for _, role in ipairs(ROLES) do
      expect(first[role].resumed):is_false()
    end
    local link = first:resume()
    expect(link:handshake()):is_true()

    local presented = { client = alice, server = host }
    for _, role in ipairs(ROLES) do
      local other = role == "client" and "server" or "client"
      expect(link[role]):has {
        phase = "established", resumed = true, handshake_completed = true,
        version = case.version, cipher_suite = first[role].cipher_suite,
        peer_certificates = presented[other].chain,
        local_certificate = tls.none, local_certificates = tls.none,
        certificate_requested = false, requested_issuers = tls.none,
        verification = tls.none, signature_scheme = tls.none, peer_signature_scheme = tls.none,
        wire = { sent_certificates = tls.none, received_certificates = tls.none },
      }
      expect(first[role].resumed):is_false()                -- the old link is not the new one
    end
    expect(link.client.not_sent_because):equals "not_requested"
    expect(link.client.server_name):equals "server.example"
    expect(link.server.server_name):equals "server.example"
    for _, event in ipairs(link.events) do
      expect(event.kind):one_of { "record", "message" }     -- no request, selection, verification
      expect(event.type).no:equals "Certificate"
    end
  end,
}

ms.scenario "a resumed link is neither mirrored nor truthful" {
  about  = "The first link is both. In the second GnuTLS answers \"none\" for its own certificate "
    .. "while the other end, and the wire of the session before, say otherwise.",
  rfc    = "RFC 8446 section 2.2",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local first, alice = first_link(case)
    expect(first):mirrored()
    expect(first):truthful()
    local link = first:resume()
    expect(link:handshake()):is_true()

    expect(link.server.peer_certificate):is(alice)
    expect(link.client.local_certificate):is_nil()          -- of which the client knows nothing
    expect(link).no:mirrored()
    expect(link).no:truthful()
  end,
}

ms.scenario "a session without tickets is kept by its id, up to TLS 1.2" {
  about  = "The id is the server's and the same at both ends and in both links.",
  rfc    = "RFC 5246 section 7.4.1.3",
  tags   = { "state" },
  run    = function()
    local case = { version = "TLS1.2" }
    local first, alice = first_link(case, { tickets = 0 })
    expect(first.client.tickets_received):equals(0)
    expect(first.client.session_id):equals(first.server.session_id)
    expect(first.client.session_id):has_length(32)
    local link = first:resume()
    expect(link:handshake()):is_true()

    expect(link.client.resumed):is_true()
    expect(link.server.resumed):is_true()
    expect(link.client.session_id):equals(first.client.session_id)
    expect(link.server.session_id):equals(first.client.session_id)
    expect(link.server.peer_certificate):is(alice)
    expect(link.client.tls_unique):equals(link.server.tls_unique)
    expect(link.client.tls_unique).no:equals(first.client.tls_unique)
  end,
}

ms.scenario "with a ticket the client makes up an id of its own" {
  about  = "The ticket is what counts; GnuTLS's client invents an id for it, so that the two ends "
    .. "call one session by two ids. Do not join logs by it.",
  rfc    = "RFC 5077 section 3.4",
  tags   = { "state" },
  run    = function()
    local first = first_link { version = "TLS1.2" }
    expect(first.client.tickets_received):equals(1)
    expect(first.client.session_id).no:equals(first.server.session_id)
    local link = first:resume()
    expect(link:handshake()):is_true()
    expect(link.client.resumed):is_true()
    expect(link.client.session_id):equals(first.client.session_id)
  end,
}

ms.scenario "as many tickets come as the server was told to send" {
  about  = "TLS 1.3 sends any number after the handshake, TLS 1.2 one inside it or none.",
  rfc    = "RFC 8446 section 4.6.1; RFC 5077 section 3.3",
  tags   = { "state" },
  matrix = { version = VERSIONS, tickets = { 0, 1, 3 } },
  run    = function(case)
    local link = first_link(case, { tickets = case.tickets })
    local most = case.version == "TLS1.3" and case.tickets or math.min(case.tickets, 1)
    expect(link.client.tickets_received):equals(most)
    expect(link.server).no:failed()

    local sent = 0
    for _, event in ipairs(link.events) do
      if event.type == "NewSessionTicket" and event.role == "server" then
        sent = sent + 1
        expect(event.delivered):is_true()
      end
    end
    expect(sent):equals(most)
  end,
}

ms.scenario "TLS 1.3 without tickets leaves nothing to resume" {
  about  = "There are no session ids any more: offering one is a mistake of the script.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "state" },
  run    = function()
    local first = first_link({ version = "TLS1.3" }, { tickets = 0 })
    expect(first.client.tickets_received):equals(0)
    expect(function() first:resume() end):raises "no ticket came"
  end,
}

ms.scenario "a server that stopped taking tickets starts over" {
  about  = "The offer is ignored, and a full handshake authenticates both ends again.",
  rfc    = "RFC 5077 section 3.1; RFC 8446 section 4.2.11",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local first, alice, host = first_link(case)
    local link = first:resume { server = { tickets = 0 } }
    expect(link:handshake()):is_true()

    expect(link.client.resumed):is_false()
    expect(link.server.resumed):is_false()
    expect(link.server):verified()
    expect(link.client):verified()
    expect(link.server.wire.received_certificates):equals(alice.chain)
    expect(link.client.wire.received_certificates):equals(host.chain)
    expect(link):mirrored()
    expect(link):truthful()
  end,
}

ms.scenario "a session of a closed link can be resumed, again and again" {
  about  = "A close_notify ends the connection, not the session; and a resumed link is resumable.",
  rfc    = "RFC 5246 section 7.2.1; RFC 8446 section 4.6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, alice, host = first_link(case)
    for round = 1, 3 do
      link:close()
      link = link:resume()
      expect(link:handshake(), "round " .. round):is_true()
      expect(link.server.resumed):is_true()
      expect(link.server.peer_certificates):equals(alice.chain)
      expect(link.client.peer_certificates):equals(host.chain)
    end
    expect(link:send { from = "client", data = "still alice" }):equals "still alice"
  end,
}
