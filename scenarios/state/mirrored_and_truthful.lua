-- SPDX-License-Identifier: MIT
-- Two questions about reports. `mirrored`: does each end call its own what the other calls its
-- peer's? `truthful`: is what both report what Certificate messages really carried? They are
-- different: two libraries can agree on something that never crossed the wire, and a report can be
-- true where the other end knows better. Here is where each holds, and where GnuTLS breaks it.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, client_auth, client)
  local root = pki.authority { cn = "Example Root" }
  local issuing = root:authority { cn = "Issuing CA" }
  local alice = issuing:issue { cn = "alice" }
  client.identity, client.server_name = client.identity and alice or nil, "server.example"
  client.trust = client.trust or root
  return tls.link {
    server   = { identity = issuing:issue { dns = "server.example" }, trust = root,
                 client_auth = client_auth },
    client   = client,
    versions = case.version,
  }, alice
end

ms.scenario "an untroubled handshake is mirrored and truthful" {
  about  = "With and without a client certificate, asked for or not: \"none\" on one side is "
    .. "\"none\" on the other.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, client_auth = { "none", "request" }, identity = { true, false } },
  run    = function(case)
    local link, alice = link_with(case, case.client_auth, { identity = case.identity })
    expect(link:handshake()):is_true()

    expect(link):mirrored()
    expect(link):truthful()
    local sent = case.identity and case.client_auth == "request"
    expect(link.server.peer_certificates):equals(sent and alice.chain or nil)
    expect(link.client.local_certificates):equals(sent and alice.chain or nil)
  end,
}

ms.scenario "a link that has done nothing has nothing to contradict" {
  about  = "Both ends say \"none\", and none crossed the wire.",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, "require", { identity = true })
    expect(link.client.local_certificates):is_nil()
    expect(link):mirrored()
    expect(link):truthful()
  end,
}

ms.scenario "a certificate that was chosen and never sent breaks both in TLS 1.3" {
  about  = "The client rejects the server after it chose its own certificate: GnuTLS reports as "
    .. "local what nobody ever saw. TLS 1.2 chooses later and reports nothing.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, alice = link_with(case, "require",
      { identity = true, trust = pki.authority { cn = "Other Root" } })
    expect(link:handshake()):is_false()

    expect(link.client.wire.sent_certificates):is_nil()
    expect(link.server.peer_certificate):is_nil()
    if case.version == "TLS1.3" then
      expect(link.client.local_certificate):is(alice)
      expect(link).no:mirrored()
      expect(link).no:truthful()
    else
      expect(link.client.local_certificate):is_nil()
      expect(link):mirrored()
      expect(link):truthful()
    end
  end,
}

ms.scenario "a rejected client certificate is reported by both ends as it was" {
  about  = "Rejection is a verdict, not a change of facts: what was sent stays reported.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local root = pki.authority { cn = "Example Root" }
    local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local link = tls.link {
      server   = { identity = root:issue { dns = "server.example" }, trust = root,
                   client_auth = "require" },
      client   = { identity = mallory, trust = root, server_name = "server.example",
                   send_certificate = "always" },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    expect(link.server):unverified "signer_not_found"
    expect(link.server.peer_certificate):is(mallory)
    expect(link):mirrored()
    expect(link):truthful()
  end,
}

ms.scenario "after a renegotiation without certificate both ends agree on the wrong thing" {
  about  = "The client says \"none\" in an empty Certificate message. GnuTLS's server reports the "
    .. "old peer; whether its client agrees depends on what it selected last.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link, alice = link_with({ version = "TLS1.2" }, "request", { identity = true })
    expect(link:handshake()):is_true()
    expect(link):truthful()
    expect(link:renegotiate { by = case.by, client = { identity = tls.default } }):is_true()

    expect(link.server.wire.received_certificates):equals {}
    expect(link.server.peer_certificate):is(alice)
    expect(link.client.local_certificate):is_nil()
    expect(link).no:truthful()
    expect(link).no:mirrored()
  end,
}

ms.scenario "a certificate changed in a renegotiation is reported by both ends" {
  about  = "Where the server allows the change, reports and wire move on together.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "state" },
  matrix = { by = { "client", "server" }, allowed = { true, false } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice, bob = ca:issue { cn = "alice" }, ca:issue { cn = "bob" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require",
                   identity_change = case.allowed and "allow" or "refuse" },
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      versions = "TLS1.2",
    }
    expect(link:handshake()):is_true()
    expect(link:renegotiate { by = case.by, client = { identity = bob } }):equals(case.allowed)

    expect(link.server.peer_certificate):is(bob)            -- also where it was refused
    expect(link.server.history[1].peer_certificate):is(alice)
    expect(link.client.local_certificate):is(bob)
    expect(link.server.wire.received_certificates):equals(bob.chain)
    expect(link):mirrored()
    expect(link):truthful()
    if not case.allowed then
      expect(link.server):failed "client_changed_identity"
    end
  end,
}
