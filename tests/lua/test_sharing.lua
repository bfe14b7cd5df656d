-- SPDX-License-Identifier: MIT
-- Ends that are told the same share credentials and priorities; those that differ in one option,
-- whichever it is, must not.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local test, equal = unit.test, unit.equal

local ca = pki.authority { cn = "Root" }
local other = pki.authority { cn = "Other Root" }
local server = ca:issue { dns = "server.example" }
local second = other:issue { dns = "server.example" }
local alice = ca:issue { cn = "alice" }
local bob = ca:issue { cn = "bob" }

-- A link after its handshake, of ends with these options more.
local function link_with(of_client, of_server)
  local client = { trust = { ca, other }, server_name = "server.example" }
  local of = { server = { identity = server, trust = ca, client_auth = "request" },
               client = client }
  for role, more in pairs { client = of_client, server = of_server } do
    for name, value in pairs(more) do
      of[role][name] = value
    end
  end
  local link = tls.link(of)
  link:handshake()
  return link
end

-- Runs the steps, and once more in the other order, so that each comes after each of the others.
local function in_both_orders(steps)
  for index = 1, #steps do
    steps[index]()
  end
  for index = #steps, 1, -1 do
    steps[index]()
  end
end

test("a request names the issuers of its own end", function()
  local function step(options, wanted)
    return function()
      local link = link_with({ identity = alice }, options)
      equal(table.concat(link.client.requested_issuers, "|"), wanted)
    end
  end
  in_both_orders {
    step({}, "CN=Root"),
    step({ trust = other }, "CN=Other Root"),
    step({ trust = { ca, other } }, "CN=Root|CN=Other Root"),
    step({ issuers = { "CN=A" } }, "CN=A"),
    step({ issuers = { "CN=B" } }, "CN=B"),
    step({ issuers = { other } }, "CN=Other Root"),
    step({ issuers = { "CN=A", ca } }, "CN=A|CN=Root"),
    step({ issuers = {} }, ""),
    step({ verify = false, trust = {} }, ""),
  }
end)

test("an end presents its own identity, and only if it is to", function()
  local function step(options, wanted)
    return function()
      local link = link_with(options, {})
      equal(link.server.peer_certificate, wanted and wanted.certificate)
    end
  end
  in_both_orders {
    step({}, nil),
    step({ identity = alice }, alice),
    step({ identity = bob }, bob),
    step({ identity = { bob, alice } }, bob),
    step({ identity = { alice, bob } }, alice),
    step({ identity = alice, send_certificate = "never" }, nil),
    step({ identity = alice, send_certificate = "always" }, alice),
    step({ identity = function() return bob end }, bob),
    step({ identity = function() return nil end }, nil),
  }
  in_both_orders {
    function() equal(link_with({}, {}).server.local_certificate, server.certificate) end,
    function()
      equal(link_with({}, { identity = second }).server.local_certificate, second.certificate)
    end,
  }
end)

test("an end negotiates by its own restrictions", function()
  local function step(options, field, wanted)
    return function()
      options.versions = options.versions or { "TLS1.2" }
      equal(link_with(options, {}).client[field], wanted)
    end
  end
  in_both_orders {
    step({}, "version", "TLS1.2"),
    step({ versions = { "TLS1.3", "TLS1.2" } }, "version", "TLS1.3"),
    step({ extended_master_secret = false }, "extended_master_secret", false),
    step({}, "extended_master_secret", true),
    step({ renegotiation = "absent" }, "secure_renegotiation", false),
    step({}, "secure_renegotiation", true),
    step({ groups = { "secp384r1" } }, "group", "secp384r1"),
    step({ groups = { "secp256r1" } }, "group", "secp256r1"),
    step({ groups = { "secp256r1", "secp384r1" } }, "group", "secp256r1"),
    step({ groups = { "secp384r1", "secp256r1" } }, "group", "secp384r1"),
    step({ cipher_suites = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" } }, "cipher_suite",
         "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
    step({ cipher_suites = { "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } }, "cipher_suite",
         "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"),
    step({ priority = "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305" }, "cipher_suite",
         "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    step({ signature_schemes = { "ecdsa_secp256r1_sha256" } }, "peer_signature_scheme",
         "ecdsa_secp256r1_sha256"),
    step({ signature_schemes = { "ecdsa_secp384r1_sha384" } }, "peer_signature_scheme",
         "ecdsa_secp384r1_sha384"),
  }
end)

test("a server's own preference is its own", function()
  local offered = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
                    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" }
  local mine = { offered[2], offered[1] }
  local function step(prefers, wanted)
    return function()
      local link = link_with({ versions = { "TLS1.2" }, cipher_suites = offered },
                             { versions = { "TLS1.2" }, cipher_suites = mine,
                               server_preference = prefers })
      equal(link.server.cipher_suite, wanted)
    end
  end
  in_both_orders { step(true, mine[1]), step(false, offered[1]) }
end)

unit.done()
