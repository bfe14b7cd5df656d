-- SPDX-License-Identifier: MIT
-- What a model says is what a scenario says: options that an end has or lacks, issuers by the
-- dozen, names that cannot be sent, and a guess at a server that answered with an alert alone.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local disjoint = require "moonshake.reproduce.disjoint"
local ms = require "moonshake"
local of_link = require "moonshake.reproduce.of_link"
local reproduced = dofile(here .. "reproduced.lua")
local source = require "moonshake.reproduce.source"
local test, equal, contains = unit.test, unit.equal, unit.contains

local root = ms.pki.authority { cn = "Example Root" }
local server, alice = root:issue { dns = "server.example" }, root:issue { cn = "alice" }

-- The text that is written, on one line; the ends have these fields beside the usual ones.
local function written(client, own, version)
  local model = {
    title = "a model", at = ms.clock:now(), chosen = { version = version or "TLS1.3" },
    client = { versions = { version or "TLS1.3" }, server_name = "server.example" },
    server = { chain = server.chain }, outcome = {},
  }
  for role, fields in pairs { client = client or {}, server = own or {} } do
    for name, value in pairs(fields) do
      model[role][name] = value
    end
  end
  local text = source.write(model)
  reproduced.check_lines(text)
  equal(#reproduced.run(text).links, 1)
  return (text:gsub("\n *%-%- ", " "):gsub("%s+", " "))
end

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, text)
end

for _, row in ipairs {
  { { extended_master_secret = false }, {}, "extended_master_secret = false", "TLS1.2" },
  { { secure_renegotiation = false }, {}, 'renegotiation = "absent"', "TLS1.2" },
  { { post_handshake_auth = false }, {}, "post_handshake_auth = false" },
  { { ticket = false }, {}, "tickets = 0", "TLS1.2" },
  { { alpn = { "h2", "http/1.1" } }, {}, 'alpn = { "h2", "http/1.1" }' },
  { { alpn = { "h2" } }, { alpn = { "x" }, alpn_required = true }, "alpn_required = true" },
  { {}, { unknown_name = "reject" }, 'unknown_name = "reject"' },
  { { chain = alice.chain, send = "always" }, { client_auth = "require" },
    'send_certificate = "always"' },
  { {}, { client_auth = "request" }, 'client_auth = "request"' },
} do
  test(row[3] .. " is said where it was so, and nowhere else", function()
    contains(written(row[1], row[2], row[4]), row[3])
    lacks(written({}, {}, row[4]), row[3]:match "^[%l_]+ =")
  end)
end

test("finite fields stand behind curves, and are added where suites need them", function()
  local old = { "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" }
  local text = written({ groups = { "ffdhe2048", "x25519" }, cipher_suites = old }, {}, "TLS1.2")
  contains(text, 'groups = { "x25519", "ffdhe2048" }')
  lacks(text, "are added")
  text = written({ groups = { "x25519" }, cipher_suites = old }, {}, "TLS1.2")
  contains(text, "The client offers DHE suites and no group for them, which GnuTLS does not do: "
           .. "ffdhe2048 and ffdhe3072 are added.")
  contains(text, 'groups = { "x25519", "ffdhe2048", "ffdhe3072" }')
end)

test("how many certificates came is expected of who received them", function()
  local model = {
    title = "a model", at = ms.clock:now(), chosen = { version = "TLS1.3" },
    client = { versions = { "TLS1.3" }, server_name = "server.example", chain = alice.chain },
    server = { chain = server.chain, client_auth = "require" },
    outcome = { client = { received = 1, sent = 1 }, server = { received = 1 } },
  }
  local text, told = source.write(model)
  contains(text, "expect(link.client.wire.received_certificates):has_length(1)")
  contains(text, "expect(link.server.wire.received_certificates):has_length(1)")
  lacks(text, "sent_certificates")
  equal(#told.differences, 0)
  model.outcome.client.received = 2
  text, told = source.write(model)
  contains(text, "expect(link.client.wire.received_certificates):has_length(1)")
  equal(told.differences[1].seen, "2")
  equal(told.differences[1].ours, "1")
end)

test("what GnuTLS cannot send is left out with a word", function()
  local many = {}
  for index = 1, 9 do
    many[index] = "p" .. index
  end
  contains(written { alpn = many },
           "The client has 9 protocols (ALPN); GnuTLS takes 8 of them.")
  contains(written { alpn = { "h2", ("x"):rep(32), "" } },
           "The client has 3 protocols (ALPN); GnuTLS takes 1 of them.")
  lacks(written { alpn = { table.unpack(many, 1, 8) } }, "GnuTLS takes")
  lacks(written { alpn = { ("x"):rep(31) } }, "GnuTLS takes")
  contains(written { server_name = "a b\0" }, "The name that the client asks for cannot be sent by")
end)

test("of many issuers those are written that name the client's chain, and some others", function()
  local function names(count)
    local list = {}
    for index = 1, count do
      list[index] = ("CN=Issuer %d"):format(index)
    end
    return list
  end
  local function asking(issuers)
    return written({ chain = alice.chain }, { client_auth = "require", issuers = issuers })
  end
  local text = asking(names(12))
  contains(text, '"CN=Issuer 12"')
  lacks(text, "here are")
  local issuers = names(20)
  issuers[21] = "CN=Example Root"
  text = asking(issuers)
  contains(text, "The server names 21 issuers; here are 12 of them.")
  contains(text, "CN=Example Root")
  contains(text, '"CN=Issuer 11"')
  lacks(text, '"CN=Issuer 12"')
  text = asking { "CN=Issuer 1", "no name", "" }
  contains(text, "2 of the 3 issuers that the server names cannot be written.")
  contains(text, 'pki.authority { cn = "Issuer 1" }')
end)

---------------------------------------------------------------------------------------------------
-- The model of a link

local function seen(client, version)
  local options = { trust = root, server_name = "server.example" }
  for name, value in pairs(client or {}) do
    options[name] = value
  end
  local link = ms.tls.link { server = { identity = server, trust = root }, client = options,
                             versions = version }
  link:handshake()
  return of_link.model(link, { title = "a link", at = ms.clock:now() })
end

test("what a client does not offer is known of it, in the version that has it", function()
  local new, old = seen({}, "TLS1.3").client, seen({}, "TLS1.2").client
  equal(new.post_handshake_auth, true)
  equal(old.post_handshake_auth, nil)
  equal(seen({ post_handshake_auth = false }, "TLS1.3").client.post_handshake_auth, false)
  equal(old.ticket, true)
  equal(new.ticket, nil)
  equal(seen({ tickets = 0 }, "TLS1.2").client.ticket, false)
  equal(old.secure_renegotiation, true)
  equal(seen({ renegotiation = "absent" }, "TLS1.2").client.secure_renegotiation, false)
end)

test("who failed first is known, and of a link that never spoke nothing", function()
  equal(seen().outcome.failed_first, nil)
  equal(seen({ trust = ms.pki.authority {} }).outcome.failed_first, "client")
  local link = ms.tls.link { server = { identity = server }, client = { trust = root } }
  local model = of_link.model(link, { title = "silence", at = 0 })
  equal(next(model.client), nil)
  equal(model.server.client_auth, "none")
end)

---------------------------------------------------------------------------------------------------
-- What a server must lack

-- What is guessed of a server that answers such a client with this alert.
local function guessed(alert, client, answered)
  local model = { client = client, server = {},
                  outcome = { client = { alert_received = alert and { name = alert } } } }
  disjoint.guess(model, answered or false)
  return model.server, table.concat(model.origin or {})
end

test("an alert in place of a ServerHello tells what the server lacks", function()
  local own, why = guessed("protocol_version", { versions = { "TLS1.2", "TLS1.3" } })
  equal(table.concat(own.versions, " "), "TLS1.1")
  equal(why, "The server refused the ClientHello, so what it has was not seen. This one has no "
        .. "version of TLS of the client's.")
  equal(guessed("protocol_version", { versions = { "TLS1.3" } }).versions[1], "TLS1.2")
  equal(guessed("protocol_version", { versions = { "TLS1.0", "TLS1.1", "TLS1.2" } }).versions[1],
        "TLS1.3")
  own, why = guessed("no_application_protocol", { alpn = { "h2" } })
  equal(own.alpn[1], "other")
  equal(own.alpn_required, true)
  contains(why, "no protocol (ALPN) of the client's.")
  equal(guessed("no_application_protocol", { alpn = { "other" } }).alpn[1], "another")
  own, why = guessed("unrecognized_name", {})
  equal(own.unknown_name, "reject")
  contains(why, "no name of the client's.")
end)

test("of a handshake_failure the cipher suites are guessed, and that it is a guess said", function()
  for _, alert in ipairs { "handshake_failure", "insufficient_security" } do
    local own, why = guessed(alert, { versions = { "TLS1.3" },
                                      cipher_suites = { "TLS_AES_128_GCM_SHA256" } })
    equal(own.versions[1], "TLS1.3")
    equal(own.cipher_suites[1]:find("_WITH_", 1, true), nil)
    equal(own.cipher_suites[1] ~= "TLS_AES_128_GCM_SHA256", true)
    contains(why, ("no cipher suite of the client's (the alert %s does not tell"):format(alert))
  end
  local client = { versions = { "TLS1.2", "TLS1.3" }, cipher_suites = {} }
  contains(guessed("handshake_failure", client).cipher_suites[1], "TLS_ECDHE_ECDSA_WITH_AES")
  client.versions = { "TLS1.0" }
  local own = guessed("handshake_failure", client)
  contains(own.cipher_suites[1], "_CBC_SHA")
  equal(own.versions[1], "TLS1.0")
end)

test("an alert that is about nothing of it, or comes later, is no reason to guess", function()
  local own, why = guessed("internal_error", { versions = { "TLS1.2" } })
  equal(own.versions[1], "TLS1.2")
  equal(own.cipher_suites, nil)
  equal(why, "")
  own, why = guessed("handshake_failure", { versions = { "TLS1.2" } }, true)
  equal(next(own), nil)
  equal(why, "")
  equal(guessed("no_application_protocol", {}, true).alpn_required, true)
end)

test("what the server itself says is taken at its word, and what is known stays", function()
  for problem, field in pairs { no_shared_group = "groups",
                                no_shared_signature_scheme = "signature_schemes" } do
    local model = { client = { versions = { "TLS1.2" } }, server = { versions = { "TLS1.3" } },
                    outcome = { server = { problem = problem } } }
    disjoint.guess(model, false)
    equal(#model.server[field], 1)
    equal(model.server[field][1]:find "^ffdhe", nil)
    equal(model.server.versions[1], "TLS1.3")
    equal(model.origin, nil)
  end
  local model = { client = { versions = { "TLS1.2" } }, server = {},
                  outcome = { server = { problem = "no_shared_group" } } }
  disjoint.guess(model, false)
  equal(model.server.versions[1], "TLS1.2")
end)

unit.done()
