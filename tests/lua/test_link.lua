-- SPDX-License-Identifier: MIT
-- Links, ends, actions and policies as scripts see them.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local diff = require "moonshake.diff"
local pki, tls = ms.pki, ms.tls
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local ca = pki.authority { cn = "Root" }
local server = ca:issue { dns = "server.example" }
local alice = ca:issue { cn = "alice", purpose = "client" }
local bob = ca:issue { cn = "bob", purpose = "client" }

local function same(found, wanted)
  for _, one in ipairs(diff.compare(found, wanted)) do
    error(("%s: found %s, wanted %s"):format(one.path, one.found, one.wanted), 2)
  end
end

-- A link of mutual TLS; `given` may have other options.
local function mutual(version, given)
  given = given or {}
  local own = {
    server = { identity = server, trust = ca, client_auth = "require" },
    client = { identity = alice, trust = ca, server_name = "server.example" },
  }
  for role, changes in pairs(given) do
    for name, value in pairs(changes) do
      own[role][name] = value
    end
  end
  own.versions = version
  return tls.link(own)
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test(version .. ": a mutual handshake is told by both ends", function()
    local link = mutual(version)
    equal(tostring(link), "link (client idle, server idle)")
    equal(link:handshake(), true)
    equal(link.failed_first, nil)
    for _, one in ipairs { link.client, link.server } do
      equal(one.phase, "established")
      equal(one.version, version)
      equal(one.epoch, "initial")
      equal(one.verification.verified, true)
      equal(one.error, nil)
      equal(#one.history, 1)
    end
    same(link.client.local_certificates, alice.chain)
    same(link.server.peer_certificates, alice.chain)
    same(link.client.wire.sent_certificates, alice.chain)
    equal(link.server.local_certificate, server.certificate)
    equal(tostring(link.client), ("client end of link (established, %s)"):format(version))
  end)

  test(version .. ": data goes both ways", function()
    local link = mutual(version)
    link:handshake()
    equal(link:send { from = "client", data = "ping\0" }, "ping\0")
    equal(link:send { from = "server", data = ("x"):rep(100000) }, ("x"):rep(100000))
    equal(link:close(), true)
    equal(link.client.phase, "closed")
  end)

  test(version .. ": a refusal is data, not an error", function()
    local link = mutual(version, { client = { identity = tls.default } })
    equal(link:handshake(), false)
    equal(link.failed_first, "server")
    equal(link.server.error.problem, "no_certificate")
    local data, problem = link:send { from = "server", data = "x" }
    equal(data, nil)
    equal(problem, "no_certificate")
  end)

  test(version .. ": a verify function judges, once, with the whole result", function()
    local calls, seen = 0, nil
    local link = mutual(version, { server = { verify = function(result)
      calls, seen = calls + 1, result
      return result.verified
    end } })
    equal(link:handshake(), true)
    equal(calls, 1)
    equal(seen.verified, true)
    same(seen.peer_certificates, alice.chain)
    raises('verification: unknown field "peer_certificate"', function()
      return seen.peer_certificate
    end)
  end)

  test(version .. ": a verify function may accept what is wrong, refuse what is right", function()
    local stranger = pki.authority({ cn = "Other" }):issue { cn = "mallory" }
    local link = mutual(version, { client = { identity = stranger, send_certificate = "always" },
                                   server = { verify = function() return true end } })
    equal(link:handshake(), true)
    equal(link.server.verification.verified, false)
    equal(link.server.verification.accepted, true)
    link = mutual(version, { client = { verify = function() return false end } })
    equal(link:handshake(), false)
    equal(link.client.error.problem, "certificate_rejected")
    equal(link.client.verification.verified, true)
    equal(link.client.verification.accepted, false)
  end)

  test(version .. ": an error in a verify function comes out as it is", function()
    local problem = { "the script's own" }
    local link = mutual(version, { server = { verify = function() error(problem) end } })
    local done, raised = pcall(link.handshake, link)
    equal(done, false)
    equal(raised, problem)
    raises("link:send: the link is unusable since a function raised an error in link:handshake",
           function() link:send { from = "client", data = "x" } end)
    equal(link.server.phase, "failed")
    equal(#link.events > 5, true)
  end)

  test(version .. ": a verify function must say yes or no", function()
    local link = mutual(version, { client = { verify = function() end } })
    raises("link:handshake: client: verify: the function must return true or false, got nil",
           function() link:handshake() end)
  end)

  test(version .. ": while a verify function runs, the link is busy", function()
    local link, message
    link = mutual(version, { client = { verify = function()
      local _
      _, message = pcall(link.close, link)
      return link.client.phase == "handshaking"
    end } })
    equal(link:handshake(), true)
    contains(message, "link: busy: link:close")
  end)

  test(version .. ": a function of the request chooses the identity", function()
    local request
    local link = mutual(version, { client = { identity = function(asked)
      request = asked
      return bob
    end } })
    equal(link:handshake(), true)
    same(request.issuers, { "CN=Root" })
    equal(request.server_name, "server.example")
    equal(#request.signature_schemes > 3, true)
    raises('request: unknown field "issuer"', function() return request.issuer end)
    equal(link.server.peer_certificate, bob.certificate)
  end)

  test(version .. ": what a choosing function reads of its link raises at its line", function()
    local link, messages
    link = mutual(version, { client = { identity = function()
      messages = {}
      for index, read in ipairs {
        function() return link.client.phase end,
        function() return link.server.history end,
        function() return link.client:snapshot() end,
        function() return link.client:exporter("label", nil, 8) end,
        function() return link.events end,
        function() return link.failed_first end,
      } do
        messages[index] = select(2, pcall(read))
      end
      return alice
    end } })
    equal(link:handshake(), true)
    equal(#messages, 6)
    for _, message in ipairs(messages) do
      contains(message, "the link is in use: a function that it runs cannot read it")
      equal(message:find("test_link.lua:", 1, true) ~= nil, true, message)
    end
  end)

  test(version .. ": a choosing function may choose nothing", function()
    local link = mutual(version, { client = { identity = function() return nil end } })
    equal(link:handshake(), false)
    equal(link.server.error.problem, "no_certificate")
  end)

  test(version .. ": an error in a choosing function comes out as it is", function()
    local problem = { "the script's own" }
    local link = mutual(version, { client = { identity = function() error(problem) end } })
    local done, raised = pcall(link.handshake, link)
    equal(done, false)
    equal(raised, problem)
    raises("link is unusable", function() link:close() end)
  end)

  test(version .. ": a choosing function must return an identity", function()
    local link = mutual(version, { client = { identity = function() return "alice" end } })
    local message = raises("tls.link: client: identity: the function must return an identity or "
                           .. 'nil, got "alice"', function() link:handshake() end)
    contains(message, ("test_link.lua:%d: "):format(unit.line() - 1))
  end)

  test(version .. ": while a choosing function runs, the link is busy", function()
    local link, message
    link = mutual(version, { server = { identity = function()
      local _
      _, message = pcall(link.send, link, { from = "client", data = "x" })
      return server
    end } })
    equal(link:handshake(), true)
    contains(message, "link: busy: link:send")
  end)

  test(version .. ": resumption keeps the options but for those given", function()
    local link = mutual(version)
    link:handshake()
    link:close()
    local again = link:resume { client = { identity = bob } }
    equal(again.client.phase, "idle")
    equal(again:handshake(), true)
    equal(again.client.resumed, true)
    equal(again.server.resumed, true)
    same(again.server.peer_certificates, alice.chain)
    equal(again.server.wire.received_certificates, nil)
  end)

  test(version .. ": sites are chosen by name, with options of their own", function()
    local other = ca:issue { dns = "other.example" }
    local sites = { ["other.example"] = { identity = other, client_auth = "none" } }
    local link = mutual(version, { server = { sites = sites },
                                   client = { server_name = "other.example" } })
    equal(link:handshake(), true)
    equal(link.server.site, "other.example")
    equal(link.client.peer_certificate, other.certificate)
    equal(link.client.certificate_requested, false)
    link = mutual(version, { server = { sites = sites } })
    equal(link:handshake(), true)
    equal(link.server.site, nil)
    equal(link.client.certificate_requested, true)
    link = mutual(version, { server = { sites = sites, unknown_name = "reject" } })
    equal(link:handshake(), false)
    equal(link.server.error.problem, "unknown_server_name")
  end)

  test(version .. ": keying material is the same at both ends", function()
    local link = mutual(version)
    link:handshake()
    local client = link.client:exporter("EXPORTER-test", "context", 32)
    equal(#client, 32)
    equal(select("#", link.client:exporter("EXPORTER-test", "context", 32)), 1)
    equal(link.server:exporter("EXPORTER-test", "context", 32), client)
    equal(link.server:exporter("EXPORTER-test", nil, 32) == client, false)
    raises("end:exporter: length: wants an integer from 1", function()
      link.client:exporter("EXPORTER-test", nil, 0)
    end)
    raises("end:exporter: label: wants a string, got nil", function() link.client:exporter() end)
    raises("end:exporter: to be called with a colon", function()
      link.client.exporter("EXPORTER-test", nil, 8)
    end)
  end)
end

test("a client certificate asked for only on renegotiation", function()
  local link = mutual("TLS1.2", { server = { client_auth = "none" } })
  link:handshake()
  equal(link.server.peer_certificates, nil)
  equal(link:renegotiate { by = "server", server = { client_auth = "require" } }, true)
  equal(link.server.epoch, "renegotiation 1")
  same(link.server.peer_certificates, alice.chain)
  equal(#link.client.history, 2)
  equal(link.client.history[1].certificate_requested, false)
  equal(link.client.history[2].certificate_requested, true)
  equal(link:renegotiate { by = "client" }, true) -- changed options stay
  equal(link.client.certificate_requested, true)
  equal(link:renegotiate { by = "client", server = { client_auth = tls.default } }, true)
  equal(link.client.certificate_requested, false)
  equal(link.client.renegotiations, 3)
end)

test("an option changed on renegotiation holds at a site too", function()
  local link = mutual("TLS1.2", { server = { sites = { ["server.example"] = {
    client_auth = "none" } } } })
  link:handshake()
  equal(link.client.certificate_requested, false)
  equal(link:renegotiate { by = "server", server = { client_auth = "require" } }, true)
  equal(link.client.certificate_requested, true)
end)

test("options of an action that cannot begin change nothing", function()
  local link = mutual("TLS1.2", { server = { client_auth = "none" } })
  raises("link:renegotiate: ", function()
    link:renegotiate { by = "server", server = { client_auth = "require" } }
  end)
  link:handshake()
  equal(link.client.certificate_requested, false)
end)

test("post-handshake authentication asks, also where client_auth is none", function()
  local link = mutual("TLS1.3", { server = { client_auth = "none" } })
  link:handshake()
  equal(link.server.peer_certificates, nil)
  equal(link:reauthenticate(), true)
  equal(link.server.epoch, "reauthentication 1")
  same(link.server.peer_certificates, alice.chain)
  link = mutual("TLS1.3", { server = { client_auth = "none" } })
  link:handshake()
  equal(link:reauthenticate { client = { identity = tls.default } }, true)
  equal(link.client.certificate_requested, true)
  same(link.server.wire.received_certificates, {})
  equal(link:reauthenticate { client = { identity = bob } }, true)
  equal(link.server.peer_certificate, bob.certificate)
  equal(link.server.epoch, "reauthentication 2")
end)

test("keys are updated", function()
  local link = mutual("TLS1.3")
  link:handshake()
  for _ = 1, 12 do
    equal(link:update_keys { by = "client", request_peer = true }, true)
  end
  equal(link:send { from = "client", data = "after" }, "after")
end)

test("misuse raises at the script's line", function()
  local link = mutual("TLS1.3")
  local message = raises("link:send: ", function() link:send { from = "client", data = "x" } end)
  contains(message, ("test_link.lua:%d: "):format(unit.line() - 1))
  link:handshake()
  raises("link:handshake: ", function() link:handshake() end)
  raises("link:renegotiate: ", function() link:renegotiate { by = "client" } end)
  link:close()
  raises("link:send: ", function() link:send { from = "client", data = "x" } end)
  local old = mutual("TLS1.2")
  raises("link:resume: ", function() old:resume() end)
  old:handshake()
  raises("link:update_keys: ", function() old:update_keys { by = "client" } end)
  raises("link:reauthenticate: ", function() old:reauthenticate() end)
end)

test("unknown fields of links, ends, snapshots and events raise", function()
  local link = mutual("TLS1.3")
  link:handshake()
  raises('link: unknown field "clinet" (did you mean "client"?)', function()
    return link.clinet
  end)
  raises('link: unknown field "handshke" (did you mean "handshake"?)', function()
    return link.handshke
  end)
  raises('link.client: unknown field "local_certifcate" (did you mean "local_certificate"?)',
         function() return link.client.local_certifcate end)
  raises('snapshot: unknown field "epoche" (did you mean "epoch"?)', function()
    return link.server:snapshot().epoche
  end)
  raises('end.wire: unknown field "sent"', function() return link.client.wire.sent end)
  raises('event: unknown field "knid" (did you mean "kind"?)', function()
    return link.events[1].knid
  end)
  raises("a link: is read-only", function() link.client = nil end)
  raises("an end of a link: is read-only", function() link.client.phase = "idle" end)
end)

test("a snapshot stays as it was", function()
  local link = mutual("TLS1.3")
  local before = link.client:snapshot()
  link:handshake()
  equal(before.phase, "idle")
  equal(before.peer_certificates, nil)
  local names = {}
  for name, value in pairs(link.client:snapshot()) do
    names[name] = value
  end
  equal(names.phase, "established")
  raises("read-only", function() before.phase = "closed" end)
  raises("read-only", function() link.client.history[1] = nil end)
end)

test("events come in order, from both ends", function()
  local link = mutual("TLS1.3")
  link:handshake()
  local kinds = {}
  for index, event in ipairs(link.events) do
    equal(event.index, index)
    kinds[event.kind] = true
  end
  for _, kind in ipairs { "record", "message", "request", "selection", "verification" } do
    equal(kinds[kind], true, kind)
  end
end)

test("a link can be freed early and answers on", function()
  local ends
  do
    local link <close> = mutual("TLS1.3")
    link:handshake()
    ends = link
  end
  equal(ends.client.version, "TLS1.3")
  equal(#ends.events > 10, true)
  raises("link:send: ", function() ends:send { from = "client", data = "x" } end)
end)

test("closing is misuse before the handshake and when it is done", function()
  local link = mutual()
  raises("link:close: the link has had no handshake yet", function() link:close {} end)
  link:handshake()
  equal(link:close { by = "client" }, true)
  raises("link:close: the link is closed", function() link:close { by = "client" } end)
  equal(link:close {}, true)
  equal(link.server.alert_sent.name, "close_notify")
  raises("link:close: the link is closed", function() link:close {} end)
end)

test("unknown_name = \"reject\" needs no sites", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local link = mutual(version, { server = { unknown_name = "reject" } })
    equal(link:handshake(), false)
    equal(link.server.error.problem, "unknown_server_name")
    equal(link.client.alert_received.name, "unrecognized_name")
  end
end)

test("a server's certificate that may not sign is told as what it is", function()
  local mute = ca:issue { dns = "server.example", key_usage = "keyAgreement" }
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local link = mutual(version, { server = { identity = mute } })
    equal(link:handshake(), false)
    equal(link.server.error.problem, "key_usage_violation")
  end
  local link = mutual("TLS1.3", { server = { identity = server:with { chain = {
    ca:issue { cn = "rsa", key = "rsa-2048" }.certificate } } } })
  equal(link:handshake(), false)
  equal(link.server.error.problem, "identity_unusable")
end)

test("as many tickets as there are numbers for", function()
  local link = mutual("TLS1.3", { server = { tickets = 255 } })
  equal(link:handshake(), true)
  equal(link.client.tickets_received, 255)
end)

test("the suite of the ServerHello is known though the handshake failed after it", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local link = mutual(version, { client = { trust = pki.authority { cn = "Other" } } })
    equal(link:handshake(), false)
    equal(link.client.cipher_suite ~= nil, true)
    equal(link.client.cipher_suite, link.server.cipher_suite)
  end
end)

test("a link that failed has no session to offer", function()
  local link = mutual "TLS1.2"
  link:handshake()
  equal(link:renegotiate { by = "server", client = { identity = tls.default } }, false)
  raises("there is no session to offer: one that failed is not resumed", function()
    local _ = link:resume {}
  end)
end)

unit.done()
