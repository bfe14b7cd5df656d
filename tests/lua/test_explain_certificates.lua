-- SPDX-License-Identifier: MIT
-- Explanations of certificates that did not come, and of keys that cannot be used: from both ends.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local explained = dofile(here .. "explained.lua")
local ms = require "moonshake"
local pki = ms.pki
local test, equal, contains = unit.test, unit.equal, unit.contains

local root, alice, server = explained.root, explained.alice, explained.server
local ROLES = explained.ROLES
local OTHER = { client = "server", server = "client" }
local stranger = pki.authority { cn = "Other Root" }

---------------------------------------------------------------------------------------------------
-- A certificate that was required

-- Both versions: what is told of a client with these options at a server that requires.
local function missing(name, client, more, f, versions)
  test(name, function()
    for _, version in ipairs(versions or explained.VERSIONS) do
      local required = { client_auth = "require" }
      for option, value in pairs(more or {}) do
        required[option] = value
      end
      local link = explained.link(version, client, required)
      local found = explained.finding(link, "no_certificate")
      local newer = version == "TLS1.3"
      equal(found.side, "server")
      equal(found.message, "Certificate")
      equal(found.what,
            "the server requires a certificate, and the client sent an empty Certificate")
      equal(found.rfc, newer and "RFC 8446 section 4.4.2.4" or "RFC 5246 section 7.4.6")
      contains(found.told.server, "noticed by itself in its handshake")
      equal(found.told.client,
            newer and "had completed its handshake, then read the fatal alert "
              .. "certificate_required (116)"
            or "was told in its handshake by the fatal alert decode_error (50)")
      local text = explained.text(found)
      equal(text:find("the alert decode_error is GnuTLS's choice", 1, true) ~= nil, not newer)
      equal(explained.has(link, "late_alert"), newer)
      f(text, version)
    end
  end)
end

missing("a client with no identity has none to send", {}, {}, function(text)
  contains(text, "the client has no identity to present")
  contains(text, "give the client an identity issued by CN=Example Root")
end)

missing("names in the request and issuers of the client are told side by side",
        { identity = stranger:issue { cn = "mallory" } }, {}, function(text)
  contains(text, "the CertificateRequest names CN=Example Root")
  contains(text, "the client's CN=mallory was issued by CN=Other Root")
  contains(text, "not_sent_because: issuer_not_named")
end)

missing("all issuers of a chain count, and each identity is told",
        { identity = { stranger:authority { cn = "Sub" }:issue { cn = "mallory" },
                       stranger:issue { cn = "mallet" } } }, {}, function(text)
  contains(text, "the client's CN=mallory was issued by CN=Sub and CN=Other Root")
  contains(text, "the client's CN=mallet was issued by CN=Other Root")
end)

missing("a request that names nobody and several identities are ambiguous",
        { identity = { alice, root:issue { cn = "bob" } } }, { issuers = {} }, function(text)
  contains(text, "the CertificateRequest names no issuers")
  contains(text, "the client has 2 identities (CN=alice and CN=bob), and GnuTLS then picks none")
end)

missing("schemes of the request and of the key are told side by side",
        { identity = root:issue { cn = "alice", key = "rsa-2048" } },
        { signature_schemes = { "ecdsa_secp256r1_sha256" } }, function(text)
  contains(text, "the CertificateRequest accepts ecdsa_secp256r1_sha256")
  contains(text, "the client's CN=alice has a key of type rsa, which signs with rsa_pss_rsae_*")
  contains(text, "not_sent_because: no_common_signature_scheme")
end)

missing("a key usage without digitalSignature keeps a certificate at home",
        { identity = root:issue { cn = "alice", key_usage = "keyAgreement" } }, {}, function(text)
  contains(text, "the key usage of the client's CN=alice is keyAgreement: it lacks digitalSig")
end, { "TLS1.2" })

missing("a policy that sends none is told", { identity = alice, send_certificate = "never" }, {},
        function(text)
  contains(text, 'the client was told send_certificate = "never"')
end)

missing("a function that returns none is told",
        { identity = function() return nil end }, {}, function(text)
  contains(text, "the client's identity function returned none")
end)

missing("an EdDSA key in TLS 1.2 is the library's choice",
        { identity = root:issue { cn = "alice", key = "ed25519" } }, {}, function(text)
  contains(text, "not_sent_because: library_choice")
  contains(text, "it counts an EdDSA key to neither certificate type")
end, { "TLS1.2" })

missing("an RSA key where only rsa_pss_rsae is accepted is the library's choice",
        { identity = root:issue { cn = "alice", key = "rsa-2048" } },
        { signature_schemes = { "rsa_pss_rsae_sha256" },
          identity = root:issue { dns = "server.example", key = "rsa-2048" } }, function(text)
  contains(text, "where only rsa_pss_rsae_* is requested it looks for RSA-PSS keys")
end, { "TLS1.3" })

test("with the RFC's alerts nothing is said of GnuTLS's", function()
  local link = explained.link("TLS1.2", {}, { client_auth = "require", alerts = "rfc" })
  local found = explained.finding(link, "no_certificate")
  equal(explained.text(found):find "GnuTLS's choice", nil)
  contains(found.told.client, "handshake_failure (40)")
end)

test("a server that got no Certificate at all is told as that", function()
  local one, event = explained.failed("server", "no_certificate", "GNUTLS_E_NO_CERTIFICATE_FOUND")
  local found = explained.finding(explained.fake({}, one, { event }), "no_certificate")
  contains(found.what, "and the client sent no Certificate")
  equal(found.why[1], "the client presented none", "it is not known what it was given")
end)

test("an epoch is told by the options it had", function()
  local link = explained.link("TLS1.2", {}, {})
  link:renegotiate { by = "server", server = { client_auth = "require" } }
  local found = explained.finding(link, "no_certificate")
  equal(found.epoch, "renegotiation 1")
  contains(explained.text(found), "the client has no identity to present")
  contains(found.told.client, "was told in its handshake")
end)

---------------------------------------------------------------------------------------------------
-- Keys that cannot be used

test("a server without an identity is told, as its client is", function()
  for _, version in ipairs(explained.VERSIONS) do
    local link = explained.link(version, {}, { identity = "" })
    local found = explained.finding(link, "identity_unusable")
    equal(found.side, "server")
    equal(found.message, "ClientHello")
    contains(explained.text(found), "the server has no identity")
    contains(found.told.client, "fatal alert handshake_failure (40)")
  end
end)

test("a server whose function returns none is told", function()
  local link = explained.link("TLS1.3", {}, { identity = function() return nil end })
  contains(explained.text(explained.finding(link, "identity_unusable")),
           "the server's identity function returned none")
end)

test("a chain that does not begin with its key's certificate is told", function()
  local deep = pki.chain { depth = 2, leaf = { dns = "server.example" } }
  local link = explained.link("TLS1.3", {}, { identity = deep:with {
    chain = { deep.chain[2], deep.chain[1], deep.chain[3] } } })
  contains(explained.text(explained.finding(link, "identity_unusable")),
           "the certificate that stands first in its chain, CN=Intermediate 2, is not that of its "
           .. "private key")
end)

test("a client whose key may not sign has nothing for TLS 1.3", function()
  local mute = root:issue { cn = "alice", key_usage = "keyAgreement" }
  local found = explained.finding(explained.link("TLS1.3", { identity = mute }, {
    client_auth = "require" }), "identity_unusable")
  equal(found.side, "client")
  contains(explained.text(found), "the key usage of CN=alice is keyAgreement: it lacks digital")
  contains(found.rfc, "RFC 8446")
  contains(found.told.server, "was told in its handshake by the fatal alert handshake_failure")
end)

test("a function that failed is told as the script's", function()
  for _, role in ipairs(ROLES) do
    local link
    pcall(function()
      link = ms.tls.link {
        client = { trust = root, server_name = "server.example",
                   identity = role == "client" and error or alice },
        server = { trust = root, client_auth = "require",
                   identity = role == "server" and error or explained.server },
      }
      link:handshake()
    end)
    local found = explained.finding(link, "function_failed")
    equal(found.side, role)
    contains(found.what, ("the %s cannot answer the %s: its identity function failed"):format(
      role, role == "client" and "CertificateRequest" or "ClientHello"))
    contains(found.told[OTHER[role]], "fatal alert")
  end
end)

test("a key usage that forbids signing is told at its owner", function()
  local mute = root:issue { cn = "alice", key_usage = "keyAgreement" }
  local link = explained.link("TLS1.2", { identity = mute }, { client_auth = "require",
                                                               issuers = {} })
  local found = explained.finding(link, "key_usage_violation")
  equal(found.side, "client")
  equal(found.message, "CertificateVerify")
  equal(found.what, "the client cannot sign its CertificateVerify: its certificate forbids it")
  equal(found.certificate, mute.certificate)

  mute = root:issue { dns = "server.example", key_usage = "keyAgreement" }
  found = explained.finding(explained.link("TLS1.2", {}, { identity = mute }),
                            "key_usage_violation")
  equal(found.side, "server")
  equal(found.message, "ServerKeyExchange")
  contains(explained.text(found), "the key usage of CN=server.example is keyAgreement")
end)

test("a key usage that forbids signing is told at its judge", function()
  local mute = root:issue { cn = "alice", key_usage = "keyAgreement" }
  local link = explained.link({ "TLS1.2", "TLS1.3" }, {
    identity = mute, send_certificate = "always" }, { client_auth = "require" })
  local found = explained.finding(link, "key_usage_violation")
  equal(found.side, "server")
  equal(found.what, "the server refuses the client's CertificateVerify: its certificate forbids "
        .. "signing")
  contains(found.told.client, "had completed its handshake, then read the fatal alert")
end)

test("a signature of another key is told by whom, of what", function()
  local bob, other = root:issue { cn = "bob" }, root:issue { dns = "server.example" }
  for _, version in ipairs(explained.VERSIONS) do
    local link = explained.link(version, { identity = alice:with { chain = { bob } } },
                                { client_auth = "require" })
    local found = explained.finding(link, "bad_signature")
    equal(found.side, "server")
    contains(found.what, "the server refuses the client's CertificateVerify")
    equal(found.certificate, bob.certificate)

    link = explained.link(version, {}, { identity = server:with { chain = { other } } })
    found = explained.finding(link, "bad_signature")
    equal(found.side, "client")
    equal(found.message, version == "TLS1.3" and "CertificateVerify" or "ServerKeyExchange")
    contains(found.told.server, "fatal alert decrypt_error (51)")
  end
end)

explained.all_seen(unit, { "no_certificate", "identity" })
unit.done()
