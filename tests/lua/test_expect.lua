-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local expect_module = require "moonshake.expect"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local pki, tls, expect, check = ms.pki, ms.tls, ms.expect, ms.check
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

-- The failure that f() raises.
local function fails(f)
  local done, failure = pcall(f)
  if done then
    error("nothing was raised", 2)
  elseif not expect_module.is_failure(failure) then
    error(failure, 0)
  end
  return failure
end

-- Holds, and its negation fails.
local function holds(value, matcher, ...)
  local arguments = table.pack(...)
  expect(value)[matcher](expect(value), ...)
  return fails(function()
    local negated = expect(value).no
    negated[matcher](negated, table.unpack(arguments, 1, arguments.n))
  end)
end

-- Fails, and its negation holds. Returns the failure.
local function refuses(value, matcher, ...)
  local arguments = table.pack(...)
  local negated = expect(value).no
  negated[matcher](negated, ...)
  return fails(function()
    local expectation = expect(value)
    expectation[matcher](expectation, table.unpack(arguments, 1, arguments.n))
  end)
end

-- Fails, and so does its negation.
local function undecided(value, matcher, ...)
  local arguments = table.pack(...)
  for _, expectation in ipairs { expect(value), expect(value).no } do
    fails(function()
      expectation[matcher](expectation, table.unpack(arguments, 1, arguments.n))
    end)
  end
end

local ca = pki.authority { cn = "Root" }
local server = ca:issue { dns = "server.example" }
local alice = ca:issue { cn = "alice" }

local function link_of(version, given)
  local link = tls.link {
    server = { identity = server, trust = ca, client_auth = "require" },
    client = given or { identity = alice, trust = ca, server_name = "server.example" },
    versions = version,
  }
  link:handshake()
  return link
end

local good, bad = link_of "TLS1.3", link_of("TLS1.3", { trust = ca, verify_name = false })

test("equals compares deeply", function()
  holds(1, "equals", 1)
  holds({ a = { 1, { b = "x" } } }, "equals", { a = { 1, { b = "x" } } })
  refuses("a", "equals", "b")
  refuses(nil, "equals", false)
  holds(nil, "equals", nil)
  holds(alice.chain, "equals", { alice.certificate })
  refuses(alice.chain, "equals", { server.certificate })
  holds(good.client:snapshot(), "equals", good.client)
end)

test("tls.none stands for nil to compare with", function()
  holds(nil, "equals", tls.none)
  refuses(false, "equals", tls.none)
  holds(nil, "one_of", { tls.none, "h2" })
  holds("h2", "one_of", { tls.none, "h2" })
  fails(function() expect(nil).no:equals(tls.none) end)
end)

test("nil, true and false are exactly that", function()
  holds(nil, "is_nil")
  refuses(false, "is_nil")
  holds(true, "is_true")
  refuses(1, "is_true")
  holds(false, "is_false")
  refuses(nil, "is_false")
end)

test("no takes itself back", function()
  expect(1).no.no:equals(1)
  fails(function() expect(1).no.no:equals(2) end)
end)

test("contains finds items and substrings", function()
  holds({ "a", "b" }, "contains", "b")
  refuses({ "a", "b" }, "contains", "c")
  holds("a.c", "contains", ".")
  refuses("abc", "contains", ".")
  holds(good.server.peer_certificates, "contains", alice)
  refuses(good.server.peer_certificates, "contains", server)
  undecided(nil, "contains", "x")
  undecided(12, "contains", "x")
  raises("expect: contains: nil is contained in nothing", function() expect({}):contains(nil) end)
end)

test("matches takes Lua patterns", function()
  holds("TLS1.3", "matches", "^TLS1%.[23]$")
  refuses("TLS1.3", "matches", "^SSL")
  undecided(nil, "matches", "x")
  raises("no Lua pattern", function() expect("x"):matches "(" end)
end)

test("one_of, has_length, at_least and at_most", function()
  holds(2, "one_of", { 1, 2 })
  refuses(3, "one_of", { 1, 2 })
  holds({ 1, 2 }, "has_length", 2)
  refuses("abc", "has_length", 2)
  undecided(nil, "has_length", 0)
  undecided({ a = 1 }, "has_length", 0)
  raises("expect: one_of: wants a list, got a table", function() expect(1):one_of { a = 1 } end)
  holds(3, "at_least", 3)
  refuses(2, "at_least", 3)
  holds(3, "at_most", 3)
  refuses(4, "at_most", 3)
  undecided("3", "at_least", 3)
end)

test("has compares what is named, nested or dotted", function()
  holds({ a = 1, b = { c = 2, d = 3 } }, "has", { b = { c = 2 } })
  holds({ a = 1, b = { c = 2, d = 3 } }, "has", { ["b.c"] = 2, a = 1 })
  refuses({ a = 1 }, "has", { a = 2 })
  refuses({ a = 1 }, "has", { b = { c = 2 } })
  holds({ a = 1 }, "has", { b = tls.none })
  holds({}, "has", { b = tls.none })
  holds({ a = {} }, "has", { ["a.b"] = tls.none })
  refuses({}, "has", { b = 1 })
  refuses({ b = 1 }, "has", { b = tls.none })
end)

test("has looks into ends, links and certificates", function()
  holds(good.server, "has", { version = "TLS1.3", peer_certificate = { subject = "CN=alice" },
                              error = tls.none })
  holds(good.server, "has", { ["peer_certificates.1.subject"] = "CN=alice",
                              peer_certificate = alice })
  holds(good, "has", { ["client.phase"] = "established", failed_first = tls.none })
  holds(bad.server, "has", { error = { problem = "no_certificate" } })
  refuses(good.server, "has", { error = { problem = "no_certificate" } })
  holds(alice.certificate, "has", { subject = "CN=alice", path_length = tls.none })
end)

test("has compares lists whole", function()
  holds({ a = { 1, 2 } }, "has", { a = { 1, 2 } })
  refuses({ a = { 1, 2 } }, "has", { a = { 1 } })
  holds(bad.client, "has", { ["wire.sent_certificates"] = {} })
  refuses(good.client, "has", { wire = { sent_certificates = {} } })
  holds(good.client, "has", { local_certificates = alice.chain })
end)

test("has raises on a path that cannot exist, even below nil", function()
  raises('link.server: unknown field "verison" (did you mean "version"?)', function()
    expect(good.server):has { verison = "TLS1.3" }
  end)
  raises('end.error: unknown field "porblem" (did you mean "problem"?)', function()
    expect(good.server):has { error = { porblem = "x" } }
  end)
  raises('certificate: unknown field "subjct"', function()
    expect(tls.link({}).server):has { ["peer_certificate.subjct"] = "x" }
  end)
  raises('peer_certificates is a list: its items are numbered from 1, "first" is none', function()
    expect(good.server):has { ["peer_certificates.first"] = alice }
  end)
  raises("expect: has: version is a string, which has no field", function()
    expect(good.server):has { ["version.minor"] = 3 }
  end)
  raises("is not part of this version", function()
    expect(good.client):has { early_data = true }
  end)
  raises("an empty table says nothing", function() expect(good.client):has {} end)
  raises("wants fields by name", function() expect(good.client):has { "phase" } end)
  for _, key in ipairs { "error..code", "", ".error", "error." } do
    raises("names no field", function() expect(good.client):has { [key] = 1 } end)
  end
end)

test("is compares DER", function()
  holds(good.server.peer_certificate, "is", alice)
  holds(alice, "is", alice.certificate)
  refuses(good.server.peer_certificate, "is", server)
  refuses(nil, "is", alice)
  raises("expect: is: wants a certificate or an identity, got nil", function()
    expect(alice):is(nil)
  end)
end)

test("succeeded and failed tell what became of ends and links", function()
  holds(good.client, "succeeded")
  holds(good, "succeeded")
  refuses(bad.client, "succeeded")
  refuses(bad, "succeeded")
  refuses(good, "failed")
  holds(bad.server, "failed")
  holds(bad.server, "failed", "no_certificate")
  holds(bad.server, "failed", "GNUTLS_E_CERTIFICATE_REQUIRED")
  holds(bad.server, "failed", "certificate_required")
  holds(bad.client, "failed", "certificate_required")
  holds(bad.client, "failed", "peer_alert")
  refuses(bad.client, "failed", "no_certificate")
  holds(bad, "failed", "no_certificate")
  refuses(tls.link {}, "succeeded")
end)

test("closed is not established, and a warning is no failure", function()
  local link = link_of "TLS1.2"
  link:close()
  refuses(link, "succeeded")
  link = tls.link { client = { trust = ca, server_name = "server.example" },
                    server = { identity = server, renegotiation = "refuse" }, versions = "TLS1.2" }
  link:handshake()
  link:renegotiate { by = "client" }
  equal(link.client.alert_received.name, "no_renegotiation")
  holds(link.client, "failed", "renegotiation_refused")
  refuses(link.client, "failed", "no_renegotiation")
end)

-- A snapshot of an end with other values for some fields.
local function snapshot_with(values)
  local one = good.client:snapshot()
  local changed = { handshake_completed = true, phase = "established", role = "client" }
  for name, value in pairs(values) do
    changed[name] = value
  end
  return strict.record(strict.schema_of(one), changed)
end

test("an end has succeeded by all that it says", function()
  holds(snapshot_with {}, "succeeded")
  refuses(snapshot_with { handshake_completed = false }, "succeeded")
  refuses(snapshot_with { phase = "handshaking" }, "succeeded")
  refuses(snapshot_with { error = { problem = "timeout" } }, "succeeded")
  undecided(snapshot_with { handshake_completed = tls.unknown }, "succeeded")
  undecided(snapshot_with { error = tls.unknown }, "succeeded")
  refuses(snapshot_with { error = tls.unknown, phase = "failed" }, "succeeded")
  undecided(snapshot_with { error = tls.unknown }, "failed")
  undecided(snapshot_with { verification = tls.unknown }, "verified")
  undecided(snapshot_with { verification = tls.unknown }, "unverified")
end)

test("failed knows its words", function()
  raises('expect: failed: "no_certificte" is neither a problem, a GnuTLS code nor an alert (did '
         .. 'you mean "no_certificate"?)', function() expect(bad.server):failed "no_certificte" end)
  raises('(did you mean "GNUTLS_E_CERTIFICATE_REQUIRED"?)', function()
    expect(bad.server).no:failed "GNUTLS_E_CERTIFICATE_REQIURED"
  end)
  raises("expect: failed: wants an end or a link, got nil", function() expect(nil):failed() end)
end)

test("verified and unverified tell what an end found", function()
  holds(good.server, "verified")
  refuses(good.server, "unverified")
  refuses(bad.server, "verified")
  refuses(bad.server, "unverified")
  local wrong = link_of("TLS1.3", { identity = alice, trust = ca, server_name = "other.example" })
  holds(wrong.client, "unverified")
  holds(wrong.client, "unverified", "unexpected_owner")
  refuses(wrong.client, "unverified", "expired")
  raises('unknown word "expird" (did you mean "expired"?)', function()
    expect(wrong.client):unverified "expird"
  end)
  raises("expect: verified: wants an end of a link, got", function() expect(good):verified() end)
end)

test("mirrored and truthful compare reports and wire", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local link = link_of(version)
    holds(link, "mirrored")
    holds(link, "truthful")
    local again = link:resume()
    again:handshake()
    expect(again.client.resumed):is_true()
    contains(refuses(again, "mirrored").message, "the client reports as its own: no certificate")
    local failure = refuses(again, "truthful")
    contains(failure.notes[1], "on the wire it had sent: { CN=alice (")
    equal(#failure.notes, 2)
  end
  holds(bad, "truthful")
  holds(bad, "mirrored")
end)

test("truthful looks back to the last epoch with a Certificate message", function()
  local link = link_of "TLS1.2"
  link:renegotiate { by = "server", server = { client_auth = "none" } }
  expect(link.server.wire.received_certificates):is_nil()
  holds(link, "truthful")
end)

test("truthful looks to the resumed session only where one was resumed", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local refused = link_of(version):resume { server = { clock_offset = 10 * 365 * 86400,
                                                         client_auth = "none" } }
    refused:handshake()
    equal(refused.client.resumed, false)
    holds(refused, "truthful")
    holds(refused, "mirrored")
  end
end)

test("truthful takes an empty Certificate of this link for what was sent last", function()
  local resumed = link_of("TLS1.3"):resume()
  resumed:handshake()
  resumed:reauthenticate { client = { identity = tls.default },
                           server = { client_auth = "request" } }
  equal(#resumed.client.wire.sent_certificates, 0)
  local failure = refuses(resumed, "truthful")
  equal(#failure.notes, 2)
  contains(failure.notes[1], "the server reports as its own: no certificate; on the wire it had")
  contains(failure.notes[2], "the server reports as its peer's: { CN=alice (")
  contains(failure.notes[2], "on the wire it had received: no certificate")
end)

test("mirrored looks from both sides", function()
  local link = tls.link { client = { trust = ca, server_name = "server.example" },
                          server = { identity = server } }
  link:handshake()
  local resumed = link:resume()
  resumed:handshake()
  local failure = refuses(resumed, "mirrored")
  equal(#failure.notes, 1)
  contains(failure.notes[1], "the server reports as its own: no certificate; the client reports")
end)

test("ends that cannot tell are neither truthful nor untruthful", function()
  local reported = require "moonshake.reported"
  for name, matcher in pairs { mismatches = "mirrored", untruths = "truthful" } do
    local before = reported[name]
    reported[name] = function() return { unknown = true, "who knows" } end
    local done, message = pcall(undecided, good, matcher)
    reported[name] = before
    assert(done, message)
  end
end)

test("raises runs the function", function()
  holds(function() error "some reason" end, "raises")
  holds(function() error "some reason" end, "raises", "reason$")
  refuses(function() error "some reason" end, "raises", "other")
  refuses(function() end, "raises")
  undecided(nil, "raises")
  holds(function() error { kind = "mine" } end, "raises")
end)

test("a failed expectation inside raises goes on to where it belongs", function()
  local failure = fails(function()
    expect(function() expect(1):equals(2) end):raises()
  end)
  contains(failure.message, "equals")
end)

test("what a stack cannot tell never passes, negated or not", function()
  undecided(tls.unknown, "is_nil")
  undecided(tls.unknown, "equals", tls.unknown)
  undecided(tls.unknown, "is_true")
  undecided({ a = tls.unknown }, "equals", { a = 1 })
  undecided({ a = tls.unknown }, "has", { a = 1 })
  undecided({ tls.unknown }, "contains", "x")
  undecided(tls.unknown, "one_of", { 1 })
  undecided({ a = tls.unknown }, "one_of", { { a = 1 } })
end)

test("an unknown matcher raises with the nearest", function()
  raises('expect: unknown matcher "equal" (did you mean "equals"?)', function()
    expect(1):equal(1)
  end)
  raises("to be called with a colon: expect(v):equals(...)", function() expect(1).equals(1) end)
  raises("expect: is_nil: takes no argument", function() expect(nil):is_nil(nil) end)
  raises("expect: equals: takes one argument", function() expect(nil):equals() end)
  raises("ms.expect: a value is missing", function() expect() end)
  raises("ms.expect: the label must be a string", function() expect(1, 2) end)
  raises('expect: at_least: wants a number, got "3"', function() expect(1):at_least "3" end)
end)

test("a failure tells the line, the values and the label", function()
  local failure = fails(function()
    expect(3, "the answer"):equals(4)
  end)
  local line = unit.line() - 2
  equal(failure.kind, "expectation")
  equal(failure.message, "the answer: equals: found 3, wanted 4")
  equal(failure.found, "3")
  equal(failure.wanted, "4")
  equal(failure.line, line)
  contains(failure.file, "test_expect.lua")
  equal(failure.source, 'expect(3, "the answer"):equals(4)')
  contains(tostring(failure), ("test_expect.lua:%d: the answer: equals"):format(line))
  equal(#failure.events, 0)
end)

test("a failure tells every differing path", function()
  local failure = fails(function()
    expect({ a = 1, b = { "x", "y" } }):equals { a = 2, b = { "x" } }
  end)
  equal(failure.message, "equals: 2 paths differ")
  equal(failure.differences[1].path, "a")
  equal(failure.differences[2].path, "b[2]")
  equal(failure.differences[2].found, '"y"')
  contains(tostring(failure), 'b[2]: found "y", wanted nil')
end)

test("a negated failure says so", function()
  local failure = fails(function() expect("abc").no:contains "b" end)
  equal(failure.message, 'no:contains "b": found "abc"')
  contains(failure.wanted, "anything but")
end)

test("a failure about an end or link has the last events of both ends", function()
  for _, value in ipairs { bad.server, bad } do
    local failure = fails(function() expect(value):succeeded() end)
    equal(#failure.events, 16)
    local all = table.concat(failure.events, "\n")
    contains(all, "client received alert fatal certificate_required (116)")
    contains(all, "server received Certificate: empty")
    contains(tostring(failure), "last events:")
    equal(tostring(failure):find("0x", 1, true), nil)
  end
end)

test("in a case, every judged matcher counts and each that fails is recorded", function()
  local counted, recorded = 0, {}
  scenario.set_current {
    count_expectation = function() counted = counted + 1 end,
    record_failure = function(_, failure) recorded[#recorded + 1] = failure end,
    last_events = function() return { "the client sent ClientHello" } end,
  }
  local done, message = pcall(function()
    equal(check(1):equals(2), false)
    equal(check(1):equals(1), true)
    equal(expect(1):equals(1), true)
    fails(function() expect(1):equals(2) end)
  end)
  scenario.set_current(nil)
  assert(done, message)
  equal(counted, 4)
  equal(#recorded, 2, "the failed expect too, before it is raised")
  equal(recorded[1].message, "equals: found 1, wanted 2")
  equal(recorded[1].events[1], "the client sent ClientHello", "of the link that the case made last")
end)

test("outside of a scenario a failed check is raised", function()
  fails(function() check(1):equals(2) end)
end)

unit.done()
