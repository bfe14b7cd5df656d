-- SPDX-License-Identifier: MIT
-- A peer that shows another certificate in a renegotiation is another peer, whom the application
-- may still take for the first one. So the identity must not change unless the application says it
-- may, and identity means the very same leaf (RFC 5746 section 5; GnuTLS's GNUTLS_ALLOW_ID_CHANGE,
-- here `identity_change = "allow"` at the end that judges). GnuTLS compares the leaf before it
-- verifies anything and answers with an alert of its own choice, insufficient_security.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }

-- What the end that noticed and the end that is told have to say.
local function expect_refusal(noticing, told, problem)
  expect(noticing):failed(problem)
  expect(noticing):has {
    phase = "failed", handshake_completed = false, failed_during = "handshake", told_by = "itself",
    error = { code = "GNUTLS_E_SESSION_USER_ID_CHANGED" }, verification = tls.none,
    alert_sent = { level = "fatal", name = "insufficient_security", number = 71 },
  }
  expect(told):has {
    phase = "failed", handshake_completed = false, failed_during = "handshake", told_by = "peer",
    error = { problem = "peer_alert", code = "GNUTLS_E_FATAL_ALERT_RECEIVED" },
    alert_received = { level = "fatal", name = "insufficient_security", number = 71 },
  }
end

ms.scenario "a client that shows another certificate on renegotiation is refused" {
  about  = "Both certificates are in order; the change itself is what the server does not take.",
  rfc    = "RFC 5746 section 5",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice, bob = ca:issue { cn = "alice" }, ca:issue { cn = "bob" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require" },
      client   = { identity = alice, trust = ca, server_name = "server.example" },
      versions = { case.version },
    }
    expect(link:handshake()):is_true()

    expect(link:renegotiate { by = case.by, client = { identity = bob } }):is_false()

    expect(link.failed_first):equals("server")
    expect_refusal(link.server, link.client, "client_changed_identity")
    -- GnuTLS already reports the one that it refused: bob, whom nobody verified.
    expect(link.server.peer_certificate):is(bob)
    expect(link.server.wire.received_certificates):equals(bob.chain)
    expect(link.client.local_certificate):is(bob)
    expect(link.server.history[1].peer_certificate):is(alice)
    expect(link.server.history[1]):verified()
  end,
}

ms.scenario "a client may show another certificate where the server allows it" {
  about  = "Allowed is the change, not everything: the new certificate is verified like the first.",
  rfc    = "RFC 5746 section 5",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH, second = { "trusted", "stranger" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local issuer = case.second == "trusted" and ca or pki.authority { cn = "Other Root" }
    local bob = issuer:issue { cn = "bob" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require", identity_change = "allow" },
      client   = { identity = alice, trust = ca, server_name = "server.example",
                   send_certificate = "always" },
      versions = { case.version },
    }
    expect(link:handshake()):is_true()

    expect(link:renegotiate { by = case.by, client = { identity = bob } })
      :equals(case.second == "trusted")

    expect(link.server.peer_certificate):is(bob)
    expect(link.client.local_certificate):is(bob)
    expect(link.server.history[1].peer_certificate):is(alice)
    if case.second == "trusted" then
      expect(link):succeeded()
      expect(link.server):verified()
      expect(link):mirrored()
      expect(link):truthful()
    else
      expect(link.server):failed "certificate_rejected"
      expect(link.server):unverified "signer_not_found"
      expect(link.server.alert_sent.name):equals("bad_certificate")
    end
  end,
}

ms.scenario "the same client certificate may be shown again and again" {
  about  = "What is compared is the certificate, so another chain above the same leaf is no "
    .. "change.",
  rfc    = "RFC 5246 section 7.4.6",
  tags   = { "renegotiation" },
  matrix = { by = BOTH },
  run    = function(case)
    local root = pki.authority { cn = "Example Root" }
    local issuing = root:authority { cn = "Issuing CA" }
    local alice = issuing:issue { cn = "alice" }
    local with_root = alice:with { chain = { alice, issuing, root } }
    local link = tls.link {
      server   = { identity = root:issue { dns = "server.example" }, trust = root,
                   client_auth = "require" },
      client   = { identity = alice, trust = root, server_name = "server.example" },
      versions = { "TLS1.2" },
    }
    expect(link:handshake()):is_true()
    expect(link:renegotiate { by = case.by }):is_true()
    expect(link.server.peer_certificates):equals(alice.chain)

    expect(link:renegotiate { by = case.by, client = { identity = with_root } }):is_true()

    expect(link):succeeded()
    expect(link.server.peer_certificates):equals(with_root.chain)
    expect(link.server.peer_certificates):has_length(3)
    expect(link.server):verified()
    expect(link):truthful()
  end,
}

ms.scenario "a server that shows another certificate on renegotiation is refused" {
  about  = "The client fails before it verifies, though the new certificate is in order.",
  rfc    = "RFC 5746 section 5",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local first, second = ca:issue { dns = "server.example" }, ca:issue { dns = "server.example" }
    local link = tls.link {
      server   = { identity = first },
      client   = { trust = ca, server_name = "server.example" },
      versions = { case.version },
    }
    expect(link:handshake()):is_true()

    expect(link:renegotiate { by = case.by, server = { identity = second } }):is_false()

    expect(link.failed_first):equals("client")
    expect_refusal(link.client, link.server, "server_changed_identity")
    expect(link.client.peer_certificate):is(second)
    expect(link.client.history[1].peer_certificate):is(first)
    expect(link.server.wire.sent_certificates):equals(second.chain)
  end,
}

ms.scenario "a server may show another certificate where the client allows it" {
  about  = "A certificate replaced under a running connection; it must still be for the right "
    .. "name.",
  rfc    = "RFC 5746 section 5",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH,
             second = { "server.example", "other.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local first, second = ca:issue { dns = "server.example" }, ca:issue { dns = case.second }
    local link = tls.link {
      server   = { identity = first },
      client   = { trust = ca, server_name = "server.example", identity_change = "allow" },
      versions = { case.version },
    }
    expect(link:handshake()):is_true()

    expect(link:renegotiate { by = case.by, server = { identity = second } })
      :equals(case.second == "server.example")

    expect(link.client.peer_certificate):is(second)
    expect(link.server.local_certificate):is(second)
    if case.second == "server.example" then
      expect(link):succeeded()
      expect(link.client):verified()
      expect(link):mirrored()
    else
      expect(link.client):failed "certificate_rejected"
      expect(link.client):unverified "unexpected_owner"
      expect(link.server):has { told_by = "peer", alert_received = { name = "bad_certificate" } }
    end
  end,
}
