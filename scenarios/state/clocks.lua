-- SPDX-License-Identifier: MIT
-- Time decides about certificates and tickets, and no two machines agree on it. `ms.clock` moves
-- the time of a whole case, `clock_offset` that of one end. Validity is judged by the end that
-- verifies (RFC 5280 section 4.1.2.5), a ticket's life by the server that minted it and, in TLS
-- 1.3, by the client as well (RFC 8446 section 4.6.1). GnuTLS's tickets live for six hours.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local HOUR = 60 * 60
local DAY = 24 * HOUR
local TICKET_LIFE = 6 * HOUR

local function link_with(version, ca, client, server)
  client.trust, client.server_name = ca, "server.example"
  server.identity = server.identity or ca:issue { dns = "server.example" }
  server.trust, server.client_auth = ca, "require"
  client.identity = client.identity or ca:issue { cn = "alice" }
  return tls.link { server = server, client = client, versions = version }
end

ms.scenario "time stands still once it was moved" {
  about  = "A case about time must not depend on how fast it runs; the next has the real time.",
  tags   = { "state" },
  run    = function()
    ms.clock:set(2000000000)
    expect(ms.clock:now()):equals(2000000000)
    ms.clock:advance(90)
    expect(ms.clock:now()):equals(2000000090)
    ms.clock:advance(-90)
    expect(ms.clock:now()):equals(2000000000)
    local ca = pki.authority { cn = "Example Root", not_before = "-1h", not_after = "2h" }
    expect(ca.certificate.not_before):equals(2000000000 - HOUR)
    expect(ca.certificate.not_after):equals(2000000000 + 2 * HOUR)
  end,
}

ms.scenario "a certificate becomes valid and expires as time goes by" {
  about  = "One server, five moments; its first and its last second count as valid.",
  rfc    = "RFC 5280 section 4.1.2.5",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local first, last = 2000000000, 2000000000 + HOUR
    ms.clock:set(first)
    local ca = pki.authority { cn = "Example Root" }
    local host = ca:issue { dns = "server.example", not_before = first, not_after = last }
    local problem_at = {
      { first - 1, "not_activated" }, { first }, { first + 1 }, { last }, { last + 1, "expired" },
    }
    for _, moment in ipairs(problem_at) do
      local at, problem = moment[1], moment[2]
      ms.clock:set(at)
      local link = link_with(case.version, ca, {}, { identity = host })
      expect(link:handshake(), "at " .. at - first):equals(problem == nil)
      if problem then
        expect(link.client):unverified(problem)
        expect(link.client.verification.certificate):is(host)
      else
        expect(link.client):verified()
      end
    end
  end,
}

ms.scenario "an end whose clock is wrong blames its peer" {
  about  = "The certificates are good, the other end's verdict on them too; the culprit's own "
    .. "report shows what time it thinks it is.",
  rfc    = "RFC 5280 section 6.1.3",
  tags   = { "state" },
  matrix = { version = VERSIONS, wrong = { "client", "server" }, by = { -3, 100 } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root", not_before = "-1y" }
    local wrong = { clock_offset = case.by * DAY }
    local link = link_with(case.version, ca, case.wrong == "client" and wrong or {},
                           case.wrong == "server" and wrong or {})
    expect(link:handshake()):is_false()

    local other = case.wrong == "client" and "server" or "client"
    expect(link.failed_first):equals(case.wrong)
    expect(link[case.wrong]):failed "certificate_rejected"
    expect(link[case.wrong]):unverified(case.by < 0 and "not_activated" or "expired")
    expect(link[other]):failed "bad_certificate"
    expect(link[other].told_by):equals "peer"
    if other == "client" then
      expect(link.client):verified()
    end
  end,
}

ms.scenario "an offset that stays inside the validity harms nobody" {
  about  = "Clocks may differ as long as both are inside; nothing else depends on them.",
  rfc    = "RFC 5280 section 4.1.2.5",
  tags   = { "state" },
  matrix = { version = VERSIONS, by = { -12, 12 } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = link_with(case.version, ca, { clock_offset = case.by * HOUR }, {})
    expect(link:handshake()):is_true()
    expect(link.client):verified()
    expect(link.server):verified()
  end,
}

ms.scenario "a ticket is good for six hours" {
  about  = "A second before it is taken, a second after it is ignored and the handshake is full.",
  rfc    = "RFC 8446 section 4.6.1; RFC 5077 section 5.6",
  tags   = { "state" },
  matrix = { version = VERSIONS, moment = { "early", "late" } },
  run    = function(case)
    ms.clock:set(2000000000)
    local first = link_with(case.version, pki.authority { cn = "Example Root" }, {}, {})
    expect(first:handshake()):is_true()
    ms.clock:advance(TICKET_LIFE + (case.moment == "early" and -1 or 1))
    local link = first:resume()
    expect(link:handshake()):is_true()

    local early = case.moment == "early"
    for _, role in ipairs { "client", "server" } do
      expect(link[role].resumed):equals(early)
      if early then
        expect(link[role].verification):is_nil()
      else
        expect(link[role]):verified()
      end
    end
  end,
}

ms.scenario "who counts a ticket's age depends on the version" {
  about  = "After six hours and a bit, one end's clock an hour slow: the server alone decides in "
    .. "TLS 1.2, in TLS 1.3 either end's clock is enough to end it.",
  rfc    = "RFC 8446 section 4.6.1; RFC 5077 section 5.6",
  tags   = { "state" },
  matrix = { version = VERSIONS, slow = { "client", "server", "both" } },
  run    = function(case)
    ms.clock:set(2000000000)
    local first = link_with(case.version, pki.authority { cn = "Example Root" }, {}, {})
    expect(first:handshake()):is_true()
    ms.clock:advance(TICKET_LIFE + 60)
    local slow = { clock_offset = -HOUR }
    local link = first:resume {
      client = case.slow ~= "server" and slow or nil,
      server = case.slow ~= "client" and slow or nil,
    }
    expect(link:handshake()):is_true()

    local resumed = case.slow == "both" or case.version == "TLS1.2" and case.slow == "server"
    expect(link.client.resumed):equals(resumed)
    expect(link.server.resumed):equals(resumed)
  end,
}
