-- SPDX-License-Identifier: MIT
-- A link that is written down as a scenario, and what that scenario comes to when it runs.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local reproduced = dofile(here .. "reproduced.lua")
local ms = require "moonshake"
local of_link = require "moonshake.reproduce.of_link"
local source = require "moonshake.reproduce.source"
local pki, tls = ms.pki, ms.tls
local test, equal, contains = unit.test, unit.equal, unit.contains
local again = reproduced.again

local root = pki.authority { cn = "Example Root" }
local sub = root:authority { cn = "Issuing CA", path_length = 0 }
local server = sub:issue { dns = { "server.example", "*.server.example" } }
local alice = sub:issue { cn = "alice", uri = "spiffe://example.org/alice", purpose = "client" }

local function link_of(given)
  local link = tls.link(given)
  link:handshake()
  return link
end

-- A link whose ends have these options over what works.
local function link_with(server_options, client_options, versions)
  local given = { server = { identity = server, trust = root },
                  client = { trust = root, server_name = "server.example" }, versions = versions }
  for name, value in pairs(server_options or {}) do
    given.server[name] = value
  end
  for name, value in pairs(client_options or {}) do
    given.client[name] = value
  end
  return link_of(given)
end

test("a link that works is written in a few lines", function()
  local text = again(link_with())
  contains(text, [[
    local root = pki.authority { cn = "Example Root" }
    local intermediate = root:authority { cn = "Issuing CA", path_length = 0 }
    local server = intermediate:issue { dns = { "server.example", "*.server.example" } }

    local link = tls.link {
      server = { identity = server },
      client = { trust = root, server_name = "server.example" },
    }
    link:handshake()

    expect(link):succeeded()
]])
end)

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  local function named(what)
    return what .. ", " .. version
  end

  test(named "a required certificate that never comes", function()
    contains(again(link_with({ client_auth = "require" }, nil, version)), '"no_certificate"')
  end)

  test(named "a certificate that is requested, sent and accepted", function()
    local text = again(link_with({ client_auth = "require" }, { identity = alice }, version))
    contains(text, 'uri = "spiffe://example.org/alice"')
    contains(text, 'purpose = "client"')
    contains(text, "expect(link.server):verified()")
  end)

  test(named "a certificate that may be missing", function()
    contains(again(link_with({ client_auth = "request" }, nil, version)),
             'client_auth = "request"')
  end)

  test(named "a certificate that stays at home, because its issuer is not named", function()
    local link = link_with({ client_auth = "require", trust = pki.authority { cn = "Other" } },
                           { identity = alice }, version)
    contains(again(link, { client = { chain = alice.chain } }),
             'not_sent_because = "issuer_not_named"')
  end)

  test(named "a client of somebody else's", function()
    local mallory = pki.authority { cn = "Other" }:issue { cn = "mallory" }
    local link = link_with({ client_auth = "require", issuers = {}, alerts = "rfc" },
                           { identity = mallory }, version)
    local text = again(link)
    contains(text, 'alerts = "rfc"')
    contains(text, "trust = somebody_else")
  end)

  test(named "a missing intermediate", function()
    local text = again(link_with({ identity = server:with { chain = { server } } }, nil, version))
    contains(text, "server:with { chain = { server } }")
    contains(text, '{ "signer_not_found" }')
  end)

  test(named "another name than that asked for", function()
    contains(again(link_with(nil, { server_name = "other.example" }, version)),
             '"unexpected_owner"')
  end)

  test(named "a certificate that is out of date", function()
    local late = sub:issue { dns = "server.example", key = "rsa-2048", not_before = "-20d",
                             not_after = "-3d" }
    contains(again(link_with({ identity = late }, nil, version)), 'not_after = "-3d"')
    local early = sub:issue { dns = "server.example", not_before = "+5d", not_after = "+20d" }
    contains(again(link_with({ identity = early }, nil, version)), '"not_activated"')
  end)

  test(named "a server that nobody wants, and a client that does not look", function()
    local itself = pki.authority { dns = "server.example", ca = false,
                                   key_usage = "digitalSignature" }
    contains(again(link_with({ identity = itself }, nil, version)), "trust = somebody_else")
    again(link_with({ identity = itself }, { trust = itself }, version))
    again(link_with(nil, { verify = function() return false end }, version))
    contains(again(link_with(nil, { verify = function() return true end,
                                    server_name = "x.example" }, version)), '"unexpected_owner"')
    again(link_with(nil, { verify = false }, version))
  end)

  test(named "the wrong purpose", function()
    local purpose = sub:issue { dns = "server.example", purpose = "client" }
    contains(again(link_with({ identity = purpose }, nil, version)), "purpose_mismatch")
  end)
end

test("old versions are written as well", function()
  contains(again(link_with({ client_auth = "require" }, { identity = alice }, "TLS1.0")),
           'versions = "TLS1.0"')
  again(link_with({ client_auth = "require" }, nil, "TLS1.1"))
end)

test("groups, protocols and schemes are those of the link", function()
  local text = again(link_with({ groups = "secp384r1", alpn = { "h2" } },
                               { groups = { "x25519", "secp384r1" }, alpn = { "h2", "http/1.1" } }))
  contains(text, 'groups = { "x25519", "secp384r1" }')
  contains(text, 'alpn = { "h2", "http/1.1" }')
  again(link_with(nil, { cipher_suites = "TLS_AES_128_GCM_SHA256" }))
  again(link_with({ cipher_suites = "TLS_CHACHA20_POLY1305_SHA256" }))
end)

test("what two ends do not share is not shared again", function()
  for problem, pair in pairs {
    no_shared_version = { { versions = "TLS1.2" }, { versions = "TLS1.3" } },
    no_shared_cipher_suite = { { cipher_suites = "TLS_AES_128_GCM_SHA256", versions = "TLS1.3" },
                               { cipher_suites = "TLS_AES_256_GCM_SHA384", versions = "TLS1.3" } },
    no_shared_group = { { groups = "x25519" }, { groups = "secp256r1" } },
    no_shared_protocol = { { alpn = "h2", alpn_required = true }, { alpn = "http/1.1" } },
    unknown_server_name = { { sites = { ["a.example"] = {} }, unknown_name = "reject" }, {} },
    no_shared_signature_scheme = {
      { signature_schemes = "ecdsa_secp256r1_sha256", versions = "TLS1.2" },
      { signature_schemes = "rsa_pss_rsae_sha256", versions = "TLS1.2" },
    },
  } do
    contains(again(link_with(pair[1], pair[2])), ('["error.problem"] = "%s"'):format(problem))
  end
end)

test("chains keep their order, their strangers and their root", function()
  local stranger = pki.authority { cn = "Stranger" }
  local function presented(...)
    return again(link_with({ identity = server:with { chain = { ... } } }))
  end
  contains(presented(server, sub, root), "chain = { server, intermediate, root }")
  contains(presented(server, root, sub), "chain = { server, root, intermediate }")
  contains(presented(server, sub, stranger), "chain = { server, intermediate, stranger }")
  contains(presented(server, sub, sub, server), "{ server, intermediate, intermediate, server }")
end)

test("a chain of many certificates has no variable for each", function()
  local deep = pki.chain { depth = 13, leaf = { dns = "server.example" } }
  contains(again(link_with({ identity = deep }, { trust = deep.root, max_depth = 20 })),
           'authorities[13] = authorities[12]:authority { cn = "Intermediate 13" }')
end)

test("what its extensions say is said again", function()
  local made = root:authority { subject = "CN=Narrow,O=Ex\\, Inc.", permitted = "example",
                                excluded = { ip = "10.0.0.0/8" }, key = "ecdsa-p384" }
  local leaf = made:issue { dns = "server.example", key_usage = { "digitalSignature" },
                            key = "rsa-3072", digest = "sha512", email = "a@server.example" }
  local text = again(link_with({ identity = leaf }))
  for _, part in ipairs { [[subject = "CN=Narrow,O=Ex\\, Inc."]], 'permitted = { dns = "example" }',
                          'excluded = { ip = "10.0.0.0/8" }', 'key = "ecdsa-p384"',
                          'key_usage = "digitalSignature"', 'key = "rsa-3072"',
                          'digest = "sha512"', 'email = "a@server.example"' } do
    contains(text, part)
  end
end)

test("weak and unknown things are refused again", function()
  local weak = sub:issue { dns = "server.example", digest = "sha1", key = "rsa-2048" }
  again(link_with({ identity = weak }, nil, "TLS1.2"))
  local critical = sub:issue { dns = "server.example",
                               extensions = { oid = "1.2.3.4", critical = true, der = "\5\0" } }
  contains(again(link_with({ identity = critical })), 'oid = "1.2.3.4"')
end)

test("later handshakes are written, too", function()
  local link = link_with(nil, { identity = alice }, "TLS1.2")
  link:renegotiate { by = "server", server = { client_auth = "require" } }
  contains(again(link, { client = { chain = alice.chain } }),
           'link:renegotiate { by = "server", server = { client_auth = "require" } }')
  link = link_with(nil, { identity = alice }, "TLS1.3")
  link:reauthenticate()
  contains(again(link, { client = { chain = alice.chain } }), "link:reauthenticate {")
  link = link_with({ identity = server }, nil, "TLS1.2")
  link:renegotiate { by = "client" }
  contains(again(link), 'link:renegotiate { by = "client"')
end)

test("a session that was resumed is resumed", function()
  local text = again(link_with(), { later = {
    { action = "resume", outcome = { client = { resumed = true, handshake_completed = true } } },
  } })
  contains(text, "local resumed = link:resume()\n    resumed:handshake()")
  contains(text, "expect(resumed.client):has { resumed = true }")
end)

test("a connection whose far end does not tell is written as far as it was seen", function()
  local alice_chain = alice.chain
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local listener = tls.listen { server = { identity = server, trust = root,
                                             client_auth = "require", versions = version } }
    local connection = tls.connect { host = "127.0.0.1", port = listener.port,
                                     client = { identity = alice, trust = root,
                                                server_name = "server.example" } }
    local accepted
    ms.together(function() connection:handshake() end, function()
      accepted = listener:accept()
      accepted:handshake()
    end)
    for _, seen in ipairs { connection, accepted } do
      local text = source.write(of_link.model(seen, { title = "a connection",
                                                      at = ms.clock:now() }))
      reproduced.check_lines(text)
      local again_link = reproduced.run(text).links[1]
      equal(again_link.client.version, version)
      equal(#again_link.server.peer_certificates, #alice_chain)
      contains(text, 'client_auth = "require"')
    end
    connection:close()
    accepted:close()
    listener:close()
  end
end)

test("names are a stranger's, and stay strings", function()
  for _, name in ipairs { '"] = os.exit() --', "a\\", "line\nbreak()", "\u{202E}evil", "]]\0x",
                          "\27[31m", ("x"):rep(60) .. " " .. ("y"):rep(200) } do
    local odd = pki.authority { cn = name }
    local text, told = again(link_of {
      server = { identity = odd:issue { dns = "server.example", cn = name } },
      client = { trust = odd, server_name = "server.example" },
    }, { title = "names of strangers", origin = { "Seen at " .. name } })
    local chain = told.links[1].client.peer_certificates
    equal(chain[1].subject, odd:issue { cn = name }.certificate.subject)
    equal(text:find("\u{202E}", 1, true), nil)
  end
end)

local function model_of(client, outcome)
  return { title = "a model", at = ms.clock:now(), client = client, server = {},
           chosen = { version = "TLS1.3" }, outcome = outcome or {} }
end

test("what this GnuTLS lacks is left out with a word", function()
  local text = source.write(model_of {
    versions = { "0x2a2a", "TLS1.3", "TLS1.2" },
    cipher_suites = { "0x1a1a", "TLS_AES_128_GCM_SHA256", "TLS_SM4_GCM_SM3",
                      "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_FALLBACK_SCSV" },
    groups = { "X25519MLKEM768", "x25519" },
  })
  reproduced.check_lines(text)
  contains(text, "-- This GnuTLS lacks groups of the client: X25519MLKEM768.")
  contains(text, "TLS_SM4_GCM_SM3")
  equal(text:find("SCSV", 1, true), nil)
  equal(text:find("0x", 1, true), nil)
  equal(#reproduced.run(text).links, 1)
end)

test("a list that GnuTLS cannot be told exactly is told as far as it goes", function()
  local offered = {
    "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
    "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA",
  }
  local model = model_of { versions = { "TLS1.2" }, cipher_suites = offered }
  model.chosen = { version = "TLS1.2", cipher_suite = "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA" }
  model.outcome.client = { handshake_completed = true,
                           cipher_suite = model.chosen.cipher_suite }
  local text, told = source.write(model)
  contains(text, "GnuTLS cannot be told exactly")
  equal(#told.differences, 0)
  equal(reproduced.run(text).links[1].client.cipher_suite, model.chosen.cipher_suite)

  model = model_of { versions = { "TLS1.2" }, cipher_suites = { table.unpack(offered, 1, 4) } }
  model.chosen = {}
  contains(source.write(model), "in an order that GnuTLS cannot be told")
end)

test("what nothing of can be had is skipped with its reason", function()
  local text, told = source.write(model_of { versions = { "SSL3.0" } })
  contains(told.skipped, "SSL3.0")
  local run = reproduced.run(text)
  contains(run.skipped, "SSL3.0")
  equal(#run.links, 0)
end)

test("another alert than GnuTLS sends is told with both", function()
  local model = model_of({ versions = { "TLS1.3" }, server_name = "server.example" })
  model.server.chain = server.chain
  model.outcome = {
    client = { alert_sent = { level = "fatal", name = "certificate_unknown" },
               handshake_completed = false },
    server = { alert_received = { level = "fatal", name = "certificate_unknown" } },
  }
  local text, told = source.write(model)
  local folded = text:gsub("\n *%-%- ", " "):gsub("%s+", " ")
  contains(folded, "Seen at the client: alert_sent certificate_unknown. "
           .. "Two ends of GnuTLS come to: bad_certificate. expect")
  equal(told.differences[1].seen, "certificate_unknown")
  local link = reproduced.run(text).links[1]
  equal(link.client.error.problem, "certificate_rejected")
end)

test("an alert of the RFC is sent where GnuTLS can", function()
  local model = model_of({ versions = { "TLS1.2" }, server_name = "server.example",
                           trust = "other" })
  model.server.chain = server.chain
  model.chosen = { version = "TLS1.2" }
  model.outcome = { client = { alert_sent = { level = "fatal", name = "unknown_ca" } } }
  local text, told = source.write(model)
  equal(#told.differences, 0)
  contains(text, 'alerts = "rfc"')
  equal(reproduced.run(text).links[1].server.alert_received.name, "unknown_ca")
end)

unit.done()
