-- SPDX-License-Identifier: MIT
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local raw_names = dofile(here .. "raw_names.lua")
local samples = dofile(here .. "report_samples.lua")
local compare = require "moonshake.report.compare"
local json = require "dkjson"
local ms = require "moonshake"
local native = require "moonshake.native"
local record = require "moonshake.report.record"
local several = require "moonshake.report.several"
local state = require "moonshake.views.record"
local pki, tls, clock = ms.pki, ms.tls, ms.clock
local test, equal, contains = unit.test, unit.equal, unit.contains

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, part)
end

local function decode(text)
  return assert(json.decode(text, 1, nil, nil, nil))
end

---------------------------------------------------------------------------------------------------
-- What is kept of links

-- A link between fresh identities, renegotiated.
local function fresh(more)
  local root = pki.authority { cn = "Root" }
  local given = {
    client = { identity = root:issue { cn = "alice" }, trust = root,
               server_name = "server.example" },
    server = { identity = root:issue { dns = "server.example" }, trust = root,
               client_auth = "require" },
    versions = "TLS1.2",
  }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  local link = tls.link(given)
  link:handshake()
  return link
end

test("two links that are told the same are recorded the same, whenever that is", function()
  local function recorded()
    local link = fresh()
    link:renegotiate { by = "client" }
    link:send { from = "client", data = "x" }
    return state.of({ link, link:resume {} }, 0)
  end
  local first = recorded()
  for _ = 1, 20 do -- signatures vary in length
    equal(recorded(), first)
  end
  clock:advance(3600)
  equal(recorded(), first)
  native.clock_reset()
end)

test("each version is recorded the same in each run", function()
  for _, version in ipairs { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" } do
    local options = { versions = version }
    equal(state.of({ fresh(options) }, 0), state.of({ fresh(options) }, 0), version)
  end
end)

test("a record has what the ends were in each epoch, and what they did", function()
  local link = fresh()
  link:renegotiate { by = "server", server = { client_auth = "none" } }
  local made = decode(state.of({ link }, 0))
  local client = made.links[1].client
  equal(client.initial.version, "TLS1.2")
  equal(client.initial.local_certificates[1], "CN=alice")
  equal(client.initial.wire.sent_certificates[1], "CN=alice")
  equal(client["renegotiation 1"].renegotiations, 1)
  equal(client["renegotiation 1"].wire.sent_certificates, nil, "no message")
  equal(client.initial.verification.problems[1], nil)
  equal(client.initial.verification.path[2], "CN=Root")
  equal(client.initial.tls_unique, "12 bytes")
  equal(client.initial.stack, nil)
  equal(made.links_left_out, nil)
  equal(made.links[1].events[1], "client sent ClientHello")
  local all = table.concat(made.links[1].events, "\n")
  contains(all, "client judged its peer: no problem, accepted\n")
  contains(all, "client chose CN=alice\n")
  contains(all, "server sent HelloRequest\n")
  equal(decode(state.of({}, 3)).links_left_out, 3)
end)

test("what failed is recorded with both ends' word for it", function()
  local other = pki.authority { cn = "Other Root" }
  local link = fresh { server = { identity = other:issue { dns = "server.example" } } }
  local made = decode(state.of({ link }, 0)).links[1]
  equal(made.failed_first, "client")
  equal(made.client.initial.error.problem, "certificate_rejected")
  equal(made.client.initial.verification.problems[1], "signer_not_found")
  equal(made.client.initial.verification.text, nil, "it names times")
  equal(made.client.initial.verification.certificate, "CN=server.example")
  local all = table.concat(made.events, "\n")
  contains(all, "client judged its peer: signer_not_found, rejected")
  contains(all, "client failed during handshake, told by itself: certificate_rejected")
  contains(all, "server received alert fatal bad_certificate")
end)

test("a message that never left is not one that was sent", function()
  local root = pki.authority { cn = "Root" }
  local link = fresh { versions = "TLS1.3", client = {
    trust = pki.authority { cn = "Other" }, identity = root:issue { cn = "alice" },
  }, server = { identity = root:issue { cn = "s" }, trust = root, client_auth = "require" } }
  local all = table.concat(decode(state.of({ link }, 0)).links[1].events, "\n")
  contains(all, "client chose CN=alice\n")
  lacks(all, "client sent Certificate")
  local one = { history = {} }
  local made = decode(state.of({ { client = one, server = one, events = {
    { role = "client", kind = "message", direction = "sent", delivered = false, type = "Finished" },
  } } }, 0))
  equal(made.links[1].events[1], "client made and never sent Finished")
end)

test("certificates of one name are told apart by the order in which they are met", function()
  local root, other = pki.authority { cn = "Root" }, pki.authority { cn = "Root" }
  local link = tls.link {
    client = { identity = other:issue { cn = "x" }, trust = root, send_certificate = "always" },
    server = { identity = root:issue { cn = "x", dns = "x" }, trust = { other, root },
               client_auth = "require" }, versions = "TLS1.2",
  }
  equal(link:handshake(), true)
  local made = decode(state.of({ link }, 0))
  local client, server = made.links[1].client.initial, made.links[1].server.initial
  equal(client.local_certificates[1], "CN=x")
  equal(client.peer_certificates[1], "CN=x (2)")
  equal(server.local_certificates[1], "CN=x (2)")
  equal(made.certificates["CN=x (2)"].dns_names[1], "x")
  equal(made.certificates["CN=x"].dns_names, nil)
  equal(made.certificates["CN=x"].serial, nil)
  equal(made.certificates["CN=x"].fingerprint, nil)
  equal(made.certificates["CN=x"].not_after, nil)
  equal(made.certificates["CN=Root (2)"] ~= nil, true)
end)

test("none, an empty list and what cannot be told are three things", function()
  local link = fresh()
  contains(state.of({ link }, 0), '"problems": []')
  equal(state.write { a = { unknown = true }, b = state.list {} },
        '{\n  "a": {\n    "unknown": true\n  },\n  "b": []\n}')
end)

test("JSON has a field a line in alphabetical order, and short lists on one", function()
  equal(state.write { b = 1, a = state.list { "x", true, 2 }, c = {} },
        '{\n  "a": ["x", true, 2],\n  "b": 1,\n  "c": {}\n}')
  local long = state.list {}
  for index = 1, 20 do
    long[index] = "item " .. index
  end
  contains(state.write(long), '[\n  "item 1",\n  "item 2",\n')
  equal(state.write(state.list { { a = 1 } }, "  "), '[\n    {\n      "a": 1\n    }\n  ]')
end)

local HOSTILE = "\27[31m\u{202E}\u{9B}\"\\,</script>\r\n\0\xFF"

test("hostile names are valid JSON", function()
  local root = pki.authority { cn = HOSTILE:gsub("\xFF", "") }
  local identity = root:issue {
    cn = HOSTILE:gsub("\xFF", "") .. "x", extensions = raw_names.extension {
      { "uri", HOSTILE }, { "dns", "server.example" }, { "dns", HOSTILE }, { "email", HOSTILE },
      { "ip", HOSTILE },
    },
  }
  local link = fresh { server = { identity = identity, trust = root, client_auth = "require" },
                       client = { identity = identity, trust = root },
                       alpn = "\27\"\xFF\r\n" }
  equal(link.client.alpn, "\27\"\xFF\r\n")
  local text = state.of({ link }, 0)
  equal(utf8.len(text) ~= nil, true)
  equal(text:find "[\0-\9\11-\31]", nil)
  equal(type(decode(text).links[1].client.initial), "table")
end)

---------------------------------------------------------------------------------------------------
-- The file

local function result(id, more)
  local made = { case = { id = id }, attempt = 1, outcome = "passed", failures = {}, notes = {},
                 seconds = 1, record = state.of({}, 0, "      ") }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local SUMMARY = { counts = {}, not_run = 0, interrupted = false, problems = {}, status = 0 }

local function summary(more)
  local made = {}
  for name, value in pairs(SUMMARY) do
    made[name] = value
  end
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

-- The text that a record of these results is; nil and why there is none.
local function recorded(results, ending)
  local stream = samples.stream()
  local report = record.new(stream)
  report:begin { version = "0.1.0", stack = "gnutls 3.7.9" }
  for _, one in ipairs(results) do
    report:case_ended(one)
  end
  local written, problem = report:finish(ending or summary())
  return written and stream.text() or written, problem
end

test("a record is the same whatever the order of the cases", function()
  local a, b = result "a.lua::a", result("a.lua::b", { outcome = "failed" })
  local text = recorded { a, b }
  equal(recorded { b, a }, text)
  equal(text:find '"a.lua::a": {' < text:find '"a.lua::b": {', true)
  contains(text, '    "a.lua::a": {\n      "outcome": "passed",\n      "state": {\n        "certif')
  equal(recorded { result("x", { record = false }) }, [[
{
  "format": "moonshake record",
  "v": 1,
  "moonshake": "0.1.0",
  "stack": "gnutls 3.7.9",
  "cases": {
    "x": {
      "outcome": "passed"
    }
  }
}
]])
end)

test("of a repeated case the first run is recorded", function()
  local again = result("a", { attempt = 2, outcome = "failed" })
  local text = recorded { result "a" }
  equal(recorded { result "a", again }, text)
  equal(recorded { again, result "a" }, text)
end)

test("half a run is not recorded", function()
  for reason, ending in pairs {
    ["the run was interrupted"] = summary { interrupted = "a" },
    ["3 cases did not run"] = summary { not_run = 3 },
    ["not every file could be loaded"] = summary { problems = { "x" } },
  } do
    local written, problem = recorded({ result "a" }, ending)
    equal(written, false)
    equal(problem, "nothing was recorded: " .. reason)
  end
  local written, problem = recorded {}
  equal(written, false)
  equal(problem, "nothing was recorded: no case ran")
end)

test("what is recorded is read", function()
  local read = record.read(recorded { result("a", { case = { id = HOSTILE } }), result "b" })
  equal(read.stack, "gnutls 3.7.9")
  equal(read.cases.b.outcome, "passed")
  equal(read.cases[HOSTILE:gsub("\xFF", "\u{FFFD}")].outcome, "passed")
end)

test("what is no record is told, with the reason", function()
  local function problem(text)
    local read, why = record.read(text)
    equal(read, nil)
    return why
  end
  local good = recorded { result "a" }
  contains(problem "", "no record of a run")
  contains(problem(good:sub(1, #good // 2)), "no record of a run: ")
  contains(problem "[]", "no record of a run")
  contains(problem "3", "no record of a run")
  contains(problem '{"v":1,"event":"run_start"}', "no record of a run")
  contains(problem(good:gsub('"v": 1', '"v": 2')),
           "a record of format 2, and only 1 is known here")
  contains(problem(good:gsub('"cases"', '"caces"')), "a record without its versions or cases")
  contains(problem(good:gsub('"outcome"', '"outcame"')), "a record in which a is no case")
  contains(problem(good .. "x"), "there is text behind it")
  contains(problem(("["):rep(100000)), "nested too deeply")
  contains(problem '{"format":"moonshake record","\xFF":1}', "not UTF-8")
end)

---------------------------------------------------------------------------------------------------
-- Comparing

-- What comparing tells of results against a record of others.
local function compared(before, now, more)
  local stream = samples.stream()
  local report = compare.new(stream, {
    compare = { path = "old.json", recorded = assert(record.read(recorded(before))) },
  })
  more = more or {}
  report:begin { would_select = more.would_select or function() return true end }
  for _, one in ipairs(now) do
    report:case_begins(one.case, 1)
    report:case_ended(one)
  end
  local ending = more.summary or summary()
  report:judge(ending)
  report:finish(ending)
  return stream.text(), ending.status
end

local function with_links(link)
  return { record = state.write({ certificates = {}, links = state.list { link } }, "      ") }
end

test("nothing changed: that is told, and the run passes", function()
  local text, status = compared({ result "a", result "b" }, { result "b", result "a" })
  equal(text, "\ncompared with old.json (moonshake 0.1.0, gnutls 3.7.9)\n"
        .. "0 changed, 0 new, 0 gone, 2 the same\n")
  equal(status, 0)
end)

test("each differing path is told with both values, and the run fails", function()
  local function link(version, problem)
    return with_links { client = { initial = { version = version, error = { problem = problem } } },
                        events = state.list {} }
  end
  local text, status = compared({ result("a", link("TLS1.2", "peer_alert")), result "b" },
                                { result("a", link("TLS1.3")), result "b" })
  equal(text, [[

compared with old.json (moonshake 0.1.0, gnutls 3.7.9)
CHANGED a
    links[1].client.initial.error.problem
      now:      nil
      recorded: "peer_alert"
    links[1].client.initial.version
      now:      "TLS1.3"
      recorded: "TLS1.2"
1 changed, 0 new, 0 gone, 1 the same
]])
  equal(status, 1)
end)

test("an outcome is compared, and a status that is worse stays", function()
  local text, status = compared({ result "a" }, { result("a", { outcome = "failed" }) },
                                { summary = summary { status = 2 } })
  contains(text, 'outcome\n      now:      "failed"\n      recorded: "passed"\n')
  equal(status, 2)
end)

test("one event more is one difference", function()
  local function link(...)
    return with_links { client = {}, events = state.list { ... } }
  end
  local text = compared({ result("a", link("one", "two", "three", "four")) },
                        { result("a", link("one", "two", "between", "three", "four")) })
  contains(text, '    links[1].events from 3 on\n      now:      { "between" }\n'
           .. '      recorded: {}\n1 changed')
  text = compared({ result("a", link("x", "x", "x")) }, { result("a", link("x", "x")) })
  contains(text, 'links[1].events from 3 on\n      now:      {}\n      recorded: { "x" }\n')
  text = compared({ result("a", link("a", "b")) }, { result("a", link("b", "a")) })
  contains(text, 'events from 1 on\n      now:      { "b", "a" }\n      recorded: { "a", "b" }\n')
end)

test("new cases and those that are gone are told, and each fails the run", function()
  local text, status = compared({ result "a", result "b" }, { result "a", result "c" })
  contains(text, "NEW     c\nGONE    b\n0 changed, 1 new, 1 gone, 1 the same\n")
  equal(status, 1)
  equal(select(2, compared({ result "a" }, { result "a", result "b" })), 1)
  equal(select(2, compared({ result "a", result "b" }, { result "a" })), 1)
end)

test("a case that was not to run is not gone", function()
  local text, status = compared({ result "a", result "b", result "c" }, { result "a" }, {
    would_select = function(id) return id == "c" end,
  })
  contains(text, "GONE    c\n0 changed, 0 new, 1 gone, 1 the same, 1 not run\n")
  equal(status, 1)
  for _, ending in ipairs { summary { interrupted = true, status = 130 },
                            summary { not_run = 1, status = 0 } } do
    text, status = compared({ result "a", result "b" }, { result "a" }, { summary = ending })
    contains(text, "0 gone")
    equal(status, ending.status)
  end
end)

test("each run of a repeated case is compared", function()
  local text = compared({ result "a" }, {
    result "a", result("a", { attempt = 2, outcome = "failed" }), result("a", { attempt = 3 }),
  })
  contains(text, "CHANGED a (repeat 2)\n")
  contains(text, "1 changed, 0 new, 0 gone, 2 the same\n")
end)

test("many differences of a case are cut, saying so", function()
  local function fields(value)
    local map = {}
    for index = 1, 30 do
      map["field" .. index] = value
    end
    return with_links { client = map, events = state.list {} }
  end
  local text = compared({ result("a", fields(1)) }, { result("a", fields(2)) })
  contains(text, "    and 18 more\n")
end)

test("a case that came to nothing has no state to compare", function()
  local text = compared({ result "a" }, { result("a", { record = false, outcome = "failed" }) })
  equal(text:match "CHANGED.*", [[
CHANGED a
    outcome
      now:      "failed"
      recorded: "passed"
    state
      now:      nil
      recorded: "there is one"
1 changed, 0 new, 0 gone, 0 the same
]])
end)

test("a long value is cut, saying so", function()
  local text = compared({ result("a", with_links { client = {}, events = state.list {} }) },
                        { result("a", with_links {
                            client = { one = { two = { ("x"):rep(80), ("y"):rep(80) } } },
                            server = { fields = { ("a"):rep(30), ("b"):rep(30), ("c"):rep(30) } },
                            events = state.list {} }) })
  lacks(text, "lines more")
  local items = state.list {}
  for index = 1, 30 do
    items[index] = "a rather long item, the number of which is " .. index
  end
  text = compared({ result("a", with_links { client = {}, events = state.list {} }) },
                  { result("a", with_links {
                    client = { items = items }, events = state.list {},
                  }) })
  contains(text, "... 20 lines more\n")
end)

test("a record that others wrote, and hostile text in it, do no harm", function()
  local text = [[{ "format": "moonshake record", "v": 1,
"moonshake": "\u001b[2J", "stack": "\u009b",
    "cases": { "a": { "outcome": "x\r\n", "state": { "links": 3 } },
               "b": { "outcome": "passed", "state": { "links": [ 1, { "events": "none" },
                      { "events": [[], {}] } ] } },
               "\u001b]0;x\u0007": { "outcome": "passed" } } }]]
  local stream = samples.stream()
  local report = compare.new(stream, { compare = {
    path = "\27[31m", recorded = assert(record.read(text)),
  } })
  report:begin { would_select = function() return true end }
  report:case_ended(result "a")
  report:case_ended(result "b")
  report:case_ended(result(HOSTILE))
  local ending = summary()
  report:judge(ending)
  report:finish(ending)
  text = stream.text()
  equal(text:find "[\0-\9\11-\31\127]", nil)
  equal(utf8.len(text) ~= nil, true)
  contains(text, "GONE    \\x1B]0;x\\x07\n")
end)

---------------------------------------------------------------------------------------------------
-- Beside other reports

test("a report that refuses leaves its file as it was, and others are written", function()
  local path, other = os.tmpname(), os.tmpname()
  local function put(text)
    local file <close> = io.open(path, "w")
    file:write(text)
  end
  local function get(name)
    local file <close> = io.open(name)
    return file:read "a"
  end
  put "as it was"
  local report = several.open({ { format = "record", path = path },
                                { format = "junit", path = other } }, { program = "moonshake" })
  local ending = samples.summary { interrupted = false }
  local written, problem = samples.tell(report, nil, nil, ending)
  equal(written, nil)
  equal(problem, path .. ": nothing was recorded: 1 cases did not run")
  equal(get(path), "as it was")
  contains(get(other), "<testsuites")
  os.remove(path)
  os.remove(other)
end)

unit.done()
