-- SPDX-License-Identifier: MIT
-- Explanations as scripts and reports get them: the text, the findings, the three lines; and names
-- that want to be more than names.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local explained = dofile(here .. "explained.lua")
local samples = dofile(here .. "report_samples.lua")
local escape = require "moonshake.escape"
local evidence = require "moonshake.evidence"
local explain = require "moonshake.views.explain"
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local HOSTILE = samples.HOSTILE:gsub("%z", "") -- no name can hold a NUL

local function refused()
  return explained.link("TLS1.3", {}, { client_auth = "require" })
end

---------------------------------------------------------------------------------------------------
-- What scripts get

test("link:explain() tells all in words", function()
  local text = refused():explain()
  equal(text, [[
the server requires a certificate, and the client sent an empty Certificate
  clause  RFC 8446 section 4.4.2.4
  why     the client has no identity to present
  client  had completed its handshake, then read the fatal alert
            certificate_required (116)
  server  noticed by itself in its handshake (GNUTLS_E_CERTIFICATE_REQUIRED)
            and sent the fatal alert certificate_required (116)
  next    give the client an identity issued by CN=Example Root, or let the
            server only ask: client_auth = "request"
note: the client had sent its Finished and believed in success when it was
  refused
  clause  RFC 8446 section 4.4.4
  why     in TLS 1.3 the client is done before the server has judged its last
            flight
  next    do not count on the client's handshake alone: read once before
            believing it]])
end)

test("link.findings has the same as records", function()
  local link = refused()
  local first = link.findings[1]
  equal(#link.findings, 2)
  equal(first.rule, "no_certificate")
  equal(first.kind, "failure")
  equal(first.epoch, "initial")
  equal(first.side, "server")
  equal(first.message, "Certificate")
  equal(first.rfc, "RFC 8446 section 4.4.2.4")
  contains(first.told.client, "had completed its handshake")
  equal(first.certificate, nil)
  raises('finding: unknown field "rul" (did you mean "rule"?)', function() return first.rul end)
  raises("is read-only", function() first.rule = "x" end)
  raises("is read-only", function() link.findings[1] = nil end)
end)

test("both are there before the handshake, and on a link that a policy broke", function()
  local idle = tls.link { client = {} }
  equal(#idle.findings, 0)
  equal(idle:explain(), "nothing went wrong, and nothing is worth a word")
  local link = tls.link {
    client = { trust = explained.root, server_name = "server.example",
               verify = function() error "no idea" end },
    server = { identity = explained.server },
  }
  raises("no idea", function() link:handshake() end)
  contains(link:explain(), "the client refuses the server's Certificate")
  raises("link:explain: to be called with a colon, on a link", function() link.explain() end)
  raises("link.findings: the link is in use", function()
    local busy
    busy = tls.link { client = { identity = function() return busy.findings end,
                                 trust = explained.root, server_name = "server.example" },
                      server = { identity = explained.server, client_auth = "request" } }
    busy:handshake()
  end)
end)

test("a matcher looks into both", function()
  local link = refused()
  ms.expect(link:explain()):contains "RFC 8446"
  ms.expect(link.findings[1]):has { side = "server", rfc = "RFC 8446 section 4.4.2.4" }
  ms.expect(link.findings):has_length(2)
end)

test("lines are as wide as wanted, and painted where wanted", function()
  local painted = {}
  local lines = explain.lines(refused(), { width = 60, paint = function(text, colour)
    painted[colour] = (painted[colour] or 0) + 1
    return text
  end })
  for _, line in ipairs(lines) do
    equal(utf8.len(line) <= 60, true, line)
  end
  equal(painted.bold, 2, "the first sentence, on two lines")
  equal(painted.dim > 5, true)
end)

---------------------------------------------------------------------------------------------------
-- Three lines

test("the short form has what, why and what to do", function()
  local short = explain.lines(refused(), { short = true })
  equal(#short, 3)
  equal(short[1], "the server requires a certificate, and the client sent an empty Certificate "
        .. "(RFC 8446 section 4.4.2.4)")
  contains(short[2], "because ")
  contains(short[2], "the client had completed its handshake before it was told")
  contains(short[3], "next: ")
end)

test("the short form is about the last epoch that failed", function()
  local link = explained.link("TLS1.2", {}, { renegotiation = "refuse" })
  link:renegotiate { by = "client" }
  contains(explain.short(link.findings)[1], "the server refuses to renegotiate")
  link = explained.link("TLS1.2", { renegotiation = "refuse" })
  link:renegotiate { by = "server" }
  link:renegotiate { by = "server", server = { client_auth = "require" },
                     client = { renegotiation = tls.default } }
  equal(link.findings[1].rule, "renegotiation_refused")
  contains(explain.short(link.findings)[1], "the server requires a certificate")
end)

local function kept(links)
  local tellers = {}
  for index, link in ipairs(links) do
    tellers[index] = function() return link end
  end
  return evidence.of({ failures = { {} }, tellers = tellers }, { explanation = true }).explanation
end

test("of a case's links the last that failed is explained, else the last with a note", function()
  local fine = explained.link("TLS1.3")
  local noted = explained.link("TLS1.3", { identity = explained.alice })
  contains(kept({ refused(), fine, noted })[1], "the server requires a certificate")
  contains(kept({ noted, fine })[1], "the client has a certificate, and the server sent no")
  equal(kept { fine }, nil)
  equal(kept {}, nil)
end)

test("a bug of ours costs an explanation and no result", function()
  local broken = setmetatable({}, { __index = function() error("oops", 0) end })
  equal(kept({ broken })[1], "there is no explanation: oops")
end)

---------------------------------------------------------------------------------------------------
-- Names that others chose

local function is_harmless(text)
  return escape.line(text) == text
end

local function judge(link, label)
  for _, width in ipairs { 20, 80 } do
    for _, line in ipairs(explain.told(link.findings, { width = width })) do
      equal(is_harmless(line), true, label)
    end
  end
  for _, line in ipairs(explain.short(link.findings)) do
    equal(is_harmless(line), true, label)
    equal(#line < 1500, true, label .. ": too long")
  end
  for _, one in ipairs(link.findings) do
    for _, text in ipairs { one.what, one.next or "", table.unpack(one.why) } do
      equal(is_harmless(text), true, label)
    end
  end
  equal(#link.findings > 0, true, label)
end

-- Certificates whose every name is this text, judged by either end in many ways.
local function with_name(name)
  local subject = "CN=" .. name:gsub("[^%w ]", function(character)
    return ("\\%02x"):format(character:byte())
  end)
  local root = pki.authority { subject = subject }
  local sub = root:authority { subject = subject, path_length = 0 }
  local lower = sub:authority { subject = subject }
  local other = name:gsub("[\x80-\xFF]", "") -- what is not ASCII cannot be written there
  local leaf = lower:issue { subject = subject, dns = other, ip = "192.0.2.1",
                             uri = "x:" .. other:gsub("%c", ""), purpose = false }
  for _, sender in ipairs(explained.ROLES) do
    judge(explained.presented("TLS1.3", sender, leaf), "not trusted")
    judge(explained.presented("TLS1.3", sender, leaf, { trust = root }), "constraints")
    judge(explained.presented("TLS1.3", sender, leaf:with { chain = { leaf } },
                              { trust = root }), "not sent")
    judge(explained.presented("TLS1.3", sender, root:issue { subject = subject, dns = other,
      purpose = "1.2.3", not_before = "-2d", not_after = "-1d" }, { trust = root }), "expired")
  end
  judge(explained.link("TLS1.3", { identity = leaf }, { client_auth = "require" }), "stays home")
  judge(explained.link("TLS1.3", {}, { trust = root, client_auth = "require" }), "named")
  local link = explained.link("TLS1.2", { identity = leaf, send_certificate = "always" },
                              { client_auth = "require", verify = false })
  link:renegotiate { by = "client", client = { identity = explained.alice } }
  judge(link, "changed")
end

test("hostile names in certificates stay names", function()
  with_name(HOSTILE:gsub("\xFF", ""))
end)

test("long names are cut", function()
  with_name(("x"):rep(3000))
end)

test("hostile names of hosts and protocols stay names", function()
  local name = "a\27[31mb.example"
  judge(explained.link("TLS1.3", { server_name = "x.example", verify_name = name }), "verify_name")
  judge(explained.link("TLS1.3", { alpn = { "\27]0;x\7", "\u{202E}", "\xFF\r\n" } },
                       { alpn = { "h2" }, alpn_required = true }), "alpn")
  judge(explained.link("TLS1.3", { server_name = "evil.example" },
                       { sites = { ["\u{202E}x"] = {} }, unknown_name = "reject" }), "sites")
end)

test("what a foreign stack says of itself is escaped, too", function()
  local one, event = explained.failed("server", "library_error", "GNUTLS_E_X\27[31m")
  event.message, one.error.message = HOSTILE, HOSTILE
  judge(explained.fake({}, one, { event }), "message")
end)

unit.done()
