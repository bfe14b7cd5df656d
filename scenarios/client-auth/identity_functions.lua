-- SPDX-License-Identifier: MIT
-- Instead of leaving the choice to the library, an end may choose its identity by a function of the
-- request: the issuers and the signature schemes that the peer named, and the server name. This is
-- what browsers and gateways do, and where "which certificate did I send?" has its answer.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, server, choose)
  server.identity = server.identity or ca:issue { dns = "server.example" }
  server.trust = ca
  return tls.link {
    server   = server,
    client   = { identity = choose, trust = ca, server_name = "server.example" },
    versions = case.version,
  }
end

local function contains(list, item)
  for _, one in ipairs(list) do
    if one == item then
      return true
    end
  end
  return false
end

ms.scenario "a client's function sees the request and chooses by it" {
  about  = "Issuers and schemes as they came over the wire, and the name that was dialled.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, schemes = { "ecdsa_secp256r1_sha256", "ecdsa_secp384r1_sha384" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local by_scheme = {
      ecdsa_secp256r1_sha256 = ca:issue { cn = "alice" },
      ecdsa_secp384r1_sha384 = ca:issue { cn = "alice", key = "ecdsa-p384" },
    }
    local requests = {}
    local link = link_with(case, ca, {
      client_auth = "require", issuers = { "CN=Somebody Else", ca },
      identity = ca:issue {                                 -- it signs with these schemes as well
        dns = "server.example", key = by_scheme[case.schemes].certificate.key_type,
      },
      signature_schemes = case.schemes,
    }, function(request)
      requests[#requests + 1] = request
      return by_scheme[request.signature_schemes[1]]
    end)
    link:handshake()
    expect(link):succeeded()

    expect(requests):has_length(1)                          -- asked once
    expect(requests[1].issuers):equals { "CN=Somebody Else", "CN=Example Root" }
    expect(requests[1].signature_schemes):equals { case.schemes }
    expect(requests[1].server_name):equals "server.example"
    local chosen = by_scheme[case.schemes]
    expect(link.client.local_certificate):is(chosen)
    expect(link.client.wire.sent_certificates):equals(chosen.chain)
    expect(link.server.peer_certificate):is(chosen)
    expect(link.client.signature_scheme):equals(case.schemes)
  end,
}

ms.scenario "a client's function may keep every certificate at home" {
  about  = "Returning nothing is the user who presses Cancel: an empty message, and the reason.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, client_auth = { "request", "require" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = link_with(case, ca, { client_auth = case.client_auth }, function() return nil end)
    expect(link:handshake()):equals(case.client_auth == "request")

    expect(link.client):has {
      not_sent_because  = "policy",
      local_certificate = tls.none,
      ["wire.sent_certificates"] = {},
    }
    if case.client_auth == "require" then
      expect(link.server):failed "no_certificate"
      expect(link.client.handshake_completed):equals(case.version == "TLS1.3")
    else
      expect(link):succeeded()
    end
  end,
}

ms.scenario "a client's function is not bound by the names in the request" {
  about  = "What the library would keep at home goes out, and the server judges it.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local named
    local link = link_with(case, ca, { client_auth = "require" }, function(request)
      named = contains(request.issuers, mallory.certificate.issuer)
      return mallory
    end)
    expect(link:handshake()):is_false()

    expect(named):is_false()
    expect(link.client.wire.sent_certificates):equals(mallory.chain)
    expect(link.server):failed "certificate_rejected"
    expect(link.server):unverified "signer_not_found"
    expect(link.client.handshake_completed):equals(case.version == "TLS1.3")
  end,
}

ms.scenario "a client's function is not called when nobody asks" {
  about  = "Nothing to choose for: no message is sent.",
  rfc    = "RFC 8446 section 4.3.2",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local calls = 0
    local link = link_with(case, ca, { client_auth = "none" }, function()
      calls = calls + 1
      return nil
    end)
    link:handshake()
    expect(link):succeeded()

    expect(calls):equals(0)
    expect(link.client.wire.sent_certificates):is_nil()
    expect(link.client.not_sent_because):equals "not_requested"
  end,
}

ms.scenario "a server's function chooses by the name that the client asked for" {
  about  = "Virtual hosts by hand: the function sees the name and the schemes, and no issuers.",
  rfc    = "RFC 6066 section 3; RFC 8446 section 4.4.2.2",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, name = { "a.example", "b.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local hosts = {
      ["a.example"] = ca:issue { dns = "a.example" },
      ["b.example"] = ca:issue { dns = "b.example" },
    }
    local request
    local link = tls.link {
      server   = { identity = function(asked)
        request = asked
        return hosts[asked.server_name]
      end },
      client   = { trust = ca, server_name = case.name },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()

    expect(request.server_name):equals(case.name)
    expect(request.issuers):is_nil()
    expect(request.signature_schemes):contains "ecdsa_secp256r1_sha256"
    expect(link.server.local_certificate):is(hosts[case.name])
    expect(link.server.wire.sent_certificates):equals(hosts[case.name].chain)
    expect(link.client.peer_certificate):is(hosts[case.name])
    expect(link.client):verified()
  end,
}

ms.scenario "a function that breaks is the script's error" {
  about  = "It ran below the library, which no error may leave; the action raises it after.",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, returned = { "error", "a string" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = link_with(case, ca, { client_auth = "require" }, function()
      if case.returned == "error" then
        error("no such user")
      end
      return "alice"
    end)
    expect(function() link:handshake() end)
      :raises(case.returned == "error" and "no such user" or "must return an identity or nil")
  end,
}

ms.scenario "a client's function cannot make a key sign what it cannot" {
  about  = "Only ECDSA can be checked, the function returns an RSA identity: GnuTLS fails in TLS "
    .. "1.2 while it signs, and in TLS 1.3 sends an empty message instead.",
  rfc    = "RFC 5246 section 7.4.8; RFC 8446 section 4.4.3",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice", key = "rsa-2048" }
    local link = link_with(case, ca,
      { client_auth = "require", signature_schemes = "ecdsa_secp256r1_sha256" },
      function() return alice end)
    expect(link:handshake()):is_false()

    if case.version == "TLS1.2" then
      expect(link.failed_first):equals "client"
      expect(link.client):has {
        told_by           = "itself",
        not_sent_because  = "failed_before",
        local_certificate = alice.certificate,              -- chosen, and that was all
        ["error.problem"] = "no_shared_signature_scheme",
        ["wire.sent_certificates"] = tls.none,
      }
      expect(link.server):has {
        told_by = "peer", ["error.problem"] = "peer_alert",
        ["alert_received.name"] = "handshake_failure",
      }
    else
      expect(link.failed_first):equals "server"
      expect(link.client):has {
        told_by           = "peer",
        not_sent_because  = "no_common_signature_scheme",
        local_certificate = tls.none,
        ["wire.sent_certificates"] = {},
      }
      expect(link.server):failed "no_certificate"
    end
  end,
}

ms.scenario "a server's function that returns nothing leaves its server without a certificate" {
  about  = "A client may decline; a server cannot, and fails on the ClientHello.",
  rfc    = "RFC 5246 section 7.4.2; RFC 8446 section 4.4.2",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = tls.link {
      server   = { identity = function() return nil end },
      client   = { server_name = "unknown.example" },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    expect(link.failed_first):equals "server"
    expect(link.server):has {
      told_by           = "itself",
      local_certificate = tls.none,
      ["error.problem"] = "identity_unusable",
      ["wire.sent_certificates"] = tls.none,
    }
    expect(link.client):has {
      told_by = "peer", ["error.problem"] = "peer_alert",
      ["alert_received.name"] = "handshake_failure",
    }
  end,
}
