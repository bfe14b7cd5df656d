-- SPDX-License-Identifier: MIT
-- What `moonshake serve` makes of a client: facts of its connection, whether it is let in, and the
-- words for it. The connections are tables: each shows what is tested, and nothing else.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local answer = require "moonshake.serve.answer"
local asking = require "moonshake.serve.asking"
local facts = require "moonshake.serve.facts"
local ms = require "moonshake"
local text = require "moonshake.serve.text"
local test, equal, contains, with = unit.test, unit.equal, unit.contains, unit.with

local root = ms.pki.authority { cn = "Example Root" }
local alice = root:issue { cn = "alice", purpose = "client" }
local HOW = { width = 200, paint = function(one) return one end }

-- A snapshot of a server that let somebody in, but for these fields.
local function snapshot(more)
  return with({ epoch = "initial", wire = {}, certificate_requested = false, resumed = false,
                phase = "established", handshake_completed = true, version = "TLS1.3",
                cipher_suite = "TLS_AES_128_GCM_SHA256" }, more)
end

-- A connection of such snapshots, the last of which is what its server is now.
local function connected(...)
  local history = { ... }
  local server = with(history[#history], { history = history })
  return { remote = "192.0.2.1:1", server = server, events = {}, findings = {} }
end

local function client_of(connection, more)
  return with({ number = 1, connection = connection, served = {}, requests = {},
                num_requests = 0 }, more)
end

---------------------------------------------------------------------------------------------------
-- The certificate

local GOOD = { verified = true, problems = {}, text = "fine" }
local BAD = { verified = false, problems = { "expired" }, text = "too old" }
local CHAIN = { alice.certificate }

-- What is told of the certificate, a line each.
local function told_of(...)
  local lines = {}
  local told = facts.certificate(connected(...), { root.certificate })
  for _, pair in ipairs(text.certificate(told)) do
    lines[#lines + 1] = (pair[1] .. " " .. pair[2]):gsub(", valid until.*$", "")
  end
  return table.concat(lines, "|")
end

test("a certificate is told with when it was asked for, and how it is judged", function()
  local SENT = "sent CN=alice, issued by CN=Example Root"
  local function asked(more)
    return snapshot(with({ certificate_requested = true }, more))
  end
  local function sent(verification)
    return asked { wire = { received_certificates = CHAIN }, verification = verification,
                   requested_issuers = { "CN=A", "CN=B" } }
  end
  equal(told_of(snapshot()), "asked for no certificate")
  equal(told_of(asked()), "asked for a certificate, in the handshake, naming nobody|"
        .. "sent nothing before it was over")
  equal(told_of(asked { wire = { received_certificates = {} } }),
        "asked for a certificate, in the handshake, naming nobody|sent no certificate")
  local NAMING = "asked for a certificate, in the handshake, naming CN=A and CN=B|"
  equal(told_of(sent(GOOD)), NAMING .. SENT .. "|verified yes: the chain is good")
  equal(told_of(sent(BAD)), NAMING .. SENT .. "|verified no: expired: too old")
  equal(told_of(sent(nil)), NAMING .. SENT .. "|verified not judged")
  for epoch, wanted in pairs { ["renegotiation 1"] = "by renegotiation",
                               ["reauthentication 1"] = "after the handshake" } do
    contains(told_of(snapshot(), asked { epoch = epoch }), "asked for a certificate, " .. wanted)
  end
  equal(told_of(sent(GOOD), snapshot { epoch = "renegotiation 1" }),
        NAMING .. SENT .. "|verified yes: the chain is good")
  equal(told_of(snapshot { resumed = true, peer_certificates = CHAIN }), "asked for no certificate|"
        .. SENT .. "| with the session that it resumed, not in this handshake|"
        .. "verified yes: the chain is good")
  equal(told_of(snapshot { resumed = true, peer_certificates = { root:issue { cn = "x", purpose
    = "server" }.certificate } }):match "verified no: [%l_]*", "verified no: purpose_mismatch")
  equal(told_of(snapshot { peer_certificates = CHAIN }), "asked for no certificate")
end)

test("only a chain that was sent and is good lets a client in", function()
  for _, row in ipairs {
    { false, {} }, { false, { sent = {} } }, { false, { sent = {}, verified = true } },
    { false, { sent = { 1 } } }, { false, { sent = { 1 }, verified = false } },
    { true, { sent = { 1 }, verified = true } }, { false, { verified = true } },
  } do
    equal(facts.is_good(row[2]), row[1])
  end
end)

---------------------------------------------------------------------------------------------------
-- What it came to

-- The outcome, as the last line of a client has it.
local function ending(server, more)
  local told = facts.of(client_of(connected(snapshot(server)), more))
  return told.outcome, table.concat(text.ending(told, HOW), "|")
end

local function failing(problem, told_by, more)
  return with({ error = { problem = problem, message = "so it is" }, told_by = told_by or "itself",
                phase = "failed" }, more)
end

test("let in, refused and failed are told apart, with who it was", function()
  local BEFORE = { handshake_completed = false }
  local ALERT = { alert_received = { level = "fatal", name = "unknown_ca", number = 48 } }
  for _, row in ipairs {
    { "accepted", "client 1: accepted; 0 requests, ended: the client", {} },
    { "failed", "client 1: failed; ", BEFORE },
    { "refused", "refused by the server: no_certificate; ", failing "no_certificate" },
    { "refused", "refused by the server: no_certificate; ",
      failing("no_certificate", "itself", BEFORE) },
    { "accepted", "accepted; ", failing "closed_early" },
    { "failed", "failed: closed_early; ", failing("closed_early", "peer", BEFORE) },
    { "failed", "failed: protocol_violation; ", failing("protocol_violation", "itself", BEFORE) },
    { "failed", "failed: message_too_large; ", failing("message_too_large", "itself", BEFORE) },
    { "failed", "failed: connection_reset; ", failing("connection_reset", "itself", BEFORE) },
    { "failed", "failed: library_error; ", failing("library_error", "itself", BEFORE) },
    { "failed", "failed: timeout; ", failing("timeout", "itself", BEFORE) },
    { "accepted", "accepted; ", failing("peer_alert", "peer", ALERT) },
    { "refused_server", "the client refused the server: unknown_ca; ",
      failing("peer_alert", "peer", with(BEFORE, ALERT)) },
  } do
    local outcome, line = ending(row[3])
    equal(outcome, row[1], row[2])
    contains(line, row[2])
  end
  local outcome, line = ending({}, { refusal = { problem = "no_certificate" } })
  equal(outcome, "refused")
  contains(line, "refused by the server: no_certificate; ")
end)

test("how a connection ended is told in words, and why it failed where nothing explains it",
     function()
  for ended, wanted in pairs {
    closed = "the client closed it", idle = "the client asked nothing more",
    closed_early = "the client ended the stream without a close_notify",
    connection_reset = "the client reset the connection",
    answered = "closed by the server after its answer", stopped = "the server was stopped",
    timeout = "timeout",
  } do
    equal(select(2, ending({}, { ended = ended, num_requests = 1 })),
          "client 1: accepted; 1 request, ended: " .. wanted)
  end
  local _, line = ending(failing("no_certificate", "itself", {
    alert_sent = { level = "fatal", name = "certificate_required", number = 116 },
  }))
  contains(line, "why      no_certificate: so it is")
  contains(line, "the server sent fatal certificate_required (116)")
end)

test("what a long line goes on with is within the width", function()
  local told = facts.of(client_of(connected(snapshot()), { ended = ("word "):rep(30) }))
  for _, line in ipairs(text.ending(told, with(HOW, { width = 40 }))) do
    equal(#line <= 40, true, line)
  end
end)

---------------------------------------------------------------------------------------------------
-- What it offered

test("what a client offers is told, of long lists the beginning", function()
  local connection = connected(snapshot())
  connection.events[1] = { kind = "message", type = "ClientHello", direction = "received", hello = {
    versions = { "TLS1.3", "TLS1.2" }, cipher_suites = { "A", "B", "TLS_FALLBACK_SCSV" },
    groups = { "g1", "g2", "g3" }, signature_schemes = {}, alpn = { "h2", "http/1.1" },
    server_name = "a.example", post_handshake_auth = true,
  } }
  connection.events[2] = { kind = "message", type = "ClientHello", direction = "received",
                           hello = {} }
  local function lines(offered, most)
    local list = {}
    for _, pair in ipairs(text.offered(offered, most)) do
      list[#list + 1] = pair[1] .. " " .. pair[2]
    end
    return table.concat(list, "|")
  end
  local offered = facts.offered(connection)
  equal(lines(offered), "offers TLS1.3, TLS1.2; 2 cipher suites; SNI a.example; ALPN h2, http/1.1; "
        .. "post-handshake authentication: yes|groups g1, g2, g3|schemes none named|"
        .. "suites A, B")
  contains(lines(offered, 1), "groups g1 and 2 more")
  contains(lines(offered, 2), "groups g1, g2, g3")
  contains(lines { cipher_suites = {} },
           "offers no version; 0 cipher suites; no SNI; ALPN none; post-handshake "
           .. "authentication: no")
  equal(lines(nil), "")
end)

test("what both agreed on is told once they have", function()
  equal(text.agreed { version = "TLS1.2" }, nil)
  equal(text.agreed { version = "TLS1.2", cipher_suite = "S" }, "TLS1.2, S")
  equal(text.agreed { version = "TLS1.2", cipher_suite = "S", group = "g", alpn = "h2",
                      resumed = true }, "TLS1.2, S, g, ALPN h2, resumed")
end)

---------------------------------------------------------------------------------------------------
-- Whether it is let in

-- A client at a server that asks below /secret; `comes`: what its connection is after it was asked.
local function asked_later(version, comes, offers)
  local connection = connected(snapshot { version = version })
  connection.events[1] = { kind = "message", type = "ClientHello", direction = "received",
                           hello = { post_handshake_auth = offers ~= false,
                                     cipher_suites = {} } }
  local ways = {}
  for _, way in ipairs { "renegotiate", "reauthenticate" } do
    connection[way] = function(self)
      ways[#ways + 1] = way
      self.server = with(snapshot(comes), { history = { snapshot(), snapshot(comes) } })
    end
  end
  local client = client_of(connection, { served = {
    policy = "require", ask_at = "/secret", trust = { root.certificate },
  } })
  return client, function(path)
    local alive, refusal, asked = asking.judge(client, path or "/secret")
    return ("%s %s %s"):format(alive, refusal and refusal.problem, asked), ways, refusal
  end
end

test("who asks for a path is asked by the way that its version has", function()
  local shown = { certificate_requested = true, wire = { received_certificates = CHAIN },
                  verification = GOOD }
  for version, way in pairs { ["TLS1.2"] = "renegotiate", ["TLS1.3"] = "reauthenticate" } do
    local client, judge = asked_later(version, shown)
    local told, ways = judge()
    equal(told, "true nil true")
    equal(table.concat(ways, " "), way)
    told, ways = judge()
    equal(told, "true nil false")
    equal(#ways, 1)
    equal(client.refusal, nil)
    local function comes_to(fields)
      return (select(2, asked_later(version, fields)))()
    end
    equal(comes_to { phase = "failed" }, "false nil true")
    equal(comes_to(failing("timeout", "itself", { phase = "established" })), "true timeout false")
    equal(comes_to {}, "true no_certificate false")
    equal(comes_to { certificate_requested = true, wire = { received_certificates = {} } },
          "true no_certificate true")
    equal(comes_to(with(shown, { verification = BAD })), "true certificate_rejected true")
  end
  local _, judge = asked_later("TLS1.3", shown, false)
  equal(judge(), "true post_handshake_auth_not_offered false")
  _, judge = asked_later("TLS1.2", shown, false)
  equal(judge(), "true nil true")
end)

test("the path and what is below it are protected, and nothing beside it", function()
  for path, is_asked in pairs {
    ["/secret"] = true, ["/secret/"] = true, ["/secret/a"] = true, ["/secrets"] = false,
    ["/"] = false, ["/a/secret"] = false,
  } do
    for _, ask_at in ipairs { "/secret", "/secret/" } do
      local client, judge = asked_later("TLS1.2", { phase = "failed" })
      client.served.ask_at = ask_at
      equal(judge(path):match "%l+$", tostring(is_asked), path)
    end
  end
end)

test("who was asked in the handshake is judged there, if anybody is", function()
  local function judged(served)
    local refusal = asking.judge_handshake(client_of(connected(snapshot {
      certificate_requested = true, wire = { received_certificates = {} },
    }), { served = served }))
    return refusal and refusal.problem
  end
  equal(judged { policy = "require" }, "no_certificate")
  equal(judged { policy = "request" }, nil)
  equal(judged { policy = "none" }, nil)
  equal(judged { policy = "require", ask_at = "/secret" }, nil)
end)

test("what is not served is answered so", function()
  local function status(method, path)
    return answer.to(client_of(connected(snapshot())), { method = method, path = path }).status
  end
  equal(status("POST", "/"), 405)
  equal(status("OPTIONS", "*"), 405)
  equal(status("GET", "a"), 400)
  equal(status("GET", "/favicon.ico"), 404)
end)

unit.done()
