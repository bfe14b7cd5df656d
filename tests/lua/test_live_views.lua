-- SPDX-License-Identifier: MIT
-- What else is shown and expected of connections: the end that is here in full, and of the far one
-- what the wire shows, never more.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local live = dofile(here .. "live_pairs.lua")
local ms = require "moonshake"
local json = require "dkjson"
local events = require "moonshake.events"
local narrative = require "moonshake.views.narrative"
local picture = require "moonshake.views.picture"
local plain = require "moonshake.plain"
local record = require "moonshake.views.record"
local state_text = require "moonshake.views.state_text"
local usage = require "moonshake.views.usage"
local pki, tls, expect = ms.pki, ms.tls, ms.expect
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local CANNOT = "this stack cannot tell"

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, text)
end

-- All the kinds of connections that tests of views should hold for.
local function all()
  local list = {}
  for _, version in ipairs(live.VERSIONS) do
    table.move({ live.pair(version, { identity = live.alice }, { client_auth = "require" }) }, 1, 2,
               #list + 1, list)
    table.move({ live.pair(version, nil, { client_auth = "require" }) }, 1, 2, #list + 1, list)
    table.move({ live.pair(version, { trust = pki.authority { cn = "Other Root" } }) }, 1, 2,
               #list + 1, list)
  end
  list[#list + 1] = live.client_of(live.answers "\21\3\3\0\2\2\40")
  list[#list + 1] = live.client_of(live.says "SSH-2.0-OpenSSH_9.2\r\n")
  list[#list + 1] = live.client_of(live.answers(live.UNREADABLE))
  list[#list + 1] = live.server_of(function() end)
  list[#list + 1] = live.client_of_nobody()
  list[#list + 1] = tls.connect { port = 1, client = {} }
  return list
end

local everything = all()

---------------------------------------------------------------------------------------------------
-- State

test("that an end is not ours is said once, and what the wire shows stands there", function()
  for _, version in ipairs(live.VERSIONS) do
    local client, server = live.pair(version, { identity = live.alice },
                                     { client_auth = "require" })
    local text = client:state()
    contains(text, ("|    closed, %s                |    not ours: what the wire shows"):format(
      version))
    contains(text, "sent      |    the same                      |    B CN=server.example")
    lacks(text, "cannot be told")
    text = server:state()
    contains(text, "|    not ours: what the wire shows |    closed, " .. version)
    contains(text, "sent      |    A CN=alice")
    lacks(text, "cannot be told")
    contains(client:state { width = 50 }, "not ours: what the wire shows")
  end
end)

test("every connection has a state, a story and a picture", function()
  for _, one in ipairs(everything) do
    local told = narrative.of({ one }, {}, {}, { width = 80, ends = true }).links[1]
    lacks(table.concat(told.state, "\n") .. table.concat(told.explanation, "\n"),
          "could not be told")
    equal(told.model.far.address, one.remote)
    contains(table.concat(state_text.text(one), "\n"), "not ours")
    local made = picture.of({ one }, {}, {})
    equal(#made.problems, 0, made.problems[1])
    equal(type(json.encode(made)), "string")
  end
end)

---------------------------------------------------------------------------------------------------
-- Expectations

local function refused()
  return live.pair("TLS1.3", nil, { client_auth = "require" })
end

test("failed and succeeded judge the end that is here", function()
  local client, server = refused()
  expect(client):failed()
  expect(client):failed "certificate_required"
  expect(client).no:succeeded()
  expect(client).no:failed "no_certificate"
  expect(server):failed "no_certificate"
  raises("no_certificate", function() expect(client):failed "no_certificate" end)
  local listener <close> = tls.listen { server = { identity = live.server } }
  local fine = tls.connect { port = listener.port, client = { trust = live.root,
                                                              server_name = "server.example" } }
  ms.together(function() fine:handshake() end, function() listener:accept():handshake() end)
  expect(fine):succeeded()
  expect(fine).no:failed()
end)

test("nothing is expected of a far end beyond the wire, negated or not", function()
  local client, server = refused()
  local far, near = client.server, server.server
  for _, f in ipairs {
    function(value) value:failed() end,
    function(value) value:succeeded() end,
    function(value) value:verified() end,
    function(value) value:unverified() end,
    function(value) value:has { phase = "failed" } end,
    function(value) value:has { error = tls.none } end,
    function(value) value:has { ["error.problem"] = "no_certificate" } end,
    function(value) value:equals(near) end,
    function(value) value:equals(far) end,
  } do
    for _, value in ipairs { far, far:snapshot(), far.history[1] } do
      contains(raises(CANNOT, function() f(expect(value)) end).message, CANNOT)
      raises(CANNOT, function() f(expect(value).no) end)
    end
  end
  for _, name in ipairs { "error", "phase", "verification", "local_certificate" } do
    raises(CANNOT, function() expect(far[name]):is_nil() end)
    raises(CANNOT, function() expect(far[name]).no:is_nil() end)
    raises(CANNOT, function() expect(near[name]).no:equals(far[name]) end)
  end
  raises("what became of the server, which is not ours", function() expect(far):failed() end)
end)

test("what the wire shows of a far end can be expected", function()
  local client, server = refused()
  expect(client):has { role = "client", ["server.version"] = "TLS1.3", failed_first = "client" }
  expect(client.server.alert_sent.name):equals "certificate_required"
  expect(client.server):has { certificate_requested = true, wire = { sent_certificates = {
    live.server.certificate } } }
  expect(server.client):has { certificate_requested = true, wire = { sent_certificates = {} } }
  raises(CANNOT, function() expect(client):has { server = { phase = "failed" } } end)
end)

test("whether both ends are truthful is not known, unless the one that is here is not", function()
  local client, server = live.pair("TLS1.2", { identity = live.alice }, { client_auth = "require" })
  for _, one in ipairs { client, server } do
    for _, name in ipairs { "truthful", "mirrored" } do
      raises("what this stack cannot tell", function() expect(one)[name](expect(one)) end)
      raises("what this stack cannot tell", function()
        local negated = expect(one).no
        negated[name](negated)
      end)
    end
  end
end)

test("a failure shows the last events of the end that is here", function()
  local client = refused()
  local message = tostring(raises("succeeded", function() expect(client):succeeded() end))
  contains(message, "client received alert fatal certificate_required (116)")
  contains(message, "found:  connection (client failed, with " .. client.remote .. ")")
  for _, line in ipairs(events.last(client.events, 4)) do
    contains(line, " client ")
  end
end)

---------------------------------------------------------------------------------------------------
-- For other programs

test("ends travel as JSON, what is not known as such", function()
  for _, one in ipairs(everything) do
    local far = one.role == "client" and "server" or "client"
    local ends = assert(json.decode(json.encode(plain.ends(one))))
    equal(ends[far][1].phase.unknown, true)
    equal(type(ends[one.role][1].phase), "string")
  end
end)

test("projections of far ends tell what the wire shows", function()
  for _, one in ipairs(everything) do
    for _, name in ipairs { "go", "python", "envoy", "channelz" } do
      for _, role in ipairs { "client", "server" } do
        equal(type(json.decode(one[role]:as_json(name))), "table")
      end
    end
  end
  local client = live.pair("TLS1.2")
  local go = client.server:as "go"
  equal(go.Version, 0x0303)
  equal(go.HandshakeComplete, true)
  equal(go.PeerCertificates, tls.unknown)
end)

test("a record is the same in each run, whatever the ports", function()
  local one, other = live.client_of_nobody(), live.client_of_nobody()
  equal(one.remote == other.remote, false)
  equal(record.of({ one }, 0), record.of({ other }, 0))
  for _, version in ipairs(live.VERSIONS) do
    local a, b = live.pair(version, { identity = live.alice }, { client_auth = "require" })
    local c, d = live.pair(version, { identity = live.alice }, { client_auth = "require" })
    equal(record.of({ a, b }, 0), record.of({ c, d }, 0))
    lacks(record.of({ a, b }, 0), "127.0.0.1")
    lacks(record.of({ a, b }, 0), "unknown")
  end
end)

test("a far end's certificate counts as presented, and once where both ends are ours", function()
  local function times(...)
    local list = {}
    for _, one in ipairs(usage.of({ ... }, 0).presented) do
      list[#list + 1] = ("%s %s %d"):format(one.role, one.subject, one.times)
    end
    table.sort(list)
    return table.concat(list, ", ")
  end
  for _, version in ipairs(live.VERSIONS) do
    local client, server = live.pair(version, { identity = live.alice },
                                     { client_auth = "require" })
    local wanted = "client CN=alice 1, server CN=server.example 1"
    equal(times(client), wanted)
    equal(times(server), wanted)
    equal(times(client, server), wanted)
    equal(times(client, server, (live.pair(version))),
          "client CN=alice 1, server CN=server.example 2")
  end
end)

unit.done()
