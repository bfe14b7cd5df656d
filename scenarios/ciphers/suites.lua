-- SPDX-License-Identifier: MIT
-- A cipher suite up to TLS 1.2 names everything: how keys are exchanged, how the server proves who
-- it is, the cipher and the MAC (RFC 5246 section 7.4.1.2). A TLS 1.3 suite names the cipher and
-- the hash alone (RFC 8446 section 4.1.2); group and signature are negotiated apart. Here one end
-- is restricted and the other follows. The server has an ECDSA and an RSA certificate, and up to
-- TLS 1.2 the suite decides which of them is shown.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

-- A suite of each family: its number, the key that has to sign or decrypt, the group.
local TLS12 = {
  TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256       = { 0xc02b, "ecdsa", "secp256r1" },
  TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA          = { 0xc009, "ecdsa", "secp256r1" },
  TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256 = { 0xcca9, "ecdsa", "secp256r1" },
  TLS_ECDHE_ECDSA_WITH_AES_256_CCM              = { 0xc0ad, "ecdsa", "secp256r1" },
  TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8            = { 0xc0ae, "ecdsa", "secp256r1" },
  TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256         = { 0xc02f, "rsa", "secp256r1" },
  TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256   = { 0xcca8, "rsa", "secp256r1" },
  TLS_DHE_RSA_WITH_AES_128_GCM_SHA256           = { 0x009e, "rsa", "ffdhe2048" },
  TLS_RSA_WITH_AES_128_GCM_SHA256               = { 0x009c, "rsa" },
  TLS_RSA_WITH_AES_256_CBC_SHA                  = { 0x0035, "rsa" },
}

local TLS13 = {
  TLS_AES_128_GCM_SHA256       = 0x1301,
  TLS_AES_256_GCM_SHA384       = 0x1302,
  TLS_CHACHA20_POLY1305_SHA256 = 0x1303,
  TLS_AES_128_CCM_SHA256       = 0x1304,
  TLS_AES_128_CCM_8_SHA256     = 0x1305,
}

local function names_of(suites)
  local names = {}
  for name in pairs(suites) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The numbers of the suites in the ClientHello, which has two bytes of version, 32 of random and
-- the session id before them.
local function offered(link)
  for _, event in ipairs(link.events) do
    if event.type == "ClientHello" and event.direction == "received" then
      local _, after_session_id = string.unpack(">s1", event.bytes, 35)
      local list = string.unpack(">s2", event.bytes, after_session_id)
      local codes = {}
      for at = 1, #list, 2 do
        codes[#codes + 1] = string.unpack(">I2", list, at)
      end
      return codes
    end
  end
end

ms.scenario "a client that lists one suite of TLS 1.2 gets it" {
  about  = "Nothing else is in its ClientHello, and the server's certificate follows the suite.",
  rfc    = "RFC 5246 section 7.4.1.2",
  tags   = { "ciphers" },
  matrix = { suite = names_of(TLS12) },
  run    = function(case)
    local code, key, group = table.unpack(TLS12[case.suite])
    local ca = pki.authority { cn = "Example Root" }
    local identities = {
      ecdsa = ca:issue { dns = "server.example" },
      rsa   = ca:issue { dns = "server.example", key = "rsa-2048" },
    }
    local link = tls.link {
      server   = {                                          -- CCM_8 is off unless it is named
        identity = { identities.ecdsa, identities.rsa },
        cipher_suites = case.suite:find "CCM_8" and case.suite or nil,
      },
      client   = { trust = ca, server_name = "server.example", cipher_suites = case.suite },
      versions = "TLS1.2",
    }
    link:handshake()
    expect(link):succeeded()

    expect(offered(link)):equals { code }
    for _, one in ipairs { link.client, link.server } do
      expect(one):has {
        version = "TLS1.2", cipher_suite = case.suite, group = group or tls.none,
      }
    end
    expect(link.client.peer_certificate):is(identities[key])
    expect(link.server.wire.sent_certificates):equals(identities[key].chain)
    -- RSA key exchange signs nothing: who can decrypt has proved itself.
    expect(link.client.peer_signature_scheme == nil):equals(group == nil)
    expect(link:send { from = "server", data = "secret" }):equals "secret"
  end,
}

ms.scenario "a server that lists one suite of TLS 1.2 makes its client use it" {
  about  = "The client offers all of its suites; the server's list decides.",
  rfc    = "RFC 5246 section 7.4.1.3",
  tags   = { "ciphers" },
  matrix = {
    suite = {
      "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
      "TLS_RSA_WITH_AES_128_GCM_SHA256",
    },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local key = TLS12[case.suite][2]
    local link = tls.link {
      server   = {
        identity = {
          ca:issue { dns = "server.example" },
          ca:issue { dns = "server.example", key = "rsa-2048" },
        },
        cipher_suites = case.suite,
      },
      client   = { trust = ca, server_name = "server.example", versions = "TLS1.2" },
    }
    link:handshake()
    expect(link):succeeded()

    expect(offered(link)):contains(TLS12[case.suite][1])
    expect(#offered(link)):at_least(10)
    expect(link.client):has { version = "TLS1.2", cipher_suite = case.suite }
    expect(link.server):has { version = "TLS1.2", cipher_suite = case.suite }
    expect(link.client.peer_certificate.key_type):matches("^" .. key)
  end,
}

ms.scenario "a suite of TLS 1.3 says nothing about certificate and group" {
  about  = "The same suite with an ECDSA and with an RSA certificate; either end may restrict.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "ciphers" },
  matrix = { suite = names_of(TLS13), key = { "ecdsa-p256", "rsa-2048" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local server = ca:issue { dns = "server.example", key = case.key }
    local link = tls.link {
      server = {
        identity = server,
        cipher_suites = case.suite:find "CCM_8" and case.suite or nil,
      },
      client = { trust = ca, server_name = "server.example", cipher_suites = case.suite },
    }
    link:handshake()
    expect(link):succeeded()

    expect(offered(link)):equals { TLS13[case.suite] }
    for _, one in ipairs { link.client, link.server } do
      expect(one):has { version = "TLS1.3", cipher_suite = case.suite, group = "secp256r1" }
    end
    expect(link.client.peer_signature_scheme)
      :equals(case.key == "rsa-2048" and "rsa_pss_rsae_sha256" or "ecdsa_secp256r1_sha256")
    expect(link.client.peer_certificate):is(server)
  end,
}

ms.scenario "listing suites of one version means that version" {
  about  = "A client that lists only suites of TLS 1.2 does not offer TLS 1.3, nor the reverse.",
  rfc    = "RFC 8446 section 4.2.1",
  tags   = { "ciphers" },
  matrix = {
    suite = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256", "both" },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local both = { "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" }
    local link = tls.link {
      server = { identity = ca:issue { dns = "server.example" } },
      client = {
        trust = ca, server_name = "server.example",
        cipher_suites = case.suite == "both" and both or case.suite,
      },
    }
    link:handshake()
    expect(link):succeeded()
    local is_old = case.suite == both[2]
    expect(link.client):has {
      version = is_old and "TLS1.2" or "TLS1.3", cipher_suite = is_old and both[2] or both[1],
    }
    expect(#offered(link)):equals(case.suite == "both" and 2 or 1)
  end,
}

ms.scenario "a suite may be called as OpenSSL and GnuTLS call it" {
  about  = "Three spellings, one suite; what is reported is always IANA's name.",
  rfc    = "RFC 8447 section 8",
  tags   = { "ciphers" },
  matrix = {
    spelling = {
      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
      "TLS_ECDHE_ECDSA_AES_128_GCM_SHA256",
    },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, cipher_suites = case.spelling },
      client   = { trust = ca, server_name = "server.example" },
      versions = "TLS1.2",
    }
    link:handshake()
    expect(link):succeeded()
    expect(link.client.cipher_suite):equals "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
  end,
}

ms.scenario "the oldest versions are left with CBC" {
  about  = "AEAD ciphers came with TLS 1.2: before, HMAC-SHA1 and CBC are what remains.",
  rfc    = "RFC 5246 section 6.2.3.3",
  tags   = { "ciphers" },
  matrix = { version = { "TLS1.0", "TLS1.1" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" } },
      client   = { trust = ca, server_name = "server.example" },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()
    expect(link.client):has {
      version = case.version, cipher_suite = "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA",
    }
  end,
}
