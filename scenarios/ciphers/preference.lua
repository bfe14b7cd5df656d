-- SPDX-License-Identifier: MIT
-- Both ends list what they like in order of preference, and the orders differ. Who wins? The RFCs
-- leave it to the server (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.1). GnuTLS follows the
-- client unless told otherwise; `server_preference` turns it round for suites, groups and ALPN.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local LISTS = {
  cipher_suites = {
    ["TLS1.2"] = {
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
    },
    ["TLS1.3"] = { "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256" },
  },
  groups = { ["TLS1.2"] = { "secp256r1", "x25519" }, ["TLS1.3"] = { "secp256r1", "x25519" } },
  alpn   = { ["TLS1.2"] = { "h2", "http/1.1" }, ["TLS1.3"] = { "h2", "http/1.1" } },
}
local FIELD = { cipher_suites = "cipher_suite", groups = "group", alpn = "alpn" }

ms.scenario "the client's order wins unless the server insists" {
  about  = "Each list in both orders, so that no default can pass for a preference.",
  rfc    = "RFC 5246 section 7.4.1.3; RFC 8446 section 4.1.1; RFC 7301 section 3.2",
  tags   = { "ciphers" },
  matrix = {
    version = { "TLS1.2", "TLS1.3" },
    list    = { "cipher_suites", "groups", "alpn" },
    server_preference = { true, false },
    client_prefers    = { "first", "second" },
  },
  run    = function(case)
    local first, second = table.unpack(LISTS[case.list][case.version])
    local for_client, for_server = { first, second }, { second, first }
    if case.client_prefers == "second" then
      for_client, for_server = for_server, for_client
    end
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" }, [case.list] = for_server,
        server_preference = case.server_preference,
      },
      client   = { trust = ca, server_name = "server.example", [case.list] = for_client },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()

    local winner = case.server_preference and for_server or for_client
    local field = FIELD[case.list]
    expect(link.client[field]):equals(winner[1])
    expect(link.server[field]):equals(winner[1])
  end,
}

ms.scenario "a preference does not make up for what the other end lacks" {
  about  = "The favourite is not shared: the next one in the winner's order is taken.",
  rfc    = "RFC 8446 section 4.1.1",
  tags   = { "ciphers" },
  matrix = { server_preference = { true, false } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" },
        cipher_suites = {
          "TLS_AES_128_CCM_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
        },
        server_preference = case.server_preference,
      },
      client   = {
        trust = ca, server_name = "server.example",
        cipher_suites = {
          "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
        },
      },
      versions = "TLS1.3",
    }
    link:handshake()
    expect(link):succeeded()
    expect(link.client.cipher_suite)
      :equals(case.server_preference and "TLS_AES_128_GCM_SHA256" or "TLS_AES_256_GCM_SHA384")
  end,
}
