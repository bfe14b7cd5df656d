-- SPDX-License-Identifier: MIT
-- Explanations of ends that have nothing in common: both lists, and why nothing is in both.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local explained = dofile(here .. "explained.lua")
local test, equal, contains = unit.test, unit.equal, unit.contains

local root = explained.root
local BOTH = { "TLS1.2", "TLS1.3" }

local function found_at(link, rule, side, message)
  local found = explained.finding(link, rule)
  equal(found.side, side)
  equal(found.message, message)
  contains(found.what, "the " .. side)
  contains(found.what, message)
  contains(found.told[side], "noticed by itself in its handshake")
  contains(found.told[side == "client" and "server" or "client"], "was told in its handshake by")
  return explained.text(found), found
end

test("versions that the server lacks are told with both lists", function()
  local link = explained.link(nil, { versions = "TLS1.2" }, { versions = "TLS1.3" })
  local text, found = found_at(link, "no_shared_version", "server", "ClientHello")
  contains(text, "the client offers TLS1.2")
  contains(text, "the server has TLS1.3")
  contains(found.rfc, "RFC 5246 appendix E.1")
  link = explained.link(nil, { versions = "TLS1.3" }, { versions = { "TLS1.1", "TLS1.2" } })
  text, found = found_at(link, "no_shared_version", "server", "ClientHello")
  contains(text, "the client offers TLS1.3")
  contains(text, "the server has TLS1.2 and TLS1.1")
  equal(found.rfc, "RFC 8446 section 4.2.1")
end)

test("a version that the client lacks is told with what the server selected", function()
  local link = explained.link(nil, { versions = { "TLS1.2" } }, { versions = { "TLS1.1" } })
  local text = found_at(link, "no_shared_version", "client", "ServerHello")
  contains(text, "the server selects TLS1.1")
  contains(text, "the client has TLS1.2")
end)

test("a renegotiation that would lower the version is told as one", function()
  local link = explained.link(nil, { versions = "TLS1.2" }, { versions = { "TLS1.1", "TLS1.2" } })
  link:renegotiate { by = "client", client = { versions = "TLS1.1" } }
  contains(explained.text(explained.finding(link, "no_shared_version")),
           "a renegotiation keeps the version in use")
end)

test("suites are told for the version that both have", function()
  local link = explained.link(BOTH, { cipher_suites = { "TLS_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" } }, { cipher_suites = { "TLS_AES_256_GCM_SHA384",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" } })
  local text, found = found_at(link, "no_shared_cipher_suite", "server", "ClientHello")
  contains(text, "the client offers TLS_AES_128_GCM_SHA256 for TLS1.3")
  contains(text, "the server has TLS_AES_256_GCM_SHA384")
  equal(text:find("_WITH_", 1, true), nil, "those of TLS 1.2 are another matter")
  equal(found.rfc, "RFC 8446 section 4.1.1")
end)

test("suites of TLS 1.2 are told without signals", function()
  local link = explained.link("TLS1.2", {
    cipher_suites = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" }, {
    cipher_suites = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" })
  local text = found_at(link, "no_shared_cipher_suite", "server", "ClientHello")
  contains(text, "the client offers TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 for TLS1.2")
  equal(text:find("SCSV", 1, true), nil)
end)

test("a suite that both have and the server's key does not suit is told", function()
  local link = explained.link("TLS1.2", {}, {
    cipher_suites = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" })
  local text = found_at(link, "no_shared_cipher_suite", "server", "ClientHello")
  contains(text, "in both lists: TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256; that needs a certificate "
           .. "with an RSA key, and the server has ecdsa-p256")
  contains(text, "give the server a certificate with an RSA key")
end)

test("a site's own suites are told, not the server's", function()
  local link = explained.link("TLS1.3", { cipher_suites = "TLS_AES_128_GCM_SHA256" }, {
    sites = { ["server.example"] = { cipher_suites = "TLS_AES_256_GCM_SHA384" } } })
  contains(found_at(link, "no_shared_cipher_suite", "server", "ClientHello"),
           "the server has TLS_AES_256_GCM_SHA384")
end)

test("groups are told with both lists", function()
  for _, version in ipairs(BOTH) do
    local link = explained.link(version, { groups = "secp256r1" }, { groups = "x25519" })
    local text, found = found_at(link, "no_shared_group", "server", "ClientHello")
    contains(text, "the client offers secp256r1")
    contains(text, "the server has x25519")
    equal(found.rfc, version == "TLS1.3" and "RFC 8446 section 4.1.1" or "RFC 8422 section 5.1")
  end
end)

test("signature schemes are told with both lists and the key", function()
  for _, version in ipairs(BOTH) do
    local link = explained.link(version, {
      signature_schemes = { "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256" } }, {})
    local text = found_at(link, "no_shared_signature_scheme", "server", "ClientHello")
    contains(text, "the client accepts rsa_pss_rsae_sha256 and rsa_pkcs1_sha256")
    contains(text, "in both lists: rsa_pkcs1_sha256 and rsa_pss_rsae_sha256")
    contains(text, "the server's key of type ecdsa-p256 signs with ecdsa_secp256r1_sha256")
  end
end)

test("a key of the client that cannot sign as requested is told", function()
  local rsa = root:issue { cn = "alice", key = "rsa-2048" }
  local link = explained.link("TLS1.2", { identity = function() return rsa end }, {
    client_auth = "require", signature_schemes = "ecdsa_secp256r1_sha256" })
  local text = found_at(link, "no_shared_signature_scheme", "client", "CertificateRequest")
  contains(text, "the server accepts ecdsa_secp256r1_sha256")
  contains(text, "the client's key of type rsa signs with rsa_pss_rsae_* or rsa_pkcs1_*")
end)

test("protocols are told with both lists", function()
  for _, version in ipairs(BOTH) do
    local link = explained.link(version, { alpn = { "spdy/3" } }, {
      alpn = { "h2", "http/1.1" }, alpn_required = true })
    local text, found = found_at(link, "no_shared_protocol", "server", "ClientHello")
    contains(text, 'the client offers "spdy/3"')
    contains(text, 'the server has "h2" and "http/1.1"')
    equal(found.rfc, "RFC 7301 section 3.2")
    contains(found.told.client, "no_application_protocol (120)")
  end
end)

test("a name that the server does not know is told with those it does", function()
  local link = explained.link("TLS1.3", { server_name = "other.example" }, {
    sites = { ["b.example"] = {}, ["a.example"] = {} }, unknown_name = "reject" })
  local text, found = found_at(link, "unknown_server_name", "server", "ClientHello")
  contains(text, 'the server does not know the name "other.example"')
  contains(text, 'the server has sites for "a.example" and "b.example"')
  contains(found.told.client, "unrecognized_name (112)")
end)

test("without what the ends were told the offer alone is told", function()
  local link = explained.link("TLS1.3", { groups = "secp256r1" }, { groups = "x25519" })
  local findings = require("moonshake.views.explain").of(link)
  contains(explained.text(findings[1]), "the client offers secp256r1")
  equal(explained.text(findings[1]):find("the server has", 1, true), nil)
end)

explained.all_seen(unit, { "agreement" })
unit.done()
