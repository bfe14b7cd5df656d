-- SPDX-License-Identifier: MIT
-- Explanations of refusals by an end that is somewhere else: what is suspicious about what was
-- sent, and what is known of an end that went away without a word.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local connection = require "moonshake.connection"
local explained = dofile(here .. "explained.lua")
local known = require "moonshake.views.known"
local live = dofile(here .. "live_pairs.lua")
local ms = require "moonshake"
local settings = require "moonshake.settings"
local pki, tls = ms.pki, ms.tls
local test, equal, contains = unit.test, unit.equal, unit.contains

local root, alice = live.root, live.alice
local sub = root:authority { cn = "Issuing CA" }
local stranger = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, text)
end

-- What a client whose certificate is refused is told.
local function refused(version, client, server)
  local options = { client_auth = "require", issuers = {}, alerts = "rfc" }
  for name, value in pairs(server or {}) do
    options[name] = value
  end
  local one = live.pair(version, client, options)
  local found = explained.finding(one, "refused_by_peer")
  return explained.text(found), found
end

---------------------------------------------------------------------------------------------------
-- A certificate

for _, version in ipairs(live.VERSIONS) do
  test("an issuer that is not named is suspected in " .. version, function()
    local text, found = refused(version, { identity = stranger, send_certificate = "always" },
                                { issuers = { "CN=A", "CN=B" } })
    contains(text, "the CertificateRequest names CN=A and CN=B, and none of them issued what was")
    equal(found.next, "present a certificate of an issuer that is named")
    lacks(refused(version, { identity = stranger, send_certificate = "always" },
                  { issuers = { "CN=A", "CN=Other Root" } }), "none of them issued")
  end)

  test("a certificate of tomorrow is suspected, and another clock in " .. version, function()
    local early = root:issue { cn = "x", not_before = "+50h" }
    local text, found = refused(version, { identity = early })
    contains(text, "CN=x not valid for another 2 days, by the client's clock")
    contains(text, "the client sent 1 certificate: CN=x, issued by CN=Example Root")
    equal(found.next, "check the clocks, or wait")
  end)

  test("what is as it should be is not suspected in " .. version, function()
    for _, purpose in ipairs { "client", "any", false } do
      local text, found = refused(version, {
        identity = pki.authority { cn = "Other Root" }:issue { cn = "x", purpose = purpose },
      }, { alerts = "library" })
      contains(text, "bad_certificate")
      lacks(text, "extended key usage")
      lacks(text, "which issued")
      equal(found.next, "read the log of the server: only it knows which of these it was")
    end
  end)

  test("an alert about any certificate is explained by all that is suspicious in " .. version,
       function()
    local text, found = refused(version, {
      identity = root:issue { cn = "x", purpose = "server", not_before = "-9d", not_after = "-2d" },
    }, { alerts = "library" })
    contains(text, "bad_certificate")
    contains(text, "CN=x expired 2 days ago, by the client's clock")
    contains(text, "it lacks client authentication")
    equal(found.next, "renew CN=x")
  end)

  test("an alert about one thing is not explained by another in " .. version, function()
    local other = pki.authority { cn = "Other Root" }
    local text = refused(version, { identity = other:issue {
      cn = "x", purpose = "server", not_before = "-9d", not_after = "-2d",
    } })
    contains(text, "unknown_ca")
    lacks(text, "expired 2 days ago")
    lacks(text, "it lacks client authentication")
  end)

  test("a server without a name is suspected where its client asked for one: " .. version,
       function()
    local _, server = live.pair(version, nil, { identity = root:issue { cn = "x" } })
    local found = explained.finding(server, "refused_by_peer")
    contains(explained.text(found),
             'the client asked for "server.example", and CN=x has no name of a host')
    equal(found.next, 'present a certificate for "server.example"')
    _, server = live.pair(version, { trust = stranger }, { identity = sub:issue { dns = "x" } })
    lacks(explained.text(explained.finding(server, "refused_by_peer")), "no name of a host")
  end)
end

test("that older versions have no alert for an empty Certificate is said", function()
  contains(refused "TLS1.2", "up to TLS 1.2 no alert says that a certificate was required")
  lacks(refused "TLS1.3", "up to TLS 1.2")
end)

---------------------------------------------------------------------------------------------------
-- Without a word

-- A client that has sent what it has, and whose server then goes away like this.
local function left_by_server(version, how, identity)
  local listener <close> = tls.listen { server = {
    identity = live.server, trust = root, client_auth = "request", versions = version,
  } }
  local client = tls.connect { port = listener.port, client = {
    trust = root, server_name = "server.example", versions = version, identity = identity } }
  ms.together(function()
    client:handshake()
    client:receive()
  end, function()
    local server = listener:accept()
    server:handshake()
    server:close { how = how }
  end)
  return client
end

test("a certificate that was sent last is named, and so is what came last", function()
  for _, version in ipairs(live.VERSIONS) do
    for how, rule in pairs { fin = "gone_without_close_notify", reset = "connection_reset" } do
      local text = explained.text(explained.finding(left_by_server(version, how, alice), rule))
      contains(text, "the client had sent its Certificate, CN=alice: a server that refuses it may")
      contains(text, "the last that the client received was ")
      lacks(text, "an empty Certificate")
      contains(text, how == "reset" and "the client waited for application data"
        or "the client waited for close_notify")
      text = explained.text(explained.finding(left_by_server(version, how), rule))
      contains(text, "the client had sent an empty Certificate: ")
    end
  end
end)

-- The first bytes that a client of this version sends.
local function hello_of(version)
  local link = explained.link(version)
  for _, event in ipairs(link.events) do
    if event.kind == "record" and event.role == "client" then
      return event.bytes
    end
  end
end

test("a client that goes away for a server's chain is suspected to distrust it", function()
  for _, version in ipairs(live.VERSIONS) do
    local hello = hello_of(version)
    local server = live.server_of(function(raw)
      raw:write(hello, 10)
      raw:read(10)
    end)
    local found = server.findings[1] -- the rest of the flight may be unread: then it is a reset
    contains(explained.text(found), "the server had sent its Certificate, CN=server.example: a "
             .. "client that distrusts it may end")
    contains(explained.text(found), "the last that the server received was ClientHello")
  end
end)

test("an end from which nothing came is told to have said nothing", function()
  local client = live.client_of(function(raw) raw:read(10) end)
  contains(explained.text(explained.finding(client, "gone_without_close_notify")),
           "the client received nothing at all")
  client = live.client_of(function(raw)
    while raw:read(10) do end -- luacheck: ignore 542
  end, 0.2)
  local text = explained.text(explained.finding(client, "timeout"))
  contains(text, "the client received nothing at all")
  contains(text, "it may expect something before TLS: STARTTLS")
end)

---------------------------------------------------------------------------------------------------
-- Somebody between the two

-- Both ends of a handshake through a relay that changes the random bytes of a hello.
local function changed(version, what)
  local listener <close> = tls.listen { server = { identity = live.server, versions = version } }
  local relay = tls.relay {
    to = { port = listener.port },
    tamper = tls.faults.flip { at = what, from = "server", byte = 20, bit = 0 },
  }
  local client = tls.connect { port = relay.port, client = {
    trust = root, server_name = "server.example", versions = version } }
  local server
  ms.together(function() client:handshake() end, function()
    server = listener:accept()
    server:handshake()
  end)
  relay:close()
  return client, server
end

test("a record that cannot be opened was changed, or the keys differ: who is to know", function()
  for at, message in pairs { ServerHello = "EncryptedExtensions", encrypted = "Finished" } do
    local version = at == "encrypted" and "TLS1.2" or "TLS1.3"
    local client = changed(version, at)
    local found = explained.finding(client, "cannot_open")
    equal(found.message, message)
    equal(found.what, ("where %s was to come the client cannot open the server's record: it was "
          .. "changed on the way, or their keys differ"):format(message))
    contains(found.next, "compare the messages as each end has them")
    contains(explained.text(found), "GNUTLS_E_DECRYPTION_FAILED: ")
    contains(explained.text(found), "the keys come from what was said before")
  end
end)

test("what a peer could not verify is the message that is signed", function()
  local client, server = changed("TLS1.2", "ServerHello")
  equal(client.client.error.problem, "bad_signature")
  local found = explained.finding(server, "refused_by_peer")
  equal(found.message, "ServerKeyExchange")
  contains(found.what, "refuses the server's ServerKeyExchange: fatal alert decrypt_error (51)")
end)

test("a connection that never came about is told by what the system says", function()
  local function never(problem, message)
    local client = connection.to("test", {
      host = "server.example", port = 443, open = function() return nil, problem, message end,
    }, settings.check("test", "client", {}), {})
    client:handshake()
    return explained.finding(client, problem)
  end
  local found = never("timeout", "no connection to it within 1 s")
  equal(found.what, "the client could not connect: no answer from server.example:443")
  contains(explained.text(found), "no connection to it within 1 s\na host that is down")
  equal(found.next, "check host and port, and the way there")
  found = never("connection_refused", "nobody there")
  contains(explained.text(found), "the system says: nobody there\na server that is not running")
  contains(explained.text(never("name_not_found", "no such name")), "the system says: no such name")
end)

---------------------------------------------------------------------------------------------------

test("what is not known of a far end is in no snapshot that views look at", function()
  local client = live.pair "TLS1.3"
  for _, snapshot in ipairs(known.history(client, "server")) do
    for _, record in ipairs { snapshot, snapshot.wire } do
      for name, value in pairs(record) do
        equal(rawequal(value, tls.unknown), false, name)
      end
    end
  end
end)

unit.done()
