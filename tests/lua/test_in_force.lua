-- SPDX-License-Identifier: MIT
-- What explanations go by beside the log: what is enabled, which options were in force, the time of
-- a judgement, and the words and numbers of the core.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local native = require "moonshake.native"
local settings = require "moonshake.settings"
local pki, tls = ms.pki, ms.tls
local test, equal, raises = unit.test, unit.equal, unit.raises

local function config(role, given)
  return assert(native.config(role, given))
end

local function joined(...)
  return table.concat(assert(native.enabled(...)), " ")
end

test("what is enabled is told in the order of preference, said or not", function()
  local suites = { "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256" }
  local client = config("client", {
    versions = { "TLS1.3" }, cipher_suites = suites, groups = { "x25519", "secp256r1" },
    signature_schemes = { "ed25519", "ecdsa_secp256r1_sha256" },
  })
  equal(joined(client, "version"), "TLS1.3")
  equal(joined(client, "cipher_suite"), table.concat(suites, " "))
  equal(joined(client, "group"), "x25519 secp256r1")
  equal(joined(client, "signature_scheme"), "ed25519 ecdsa_secp256r1_sha256")

  local plain = config("server", {})
  equal(joined(plain, "version"), "TLS1.3 TLS1.2")
  unit.contains(joined(plain, "cipher_suite"), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
  unit.contains(joined(plain, "group"), "secp256r1")
end)

test("no name is told twice, though GnuTLS has two numbers for some schemes", function()
  local seen = {}
  for _, name in ipairs(native.enabled(config("server", {}), "signature_scheme")) do
    equal(seen[name], nil, name)
    seen[name] = true
  end
  equal(seen.ecdsa_secp256r1_sha256, true)
end)

test("a site has its own versions and suites", function()
  local site = config("server", { versions = { "TLS1.2" } })
  local server = config("server", { versions = { "TLS1.3" },
                                    sites = { { name = "old.example", config = site } } })
  equal(joined(server, "version"), "TLS1.3")
  equal(joined(server, "version", "old.example"), "TLS1.2")
  equal(joined(server, "version", "other.example"), "TLS1.3")
end)

test("options in force are those given over defaults, and a site's over both", function()
  local ca = pki.authority { cn = "Root" }
  local checked = settings.check("test", "server", {
    trust = ca, alpn = { "h2" },
    sites = { ["a.example"] = { client_auth = "require", alpn = { "http/1.1" } } },
  })
  local server = config("server", {})
  local own = settings.in_force(checked, {}, server, nil)
  equal(own.client_auth, "none")
  equal(own.renegotiation, "partial")
  equal(own.alpn[1], "h2")
  equal(own.verify_policy, "always")
  equal(own.enabled("version")[1], "TLS1.3")
  local of_site = settings.in_force(checked, {}, server, "a.example")
  equal(of_site.client_auth, "require")
  equal(of_site.alpn[1], "http/1.1")
  equal(settings.in_force(checked, { client_auth = true }, server, "a.example").client_auth, "none",
        "changed since the link was made")
end)

test("the name to verify is server_name, unless another or none is wanted", function()
  local client = config("client", {})
  local function wanted(given)
    return settings.in_force(settings.check("test", "client", given), {}, client).name_to_verify
  end
  equal(wanted { server_name = "a.example" }, "a.example")
  equal(wanted { server_name = "a.example", verify_name = "b.example" }, "b.example")
  equal(wanted { server_name = "a.example", verify_name = false }, nil)
  equal(wanted {}, nil)
end)

test("a judgement is told with the time of the clock that was in force", function()
  ms.clock:set(1700000000)
  local ca = pki.authority { cn = "Root" }
  local link = tls.link {
    server = { identity = ca:issue { dns = "server.example" }, trust = ca, client_auth = "require",
               clock_offset = 60 },
    client = { identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example" },
  }
  equal(link:handshake(), true)
  ms.clock:advance(1000)
  local at = {}
  for _, event in ipairs(link.events) do
    if event.kind == "verification" then
      at[event.role] = event.at
    else
      equal(event.at, nil, event.kind)
    end
  end
  equal(at.client, 1700000000)
  equal(at.server, 1700000060)
end)

test("names have numbers", function()
  equal(native.number("alert", "certificate_required"), 116)
  equal(native.number("alert", "GNUTLS_A_UNKNOWN_CA"), 48)
  equal(native.number("code", "GNUTLS_E_CERTIFICATE_REQUIRED"), -112)
  equal(select(2, native.number("code", "GNUTLS_E_CERTIFICATE_REQUIRED")),
        "Certificate is required.")
  equal(native.number("code", "GNUTLS_E_NOTHING_OF_THE_KIND"), nil)
  equal(native.number("alert", "nothing_of_the_kind"), nil)
  raises("bad argument #1", function() native.number("suite", "x") end)
end)

test("the words of not_sent_because are listed", function()
  local words = require "moonshake.words"
  equal(table.concat(words.absences, " "), "not_requested issuer_not_named ambiguous "
        .. "no_common_signature_scheme key_usage policy library_choice failed_before")
end)

unit.done()
