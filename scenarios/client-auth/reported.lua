-- SPDX-License-Identifier: MIT
-- "Which certificate did I send?" A library answers from memory (in GnuTLS
-- gnutls_certificate_get_ours, the certificate selected last), the wire has what was really sent.
-- Mostly they agree. The first scenario is a table of what a GnuTLS client reports against what
-- left it; the others are the cases in which its report misleads. `local_certificate` keeps the
-- library's word, `wire` has the fact, and `truthful()` compares the two.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

-- What the server asks for and what the client has, by the root `ca` and its intermediate; then
-- what is sent: an identity, "empty" for an empty message, nil for none.
local ROWS = {
  ["01 nobody asks"] = function(ca)
    return { client_auth = "none" }, { identity = ca:issue { cn = "alice" } }, nil
  end,
  ["02 the issuer is named"] = function(ca)
    local alice = ca:issue { cn = "alice" }
    return {}, { identity = alice }, alice
  end,
  ["03 the issuer is not named"] = function(ca)
    return { issuers = "CN=Somebody Else" }, { identity = ca:issue { cn = "alice" } }, "empty"
  end,
  ["04 the issuer is not named, sent always"] = function(ca)
    local alice = ca:issue { cn = "alice" }
    return { issuers = "CN=Somebody Else" },
           { identity = alice, send_certificate = "always" }, alice
  end,
  ["05 the root is named, the chain leads there"] = function(_, inter)
    local alice = inter:issue { cn = "alice" }
    return {}, { identity = alice }, alice
  end,
  ["06 the root is named, the leaf comes alone"] = function(_, inter)
    local alice = inter:issue { cn = "alice" }
    return {}, { identity = alice:with { chain = { alice.certificate } } }, "empty"
  end,
  ["07 nobody is named, one certificate"] = function(ca)
    local alice = ca:issue { cn = "alice" }
    return { issuers = {} }, { identity = alice }, alice
  end,
  ["08 nobody is named, two certificates"] = function(ca)
    return { issuers = {} }, { identity = { ca:issue { cn = "alice" }, ca:issue { cn = "bob" } } },
           "empty"
  end,
  ["09 two certificates match"] = function(ca)
    local alice = ca:issue { cn = "alice" }
    return {}, { identity = { alice, ca:issue { cn = "bob" } } }, alice
  end,
  ["10 the key fits no scheme"] = function(ca)
    return { signature_schemes = "ecdsa_secp256r1_sha256" },
           { identity = ca:issue { cn = "alice", key = "ed448" } }, "empty"
  end,
  ["11 the second key fits a scheme"] = function(ca)
    local bob = ca:issue { cn = "bob" }
    return { signature_schemes = "ecdsa_secp256r1_sha256" },
           { identity = { ca:issue { cn = "alice", key = "ed448" }, bob } }, bob
  end,
  ["12 Ed448, as TLS 1.2 names no such type"] = function(ca, _, version)
    local alice = ca:issue { cn = "alice", key = "ed448" }
    return {}, { identity = alice }, version == "TLS1.3" and alice or "empty"
  end,
  ["13 expired"] = function(ca)
    local alice = ca:issue { cn = "alice", not_before = "-9d", not_after = "-1d" }
    return { verify = false }, { identity = alice }, alice
  end,
  ["14 no certificate to send"] = function()
    return {}, {}, "empty"
  end,
}

local function names_of(rows)
  local names = {}
  for name in pairs(rows) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

local function mutual_link(case, server, client)
  local ca = pki.authority { cn = "Example Root" }
  local identities = {
    server = ca:issue { dns = "server.example" }, client = ca:issue { cn = "alice" },
  }
  local ends = {
    server = { identity = identities.server, trust = ca, client_auth = "require" },
    client = { identity = identities.client, trust = ca, server_name = "server.example" },
  }
  for name, value in pairs(server or {}) do
    ends.server[name] = value
  end
  for name, value in pairs(client or {}) do
    ends.client[name] = value
  end
  local link = tls.link { server = ends.server, client = ends.client, versions = case.version }
  return link, identities, ca
end

ms.scenario "a client reports what it sent" {
  about  = "Row by row: the request, the identities, the report, the wire.",
  rfc    = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2",
  tags   = { "client-auth", "state" },
  matrix = { version = VERSIONS, row = names_of(ROWS) },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local inter = ca:authority { cn = "Issuing CA" }
    local server, client, sent = ROWS[case.row](ca, inter, case.version)
    server.identity, server.trust = ca:issue { dns = "server.example" }, ca
    server.client_auth = server.client_auth or "request"
    client.trust, client.server_name = ca, "server.example"
    local link = tls.link { server = server, client = client, versions = case.version }
    expect(link.client.local_certificate):is_nil()          -- nothing has happened yet
    expect(link.server.local_certificate):is_nil()
    link:handshake()
    expect(link):succeeded()

    local chain = type(sent) ~= "string" and sent ~= nil and sent.chain or nil
    expect(link.client):has {
      local_certificates = chain or tls.none,
      ["wire.sent_certificates"] = sent == "empty" and {} or chain or tls.none,
    }
    expect(link.server):has {
      local_certificates = server.identity.chain,           -- the server's is the same in each row
      peer_certificates  = chain or tls.none,
      ["wire.sent_certificates"]     = server.identity.chain,
      ["wire.received_certificates"] = sent == "empty" and {} or chain or tls.none,
    }
    expect(link):truthful()
    expect(link):mirrored()
  end,
}

ms.scenario "a TLS 1.3 client reports a certificate that it never sent" {
  about  = "GnuTLS selects when it reads the request, and that comes before the server's "
    .. "certificate, which this client rejects. In TLS 1.2 the request comes after it.",
  rfc    = "RFC 8446 section 4.3.2",
  tags   = { "client-auth", "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local stranger = pki.authority { cn = "Other Root" }
    local link, identities = mutual_link(case, {}, { trust = stranger })
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    expect(link.failed_first):equals "client"
    expect(link.client):failed "certificate_rejected"
    expect(link.client):has {
      certificate_requested = tls13,
      not_sent_because      = "failed_before",
      local_certificates    = tls13 and identities.client.chain or tls.none,
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.server):has {
      peer_certificates = tls.none,
      told_by           = "peer",
      ["wire.received_certificates"] = tls.none,
    }
    if tls13 then
      expect(link).no:truthful()
      expect(link).no:mirrored()
    else
      expect(link):truthful()
    end
  end,
}

ms.scenario "a TLS 1.3 client has chosen before it judges its server" {
  about  = "The same order seen from a policy: what the client reports while it verifies.",
  rfc    = "RFC 8446 section 4.3.2",
  tags   = { "client-auth", "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, identities, during
    link, identities = mutual_link(case, {}, { verify = function(result)
      during = link.client:snapshot()
      return result.verified
    end })
    link:handshake()
    expect(link):succeeded()

    local tls13 = case.version == "TLS1.3"
    expect(during):has {
      phase                 = "handshaking",
      certificate_requested = tls13,
      local_certificates    = tls13 and identities.client.chain or tls.none,
      peer_certificates     = identities.server.chain,
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.client.wire.sent_certificates):equals(identities.client.chain)
  end,
}

ms.scenario "a client reports a certificate that it failed to sign with" {
  about  = "Made, logged, and never flushed: the client failed before its flight left.",
  rfc    = "RFC 5246 section 7.4.8",
  tags   = { "client-auth", "state" },
  matrix = { version = { "TLS1.2" } },
  run    = function(case)
    local ca = pki.authority { cn = "Client Root" }
    local alice = ca:issue { cn = "alice", key_usage = { "keyEncipherment" } }
    local link = mutual_link(case, { trust = ca },
      { identity = alice, send_certificate = "always" })
    expect(link:handshake()):is_false()

    local generated
    for _, event in ipairs(link.events) do
      if event.role == "client" and event.type == "Certificate" and event.direction == "sent" then
        generated = event
      end
    end
    expect(generated):has { delivered = false, certificates = alice.chain }
    expect(link.client):failed "key_usage_violation"
    expect(link.client):has {
      local_certificates = alice.chain,
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.server):has {
      peer_certificates = tls.none,
      ["wire.received_certificates"] = tls.none,
    }
    expect(link).no:truthful()
  end,
}

ms.scenario "both ends keep an old answer when a renegotiation does not ask" {
  about  = "Nothing was sent in this epoch, and the certificate of the one before is still "
    .. "reported: true of the session, not of the handshake.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "client-auth", "state" },
  matrix = { version = { "TLS1.2" }, client = { "unchanged", "has another certificate" } },
  run    = function(case)
    local link, identities, ca = mutual_link(case)
    link:handshake()
    expect(link):succeeded()
    local changes = { identity = ca:issue { cn = "bob" } }
    expect(link:renegotiate {
      by = "server", server = { client_auth = "none" },
      client = case.client ~= "unchanged" and changes or nil,
    }):is_true()

    expect(link.client):has {
      epoch                 = "renegotiation 1",
      certificate_requested = false,
      not_sent_because      = "not_requested",
      local_certificates    = identities.client.chain,
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.server):has {
      peer_certificates = identities.client.chain,
      ["wire.received_certificates"] = tls.none,
    }
    expect(link):truthful()                                 -- of the last epoch that had a message
    expect(link.client.history[1].wire.sent_certificates):equals(identities.client.chain)
  end,
}

ms.scenario "a server still reports the client that has just declined" {
  about  = "Asked again, the client answers with an empty message; GnuTLS's server keeps its name.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "client-auth", "state" },
  matrix = { version = { "TLS1.2" } },
  run    = function(case)
    local link, identities = mutual_link(case)
    link:handshake()
    expect(link):succeeded()
    expect(link:renegotiate {
      by = "server", server = { client_auth = "request" }, client = { send_certificate = "never" },
    }):is_true()

    expect(link.client):has {
      certificate_requested = true,
      not_sent_because      = "policy",
      local_certificates    = tls.none,
      ["wire.sent_certificates"] = {},
    }
    expect(link.server):has {
      peer_certificates = identities.client.chain,          -- misleads
      verification      = tls.none,                         -- does not
      ["wire.received_certificates"] = {},
    }
    expect(link).no:truthful()
    expect(link).no:mirrored()
  end,
}

ms.scenario "a resumed session forgets its own certificates and keeps the peer's" {
  about  = "Both ends report nil of themselves and the original peer, whatever is configured now: "
    .. "neither bob nor the server's new certificate is ever seen.",
  rfc    = "RFC 5077 section 3; RFC 8446 section 2.2",
  tags   = { "client-auth", "state" },
  matrix = { version = VERSIONS, configured = { "the same", "others" } },
  run    = function(case)
    local first, identities, ca = mutual_link(case)
    expect(first:handshake()):is_true()
    local others = case.configured == "others"
    local link = first:resume {
      server = { identity = others and ca:issue { dns = "server.example" } or identities.server },
      client = { identity = others and ca:issue { cn = "bob" } or identities.client },
    }
    link:handshake()
    expect(link):succeeded()

    expect(link.client):has {
      resumed               = true,
      certificate_requested = false,
      local_certificates    = tls.none,
      peer_certificates     = identities.server.chain,
      verification          = tls.none,                     -- it was not repeated
      ["wire.sent_certificates"]     = tls.none,
      ["wire.received_certificates"] = tls.none,
    }
    expect(link.server):has {
      resumed            = true,
      local_certificates = tls.none,
      peer_certificates  = identities.client.chain,
      verification       = tls.none,
      ["wire.sent_certificates"]     = tls.none,
      ["wire.received_certificates"] = tls.none,
    }
    expect(link).no:mirrored()
    expect(link).no:truthful()
  end,
}

ms.scenario "a server's function is not asked again in a renegotiation" {
  about  = "GnuTLS keeps what was chosen once; a new certificate needs a changed option.",
  rfc    = "RFC 5246 section 7.4.2",
  tags   = { "client-auth", "state" },
  matrix = { version = { "TLS1.2" } },
  run    = function(case)
    local ca = pki.authority { cn = "Server Root" }
    local old, new = ca:issue { dns = "server.example" }, ca:issue { dns = "server.example" }
    local calls = 0
    local link = mutual_link(case, { identity = function()
      calls = calls + 1
      return calls == 1 and old or new
    end }, { trust = ca, identity_change = "allow" })
    link:handshake()
    expect(link):succeeded()
    expect(link:renegotiate { by = "server" }):is_true()
    expect(calls):equals(1)
    expect(link.server.wire.sent_certificates):equals(old.chain)
    expect(link.server.local_certificate):is(old)

    expect(link:renegotiate { by = "server", server = { identity = new } }):is_true()
    expect(link.server.wire.sent_certificates):equals(new.chain)
    expect(link.server.local_certificate):is(new)
    expect(link.client.peer_certificate):is(new)
  end,
}
