-- SPDX-License-Identifier: MIT
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local raw_names = dofile(here .. "raw_names.lua")
local samples = dofile(here .. "report_samples.lua")
local json = require "dkjson"
local ms = require "moonshake"
local native = require "moonshake.native"
local report = require "moonshake.report.usage"
local usage = require "moonshake.views.usage"
local pki, tls, clock = ms.pki, ms.tls, ms.clock
local test, equal, contains = unit.test, unit.equal, unit.contains

local DAY = 86400
clock:set(1700000000)

local root = pki.authority { cn = "Root" }
local sub = root:authority { cn = "Issuing CA" }
local alice = sub:issue { cn = "alice" }
local site = root:issue { dns = "server.example" }
local other = pki.authority { cn = "Other Root" }

local function made(more)
  local given = {
    client = { identity = alice, trust = root, server_name = "server.example" },
    server = { identity = site, trust = root, client_auth = "require" },
    versions = "TLS1.2",
  }
  for name, value in pairs(more or {}) do
    if type(value) == "table" and given[name] then
      for option, setting in pairs(value) do
        given[name][option] = setting
      end
    else
      given[name] = value
    end
  end
  local link = tls.link(given)
  link:handshake()
  return link
end

-- "client CN=alice leaf 2 times, 90 days" for each certificate that was presented.
local function presented(links)
  local lines = {}
  for index, one in ipairs(usage.of(links, 0).presented) do
    lines[index] = ("%s %s%s %d times, %d days"):format(
      one.role, one.subject, one.leaf and " leaf" or "", one.times, one.left // DAY)
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

local function long(links)
  local lines = {}
  for index, chain in ipairs(usage.of(links, 0).long_chains) do
    local parts = {}
    for at, item in ipairs(chain.too_much) do
      parts[at] = item.subject .. " " .. item.why
    end
    lines[index] = ("%s %s %d: %s"):format(chain.role, chain.subject, chain.length,
                                           table.concat(parts, ", "))
  end
  return table.concat(lines, "\n")
end

---------------------------------------------------------------------------------------------------

test("each certificate that was presented is counted, by whom and in which place", function()
  local link = made()
  link:renegotiate { by = "server" }
  equal(presented { link, made() }, [[
client CN=Issuing CA 3 times, 3650 days
client CN=alice leaf 3 times, 90 days
server CN=server.example leaf 3 times, 90 days]])
end)

test("what was chosen and never sent, and an empty message, are no presentation", function()
  local never = made { client = { trust = other }, versions = "TLS1.3" }
  equal(never.client.local_certificate, alice.certificate)
  equal(presented { never }, "server CN=server.example leaf 1 times, 90 days")
  local lost = { events = { { kind = "message", role = "client", direction = "sent",
                              delivered = false, certificates = alice.chain } } }
  equal(presented { lost }, "", "made, and not flushed")
  local empty = made { client = { identity = other:issue { cn = "mallory" } } }
  equal(presented { empty }, "server CN=server.example leaf 1 times, 90 days")
end)

test("the validity that was left is that of the time of use, by the presenter's clock", function()
  local late = root:issue { dns = "server.example", not_after = "+10d" }
  local first = made { server = { identity = late, clock_offset = 2 * DAY } }
  clock:advance(3 * DAY)
  local second = made { server = { identity = late, clock_offset = 2 * DAY } }
  clock:advance(100 * DAY)
  contains(presented { first }, "server CN=server.example leaf 1 times, 8 days")
  contains(presented { first, second }, "server CN=server.example leaf 2 times, 5 days")
  contains(presented { second, first }, "server CN=server.example leaf 2 times, 5 days")
  clock:set(1700000000)
end)

test("a chain that is what its peer needs is not too long", function()
  equal(long { made() }, "")
  local lone = pki.authority { cn = "server.example", dns = "server.example",
                               key_usage = { "digitalSignature", "keyCertSign" } }
  equal(long { made { server = { identity = lone }, client = { trust = lone } } }, "",
        "a certificate of its own that stands alone")
end)

test("roots, duplicates and strangers are too much", function()
  local function with(...)
    return made { client = { identity = alice:with { chain = { ... } } } }
  end
  equal(long { with(alice, sub, root) }, "client CN=alice 3: CN=Root root")
  equal(long { with(alice, sub, sub) }, "client CN=alice 3: CN=Issuing CA twice")
  equal(long { with(alice, sub, site) },
        "client CN=alice 3: CN=server.example not on the path")
  equal(long { with(alice, other, sub, alice, root, root) },
        "client CN=alice 6: CN=Other Root root, CN=alice twice, CN=Root root, CN=Root twice")
end)

test("where nothing was verified nobody knows what is a stranger", function()
  local identity = alice:with { chain = { alice, sub, site } }
  local link = made { client = { identity = identity }, server = { verify = false } }
  equal(long { link }, "")
  link = made { client = { identity = identity, send_certificate = "always" },
                server = { trust = other } }
  equal(link.server.verification.verified, false)
  equal(long { link }, "")
end)

test("the verification that counts is that of the same handshake", function()
  local identity = alice:with { chain = { alice, sub, site } }
  local link = made { client = { identity = identity }, server = { verify = false } }
  link:renegotiate { by = "client", server = { verify = true } }
  equal(long { link }, "client CN=alice 3: CN=server.example not on the path")
  equal(usage.of({ link }, 0).long_chains[1].times, 1)
end)

test("links that are not there are told", function()
  equal(usage.of({}, 0).left_out, nil)
  equal(usage.of({}, 3).left_out, 3)
end)

---------------------------------------------------------------------------------------------------
-- The report

local function one(role, subject, more)
  local item = { role = role, leaf = true, subject = subject, issuer = "CN=Root",
                 fingerprint = subject, times = 1, left = 90 * DAY }
  for name, value in pairs(more or {}) do
    item[name] = value
  end
  return item
end

local function told(cases, is_file)
  local stream = samples.stream()
  local made_report = report.new(stream, { is_file = is_file })
  made_report:begin {}
  for index, found in ipairs(cases) do
    local case = { id = found.id or "case " .. index }
    made_report:case_begins(case, 1)
    made_report:case_ended { case = case, certificates = found.id ~= false and found or nil }
  end
  made_report:finish {}
  return stream.text()
end

local CASES = {
  { id = "b.lua::b", presented = { one("server", "CN=s", { times = 2 }),
                                   one("client", "CN=a", { left = 3 * DAY }) },
    long_chains = { { role = "server", subject = "CN=s", length = 3, times = 1, too_much = {
      { why = "root", subject = "CN=Root" }, { why = "twice", subject = "CN=s" },
    } } } },
  { id = "a.lua::a", presented = { one("server", "CN=s", { fingerprint = "2" }),
                                   one("server", "CN=s", { fingerprint = "3" }),
                                   one("client", "CN=a", { left = -DAY, leaf = false }),
                                   one("client", "CN=a", { left = 3 * DAY }) },
    long_chains = { { role = "server", subject = "CN=s", length = 3, times = 2, too_much = {
      { why = "root", subject = "CN=Root" }, { why = "twice", subject = "CN=s" },
    } } }, left_out = 7 },
  { id = false },
}

test("people are told the most frequent, what expires soon, and what is too long", function()
  equal(told(CASES), [[

certificates presented
   times  cases  certificates  by
       4      2             3  server  CN=s, issued by CN=Root
       2      2             1  client  CN=a, issued by CN=Root
       1      1             1  client  CN=a (in a chain), issued by CN=Root
validity left when they were presented: at most 30 days
  expired 24 hours before  client  CN=a, in a.lua::a
  3 days  client  CN=a, in a.lua::a
chains longer than needed
       3 times  server  CN=s, 3 certificates: CN=Root (root), CN=s (twice); as in a.lua::a
7 links are not counted: of a case the last 64 are
]])
end)

test("the order of the cases does not matter", function()
  local turned = { CASES[2], CASES[3], CASES[1] }
  equal(told(turned), told(CASES))
  equal(told(turned, true), told(CASES, true))
end)

test("nothing presented is told, too", function()
  contains(told {}, "certificates presented\n  none\n")
end)

test("a file gets JSON", function()
  local made_of = assert(json.decode(told(CASES, true)))
  equal(made_of.format, "moonshake certificates")
  equal(made_of.v, 1)
  equal(made_of.presented[1].subject, "CN=s")
  equal(made_of.presented[1].times, 4)
  equal(made_of.presented[1].certificates, 3)
  equal(made_of.expiring[1].left, -DAY)
  equal(made_of.expiring[1].id, "a.lua::a")
  equal(made_of.long_chains[1].too_much[2].why, "twice")
  equal(made_of.links_left_out, 7)
  contains(told({}, true), '"expiring":[]')
end)

test("many are cut for people, and none in the file", function()
  local list = { presented = {}, long_chains = {} }
  for index = 1, 50 do
    list.presented[index] = one("server", ("CN=%02d"):format(index), { left = DAY })
    list.long_chains[index] = { role = "server", subject = "CN=" .. index, length = 9, times = 1,
                                too_much = {} }
    for at = 1, 7 do
      list.long_chains[index].too_much[at] = { why = "root", subject = "CN=" .. at }
    end
  end
  local text = told { list }
  equal(select(2, text:gsub("%.%.%. and 30 more: %-%-certificates=FILE has all", "")), 3)
  contains(text, "CN=4 (root), 3 more; as in case 1")
  contains(text, "\n       1 time   server  CN=1, 9 certificates: ")
  equal(#json.decode(told({ list }, true)).presented, 50)
end)

test("hostile names do no harm, in the text and in the file", function()
  local hostile = "\27[31m\u{202E}\u{9B}\"\\\r\n\0\xFF"
  local evil = sub:issue {
    cn = hostile:gsub("\xFF", ""), extensions = raw_names.extension {
      { "uri", hostile }, { "dns", "server.example" },
    },
  }
  local link = made { server = { identity = evil:with { chain = { evil, sub, root, other } } } }
  local found = usage.of({ link }, 0)
  found.id = hostile
  local text = told { found }
  equal(text:find "[\0-\9\11-\31\127]", nil)
  equal(utf8.len(text) ~= nil, true)
  contains(text, "\\x1B[31m")
  local decoded = assert(json.decode(told({ found }, true)))
  equal(#decoded.long_chains[1].too_much, 2)
  local long_name = told { { presented = { one("client", ("x"):rep(5000)) }, long_chains = {} } }
  equal(#long_name < 400, true)
end)

native.clock_reset()
unit.done()
