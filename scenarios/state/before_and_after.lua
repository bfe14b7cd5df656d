-- SPDX-License-Identifier: MIT
-- What an end says about itself and its peer from its birth to its close. Two rules make the rest
-- of this folder readable: an end claims nothing before it knows it (nil, not an empty list, not an
-- "OK" that nobody checked), and what it knew at the end it still says after the connection closed.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local OTHER = { client = "server", server = "client" }

local function mutual_link(case)
  local root = pki.authority { cn = "Example Root" }
  local issuing = root:authority { cn = "Issuing CA" }
  local alice, server = issuing:issue { cn = "alice" }, issuing:issue { dns = "server.example" }
  return tls.link {
    server   = { identity = server, trust = root, client_auth = "require" },
    client   = { identity = alice, trust = root, server_name = "server.example" },
    versions = case.version,
  }, alice, server, root
end

ms.scenario "before the handshake an end claims nothing" {
  about  = "No certificate, no verdict, no alert: GnuTLS itself would answer \"verified\" and "
    .. "\"close_notify\" here, because both are the number 0.",
  rfc    = "RFC 8446 section 4",
  tags   = { "state" },
  matrix = { version = VERSIONS, role = { "client", "server" } },
  run    = function(case)
    local link = mutual_link(case)
    expect(link[case.role]):has {
      role                  = case.role,
      epoch                 = "initial",
      phase                 = "idle",
      handshake_completed   = false,
      certificate_requested = false,
      resumed               = false,
      renegotiations        = 0,
      error                 = tls.none,
      alert_sent            = tls.none,
      alert_received        = tls.none,
      version               = tls.none,
      cipher_suite          = tls.none,
      local_certificate     = tls.none,
      local_certificates    = tls.none,
      peer_certificate      = tls.none,
      peer_certificates     = tls.none,
      verification          = tls.none,
      not_sent_because      = tls.none,
      wire = { sent_certificates = tls.none, received_certificates = tls.none },
    }
    expect(link[case.role].history):has_length(1)
    expect(link.events):has_length(0)
    expect(link.failed_first):is_nil()
    expect(link).no:failed()
    expect(link).no:succeeded()                             -- nothing done is no success either
  end,
}

ms.scenario "after mutual authentication both ends tell one story" {
  about  = "Each end's own chain is what it sent, what the other received, and what the other "
    .. "calls its peer's: three reports and two wires, all equal, leaf and intermediate.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, alice, server, root = mutual_link(case)
    expect(link:handshake()):is_true()

    local presented = { client = alice, server = server }
    for role, other in pairs(OTHER) do
      local mine, theirs = presented[role].chain, presented[other].chain
      expect(mine):has_length(2)
      expect(link[role]):has {
        phase                 = "established",
        handshake_completed   = true,
        version               = case.version,
        certificate_requested = true,
        local_certificates    = mine,
        peer_certificates     = theirs,
        wire = { sent_certificates = mine, received_certificates = theirs },
        verification          = { verified = true, accepted = true, problems = {} },
        requested_issuers     = { "CN=Example Root" },
        failed_during         = tls.none,
        told_by               = tls.none,
        error                 = tls.none,
      }
      expect(link[role].local_certificate):is(presented[role])
      expect(link[role].peer_certificate):is(presented[other])
      expect(link[role].signature_scheme):equals(link[other].peer_signature_scheme)
      expect(link[role].verification.path)
        :equals { theirs[1], theirs[2], root.certificate }
    end
    for _, name in ipairs { "cipher_suite", "group", "server_name", "secure_renegotiation",
                            "extended_master_secret", "requested_signature_schemes" } do
      expect(link.client[name], name):equals(link.server[name])
    end
    expect(link.client.server_name):equals "server.example"
  end,
}

ms.scenario "fields of another version are nil, not false" {
  about  = "TLS 1.3 has no renegotiation and no extended master secret; asked for them there, "
    .. "GnuTLS says no at one end and yes at the other.",
  rfc    = "RFC 8446 appendix D",
  tags   = { "state" },
  matrix = { version = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }, role = { "client", "server" } },
  run    = function(case)
    local link = mutual_link(case)
    expect(link:handshake()):is_true()

    local one = link[case.role]
    local tls13 = case.version == "TLS1.3"
    expect(one.version):equals(case.version)
    if tls13 then
      expect(one):has {
        secure_renegotiation = tls.none, extended_master_secret = tls.none, tls_unique = tls.none,
      }
    else
      expect(one):has { secure_renegotiation = true, extended_master_secret = true }
      expect(one.tls_unique):has_length(12)                 -- the first Finished, RFC 5246 7.4.9
    end
    -- Schemes as such are TLS 1.2's; before, a key of a kind signs in its one way.
    local with_schemes = tls13 or case.version == "TLS1.2"
    local scheme = with_schemes and "ecdsa_secp256r1_sha256" or tls.none
    expect(one):has { signature_scheme = scheme, peer_signature_scheme = scheme }
  end,
}

ms.scenario "a client that nobody asked keeps its certificate, and says why" {
  about  = "GnuTLS reports no own certificate then; the reason is a fact of the handshake.",
  rfc    = "RFC 8446 section 4.3.2",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca },
      client   = { identity = ca:issue { cn = "alice" }, trust = ca,
                   server_name = "server.example" },
      versions = case.version,
    }
    expect(link:handshake()):is_true()

    expect(link.client):has {
      certificate_requested = false, not_sent_because = "not_requested",
      local_certificate = tls.none, signature_scheme = tls.none,
      requested_issuers = tls.none, requested_signature_schemes = tls.none,
      ["wire.sent_certificates"] = tls.none,                -- not even an empty message
    }
    expect(link.server):has {
      certificate_requested = false, peer_certificates = tls.none, verification = tls.none,
      peer_signature_scheme = tls.none, ["wire.received_certificates"] = tls.none,
    }
  end,
}

ms.scenario "a snapshot is the end as it was" {
  about  = "Taken before the handshake it still says \"idle\" after it; the end itself went on.",
  tags   = { "state" },
  matrix = { version = VERSIONS, role = { "client", "server" } },
  run    = function(case)
    local link = mutual_link(case)
    local before = link[case.role]:snapshot()
    expect(link:handshake()):is_true()
    local after = link[case.role]:snapshot()
    link:close {}

    expect(before):has { phase = "idle", peer_certificates = tls.none, version = tls.none }
    expect(after):has { phase = "established", version = case.version, alert_received = tls.none }
    expect(link[case.role]):has { phase = "closed", ["alert_received.name"] = "close_notify" }
    expect(function() return after.peer_certificat end):raises "peer_certificate"
    expect(function() after.phase = "idle" end):raises "read%-only"
  end,
}

ms.scenario "a closed end remembers its peer" {
  about  = "What an access log needs after the fact: who it was, and how it was checked.",
  rfc    = "RFC 8446 section 6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS, by = { "client", "server", "both" } },
  run    = function(case)
    local link, alice, server = mutual_link(case)
    expect(link:handshake()):is_true()
    local known = { client = link.client:snapshot(), server = link.server:snapshot() }
    expect(link:close { by = case.by ~= "both" and case.by or nil }):is_true()

    for role, other in pairs(OTHER) do
      local began = case.by == role or case.by == "both"
      local ended = case.by == other or case.by == "both"
      expect(link[role]):has {
        phase = "closed", error = tls.none, handshake_completed = true,
        peer_certificates = known[role].peer_certificates, cipher_suite = known[role].cipher_suite,
      }
      if began then
        expect(link[role].alert_sent):has { level = "warning", name = "close_notify", number = 0 }
      end
      if ended then
        expect(link[role].alert_received):has { level = "warning", name = "close_notify" }
      end
    end
    expect(link.server.peer_certificate):is(alice)
    expect(link.client.peer_certificate):is(server)
    expect(link.failed_first):is_nil()
    expect(function() link:send { from = "client", data = "late" } end):raises "link is closed"
  end,
}
