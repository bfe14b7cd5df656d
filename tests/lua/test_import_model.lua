-- SPDX-License-Identifier: MIT
-- What moonshake import makes of what two ends said: handshakes, how each went, what is expected of
-- it. What was said is what links in memory said, and what a capture would have hidden of it.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local history = require "moonshake.import.history"
local model = require "moonshake.import.model"
local ms = require "moonshake"
local test, equal, contains = unit.test, unit.equal, unit.contains
local pki, tls = ms.pki, ms.tls

local TYPES = { HelloRequest = 0, ClientHello = 1, ServerHello = 2, HelloRetryRequest = 2,
                NewSessionTicket = 4, EncryptedExtensions = 8, Certificate = 11,
                ServerKeyExchange = 12, CertificateRequest = 13, ServerHelloDone = 14,
                CertificateVerify = 15, ClientKeyExchange = 16, Finished = 20, KeyUpdate = 24 }
local STREAM = { server = "192.0.2.1", at = 0 }

local root = pki.authority { cn = "Example Root" }
local server, alice = root:issue { dns = "server.example" }, root:issue { cn = "alice" }

-- What the ends of a link said.
local function said_on(link)
  local said = {}
  for _, event in ipairs(link.events) do
    if event.direction == "sent" and event.kind == "message" then
      said[#said + 1] = { role = event.role, kind = "message", body = event.bytes,
                          type = assert(TYPES[event.type], event.type) }
    elseif event.direction == "sent" and event.kind == "alert" then
      said[#said + 1] = { role = event.role, kind = "alert", number = event.number,
                          level = event.level == "fatal" and 2 or 1 }
    end
  end
  return said
end

local function link_of(version, client, own, action)
  local ends = { server = { identity = server, trust = root }, versions = version,
                 client = { trust = root, server_name = "server.example" } }
  for role, options in pairs { client = client or {}, server = own or {} } do
    for name, value in pairs(options) do
      ends[role][name] = value
    end
  end
  local link = tls.link(ends)
  link:handshake()
  if action then
    action(link)
  end
  return link
end

-- The model, with what could not be seen as one text.
local function made_of(said, key_log)
  local made, unseen = model.make(history.read(said), STREAM, "Here.", key_log or false)
  return made, table.concat(unseen, "|")
end

local function made_with(...)
  return made_of(said_on(link_of(...)))
end

---------------------------------------------------------------------------------------------------
-- How a handshake went

local VERSIONS = { "TLS1.2", "TLS1.3" }

for _, version in ipairs(VERSIONS) do
  test("what happened stands in the title, and what is expected follows: " .. version, function()
    local made, unseen = made_with(version)
    equal(unseen, "")
    equal(made.title, version .. " with server.example: a handshake succeeds")
    equal(made.server.client_auth, "none")
    equal(#made.server.chain, 1)
    equal(made.chosen.version, version)
    equal(made.outcome.client.certificate_requested, false)
    equal(made.outcome.client.handshake_completed, true)
    equal(made.outcome.server.handshake_completed, true)
    equal(made.outcome.client.received, 1)
    equal(made.outcome.client.group ~= nil, true)
    equal(made.outcome.client.alert_received, nil)
    equal(made.outcome.client.alpn, nil)
    made = made_with(version, { alpn = { "h2", "x" } }, { alpn = "x" })
    equal(made.outcome.client.alpn, "x")
    equal(made.server.alpn[1], "x")
    equal(made.client.alpn[1], "h2")
    made = made_with(version, { identity = alice }, { client_auth = "require" })
    contains(made.title, ": both ends show a certificate")
    equal(made.server.client_auth, "require")
    equal(made.server.issuers[1], "CN=Example Root")
    equal(made.outcome.client.requested_issuers[1], "CN=Example Root")
    equal(made.outcome.server.received, 1)
    contains(table.concat(made.origin), "was not seen: here it requires one")
    made = made_with(version, {}, { client_auth = "request", issuers = {} })
    contains(made.title, ": a client is asked for a certificate and has none")
    equal(made.server.client_auth, "request")
    equal(made.outcome.client.requested_issuers, nil)
    equal(made.outcome.client.sent, 0)
    equal(#made.origin, 1)
  end)

  test("a refusal is told with who refused and what each end learned: " .. version, function()
    local made = made_with(version, {}, { client_auth = "require" })
    local alert = version == "TLS1.3" and "certificate_required" or "decode_error"
    contains(made.title, ": the server refuses with " .. alert)
    equal(made.server.client_auth, "require")
    equal(made.outcome.failed_first, "server")
    equal(made.outcome.server.alert_sent.name, alert)
    equal(made.outcome.client.alert_received.name, alert)
    equal(made.outcome.client.alert_sent, nil)
    equal(made.outcome.client.handshake_completed, version == "TLS1.3")
    equal(made.outcome.server.handshake_completed, false)
    made = made_with(version, { trust = pki.authority { cn = "Other" }, alerts = "rfc" })
    contains(made.title, ": the client refuses with unknown_ca")
    equal(made.client.trust, "other")
    equal(made.server.trust, nil)
    equal(made.outcome.failed_first, "client")
    equal(made.outcome.client.handshake_completed, false)
    local asked = made.outcome.client.certificate_requested
    equal(tostring(asked), version == "TLS1.3" and "false" or "nil") -- it had read as far, or not
  end)

  test("a resumed session gets a first handshake that is made up: " .. version, function()
    local first = link_of(version)
    local second = first:resume()
    second:handshake()
    local made = made_of(said_on(second))
    equal(second.client.resumed, true)
    contains(made.title, ": a session is resumed")
    equal(made.later[1].action, "resume")
    equal(made.later[1].outcome.client.resumed, true)
    equal(made.outcome.client.resumed, nil)
    equal(made.chosen.version, version)
    contains(table.concat(made.origin), "the first one here is made up")
    equal(made_with(version).outcome.client.resumed, nil)
  end)
end

test("a key exchange without a curve names no group", function()
  local made, unseen = made_with("TLS1.2", {}, {
    identity = root:issue { dns = "server.example", key = "rsa-2048" },
    cipher_suites = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
  })
  equal(made.chosen.cipher_suite, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256")
  equal(made.chosen.group, nil)
  equal(unseen, "")
end)

test("a group that was asked for again is that of the second hello", function()
  local made = made_with("TLS1.3", {}, { groups = "secp521r1" })
  equal(made.chosen.group, "secp521r1")
  contains(made.title, "a handshake succeeds")
  equal(made.outcome.client.version, "TLS1.3")
  equal(#made.later, 0)
end)

---------------------------------------------------------------------------------------------------
-- What came later

test("a renegotiation is told with who wanted it and what the client showed", function()
  for _, by in ipairs { "client", "server" } do
    local made = made_with("TLS1.2", { identity = alice }, {}, function(link)
      link:renegotiate { by = by, server = { client_auth = "require" } }
    end)
    contains(made.title, ": a renegotiation")
    equal(#made.later, 1)
    local step = made.later[1]
    equal(step.action, "renegotiate")
    equal(step.by, by)
    equal(step.client_auth, "require")
    equal(step.outcome.client.sent, 1)
    equal(step.outcome.client.handshake_completed, true)
    equal(step.outcome.client.version, "TLS1.2")
    equal(made.server.client_auth, "none")
    equal(made.server.issuers[1], "CN=Example Root")
    equal(#made.client.chain, 1)
    equal(made.outcome.client.certificate_requested, false)
  end
end)

test("who wanted the first renegotiation is not taken for who wanted the second", function()
  local made = made_with("TLS1.2", {}, {}, function(link)
    link:renegotiate { by = "server" }
    link:renegotiate { by = "client" }
  end)
  equal(made.later[1].by, "server")
  equal(made.later[2].by, "client")
end)

test("a client that is asked afterwards is told so", function()
  local made = made_with("TLS1.3", { identity = alice, post_handshake_auth = true }, {},
                         function(link) link:reauthenticate() end)
  contains(made.title, ": a client is asked afterwards")
  local step = made.later[1]
  equal(step.action, "reauthenticate")
  equal(step.client_auth, "request")
  equal(step.outcome.client.certificate_requested, true)
  equal(step.outcome.client.sent, 1)
  equal(step.outcome.client.handshake_completed, nil)
  equal(made.server.client_auth, "none")
  equal(#made.client.chain, 1)
end)

---------------------------------------------------------------------------------------------------
-- What could not be seen

-- What was said until a message of this type from this role, which is left out with the rest.
local function until_message(said, role, kind)
  local list = {}
  for _, event in ipairs(said) do
    if event.role == role and event.type == kind then
      break
    end
    list[#list + 1] = event
  end
  return list
end

test("TLS 1.3 without its secrets is told to be that, and nothing is claimed", function()
  local said = until_message(said_on(link_of "TLS1.3"), "server", 8)
  said[#said + 1] = { role = "server", kind = "encrypted" }
  said[#said + 1] = { role = "client", kind = "encrypted" }
  local made, unseen = made_of(said)
  contains(made.title, ": as far as it can be read")
  contains(unseen, "so nothing after the ServerHello could be read")
  contains(unseen, "With a key log it can: have one of the two programs write it")
  equal(made.outcome.client.handshake_completed, nil)
  equal(made.outcome.server.handshake_completed, nil)
  equal(made.outcome.client.certificate_requested, nil)
  contains(select(2, made_of(said, true)), "The key log that was given has none of them")
end)

test("TLS 1.2 shows its handshake all the same, and what came after it is not read", function()
  local said = said_on(link_of "TLS1.2")
  local seen = {}
  for _, event in ipairs(said) do
    if event.type == 20 then
      seen[#seen + 1] = { role = event.role, kind = "change" }
      seen[#seen + 1] = { role = event.role, kind = "encrypted" }
    elseif event.type ~= 4 then
      seen[#seen + 1] = event
    end
  end
  local made, unseen = made_of(seen)
  equal(unseen, "")
  contains(made.title, ": a handshake succeeds")
  seen[#seen + 1] = { role = "server", kind = "encrypted" }
  made, unseen = made_of(seen)
  contains(unseen, "what came after this handshake could not be read")
  equal(made.outcome.client.handshake_completed, true)
end)

test("a handshake that the capture cuts, or an alert that is hidden, is told so", function()
  local whole = said_on(link_of("TLS1.2", { identity = alice }, { client_auth = "require" }))
  local said = until_message(whole, "client", 20)
  local made, unseen = made_of(said)
  equal(unseen, "The capture ends before the handshake does, and without an alert.")
  equal(made.outcome.client.handshake_completed, nil)
  said[#said + 1] = { role = "server", kind = "encrypted alert" }
  contains(select(2, made_of(said)), "the server sent an alert that could not be read")
  contains(made_of(until_message(whole, "server", 11)).title, ": a handshake is not finished")
  contains(made_of(until_message(whole, "client", 11)).title, ": a handshake is not finished")
end)

test("what cannot be read is left out with a word", function()
  local said = said_on(link_of "TLS1.2")
  for _, event in ipairs(said) do
    if event.type == 11 then
      event.body = "\0\0\6\0\0\3abc"
    end
  end
  contains(select(2, made_of(said)), "Left out, because it cannot be read: certificate 1 of the "
           .. "server.")
  for _, event in ipairs(said) do
    if event.type == 11 then
      event.body = "\0\0\6"
    end
  end
  contains(select(2, made_of(said)), "A handshake message of type 11 is malformed.")
end)

test("a close_notify, and a warning up to TLS 1.2, are no refusal", function()
  for _, row in ipairs {
    { "TLS1.2", 1, 0, "a handshake succeeds" }, { "TLS1.2", 1, 100, "a handshake succeeds" },
    { "TLS1.2", 1, 112, "a handshake succeeds" }, { "TLS1.2", 2, 80, "internal_error" },
    { "TLS1.3", 1, 0, "a handshake succeeds" }, { "TLS1.3", 1, 80, "internal_error" },
  } do
    local said = said_on(link_of(row[1]))
    said[#said + 1] = { role = "server", kind = "alert", level = row[2], number = row[3] }
    contains(made_of(said).title, row[4])
  end
end)

unit.done()
