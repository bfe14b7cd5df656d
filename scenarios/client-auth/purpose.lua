-- SPDX-License-Identifier: MIT
-- What a certificate is for: the extended key usage (RFC 5280 section 4.2.1.12) says server or
-- client authentication, the key usage (section 4.2.1.3) says whether its key may sign at all.
-- Purposes are the verifier's business. GnuTLS checks them only when told to, and its command line
-- server never does: a certificate for servers opens the door there. Moonshake's default checks.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, identity, server)
  server = server or {}
  server.identity, server.trust = ca:issue { dns = "server.example" }, ca
  server.client_auth = "require"
  return tls.link {
    server   = server,
    client   = { identity = identity, trust = ca, server_name = "server.example" },
    versions = case.version,
  }
end

ms.scenario "a server's certificate is refused as a client's" {
  about  = "The client sends it without a thought; the server finds the purpose missing.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local backend = ca:issue { dns = "backend.example", purpose = "server" }
    local link = link_with(case, ca, backend)
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    expect(link.failed_first):equals "server"
    expect(link.server):has {
      handshake_completed = false,
      told_by             = "itself",
      ["error.problem"]   = "certificate_rejected",
      ["alert_sent.name"] = "bad_certificate",
      ["peer_certificate.purposes"] = { "server" },
      ["verification.problems"]     = { "purpose_mismatch" },
      ["verification.accepted"]     = false,
    }
    expect(link.server.verification.certificate):is(backend)
    expect(link.client):has {
      handshake_completed = tls13,
      failed_during       = tls13 and "read" or "handshake",
      not_sent_because    = tls.none,
      ["error.problem"]   = "peer_alert",
      ["wire.sent_certificates"] = backend.chain,
    }
  end,
}

ms.scenario "a server's certificate is accepted as a client's where nobody looks" {
  about  = "Without verification, and by a policy that lets this one problem pass.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, verify = { "off", "policy" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local backend = ca:issue { dns = "backend.example", purpose = "server" }
    local verify = false
    if case.verify == "policy" then
      verify = function(result)
        return #result.problems == 1 and result.problems[1] == "purpose_mismatch"
      end
    end
    local link = link_with(case, ca, backend, { verify = verify })
    link:handshake()
    expect(link):succeeded()

    expect(link.server.peer_certificates):equals(backend.chain)
    if case.verify == "off" then
      expect(link.server.verification):is_nil()
    else                                                    -- accepted, and still not verified
      expect(link.server.verification):has {
        verified = false, accepted = true, problems = { "purpose_mismatch" },
      }
      expect(link.server):unverified "purpose_mismatch"
    end
  end,
}

ms.scenario "a certificate that names no purpose, or any, serves every one" {
  about  = "No extension means no restriction; anyExtendedKeyUsage says so in words.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, purpose = { "none named", "any", "both", "client" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue {
      cn = "alice", purpose = case.purpose ~= "none named" and case.purpose,
    }
    local link = link_with(case, ca, alice)
    link:handshake()
    expect(link):succeeded()

    expect(link.server):verified()
    local purposes = {
      any = { "any" }, both = { "server", "client" }, client = { "client" },
    }
    expect(link.server.peer_certificate.purposes):equals(purposes[case.purpose])
  end,
}

ms.scenario "an authority that may not issue for clients spoils the client's certificate" {
  about  = "A purpose on an intermediate restricts all below it, as most verifiers read it.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local servers_only = ca:authority { cn = "Server CA", purpose = "server" }
    local alice = servers_only:issue { cn = "alice", purpose = "client" }
    local link = link_with(case, ca, alice)
    expect(link:handshake()):is_false()

    expect(link.server):failed "certificate_rejected"
    expect(link.server):unverified "purpose_mismatch"
    expect(link.server.verification.certificate):is(servers_only)
    expect(link.server.peer_certificates):equals(alice.chain)
    expect(link.client):failed "bad_certificate"
  end,
}

ms.scenario "a client's certificate is refused as a server's" {
  about  = "The same rule the other way round: here the client is the judge, and fails at once.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local wrong = ca:issue { dns = "server.example", purpose = "client" }
    local link = tls.link {
      server   = { identity = wrong },
      client   = { trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    expect(link.failed_first):equals "client"
    expect(link.client):has {
      handshake_completed = false,
      told_by             = "itself",
      ["error.problem"]   = "certificate_rejected",
      ["verification.problems"] = { "purpose_mismatch" },
    }
    expect(link.server):has {
      handshake_completed = false,
      told_by             = "peer",
      ["error.problem"]   = "peer_alert",
      ["alert_received.name"] = "bad_certificate",
    }
  end,
}

ms.scenario "a key that may not sign cannot authenticate its client" {
  about  = "GnuTLS 3.7.9 has three answers: a TLS 1.2 client keeps the certificate at home if "
    .. "issuers are named, and fails if none is; a TLS 1.3 client gives up before its ClientHello.",
  rfc    = "RFC 5280 section 4.2.1.3; RFC 5246 section 7.4.6",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, named = { "its issuer", "nobody" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", key_usage = { "keyEncipherment" } }
    local link = link_with(case, ca, alice, { issuers = case.named == "nobody" and {} or nil })
    expect(link:handshake()):is_false()

    expect(link.client.local_certificate):is_nil()
    if case.version == "TLS1.2" and case.named == "its issuer" then
      expect(link.failed_first):equals "server"
      expect(link.client):has {
        told_by          = "peer",
        not_sent_because = "key_usage",
        ["wire.sent_certificates"] = {},
      }
      expect(link.server):failed "no_certificate"
      return
    end
    local tls13 = case.version == "TLS1.3"
    expect(link.failed_first):equals "client"
    expect(link.client):has {
      told_by               = "itself",
      certificate_requested = not tls13,
      ["error.problem"]     = tls13 and "identity_unusable" or "key_usage_violation",
      ["error.code"]        = tls13 and "GNUTLS_E_INSUFFICIENT_CREDENTIALS"
                                or "GNUTLS_E_KEY_USAGE_VIOLATION",
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.server):has { told_by = "peer", ["error.problem"] = "peer_alert" }
    expect(link.server.version):equals(not tls13 and "TLS1.2" or nil)   -- did a ClientHello come?
  end,
}

ms.scenario "a client made to send a certificate that may not sign fails on its own" {
  about  = "In TLS 1.2 the client notices while it signs: its Certificate message is made and "
    .. "never leaves. In TLS 1.3 it does not notice, and the server does.",
  rfc    = "RFC 5280 section 4.2.1.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", key_usage = { "keyEncipherment" } }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require" },
      client   = { identity = alice, trust = ca, server_name = "server.example",
                   send_certificate = "always" },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    local judge, judged = link.client, link.server
    if tls13 then
      judge, judged = link.server, link.client
    end
    expect(link.failed_first):equals(judge.role)
    expect(judge):has {
      told_by             = "itself",
      ["error.problem"]   = "key_usage_violation",
      ["alert_sent.name"] = "internal_error",
    }
    expect(judged):has { told_by = "peer", ["error.problem"] = "peer_alert" }
    expect(link.client.local_certificate):is(alice)
    expect(link.client.wire.sent_certificates):equals(tls13 and alice.chain or nil)
    expect(link.server.wire.received_certificates):equals(tls13 and alice.chain or nil)
  end,
}
