-- SPDX-License-Identifier: MIT
-- What the probe prints of what it found: each row, and when there is none. No server is there.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local chain = require "moonshake.probe.chain"
local ms = require "moonshake"
local printed = require "moonshake.probe.text"
local test, equal, contains = unit.test, unit.equal, unit.contains
local pki = ms.pki

local root = pki.authority { cn = "Root" }
local middle = root:authority { cn = "Middle" }
local leaf = middle:issue { dns = { "server.example", "www.example" }, ip = "192.0.2.1" }
local alice = root:issue { cn = "alice" }

-- What was found of a server that was reached, and what is different of it.
local function page(more, how)
  local found = {
    at = ms.clock:now(), options = { place = { host = "server.example", port = 443 } },
    verdict = "accepted", summary = "accepted", remarks = {}, next = {}, main = {},
    refusals = {}, asked = false,
    versions = { ["TLS1.2"] = true, ["TLS1.3"] = true },
    negotiated = { version = "TLS1.3", cipher_suite = "TLS_AES_128_GCM_SHA256", group = "x25519" },
  }
  for name, value in pairs(more or {}) do
    found[name] = value
  end
  how = how or {}
  return table.concat(printed(found, {
    width = how.width or 200, paint = how.paint or function(text) return text end,
  }), "\n") .. "\n"
end

-- The rows of that label, without it; `part`: the head that they stand below.
local function rows(text, part, label)
  local list = {}
  for line in (text:match("\n\n" .. part .. "[^\n]*\n(.-)\n\n") or
               text:match("\n\n" .. part .. "[^\n]*\n(.*)$") or ""):gmatch "[^\n]+" do
    local own, rest = line:sub(3, 12):match "^(.-) *$", line:sub(14)
    list[#list + 1] = own == label and rest or nil
  end
  return table.concat(list, "|")
end

local function shows(more, part, label, wanted)
  equal(rows(page(more), part, label), wanted)
end

---------------------------------------------------------------------------------------------------

test("first come the place with its address, the verdict, remarks and what to do", function()
  local text = page({ address = "192.0.2.1:443", remarks = { "one" }, next = { "two" } })
  contains(text, "server.example:443 (192.0.2.1:443)\naccepted\n  note    one\n  next    two\n\n"
           .. "connection\n")
  contains(page { address = "server.example:443" }, "server.example:443\naccepted")
  contains(page { address = "x", options = { place = { path = "/run/x" } } },
           "unix:/run/x\naccepted")
  local painted = {}
  for verdict, colour in pairs { accepted = "green", refused = "red", unreachable = "red" } do
    page({ verdict = verdict, summary = "the verdict" }, { paint = function(line, with)
      painted[line] = with
      return line
    end })
    equal(painted["the verdict"], colour)
  end
  equal(page { negotiated = false }, "server.example:443\naccepted\n")
end)

test("a long line goes on in the next one", function()
  for line in page({ summary = ("long "):rep(30), remarks = { ("long "):rep(30) } },
                   { width = 40 }):gmatch "[^\n]+" do
    equal(#line <= 40, true, line)
  end
end)

test("the connection has versions, choices and the answer", function()
  local function connection(label, wanted, more)
    shows(more, "connection", label, wanted)
  end
  connection("versions", "TLS1.3, TLS1.2")
  connection("versions", "TLS1.2; not TLS1.3, TLS1.0",
             { versions = { ["TLS1.0"] = false, ["TLS1.2"] = true, ["TLS1.3"] = false } })
  connection("chosen", "TLS1.3, TLS_AES_128_GCM_SHA256, x25519")
  connection("ALPN", "")
  connection("ALPN", "h2", { alpn = { chosen = "h2" } })
  connection("ALPN", "imap", { negotiated = { version = "TLS1.2", alpn = "imap" } })
  connection("answer", "")
  connection("answer", "none, and the connection stays open", { main = { silent = true } })
  connection("answer", "HTTP/1.1 200 OK", { main = { answer = { line = "HTTP/1.1 200 OK" } } })
  connection("answer", "HTTP/1.1 200 OK (nginx)",
             { main = { answer = { line = "HTTP/1.1 200 OK", server = "nginx" } } })
end)

-- What was found of a chain that these identities presented.
local function chained(identities, trust)
  local list = {}
  for index, identity in ipairs(identities) do
    list[index] = identity.certificate
  end
  local verification = pki.verify { chain = list, trust = trust, name = "server.example" }
  local at = ms.clock:now()
  return { at = at, chain = list, verification = verification,
           read = chain.read(list, verification, at) }
end

test("a chain has its certificates, what is wrong with it and what is missing", function()
  local text = page(chained({ leaf, middle, root }, root))
  contains(text, "its chain: verified")
  equal(rows(text, "its chain", "1"), "CN=server.example")
  equal(rows(text, "its chain", "3"), "CN=Root: the root, which need not be sent")
  equal(rows(text, "its chain", "problem"), "")
  contains(text, "issued by CN=Middle")
  contains(text, "issued by itself")
  contains(text, "ecdsa-p256, ecdsa-with-SHA256, expires in 90 days (")
  contains(text, "for server.example, www.example and 192.0.2.1")
  equal(select(2, text:gsub("for server", "")), 1)
  text = page(chained({ leaf }, root))
  contains(text, "its chain: does not verify")
  equal(rows(text, "its chain", "problem"), "signer_not_found; OpenSSL: 20 unable to get local "
        .. "issuer certificate; 21 unable to verify the first certificate")
  equal(rows(text, "its chain", "missing"), "the intermediate CN=Middle")
  local found = chained({ leaf, middle, root }, alice)
  text = page(found)
  equal(rows(text, "its chain", "missing"), "")
  contains(text, found.verification.text)
  contains(page(chained({ root:issue { cn = "x", key = "rsa-2048" } }, root)), "rsa 2048, ")
end)

---------------------------------------------------------------------------------------------------

local function request(more)
  local made = { requirement = "required", issuers = {}, signature_schemes = {}, by_version = {} }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return { request = made }
end

test("a request is told of each version, with whom and what it names", function()
  contains(page(), "client certificate: not asked for")
  contains(page(request()), "client certificate: required")
  contains(page(request { requirement = "optional" }), "client certificate: optional")
  contains(page(request { requirement = "unknown" }), "whether it must come cannot be told")
  local found = request { by_version = {
    ["TLS1.3"] = { when = "post_handshake", requirement = "optional" },
    ["TLS1.2"] = { when = "renegotiation", requirement = "required" },
    ["TLS1.1"] = { when = "handshake", requirement = "unknown" },
  } }
  shows(found, "client cert", "TLS1.3", "after the handshake (post-handshake authentication), "
        .. "after the request, optional")
  shows(found, "client cert", "TLS1.2", "on renegotiation, after the request, required")
  shows(found, "client cert", "TLS1.1",
        "in the handshake, asked for (whether it must come cannot be told)")
  found.request.by_version["TLS1.2"] = nil
  found.versions = { ["TLS1.1"] = true, ["TLS1.2"] = true, ["TLS1.3"] = true, ["TLS1.0"] = true }
  shows(found, "client cert", "TLS1.2", "not asked for")
  shows(found, "client cert", "TLS1.0", "") -- not looked for there
  shows(request(), "client cert", "issuers", "none named: any")
  local names = { "CN=1", "CN=2", "CN=3", "CN=4", "CN=5", "CN=6" }
  shows(request { issuers = names }, "client cert", "issuers", "CN=1")
  shows(request { issuers = names }, "client cert", "", "CN=2|CN=3|CN=4|CN=5|CN=6")
  table.move({ "CN=7", "CN=8" }, 1, 2, 7, names)
  shows(request { issuers = names }, "client cert", "",
        "CN=2|CN=3|CN=4|CN=5|CN=6|and 2 more (--json has all)")
  shows(request(), "client cert", "schemes", "")
  shows(request { signature_schemes = { "ed25519", "ed448" } }, "client cert", "schemes",
        "ed25519 and ed448")
end)

test("our certificate: whether it fits, who would send it, what became of it", function()
  local function ours(sent_by, more)
    local made = {
      identity = alice, asked = true, sent = true, attempt = { outcome = "accepted" },
      judged = { fits = true, sent_by = sent_by,
                 rules = { { rule = "purpose", holds = true, text = "for clients" } } },
    }
    for name, value in pairs(more or {}) do
      made[name] = value
    end
    return { ours = made }
  end
  local ALL = { gnutls = true, openssl = true, go = true, java = true }
  local text = page(ours(ALL))
  contains(text, "our certificate: accepted")
  equal(rows(text, "our cert", "subject"), "CN=alice")
  equal(rows(text, "our cert", "fits"),
        "yes, by issuer, signature scheme, key usage, purpose and validity")
  equal(rows(text, "our cert", "sent by"), "GnuTLS, OpenSSL, Go and Java")
  equal(rows(text, "our cert", "unfit") .. rows(text, "our cert", "here"), "")
  shows(ours(ALL, { asked = false }), "our cert", "sent", "no: nobody asked for it")
  text = page(ours({ openssl = true }, {
    withheld = "issuer_not_named", judged = {
      fits = false, sent_by = { openssl = true },
      rules = { { rule = "issuer", holds = false, text = "no" },
                { rule = "purpose", holds = true, text = "for clients" } },
    },
  }))
  equal(rows(text, "our cert", "unfit"), "issuer: no")
  equal(rows(text, "our cert", "fits"), "")
  equal(rows(text, "our cert", "sent by"), "OpenSSL; kept at home by GnuTLS, Go and Java")
  equal(rows(text, "our cert", "here"),
        "GnuTLS keeps it at home (issuer_not_named); it was sent all the same")
  shows(ours {}, "our cert", "sent by", "nobody; kept at home by GnuTLS, OpenSSL, Go and Java")
end)

test("resumption is told of each version, without a certificate and with ours", function()
  local function told(label, wanted, versions, more)
    more = more or {}
    if more.anonymous then
      more.anonymous.by_version = more.anonymous.by_version or {}
    end
    shows({ resumption = { versions = versions or {}, anonymous = more.anonymous,
                           ours = more.ours } }, "resumption", label, wanted)
  end
  told("sessions", "none offered")
  told("sessions", "resumed in TLS1.3, TLS1.2", { ["TLS1.2"] = true, ["TLS1.3"] = true })
  told("sessions", "resumed in TLS1.3; not in TLS1.2", { ["TLS1.2"] = false, ["TLS1.3"] = true })
  told("sessions", "never resumed", { ["TLS1.2"] = false })
  for outcome, wanted in pairs {
    no_session = "there is no session to be had without a certificate",
    not_resumed = "a session without a certificate is not resumed",
    asked_again = "in a resumed session without a certificate one is asked for again",
    not_asked = "a session that began without a certificate goes on without: nobody is asked again",
    gets_past = "a session that began without a certificate gets past the request",
    refused = "a resumed session without a certificate is refused",
  } do
    told("without", wanted, {}, { anonymous = { outcome = outcome } })
  end
  told("without", "TLS1.3: a resumed session without a certificate is refused", {}, {
    anonymous = { outcome = "refused", by_version = { ["TLS1.3"] = "refused",
                                                      ["TLS1.2"] = "not_resumed" } },
  })
  for wanted, ours in pairs {
    ["the session is not resumed"] = { asked = true, accepted = true },
    ["asked for again in the resumed session"] = { resumed = true, asked = true, accepted = true },
    ["remembered: not asked for again"] = { resumed = true, accepted = true },
    ["the resumed session is refused"] = { resumed = true },
  } do
    told("with ours", wanted, {}, { ours = ours })
  end
end)

test("chains of ours are told by the deepest, those of strangers by how they ended", function()
  local function ours(wanted, above, deepest, more, seen)
    local tried = {}
    for count, mark in seen:gmatch "(%d+)(%p)" do
      tried[#tried + 1] = { intermediates = tonumber(count), accepted = mark == "+", sent = true,
                            face = "refused " .. count }
    end
    local found = { depth = { trusted = true, deepest = deepest, more = more, tried = tried } }
    shows(found, "client chains", "deepest", wanted)
    shows(found, "client chains", "above", above)
  end
  ours("5 intermediates below the authority", "refused 6 with 6 intermediates", 5, nil,
       "0+ 1+ 2+ 4+ 8- 6- 5+")
  ours("0 intermediates below the authority", "refused 1 with 1 intermediate", 0, nil, "0+ 1-")
  ours("at least 100 intermediates below the authority", "", 100, true, "0+ 1+ 100+")
  ours("none: even a certificate issued by the authority itself is refused: refused 0", "", nil,
       nil, "0-")
  local function tried(count, face, sent)
    return { certificates = count, face = face, sent = sent ~= false }
  end
  local function strangers(wanted, ...)
    shows({ depth = { trusted = false, tried = { ... } } }, "client chains", "strangers", wanted)
  end
  shows({ depth = { trusted = false, tried = {} } }, "client chains", "deepest", "not to be told "
        .. "by strangers: --issuer FILE --issuer-key FILE of an authority that it trusts")
  shows({ depth = { trusted = false, tried = {}, deepest = 1, more = true } }, "client chains",
        "deepest", "at least 1 intermediate below the root of a stranger")
  strangers("of 1, 10 and 100 certificates: no", tried(1, "no"), tried(10, "no"), tried(100, "no"))
  strangers("of 1 certificate: no|of 10 and 100 certificates: closed without a word",
            tried(1, "no"), tried(10, "closed without a word"), tried(100, "closed without a word"))
  strangers("of 1 certificate: no|of 10 certificates: not sent|of 100 certificates: no",
            tried(1, "no"), tried(10, "no", false), tried(100, "no"))
end)

unit.done()
