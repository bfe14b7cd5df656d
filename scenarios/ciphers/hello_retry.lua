-- SPDX-License-Identifier: MIT
-- In TLS 1.3 the client sends key shares before it knows what the server can do. Where it guessed
-- wrong but has a common group in its list, the server asks again with a HelloRetryRequest, and the
-- client's second ClientHello carries the share that was wanted (RFC 8446 sections 4.1.4 and
-- 4.2.8). One more round trip, no failure. TLS 1.2 has no guess and no second try.
-- GnuTLS sends a share for its first curve of the secp kind and for the first of x25519 and x448,
-- where both are listed; so here the lists have two of one kind.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local function link_with(version, client, server, server_preference)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server   = {
      identity = ca:issue { dns = "server.example" }, groups = server,
      server_preference = server_preference,
    },
    client   = { trust = ca, server_name = "server.example", groups = client },
    versions = version,
  }
end

local IS_HELLO = { ClientHello = true, HelloRetryRequest = true, ServerHello = true }

-- The hellos that one end got from the other, in order.
local function hellos(link, role)
  local types = {}
  for _, event in ipairs(link.events) do
    if event.role == role and event.direction == "received" and IS_HELLO[event.type] then
      types[#types + 1] = event.type
    end
  end
  return types
end

local function expect_retry(link, retried)
  expect(hellos(link, "server"))
    :equals(retried and { "ClientHello", "ClientHello" } or { "ClientHello" })
  expect(hellos(link, "client"))
    :equals(retried and { "HelloRetryRequest", "ServerHello" } or { "ServerHello" })
end

ms.scenario "a client that guessed the wrong group is asked again" {
  about  = "Its list has the server's group, its first flight has no share for it.",
  rfc    = "RFC 8446 section 4.1.4",
  tags   = { "ciphers" },
  matrix = { kind = { "secp", "x" }, version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local groups = case.kind == "secp" and { "secp256r1", "secp384r1" } or { "x25519", "x448" }
    local link = link_with(case.version, groups, groups[2])
    link:handshake()
    expect(link):succeeded()

    expect_retry(link, case.version == "TLS1.3")
    expect(link.client.group):equals(groups[2])
    expect(link.server.group):equals(groups[2])
    expect(link.client):verified()
  end,
}

ms.scenario "a good guess costs no round trip" {
  about  = "The share is there: the server's first, or its second when the client's order counts.",
  rfc    = "RFC 8446 section 4.2.8",
  tags   = { "ciphers" },
  matrix = { server = { "secp256r1", "secp384r1, secp256r1" } },
  run    = function(case)
    local list = case.server == "secp256r1" and { "secp256r1" } or { "secp384r1", "secp256r1" }
    local link = link_with("TLS1.3", { "secp256r1", "secp384r1" }, list)
    link:handshake()
    expect(link):succeeded()
    expect_retry(link, false)
    expect(link.client.group):equals "secp256r1"
  end,
}

ms.scenario "a server that insists on its order pays with a round trip" {
  about  = "Both have both groups and a share is there; the server prefers the other one.",
  rfc    = "RFC 8446 section 4.1.4",
  tags   = { "ciphers" },
  matrix = { server_preference = { true, false } },
  run    = function(case)
    local link = link_with("TLS1.3", { "secp256r1", "secp384r1" }, { "secp384r1", "secp256r1" },
      case.server_preference)
    link:handshake()
    expect(link):succeeded()
    expect_retry(link, case.server_preference)
    expect(link.client.group):equals(case.server_preference and "secp384r1" or "secp256r1")
  end,
}

ms.scenario "a retry is not offered where no group is shared" {
  about  = "Asking again could not help: the server fails on the first ClientHello.",
  rfc    = "RFC 8446 section 4.1.1",
  tags   = { "ciphers" },
  run    = function()
    local link = link_with("TLS1.3", { "secp256r1", "secp384r1" }, "secp521r1")
    expect(link:handshake()):is_false()
    expect(hellos(link, "server")):equals { "ClientHello" }
    expect(hellos(link, "client")):equals {}
    expect(link.server):failed "no_shared_group"
    expect(link.client):failed "handshake_failure"
  end,
}

ms.scenario "a client authenticates after a retry as after any hello" {
  about  = "The signatures cover both hellos; certificates and request are not disturbed.",
  rfc    = "RFC 8446 section 4.4.1",
  tags   = { "ciphers", "client-auth" },
  run    = function()
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, trust = ca,
                   client_auth = "require", groups = "secp384r1" },
      client   = { identity = alice, trust = ca, server_name = "server.example",
                   groups = { "secp256r1", "secp384r1" } },
      versions = "TLS1.3",
    }
    link:handshake()
    expect(link):succeeded()
    expect_retry(link, true)
    expect(link.server.peer_certificate):is(alice)
    expect(link.server):verified()
    expect(link):truthful()
  end,
}
