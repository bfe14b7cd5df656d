-- SPDX-License-Identifier: MIT
-- The probe's attempts one by one: what each way to answer, or not to, is taken for; and what
-- several of them show together: sessions, versions that ask differently, the deepest chain.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "probed.lua")
local attempt = require "moonshake.probe.attempt"
local depth = require "moonshake.probe.depth"
local ms = require "moonshake"
local test, equal, contains = unit.test, unit.equal, unit.contains
local answers, asking, probed = world.answers, world.asking, world.probed
local root, alice, OK = world.root, world.alice, world.OK

local NO = "HTTP/1.1 400 Bad Request\r\nContent-Length: 35\r\n\r\n"
  .. "No required SSL certificate was sent"

---------------------------------------------------------------------------------------------------
-- One attempt

-- What is said by an attempt, in words: "outcome by stage closed".
local function tried(talk, behave, options)
  options = options or {}
  options.identity = world.server
  local listener = ms.tls.listen { server = options }
  local made = world.beside(listener, behave, function(port)
    return attempt.run({
      place = { host = "127.0.0.1", port = port }, timeout = 5,
      request = "GET / HTTP/1.1\r\n\r\n", progress = function() end,
      client = { trust = root, server_name = "server.example" },
    }, { label = "one", talk = talk })
  end)
  local told = { made.outcome, tostring(made.by), tostring(made.stage), tostring(made.closed) }
  return table.concat(told, " ") .. (made.silent and " silent" or ""), made
end

-- A server that shakes hands, reads a request if there is to be one, and does this.
local function then_does(f, reads)
  return function(one)
    if one:handshake { timeout = 5 } and (not reads or one:receive { timeout = 5 }) then
      f(one)
    end
  end
end

test("what becomes of a request tells whether we are let in", function()
  local held = {}
  local function ends(how)
    return then_does(function(one) one:close { how = how } end, true)
  end
  equal(tried("ask", then_does(function(one) held[1] = one end, true)),
        "accepted nil nil nil silent")
  equal(#held, 1)
  equal(tried("ask", answers(OK)), "accepted nil nil nil")
  equal(tried("ask", answers(NO)), "refused server application nil")
  equal(tried("ask", ends "orderly"), "unclear nil after closed")
  equal(tried("ask", ends "fin"), "unclear nil after closed_early")
  equal(tried("ask", ends "reset"), "unclear nil after connection_reset")
end)

test("where nothing is said, who closes refuses us, and who waits or speaks lets us in", function()
  local held = {}
  local function ends(how)
    return then_does(function(one) one:close { how = how } end)
  end
  equal(tried("silent", then_does(function(one) held[1] = one end)), "accepted nil nil nil silent")
  equal(#held, 1)
  local word, made = tried("silent", then_does(function(one) one:send { data = "220 hi\r\n" } end))
  equal(word, "accepted nil nil nil")
  equal(made.answer.line, "220 hi")
  equal(tried("silent", ends "orderly"), "refused server after closed")
  equal(tried("silent", ends "fin"), "refused server after closed_early")
  equal(tried("silent", ends "reset"), "refused server after connection_reset")
end)

test("an alert that comes late refuses us, whatever is said", function()
  for _, talk in ipairs { "ask", "silent" } do
    local word, made = tried(talk, then_does(function() end), asking("require"))
    equal(word:match "^refused server after", "refused server after", word)
    equal(made.alert.name, "certificate_required")
  end
  equal(tried("no", then_does(function() end), asking("require")), "accepted nil nil nil")
end)

---------------------------------------------------------------------------------------------------
-- Sessions

test("a session that began without a certificate is seen to get past the request", function()
  local function past(behave, options)
    local found = probed(asking("request", options), { behave = behave })
    return found.resumption.anonymous.outcome, found
  end
  local outcome, found = past(then_does(function(one)
    one:send { data = one.server.resumed and OK or NO }
    one:close()
  end, true))
  equal(outcome, "gets_past")
  contains(table.concat(found.remarks), "gets past the request")
  equal(past(answers(NO)), "refused")
  equal(past(answers(OK)), "not_asked")
  equal(past(answers(OK), { tickets = 0, versions = "TLS1.3" }), "no_session")
end)

test("a session that the server has forgotten is not resumed", function()
  local found = world.probed_socket(function(socket)
    answers(OK)(world.server_on(socket, asking("request")))
  end)
  equal(found.verdict, "accepted", found.summary)
  equal(found.resumption.anonymous.outcome, "not_resumed")
  equal(found.resumption.versions["TLS1.3"], false)
  equal(found.resumption.versions["TLS1.2"], false)
end)

test("who is asked after the handshake is asked again in a resumed session", function()
  local found = probed({ trust = root, versions = "TLS1.3" }, { behave = then_does(function(one)
    if one:reauthenticate { server = { client_auth = "request" }, timeout = 5 } then
      one:send { data = OK }
    end
    one:close()
  end, true) })
  equal(found.request.when, "post_handshake")
  equal(found.resumption.versions["TLS1.3"], true)
  equal(found.resumption.anonymous.outcome, "asked_again")
end)

test("our session is resumed with our certificate, and whether it is asked for is seen", function()
  local found = probed(asking("require", { versions = "TLS1.2" }), { identity = alice })
  equal(found.resumption.ours.resumed, true)
  equal(found.resumption.ours.accepted, true)
  equal(found.resumption.versions["TLS1.2"], true)
  found = probed(asking("require", { tickets = 0 }), { identity = alice })
  equal(found.resumption.ours, nil)
  equal(next(found.resumption.versions), nil)
end)

---------------------------------------------------------------------------------------------------
-- Versions that ask differently

test("a version that has to be named is kept to, with our certificate, too", function()
  local found = probed(asking("require", { versions = "TLS1.0" }), { identity = alice })
  equal(found.verdict, "accepted", found.summary)
  equal(found.ours.sent, true)
  equal(found.ours.attempt.connection.client.version, "TLS1.0")
  equal(found.request.version, "TLS1.0")
  equal(found.request.requirement, "required")
end)

test("what an old version asks for is told of it", function()
  local found = probed(asking("request", { versions = { "TLS1.0", "TLS1.2" } }))
  equal(found.request.by_version["TLS1.0"].requirement, "optional")
  equal(found.request.by_version["TLS1.2"].requirement, "optional")
  equal(found.request.by_version["TLS1.3"], nil)
end)

-- Asks in TLS 1.2 alone, by a renegotiation after the request.
local function asks_in_the_old(one)
  if one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
    local fine = one.server.version == "TLS1.3" or one.server.resumed
      or one:renegotiate { server = { client_auth = "require" }, timeout = 5 }
    if fine then
      one:send { data = OK }
    end
  end
  one:close()
end

test("a certificate that is asked for in TLS 1.2 alone is sent there", function()
  local found = probed({ trust = root }, { behave = asks_in_the_old, identity = alice })
  equal(found.verdict, "accepted", found.summary)
  equal(found.ours.sent, true)
  equal(found.ours.attempt.connection.client.version, "TLS1.2")
  contains(found.summary, "with our certificate CN=alice, which it requires")
  equal(found.resumption.ours, nil) -- we had to do without a ticket
end)

test("where TLS 1.3 lets in whom TLS 1.2 refuses, both are told", function()
  local found = probed({ trust = root }, { behave = asks_in_the_old })
  equal(found.verdict, "accepted", found.summary)
  equal(found.request.by_version["TLS1.2"].requirement, "required")
  contains(found.summary, "accepted in TLS1.3 without a client certificate, which it requires in "
           .. "TLS1.2")
  local past = found.resumption.anonymous
  equal(past.version, "TLS1.2")
  equal(past.outcome, "gets_past")
end)

---------------------------------------------------------------------------------------------------
-- Chains

test("a server that takes all has a deepest chain of at least a hundred", function()
  local found = probed(asking("require", { versions = "TLS1.3", max_depth = 200 }),
                       { depth = true, authority = root })
  equal(found.depth.deepest, 100)
  equal(found.depth.more, true)
end)

test("strangers have a key that can sign as the server wants, in old versions, too", function()
  local found = probed(asking("require", { versions = "TLS1.0" }), { depth = true })
  for _, one in ipairs(found.depth.tried) do
    equal(one.sent, true)
    contains(one.face, "alert ")
  end
  local chain, key = ms.pki.chain, nil
  function ms.pki.chain(options)
    key = options.key
    error "enough was seen"
  end
  for _, row in ipairs {
    { "ecdsa-p256" }, { "rsa-2048", "rsa_pss_rsae_sha256", "ed25519" },
    { "ecdsa-p256", "rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256" },
  } do
    pcall(depth.try, {}, { signature_schemes = { table.unpack(row, 2) } })
    equal(key, row[1])
  end
  ms.pki.chain = chain
end)

unit.done()
