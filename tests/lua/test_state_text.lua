-- SPDX-License-Identifier: MIT
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local raw_names = dofile(here .. "raw_names.lua")
local ms = require "moonshake"
local native = require "moonshake.native"
local columns = require "moonshake.views.columns"
local state_text = require "moonshake.views.state_text"
local validity = require "moonshake.views.validity"
local pki, tls, clock = ms.pki, ms.tls, ms.clock
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local DAY = 86400
local NOW = 1700000000 -- 2023-11-14T22:13:20Z

clock:set(NOW)

local root = pki.authority { cn = "Root" }
local sub = root:authority { cn = "Issuing CA", path_length = 0 }
local alice = sub:issue { cn = "alice", uri = "spiffe://example.org/alice", purpose = "client" }
local site = root:issue { dns = "server.example", ip = "192.0.2.1" }

local function made(client, server, more)
  local given = {
    client = { trust = root, server_name = "server.example" },
    server = { identity = site, trust = root },
  }
  for role, options in pairs { client = client or {}, server = server or {} } do
    for name, value in pairs(options) do
      given[role][name] = value
    end
  end
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return tls.link(given)
end

local function text(link, width)
  return table.concat(state_text.text(link, width), "\n")
end

local function lacks(found, part)
  equal(found:find(part, 1, true), nil, part)
end

---------------------------------------------------------------------------------------------------

test("the width of a text is that of a terminal", function()
  equal(columns.width "", 0)
  equal(columns.width "plain", 5)
  equal(columns.width "caf\u{E9}", 4)
  equal(columns.width "cafe\u{301}", 4, "combining")
  equal(columns.width "\u{4E2D}\u{6587}", 4, "wide")
  equal(columns.pad("\u{4E2D}", 4), "\u{4E2D}  ")
  equal(columns.pad("long", 2), "long")
end)

test("a text is cut where it does not fit", function()
  equal(columns.cut("abcdefgh", 8), "abcdefgh")
  equal(columns.cut("abcdefghi", 8), "abcde...")
  equal(columns.cut("\u{4E2D}\u{4E2D}\u{4E2D}\u{4E2D}", 7), "\u{4E2D}\u{4E2D}...")
end)

test("a text is broken between words, and within one that is too long", function()
  equal(table.concat(columns.wrap("one two three", 7), "|"), "one two|three")
  equal(table.concat(columns.wrap("abcdefgh ij", 3), "|"), "abc|def|gh|ij")
  equal(table.concat(columns.wrap("a bcdefg", 3), "|"), "a|bcd|efg")
  equal(table.concat(columns.wrap("\u{4E2D}\u{4E2D}\u{4E2D}", 3), "|"),
        "\u{4E2D}|\u{4E2D}|\u{4E2D}")
  equal(table.concat(columns.wrap("", 5), "|"), "")
  equal(table.concat(columns.wrap("abcd", 2), "|"), "ab|cd")
end)

test("how a validity stands is told in the largest unit of which there are two", function()
  equal(validity.standing(0, 90 * DAY, 0), "expires in 90 days")
  equal(validity.standing(0, 90 * DAY, 10), "expires in 90 days")
  equal(validity.standing(0, 90 * DAY, DAY), "expires in 89 days")
  equal(validity.standing(0, 2 * DAY - 1, 0), "expires in 48 hours")
  equal(validity.standing(0, 7199, 0), "expires in 120 minutes")
  equal(validity.standing(0, 119, 0), "expires in 119 seconds")
  equal(validity.standing(0, 1, 0), "expires in 1 second")
  equal(validity.standing(0, 5, 5), "expires in 0 seconds", "the last second")
  equal(validity.standing(0, 5, 6), "expired 1 second ago")
  equal(validity.standing(0, DAY, 3 * DAY), "expired 2 days ago")
  equal(validity.standing(10, 20, 10), "expires in 10 seconds", "the first second")
  equal(validity.standing(10, 20, 9), "not valid for another 1 second")
  equal(validity.date(NOW), "2023-11-14")
  equal(validity.time(NOW), "2023-11-14T22:13:20Z")
  equal(validity.date(math.maxinteger), math.maxinteger .. " seconds from 1970")
end)

---------------------------------------------------------------------------------------------------

test("both ends stand side by side, and each certificate once", function()
  local link = made({ identity = alice }, { client_auth = "require" }, { versions = "TLS1.3" })
  equal(link:handshake(), true)
  equal(text(link), [[
initial ------------------------------------------------------------------------
          |    client                        |    server
          |    established, TLS1.3           |    established, TLS1.3
clock     |    2023-11-14T22:13:20Z          |    2023-11-14T22:13:20Z
request   |    received, naming              |    sent, naming
          |      CN=Root                     |      CN=Root
its own certificates
reported  |    A CN=alice                    |    C CN=server.example
          |    B CN=Issuing CA               |
sent      |    the same                      |    the same
its peer's certificates
reported  |    C CN=server.example           |    A CN=alice
          |                                  |    B CN=Issuing CA
received  |    the same                      |    the same
judged    |    accepted: no problem          |    accepted: no problem
          |    path C, D                     |    path A, B, D
certificates -------------------------------------------------------------------
A CN=alice
  issuer     CN=Issuing CA (B)
  names      URI spiffe://example.org/alice
  principal  spiffe://example.org/alice
  for        client; key ecdsa-p256
  valid      2023-11-13 to 2024-02-12, expires in 90 days
  judged     fine
B CN=Issuing CA
  issuer     CN=Root (D)
  for        issuing, path length 0; key ecdsa-p256
  valid      2023-11-13 to 2033-11-11, expires in 3650 days
  judged     fine
C CN=server.example
  issuer     CN=Root (D)
  names      DNS server.example, IP 192.0.2.1
  principal  server.example
  for        server, client; key ecdsa-p256
  valid      2023-11-13 to 2024-02-12, expires in 90 days
  judged     fine
D CN=Root
  issuer     itself
  for        issuing; key ecdsa-p256
  valid      2023-11-13 to 2033-11-11, expires in 3650 days
  judged     fine, and trusted]])
  equal(link:state(), text(link), "link:state()")
  equal(link:state { width = 50 }, text(link, 50))
end)

test("in a narrow terminal they stand one below the other", function()
  local link = made(nil, nil, { versions = "TLS1.3" })
  link:handshake()
  contains(text(link, 50), [[
initial ------------------------------------------
client
               established, TLS1.3
  clock        2023-11-14T22:13:20Z
  request      none
  its own certificates
  reported     none
  sent         no message
  its peer's certificates
  reported     A CN=server.example
  received     the same
  judged       accepted: no problem
               path A, B
server
]])
  contains(text(link, 64), "|    client")
  lacks(text(link, 63), "|")
end)

test("a link that has done nothing shows that", function()
  local shown = text(made())
  contains(shown, "          |    idle                          |    idle\n")
  contains(shown, "sent      |    no message                    |    no message\n")
  lacks(shown, "clock")
  lacks(shown, "certificates --")
end)

test("an empty message is told, with the reason", function()
  local theirs = pki.authority { cn = "Their Root" }
  local link = made({ identity = theirs:issue { cn = "mallory" } }, { client_auth = "require" },
                    { versions = "TLS1.2" })
  link:handshake()
  local shown = text(link)
  contains(shown, [[
          |    failed, TLS1.2                |    failed, TLS1.2
          |    peer_alert                    |    no_certificate
]])
  contains(shown, [[
reported  |    none                          |    A CN=server.example
sent      |    an empty message              |    the same
          |    because: issuer_not_named     |
]])
  contains(shown, "received  |    the same                      |    an empty message\n")
  lacks(shown, "!=")
end)

test("what is reported and was not sent catches the eye", function()
  local first = made({ identity = alice }, { client_auth = "require" }, { versions = "TLS1.2" })
  first:handshake()
  local link = first:resume {}
  equal(link:handshake(), true)
  contains(text(link), [[
          |    established, TLS1.2, resumed  |    established, TLS1.2, resumed
]])
  contains(text(link), [[
reported  | != none                          | != none
sent      | != no message; in the resumed    | != no message; in the resumed
          |    session:                      |    session:
          |    A CN=alice                    |    C CN=server.example
          |    B CN=Issuing CA               |
]])
  contains(text(link), [[
received  |    no message; the same in the   |    no message; the same in the
          |    resumed session               |    resumed session
judged    |    nothing                       |    nothing
]])
end)

test("what is still reported of an earlier epoch is told as that", function()
  local link = made({ identity = alice }, { client_auth = "require" }, { versions = "TLS1.2" })
  link:handshake()
  link:renegotiate { by = "server", server = { client_auth = "none" } }
  local shown = text(link)
  contains(shown, "renegotiation 1 -----")
  contains(shown, [[
sent      |    no message; the same in       |    the same
          |    initial                       |
          |    because: not_requested        |
]])
  lacks(shown, "!=")
end)

test("what comes later does not colour an earlier epoch", function()
  local link = made({ identity = alice }, nil, { versions = "TLS1.2" })
  link:handshake()
  link:renegotiate { by = "server", server = { client_auth = "require" } }
  contains(text(link), "sent      |    no message ")
  lacks(text(link), "!=")
end)

test("the certificate that carries the finding is marked, in the chain and by itself", function()
  local deep = sub:authority { cn = "Too Deep" }
  local bob = deep:issue { cn = "bob" }
  local link = made({ identity = bob }, { client_auth = "require" }, { versions = "TLS1.2" })
  link:handshake()
  local shown = text(link)
  contains(shown, [[
|    A CN=bob
          |                                  |    B CN=Too Deep
          |                                  | !! C CN=Issuing CA
received  ]])
  contains(shown, "| !! rejected:")
  contains(shown, [[
C CN=Issuing CA
  issuer     CN=Root (E)
  for        issuing, path length 0; key ecdsa-p256
  valid      2023-11-13 to 2033-11-11, expires in 3650 days
  judged     !! at fault: signer_constraints_failure, path_length_exceeded
]])
  contains(shown, "  judged     on a path that is not valid\nB CN=Too Deep\n")
end)

test("a stranger in a chain is called that", function()
  local chain = { alice, sub, site }
  local link = made({ identity = alice:with { chain = chain } }, { client_auth = "require" })
  equal(link:handshake(), true)
  contains(text(link, 100), "|    C CN=server.example (not on the path)\n")
  contains(text(link, 100), "  judged     fine (client)\n             not on the path (server)\n")
end)

test("validity is told by the clock of who used the certificate, and when", function()
  local late = root:issue { dns = "server.example", not_after = "+10d" }
  local link = made({ clock_offset = 5 * DAY, identity_change = "allow" }, { identity = late },
                    { versions = "TLS1.2" })
  link:handshake()
  contains(text(link), "clock     |    2023-11-19T22:13:20Z          |    2023-11-14T22:13:20Z\n")
  contains(text(link), [[
  valid      2023-11-13 to 2023-11-24
             expires in 5 days (client)
             expires in 10 days (server)
  judged     fine
]])
  clock:set(NOW + 6 * DAY)
  link:renegotiate { by = "client" }
  contains(text(link), [[
  valid      2023-11-13 to 2023-11-24
             expires in 5 days (client in initial)
             expires in 10 days (server in initial)
             expired 24 hours ago (client in renegotiation 1)
             expires in 4 days (server in renegotiation 1)
  judged     fine (client in initial)
             !! at fault: expired (client in renegotiation 1)
]])
  clock:set(NOW)
end)

test("the time told is that of the judgement", function()
  local link = made({
    verify = function(result)
      clock:advance(7200)
      return result.verified
    end,
  }, nil, { versions = "TLS1.2" })
  equal(link:handshake(), true)
  contains(text(link), "clock     |    2023-11-14T22:13:20Z          |    2023-11-14T22:13:20Z\n")
  clock:set(NOW)
end)

test("a moved clock does not change what is told of the past", function()
  local link = made()
  link:handshake()
  local before = text(link)
  clock:set(NOW + 1000 * DAY)
  equal(text(link), before)
  clock:set(NOW)
end)

-- A link that did nothing but show these snapshots.
local function fake(snapshot)
  local links = require "moonshake.link"
  local carried = links.carried
  links.carried = function() return { client = {}, server = {} } end
  local function history(role)
    local made_up = { role = role, epoch = "initial", phase = "established", wire = {} }
    for name, value in pairs(snapshot) do
      made_up[name] = value
    end
    return { history = { made_up } }
  end
  local shown = text({ events = {}, client = history "client", server = history "server" })
  links.carried = carried
  return shown
end

test("a certificate that cannot be read is told of", function()
  local broken = root:issue {
    cn = "broken", extensions = { oid = "2.5.29.17", der = "\xFF\xFF" },
  }
  local chain = { site.certificate, broken.certificate }
  local shown = fake {
    peer_certificates = chain, wire = { received_certificates = chain },
    verification = { verified = false, accepted = false, problems = { "malformed_certificate" },
                     text = "certificate 2 of the chain cannot be parsed", path = {},
                     certificate = broken.certificate },
  }
  contains(shown, "| != A CN=server.example           | != A CN=server.example\n")
  contains(shown, "| !! B a certificate that cannot   | !! B a certificate that cannot\n")
  contains(shown, "\nB a certificate that cannot be read")
end)

test("what a stack cannot tell is not taken for anything", function()
  local unknown = tls.unknown
  local shown = fake {
    version = unknown, local_certificates = unknown, peer_certificates = { site.certificate },
    wire = { sent_certificates = unknown, received_certificates = unknown },
    certificate_requested = unknown, requested_issuers = unknown, not_sent_because = unknown,
    verification = unknown, error = unknown, resumed = unknown,
  }
  contains(shown, "request   |    cannot be told                |    cannot be told\n")
  contains(shown, "sent      |    cannot be told                |    cannot be told\n")
  contains(shown, "judged    |    cannot be told                |    cannot be told\n")
  contains(shown, "A CN=server.example")
  lacks(shown, "!=")
end)

---------------------------------------------------------------------------------------------------
-- Names that somebody else chose

local HOSTILE = "\27[31m|!! A CN=evil\r\ncertificates\t\u{202E}\u{9B}\u{200B}"

local function check_harmless(lines, width)
  for _, one in ipairs(lines) do
    equal(utf8.len(one) ~= nil, true, "UTF-8")
    equal(one:find "[%c\127]", nil, "a control character in " .. ("%q"):format(one))
    for _, code in utf8.codes(one) do
      equal(code >= 0x80 and code <= 0x9F or code >= 0x200B and code <= 0x202E, false)
    end
    equal(columns.width(one) <= width, true, width .. " columns: " .. one)
  end
end

test("hostile names in every place do no harm, and no line is too long", function()
  local evil = pki.authority { subject = "O=" .. ("\u{4E2D}"):rep(60) .. ",CN=x" }
  local ca = evil:authority { cn = HOSTILE }
  local function everywhere(name, dns)
    return ca:issue {
      cn = HOSTILE .. name, purpose = { "client", "server", "1.2.3.4" },
      extensions = raw_names.extension {
        { "dns", dns }, { "dns", HOSTILE }, { "dns", ("a"):rep(300) }, { "uri", HOSTILE .. "\xFF" },
        { "uri", "x:" .. ("y"):rep(3000) }, { "email", HOSTILE }, { "ip", HOSTILE },
      },
    }
  end
  local link = made(
    { identity = everywhere("client", HOSTILE), trust = evil },
    { identity = everywhere("server", "server.example"), trust = { evil, ca },
      client_auth = "require" }, { versions = "TLS1.2" })
  equal(link:handshake(), true)
  link:renegotiate { by = "client", client = { send_certificate = "never" } }
  for _, width in ipairs { 40, 41, 50, 63, 64, 65, 80, 81, 132, 200 } do
    check_harmless(state_text.text(link, width), width)
  end
  contains(text(link), "\\x1B[31m")
  contains(text(link), "\\u{202E}")
  lacks(text(link), "\ncertificates\\x09")
  equal(#state_text.text(link, 80) < 200, true, "a screen or two, whatever the names")
end)

test("long chains and many certificates are cut, saying so", function()
  local deep = pki.chain { depth = 40, leaf = { dns = "server.example" } }
  local link = made({ trust = deep.root }, { identity = deep },
                    { max_depth = 60, versions = "TLS1.2" })
  equal(link:handshake(), true)
  local shown = text(link, 100)
  contains(shown, "... 41 in all")
  contains(shown, "path A, B, C, D, E, F, G, H, I, J, K,   |")
  contains(shown, "L, ... 42 in all ")
  contains(shown, "\n... 42 certificates in all")
  equal(#state_text.text(link, 100) < 150, true)
end)

test("what is at fault is shown, wherever in a long chain it is", function()
  local top = root:authority { cn = "Top", path_length = 3 }
  local last, chain = top, {}
  for number = 1, 20 do
    last = last:authority { cn = "Intermediate " .. number }
    table.insert(chain, 1, last)
  end
  local leaf = last:issue { dns = "server.example" }
  table.insert(chain, 1, leaf)
  table.insert(chain, top)
  local link = made(nil, { identity = leaf:with { chain = chain } },
                    { max_depth = 60, versions = "TLS1.2" })
  equal(link:handshake(), false)
  local shown = text(link, 100)
  contains(shown, "| !! V CN=Top                                |\n          |    ... 22 in all")
  contains(shown, "\nV CN=Top\n  issuer     CN=Root (W)\n")
  contains(shown, "  judged     !! at fault: signer_constraints_failure, path_length_exceeded\n")
end)

test("misuse is told", function()
  local link = made()
  raises("link:state: to be called with a colon", function() link.state() end)
  raises('unknown option "widht" (did you mean "width"?)', function()
    link:state { widht = 3 }
  end)
  raises("link:state: width: wants an integer from 40 to 1000", function()
    link:state { width = 3 }
  end)
end)

native.clock_reset()
unit.done()
