-- SPDX-License-Identifier: MIT
-- A valid path says that the certificate is genuine; only the name says that it is the server's.
-- The client compares the name that it wanted with the subject alternative names (RFC 6125 section
-- 6; today RFC 9525). Names are compared without regard to case, a wildcard stands for one whole
-- leftmost label, an address matches only an address. GnuTLS falls back to the common name where
-- there is no DNS name. Servers compare nothing: who a client is, is for the application.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

-- A client that wants `name` of a server whose certificate has `names`; shakes hands.
local function link_with(case, names, name, options)
  local ca = pki.authority { cn = "Root" }
  local identity = ca:issue(names)
  local client = { trust = ca, verify_name = name }
  for option, value in pairs(options or {}) do
    client[option] = value
  end
  local link = tls.link { server = { identity = identity }, client = client,
                          versions = { case.version } }
  link:handshake()
  return link, identity, ca
end

local function expect_match(case, names, name)
  local link = link_with(case, names, name)
  expect(link, name):succeeded()
  expect(link.client, name):verified()
end

local function expect_mismatch(case, names, name)
  local link, identity, ca = link_with(case, names, name)
  local alert = { level = "fatal", name = "bad_certificate" }
  expect(link.client, name):failed "certificate_rejected"
  expect(link.client, name):has {
    told_by = "itself", failed_during = "handshake", alert_sent = alert,
    verification = { verified = false, accepted = false, problems = { "unexpected_owner" } },
  }
  expect(link.client.verification.text, name):contains("not for " .. name)
  expect(link.client.verification.certificate, name):is(identity)
  -- The path itself stands.
  expect(link.client.verification.path, name):equals { identity.certificate, ca.certificate }
  expect(link.server, name):has { told_by = "peer", alert_received = alert }
end

ms.scenario "the name that the client wants is one of the certificate's" {
  about  = "Any of them will do, in any case of letters.",
  rfc    = "RFC 6125 section 6.4.1",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS },
  run    = function(case)
    expect_match(case, { dns = "server.example" }, "server.example")
    expect_match(case, { dns = { "www.example.org", "server.example" } }, "server.example")
    expect_match(case, { dns = "Server.EXAMPLE" }, "server.example")
    expect_match(case, { dns = "server.example" }, "SERVER.example")
  end,
}

ms.scenario "the name that the client wants is none of the certificate's" {
  about  = "Neighbours, parents and children are somebody else.",
  rfc    = "RFC 6125 section 6.4.1",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS },
  run    = function(case)
    expect_mismatch(case, { dns = "server.example" }, "other.example")
    expect_mismatch(case, { dns = "server.example" }, "www.server.example")
    expect_mismatch(case, { dns = "www.server.example" }, "server.example")
    expect_mismatch(case, { dns = "server.example" }, "server.example.org")
  end,
}

ms.scenario "a wildcard stands for one whole leftmost label" {
  about  = "Not for several labels, not for none, not for a part of one, not in the middle, and in "
    .. "GnuTLS not right below a top-level domain.",
  rfc    = "RFC 6125 section 6.4.3",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS },
  run    = function(case)
    expect_match(case, { dns = "*.server.example" }, "www.server.example")
    expect_match(case, { dns = "*.server.example" }, "WWW.server.example")
    expect_mismatch(case, { dns = "*.server.example" }, "a.www.server.example")
    expect_mismatch(case, { dns = "*.server.example" }, "server.example")
    expect_mismatch(case, { dns = "*.example" }, "server.example")
    expect_mismatch(case, { dns = "w*.server.example" }, "www.server.example")
    expect_mismatch(case, { dns = "www.*.example" }, "www.server.example")
  end,
}

ms.scenario "an address matches an address and nothing else" {
  about  = "A DNS name or a common name that looks like an address is still a name.",
  rfc    = "RFC 2818 section 3.1",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS },
  run    = function(case)
    expect_match(case, { ip = "192.0.2.7" }, "192.0.2.7")
    expect_match(case, { ip = { "198.51.100.1", "192.0.2.7" } }, "192.0.2.7")
    expect_match(case, { ip = "2001:db8::7" }, "2001:db8::7")
    expect_match(case, { ip = "2001:db8::7" }, "2001:DB8:0:0:0:0:0:7")
    expect_mismatch(case, { ip = "192.0.2.7" }, "192.0.2.8")
    expect_mismatch(case, { dns = "192.0.2.7" }, "192.0.2.7")
    expect_mismatch(case, { cn = "192.0.2.7" }, "192.0.2.7")
    expect_mismatch(case, { ip = "192.0.2.7" }, "server.example")
  end,
}

ms.scenario "the common name counts where there is no DNS name" {
  about  = "Browsers gave this up in 2017 and RFC 9525 forbids it; GnuTLS still does it. With a "
    .. "DNS name the common name is mere decoration.",
  rfc    = "RFC 6125 section 6.4.4",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS },
  run    = function(case)
    expect_match(case, { cn = "server.example" }, "server.example")
    expect_mismatch(case, { cn = "server.example", dns = "www.example.org" }, "server.example")
  end,
}

ms.scenario "the name to verify need not be the name that is sent" {
  about  = "Behind a proxy, or when an address is dialled: the server picks its certificate by one "
    .. "name and the client judges by another, or by none.",
  rfc    = "RFC 6066 section 3",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS, verify_name = { "backend.example", "front.example", false } },
  run    = function(case)
    local link = link_with(case, { dns = "backend.example" }, case.verify_name,
                           { server_name = "front.example" })
    expect(link.server.server_name):equals("front.example")
    if case.verify_name == "front.example" then
      expect(link.client):failed "certificate_rejected"
      expect(link.client):unverified "unexpected_owner"
    else
      expect(link):succeeded()
      expect(link.client):verified()
    end
  end,
}

ms.scenario "a client without a name verifies none" {
  about  = "The path is judged all the same; whoever holds any certificate of that CA gets "
    .. "through.",
  rfc    = "RFC 6125 section 6.2",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case, { dns = "whoever.example" }, nil)
    expect(link):succeeded()
    expect(link.server.server_name):is_nil()
    expect(link.client):verified()
  end,
}

ms.scenario "a server judges no name of its clients" {
  about  = "Alice's certificate is in order whatever it is called; principal says whom it is "
    .. "about.",
  rfc    = "RFC 5280 section 6",
  tags   = { "chains", "names" },
  matrix = { version = VERSIONS, name = { "dns", "uri", "cn" } },
  run    = function(case)
    local ca = pki.authority { cn = "Root" }
    local names = { dns = { dns = "alice.example" }, cn = { cn = "alice" },
                    uri = { uri = "spiffe://example.org/alice", dns = "alice.example" } }
    local principals = { dns = "alice.example", cn = "CN=alice",
                         uri = "spiffe://example.org/alice" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require" },
      client   = { identity = ca:issue(names[case.name]), trust = ca,
                   server_name = "server.example" },
      versions = { case.version },
    }
    expect(link:handshake()):is_true()
    expect(link.server):verified()
    expect(link.server.peer_certificate.principal):equals(principals[case.name])
  end,
}
