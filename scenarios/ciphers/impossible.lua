-- SPDX-License-Identifier: MIT
-- A GnuTLS priority string is a cross product of key exchanges, ciphers and MACs: some sets of
-- suites, and most orders of them, cannot be said in it. GnuTLS would enable more, or reorder, or
-- ignore, without a word; a scenario would then test something else than it says. So what cannot
-- be said is an error at the script's line, and it names what would have been added or moved.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local E = "TLS_ECDHE_ECDSA_WITH_"
local R = "TLS_ECDHE_RSA_WITH_"

-- Makes a link whose client has these options; its server has none that could be wrong.
local function with_client(options)
  local ca = pki.authority { cn = "Example Root" }
  options.trust, options.server_name = ca, "server.example"
  local server = ca:issue { dns = "server.example" }
  return function()
    return tls.link { server = { identity = server }, client = options }
  end
end

-- What is asked for, and what the error has to say (Lua patterns).
local REFUSED = {
  ["a set that is no rectangle"] = {
    { cipher_suites = { E .. "AES_128_GCM_SHA256", R .. "AES_256_GCM_SHA384" } },
    "cipher_suites: ", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  },
  ["other ciphers in TLS 1.3 than in TLS 1.2"] = {         -- one list of ciphers serves both
    { cipher_suites = { "TLS_AES_128_GCM_SHA256", E .. "AES_256_GCM_SHA384" } },
    "TLS_AES_256_GCM_SHA384", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  },
  ["an order that crosses the key exchanges"] = {
    { cipher_suites = { E .. "AES_128_GCM_SHA256", R .. "AES_128_GCM_SHA256",
                        E .. "AES_256_GCM_SHA384", R .. "AES_256_GCM_SHA384" } },
    "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 to TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  },
  ["a suite of another version"] = {
    { cipher_suites = "TLS_AES_128_GCM_SHA256", versions = "TLS1.2" }, "cipher_suites", "TLS1%.2",
  },
  ["a suite that is too new for the version"] = {
    { cipher_suites = E .. "AES_128_GCM_SHA256", versions = "TLS1.1" }, "cipher_suites", "TLS1%.1",
  },
  ["a version without a suite"] = {
    { cipher_suites = E .. "AES_128_GCM_SHA256", versions = { "TLS1.2", "TLS1.3" } },
    "cipher_suites: .*TLS1%.3",
  },
  ["a suite that this GnuTLS lacks"] = {
    { cipher_suites = "TLS_DH_RSA_WITH_AES_128_GCM_SHA256" },
    "cipher_suites: .*TLS_DH_RSA_WITH_AES_128_GCM_SHA256", "GnuTLS %d",
  },
  ["a misspelt suite"] = {
    { cipher_suites = E .. "AES_128_GCM_SHA265" },
    "cipher_suites: .*AES_128_GCM_SHA265.*TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  },
  ["a suite that is listed twice"] = {
    { cipher_suites = { E .. "AES_128_GCM_SHA256", E .. "AES_128_GCM_SHA256" } }, "twice",
  },
  ["a suite that needs a pre-shared key"] = {
    { cipher_suites = "TLS_PSK_WITH_AES_128_GCM_SHA256" }, "cipher_suites: .*PSK credentials",
  },
  ["no suite"] = { { cipher_suites = {} }, "cipher_suites: .*empty" },
  ["no group"] = { { groups = {} }, "groups: .*empty" },
  ["no version"] = { { versions = {} }, "versions: .*empty" },
  ["a group that this GnuTLS lacks"] = {
    { groups = "brainpoolP256r1" }, "groups: .*brainpoolP256r1", "GnuTLS %d",
  },
  ["a field between the curves"] = {
    { groups = { "x25519", "ffdhe2048", "secp256r1" } }, "groups: .*secp256r1 to ffdhe2048",
  },
  ["a suite without a group for it"] = {
    { groups = "ffdhe2048", cipher_suites = E .. "AES_128_GCM_SHA256" },
    "groups: .*elliptic curve",
  },
  ["a group that no suite uses"] = {
    { groups = "x25519", cipher_suites = "TLS_RSA_WITH_AES_128_GCM_SHA256" },
    "groups: .*x25519",
  },
  ["schemes that TLS 1.3 has not"] = {
    { signature_schemes = "rsa_pkcs1_sha256", versions = "TLS1.3" },
    "signature_schemes: .*TLS1%.3",
  },
  ["schemes where none are negotiated"] = {
    { signature_schemes = "ecdsa_secp256r1_sha256", versions = "TLS1.0" },
    "signature_schemes: .*TLS1%.0",
  },
  ["TLS 1.3 and 1.1 without 1.2"] = {
    { versions = { "TLS1.1", "TLS1.3" } }, "versions: TLS1%.3 .* needs TLS1%.2",
  },
}

-- The near misses of the above: these can be said, and hold.
local ACCEPTED = {
  ["a rectangle"] = {
    E .. "AES_128_GCM_SHA256", E .. "AES_256_GCM_SHA384",
    R .. "AES_128_GCM_SHA256", R .. "AES_256_GCM_SHA384",
  },
  ["a rectangle in another order"] = {
    E .. "AES_256_GCM_SHA384", E .. "AES_128_GCM_SHA256",
    R .. "AES_256_GCM_SHA384", R .. "AES_128_GCM_SHA256",
  },
  ["one key exchange in any order"] = {
    E .. "CHACHA20_POLY1305_SHA256", E .. "AES_128_GCM_SHA256", E .. "AES_256_GCM_SHA384",
  },
  ["one cipher in both versions"] = { "TLS_AES_128_GCM_SHA256", E .. "AES_128_GCM_SHA256" },
}

local function names_of(cases)
  local names = {}
  for name in pairs(cases) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

ms.scenario "a restriction that cannot hold is an error at the script's line" {
  about  = "It names the end, the option, and the suite or group that GnuTLS would add or move.",
  tags   = { "ciphers" },
  matrix = { asked = names_of(REFUSED) },
  run    = function(case)
    local options = REFUSED[case.asked][1]
    local copy = {}
    for name, value in pairs(options) do
      copy[name] = value
    end
    local make = with_client(copy)
    expect(make):raises "impossible%.lua:%d+: tls%.link: client: "
    for index = 2, #REFUSED[case.asked] do
      expect(make):raises(REFUSED[case.asked][index])
    end
  end,
}

ms.scenario "a restriction that can be said holds to the letter" {
  about  = "The first of the list is what a server without wishes of its own takes.",
  tags   = { "ciphers" },
  matrix = { asked = names_of(ACCEPTED) },
  run    = function(case)
    local link = with_client({ cipher_suites = ACCEPTED[case.asked] })()
    link:handshake()
    expect(link):succeeded()
    expect(link.client.cipher_suite):equals(ACCEPTED[case.asked][1])
  end,
}
