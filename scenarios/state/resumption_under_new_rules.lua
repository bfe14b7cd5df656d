-- SPDX-License-Identifier: MIT
-- A session outlives the rules it was made under. A ticket says "this peer was let in"; it does not
-- say by which rules, and GnuTLS resumes it without looking at today's. A server that has since
-- begun to require certificates, changed its trust, or serves another name from the same keys, lets
-- the old session in (the class of CVE-2025-23419). RFC 8446 section 4.6.1 leaves the check to the
-- server; these scenarios say what each end can still see, and what to do instead.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local HOUR = 60 * 60

local function first_link(case, client, server)
  local ca = pki.authority { cn = "Example Root" }
  client.trust, client.server_name = ca, "server.example"
  server.identity = ca:issue { dns = { "server.example", "other.example" } }
  server.trust = ca
  local link = tls.link { server = server, client = client, versions = case.version }
  return link, ca
end

ms.scenario "a ticket minted without client authentication opens a server that now requires it" {
  about  = "The anonymous session goes on behind a door that is locked for everybody else, whether "
    .. "or not the client has a certificate by now: nobody asks for it.",
  rfc    = "RFC 8446 section 4.6.1; RFC 5077 section 5",
  tags   = { "state" },
  matrix = {
    session = { "TLS1.2 ticket", "TLS1.2 id", "TLS1.3 ticket" },
    client  = { "anonymous", "alice" },
  },
  run    = function(case)
    local version, kept = case.session:match "(%S+) (%S+)"
    local first, ca = first_link({ version = version }, {}, { tickets = kept == "id" and 0 or nil })
    expect(first:handshake()):is_true()
    local alice = case.client == "alice" and ca:issue { cn = "alice" } or nil
    local link = first:resume {
      server = { client_auth = "require" }, client = { identity = alice },
    }
    expect(link:handshake()):is_true()                      -- the bypass

    expect(link.server):has {
      resumed = true, phase = "established", error = tls.none, alert_sent = tls.none,
      peer_certificate = tls.none, certificate_requested = false, verification = tls.none,
      ["wire.received_certificates"] = tls.none,
    }
    expect(link.server).no:verified()                       -- what an application must look at
    expect(link.client):has {
      resumed = true, certificate_requested = false, local_certificate = tls.none,
      not_sent_because = alice and "not_requested" or tls.none,
    }
    expect(link:send { from = "client", data = "GET /admin" }):equals "GET /admin"
  end,
}

ms.scenario "the same door is locked for a client without the old ticket" {
  about  = "The counterpart, so that nobody blames the server's configuration.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = first_link(case, {}, { client_auth = "require" })
    expect(link:handshake()):is_false()
    expect(link.server):failed "no_certificate"
    expect(link.server.resumed):is_false()
    expect(link.client):failed(case.version == "TLS1.3" and "certificate_required"
      or "decode_error")                                    -- GnuTLS's alert; see client-auth/
  end,
}

ms.scenario "a ticket of an open site is good for a protected one" {
  about  = "CVE-2025-23419 itself: one server, two names, one ticket key. The session of the name "
    .. "that asks for nothing is resumed under the name that requires a certificate. GnuTLS "
    .. "holds a TLS 1.2 session to its name, a TLS 1.3 one not.",
  rfc    = "RFC 6066 section 3; RFC 8446 section 4.2.11",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local first = tls.link {
      server = {
        identity = ca:issue { dns = "server.example" }, trust = ca,
        sites = {
          ["open.example"]      = { identity = ca:issue { dns = "open.example" } },
          ["protected.example"] = { identity = ca:issue { dns = "protected.example" },
                                    client_auth = "require" },
        },
      },
      client = { trust = ca, server_name = "open.example" },
      versions = case.version,
    }
    expect(first:handshake()):is_true()
    expect(first.server.site):equals "open.example"
    local link = first:resume { client = { server_name = "protected.example" } }
    local tls13 = case.version == "TLS1.3"
    expect(link:handshake()):equals(tls13)

    expect(link.server):has {
      site = "protected.example", server_name = "protected.example", resumed = tls13,
      peer_certificate = tls.none, certificate_requested = not tls13,
    }
    if not tls13 then
      expect(link.server):failed "no_certificate"
      return
    end
    expect(link.server.phase):equals "established"
    expect(link.client):has { resumed = true, server_name = "protected.example" }
    expect(link.client.peer_certificate.dns_names):equals { "open.example" }
  end,
}

ms.scenario "in TLS 1.2 a session belongs to the name it was made for" {
  about  = "RFC 6066 forbids resuming under another name, and GnuTLS keeps to it before TLS 1.3: "
    .. "the handshake is a full one, and the rules of the new name hold.",
  rfc    = "RFC 6066 section 3",
  tags   = { "state" },
  matrix = { kept = { "ticket", "id" } },
  run    = function(case)
    local tickets = case.kept == "id" and 0 or 1
    local first = first_link({ version = "TLS1.2" }, {}, { tickets = tickets })
    expect(first:handshake()):is_true()
    local link = first:resume { client = { server_name = "other.example" } }
    expect(link:handshake()):is_true()

    expect(link.client):has { resumed = false, server_name = "other.example" }
    expect(link.server):has { resumed = false, server_name = "other.example" }
    expect(link.client):verified()
    expect(link.client.wire.received_certificates):has_length(1)
  end,
}

ms.scenario "in TLS 1.3 a session serves any name" {
  about  = "The client resumes under a name for which the old certificate was never checked, and "
    .. "does not check it now: RFC 8446 wants it to, GnuTLS leaves it to the application.",
  rfc    = "RFC 8446 section 4.6.1",
  tags   = { "state" },
  run    = function()
    local first = first_link({ version = "TLS1.3" }, {}, {})
    expect(first:handshake()):is_true()
    local link = first:resume { client = { server_name = "stranger.example" } }
    expect(link:handshake()):is_true()

    expect(link.client):has {
      resumed = true, server_name = "stranger.example", verification = tls.none,
    }
    expect(link.server.server_name):equals "stranger.example"
    expect(link.client.peer_certificate.dns_names).no:contains "stranger.example"
  end,
}

ms.scenario "trust withdrawn from an authority does not reach its sessions" {
  about  = "Either end may have dropped the authority since; the session was verified once.",
  rfc    = "RFC 8446 section 4.6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS, changed = { "client", "server" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice, host = ca:issue { cn = "alice" }, ca:issue { dns = "server.example" }
    local link = tls.link {
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      server   = { identity = host, trust = ca, client_auth = "require" },
      versions = case.version,
    }
    expect(link:handshake()):is_true()
    local elsewhere = { trust = pki.authority { cn = "Other Root" } }
    local resumed = link:resume { [case.changed] = elsewhere }
    expect(resumed:handshake()):is_true()

    expect(resumed[case.changed]):has { resumed = true, verification = tls.none }
    expect(resumed.server.peer_certificate):is(alice)
    expect(resumed.client.peer_certificate):is(host)
    -- The check that nobody made is at hand:
    local verdict = pki.verify { chain = resumed[case.changed].peer_certificates,
                                 trust = elsewhere.trust }
    expect(verdict.verified):is_false()
    expect(verdict.problems):contains "signer_not_found"
  end,
}

ms.scenario "a certificate that expires does not end its sessions" {
  about  = "Inside the ticket's life the session is resumed with a certificate that a full "
    .. "handshake would refuse a moment later.",
  rfc    = "RFC 8446 section 4.6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", not_after = "1h" }
    local options = {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require" },
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    local first = tls.link(options)
    expect(first:handshake()):is_true()
    ms.clock:advance(2 * HOUR)

    local link = first:resume()
    expect(link:handshake()):is_true()
    expect(link.server):has { resumed = true, verification = tls.none }
    expect(link.server.peer_certificate):is(alice)
    expect(link.server.peer_certificate.not_after):at_most(ms.clock:now() - HOUR)

    local full = tls.link(options)
    expect(full:handshake()):is_false()
    expect(full.server):unverified "expired"
  end,
}

ms.scenario "post-handshake authentication makes up for what resumption skipped" {
  about  = "A TLS 1.3 server that wants today's rules asks again after a resumed handshake: an "
    .. "expired or missing certificate is refused then.",
  rfc    = "RFC 8446 section 4.6.2",
  tags   = { "state" },
  matrix = { client = { "valid", "expired", "anonymous" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", not_after = case.client == "expired" and "1h" or nil }
    local anonymous = case.client == "anonymous"
    local first = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = anonymous and "none" or "require" },
      client   = { identity = not anonymous and alice or nil, trust = ca,
                   server_name = "server.example" },
      versions = "TLS1.3",
    }
    expect(first:handshake()):is_true()
    ms.clock:advance(2 * HOUR)
    local link = first:resume { server = { client_auth = "require" } }
    expect(link:handshake()):is_true()
    expect(link.server.resumed):is_true()

    expect(link:reauthenticate()):equals(case.client == "valid")
    expect(link.client.certificate_requested):is_true()
    if case.client == "valid" then
      expect(link.server):verified()
      expect(link.server.wire.received_certificates):equals(alice.chain)
    elseif case.client == "expired" then
      expect(link.server):failed "certificate_rejected"
      expect(link.server):unverified "expired"
      expect(link.client):failed "bad_certificate"
    else
      expect(link.server):failed "no_certificate"
      expect(link.client):failed "certificate_required"
    end
  end,
}

ms.scenario "an end that changed its own certificate is still known by the old one" {
  about  = "A renewed certificate reaches a resuming peer only with the next full handshake.",
  rfc    = "RFC 8446 section 2.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, changed = { "client", "server" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local function identities()
      return { client = ca:issue { cn = "alice" }, server = ca:issue { dns = "server.example" } }
    end
    local before, renewed = identities(), identities()
    local first = tls.link {
      server   = { identity = before.server, trust = ca, client_auth = "require" },
      client   = { identity = before.client, trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    expect(first:handshake()):is_true()
    local link = first:resume { [case.changed] = { identity = renewed[case.changed] } }
    expect(link:handshake()):is_true()

    expect(link.client.resumed):is_true()
    expect(link.client.peer_certificate):is(before.server)
    expect(link.server.peer_certificate):is(before.client)
    for _, role in ipairs { "client", "server" } do
      expect(link[role].peer_certificate).no:is(renewed.client)
      expect(link[role].peer_certificate).no:is(renewed.server)
      expect(link[role].local_certificate):is_nil()
    end
  end,
}

ms.scenario "a TLS 1.2 session breaks the first link with a server that was upgraded" {
  about  = "GnuTLS 3.7.9 as server takes the TLS 1.2 ticket for granted and then negotiates TLS "
    .. "1.3: it leaves its certificate out, as if resumed, and its client, which resumed nothing, "
    .. "stops. A new link without the old session is fine.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "state" },
  matrix = { versions = { { "TLS1.3" }, { "TLS1.2", "TLS1.3" } } },
  run    = function(case)
    local first, ca = first_link({ version = "TLS1.2" }, {}, {})
    expect(first:handshake()):is_true()

    local upgraded = { versions = case.versions }
    local link = first:resume { client = upgraded, server = upgraded }
    expect(link:handshake()):is_false()
    expect(link.failed_first):equals "client"
    expect(link.client):failed "GNUTLS_E_UNEXPECTED_HANDSHAKE_PACKET"
    expect(link.server):failed "unexpected_message"
    expect(link.client):has { version = "TLS1.3", resumed = false, handshake_completed = false }
    expect(link.server.resumed):is_true()                   -- the library's word
    expect(link.server.wire.sent_certificates):is_nil()
    expect(link.client.wire.received_certificates):is_nil()

    local fresh = tls.link {
      server   = { identity = ca:issue { dns = "server.example" } },
      client   = { trust = ca, server_name = "server.example" },
      versions = case.versions,
    }
    fresh:handshake()
    expect(fresh):succeeded()
  end,
}
