-- SPDX-License-Identifier: MIT
-- The probe's parts that need no server: what is probed, what a chain lacks, whether our
-- certificate fits, what an answer means.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local answer = require "moonshake.probe.answer"
local chain = require "moonshake.probe.chain"
local fit = require "moonshake.probe.fit"
local ms = require "moonshake"
local target = require "moonshake.probe.target"
local test, equal, contains = unit.test, unit.equal, unit.contains
local pki = ms.pki

local function now()
  return ms.clock:now()
end

---------------------------------------------------------------------------------------------------
-- What is probed

test("hosts, addresses, ports and unix sockets are told apart", function()
  local function shown(text, protocol)
    local place, problem = target.parse(text, protocol)
    return place and (place.path or ("%s %d"):format(place.host, place.port)) or problem
  end
  equal(shown "server.example:8443", "server.example 8443")
  equal(shown "server.example", "server.example 443")
  equal(shown("server.example", "smtp"), "server.example 25")
  equal(shown("server.example:587", "smtp"), "server.example 587")
  for protocol, port in pairs { ftp = 21, imap = 143, ldap = 389, pop3 = 110, postgres = 5432,
                                xmpp = 5222 } do
    equal(shown("x", protocol), "x " .. port)
  end
  equal(shown "192.0.2.1:1", "192.0.2.1 1")
  equal(shown "[2001:db8::1]:8443", "2001:db8::1 8443")
  equal(shown "[::1]", "::1 443")
  equal(shown "::1", "::1 443")
  equal(shown "unix:/run/x", "/run/x")
  contains(shown "unix:", "a path wanted")
  contains(shown "x:", "a port")
  contains(shown "x:65536", "a port")
  contains(shown "x:1:2", "wanted")
  contains(shown "http://x", "a port")
  contains(shown "", "HOST:PORT")
  contains(shown "a/b:1", "HOST:PORT")
end)

test("an address is none for SNI, and a place is named as on the command line", function()
  for text, is_address in pairs {
    ["192.0.2.1"] = true, ["::1"] = true, ["192.0.2.1.example"] = false, ["a192.0.2.1"] = false,
    ["server.example"] = false, ["1.2.3"] = false,
  } do
    equal(target.is_address(text), is_address, text)
  end
  for _, text in ipairs { "unix:/run/x", "server.example:1", "[::1]:443" } do
    equal(target.show(target.parse(text)), text)
  end
end)

---------------------------------------------------------------------------------------------------
-- The server's chain

local root = pki.authority { cn = "Root" }
local middle = root:authority { cn = "Middle" }
local low = middle:authority { cn = "Low" }
local leaf = low:issue { dns = "server.example" }
local stranger = pki.authority { cn = "Stranger" }

local function read(identities, trust)
  local list = {}
  for index, one in ipairs(identities) do
    list[index] = one.certificate
  end
  local verification = pki.verify { chain = list, trust = trust or root, name = "server.example" }
  return chain.read(list, verification, now()), list, verification
end

local function remarks(made)
  local lines = {}
  for index, list in ipairs(made.remarks) do
    lines[index] = table.concat(list, ", ")
  end
  return table.concat(lines, "|")
end

test("a whole chain in order has nothing to be said of", function()
  local made = read { leaf, low, middle }
  equal(remarks(made), "||")
  equal(made.missing, nil)
  equal(made.in_order, true)
end)

test("what is too much in a chain is named", function()
  equal(remarks(read { leaf, low, middle, root }), "|||the root, which need not be sent")
  equal(remarks(read { leaf, low, low, middle }), "||sent twice|out of order")
  equal(remarks(read { leaf, stranger, low, middle }), "|not part of the chain|out of order|"
        .. "out of order")
  local made = read { leaf, middle, low }
  equal(remarks(made), "|out of order|out of order")
  equal(made.in_order, false)
end)

local function lacks(identities, trust)
  local made, list = read(identities, trust)
  local missing = made.missing
  return ("%s %s; %s"):format(missing.what, missing.subject,
                              table.concat(chain.openssl("signer_not_found", list), "; "))
end

test("what is missing is named, in OpenSSL's words, too", function()
  equal(lacks { leaf }, "intermediate_not_sent CN=Low; 20 unable to get local issuer certificate; "
        .. "21 unable to verify the first certificate")
  equal(lacks { leaf, middle },
        "intermediate_not_sent CN=Low; 20 unable to get local issuer certificate")
  equal(lacks({ leaf, low }), "issuer_unknown CN=Middle; 20 unable to get local issuer certificate")
  equal(lacks({ leaf, low, middle, root }, stranger),
        "untrusted_root CN=Root; 19 self-signed certificate in certificate chain")
  equal(lacks({ root }, stranger), "untrusted_self_signed CN=Root; 18 self-signed certificate")
end)

test("expired certificates and the days that are left are told of the whole chain", function()
  local old = root:authority { cn = "Old", not_before = "-20d", not_after = "-10d" }
  local made = read { old:issue { dns = "server.example" }, old }
  equal(remarks(made), "|expired")
  equal(made.left < 0, true)
  equal(remarks(read { low:issue { dns = "server.example", not_before = "+1d" }, low, middle }),
        "not valid yet||")
  equal((read { root:issue { dns = "x", not_after = "+10d" } }).left // 86400 <= 10, true)
end)

test("two authorities that issued each other do not go round for ever", function()
  local a = pki.authority { subject = "CN=A", issuer_name = "CN=B" }
  local b = pki.authority { subject = "CN=B", issuer_name = "CN=A" }
  equal(#(read { a, b }).path <= 2, true)
  equal(#(read { a:issue { dns = "server.example" }, a, b }).path, 3)
end)

test("other problems have OpenSSL's words, an address those for addresses", function()
  local list = { leaf.certificate }
  equal(chain.openssl("expired", list)[1], "10 certificate has expired")
  equal(chain.openssl("unexpected_owner", list)[1], "62 hostname mismatch")
  equal(chain.openssl("unexpected_owner", list, true)[1], "64 IP address mismatch")
  equal(#chain.openssl("something new", list), 0)
end)

---------------------------------------------------------------------------------------------------
-- Our certificate

local ALL = { "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256", "ed25519" }

local function judged(identity, request)
  request.issuers, request.version = request.issuers or {}, request.version or "TLS1.3"
  request.signature_schemes = request.signature_schemes or ALL
  local made, broken, sent = fit.judge(identity, request, now()), {}, {}
  for _, rule in ipairs(made.rules) do
    broken[#broken + 1] = not rule.holds and rule.rule or nil
  end
  for _, stack in ipairs(fit.STACKS) do
    sent[#sent + 1] = made.sent_by[stack[1]] and stack[1] or nil
  end
  equal(made.fits, #broken == 0)
  equal(#made.rules, 6)
  return table.concat(broken, ",") .. ":" .. table.concat(sent, ","), made
end

local EVERYBODY = "gnutls,openssl,go,java"

test("a certificate of a named issuer fits, and so does any where nobody is named", function()
  local alice = low:issue { cn = "alice", purpose = "client" }
  equal(judged(alice, {}), ":" .. EVERYBODY)
  equal(judged(alice, { issuers = { "CN=Root" } }), ":" .. EVERYBODY)
  equal(judged(alice, { issuers = { "CN=Other", "CN=Low" } }), ":" .. EVERYBODY)
end)

test("a chain that does not reach a named issuer is kept at home by those who look", function()
  local alice = low:issue { cn = "alice" }
  local bare = alice:with { chain = { alice } }
  local broken, made = judged(bare, { issuers = { "CN=Root" } })
  equal(broken, "issuer:openssl")
  contains(made.rules[1].text, "CN=Low")
  contains(made.rules[1].text, "if one of those issued CN=Low, its certificate belongs into")
  broken, made = judged(stranger:issue { cn = "bob" }, { issuers = { "CN=Root" } })
  equal(broken, "issuer:openssl")
  contains(made.rules[1].text, "CN=Stranger")
end)

test("a key must be able to sign as the server wants, in this version", function()
  local p384 = root:issue { cn = "x", key = "ecdsa-p384" }
  local only = { "ecdsa_secp256r1_sha256" }
  equal(judged(p384, { signature_schemes = only }), "signature_scheme:")
  equal(judged(p384, { signature_schemes = only, version = "TLS1.2" }), ":" .. EVERYBODY)
  local rsa = root:issue { cn = "x", key = "rsa-2048" }
  equal(judged(rsa, { signature_schemes = only }), "signature_scheme:")
  equal(judged(rsa, { signature_schemes = { "rsa_pss_rsae_sha256" } }), ":" .. EVERYBODY)
  equal(judged(rsa, { signature_schemes = { "rsa_pkcs1_sha256" } }), "signature_scheme:")
  equal(judged(rsa, { signature_schemes = { "rsa_pkcs1_sha256" }, version = "TLS1.2" }),
        ":" .. EVERYBODY)
  equal(judged(rsa, { signature_schemes = {}, version = "TLS1.1" }), ":" .. EVERYBODY)
  local ed = root:issue { cn = "x", key = "ed25519" }
  equal(judged(ed, {}), ":" .. EVERYBODY)
  equal(judged(ed, { signature_schemes = only }), "signature_scheme:")
  local pss = root:issue { cn = "x", key = "rsa-pss-2048" }
  equal(judged(pss, {}), "signature_scheme:")
  equal(judged(pss, { signature_schemes = { "rsa_pss_pss_sha256" } }), ":" .. EVERYBODY)
end)

test("purpose, key usage and validity are judged", function()
  equal(judged(root:issue { cn = "x", purpose = "server" }, {}), "purpose:" .. EVERYBODY)
  equal(judged(root:issue { cn = "x", purpose = false }, {}), ":" .. EVERYBODY)
  equal(judged(root:issue { cn = "x", purpose = "any" }, {}), ":" .. EVERYBODY)
  equal(judged(root:issue { cn = "x", key_usage = "keyAgreement" }, {}),
        "key_usage:openssl,go,java")
  equal(judged(root:issue { cn = "x", not_before = "-9d", not_after = "-1d" }, {}),
        "validity:" .. EVERYBODY)
  equal(judged(root:issue { cn = "x", not_before = "+1d" }, {}), "validity:" .. EVERYBODY)
end)

test("a file in the wrong order is noticed", function()
  local alice = low:issue { cn = "alice" }
  local broken, made = judged(alice:with { chain = { alice, middle, low } }, {})
  equal(broken, "order:" .. EVERYBODY)
  contains(made.rules[6].text, "CN=alice was issued by CN=Low, and CN=Middle follows")
end)

---------------------------------------------------------------------------------------------------
-- Answers

local function page(status, text)
  return ("HTTP/1.1 %s\r\nServer: nginx/1.22.1\r\nContent-Length: %d\r\n\r\n%s"):format(
    status, #text, text)
end

test("a page that wants another certificate is a refusal", function()
  local found = answer.read(page("400 Bad Request", "<h1>400 Bad Request</h1>"
                                 .. "<center>No required SSL certificate was sent</center>"))
  equal(found.refuses, true)
  equal(found.protocol, "http")
  equal(found.about, "No required SSL certificate was sent")
  equal(found.server, "nginx/1.22.1")
  equal(answer.read(page("400 Bad Request", "The SSL certificate error")).refuses, true)
  equal(answer.read(page("496 SSL Certificate Required", "")).refuses, true)
  equal(answer.read(page("403 Forbidden", "no")).forbidden, true)
end)

test("other pages are none", function()
  for _, status in ipairs { "200 OK", "404 Not Found", "301 Moved Permanently", "500 Oops" } do
    local found = answer.read(page(status, "SSL certificate"):gsub("SSL certificate", "x"))
    equal(found.refuses, nil)
    equal(found.forbidden, nil)
  end
  equal(answer.read(page("200 OK", "SSL certificate")).refuses, nil)
  equal(answer.read "220 mail.example ESMTP\r\n".protocol, "other")
  equal(answer.read "\0\0\18\4".protocol, "other")
end)

test("a page that only speaks of ALPN refuses for what it says, Node's is about HTTP/2", function()
  local found = answer.read(page("403 Forbidden", "Refused: a certificate is required, and the "
                                 .. "client sent none\n    offers   ALPN h2, http/1.1"))
  equal(found.unheard, nil)
  equal(found.about, "Refused: a certificate is required, and the client sent none")
  found = answer.read(page("403 Forbidden", "Missing ALPN Protocol, expected `h2` to be available"))
  equal(found.unheard, true)
  equal(found.forbidden, nil)
end)

test("PostgreSQL refuses in its own words", function()
  local function message(text)
    local body = "SFATAL\0VFATAL\0C28000\0M" .. text .. "\0Fauth.c\0L1\0\0"
    return "E" .. string.pack(">I4", #body + 4) .. body
  end
  local found = answer.read(message "connection requires a valid client certificate", "postgres")
  equal(found.refuses, true)
  for length = 1, 300 do -- that of the message may have any byte in it
    local text = ("x"):rep(length)
    equal(answer.read(message(text), "postgres").line, "ERROR: " .. text)
  end
  equal(found.line, "ERROR: connection requires a valid client certificate")
  equal(found.about, "connection requires a valid client certificate")
  found = answer.read(message 'role "probe" does not exist', "postgres")
  equal(found.line, 'ERROR: role "probe" does not exist')
  equal(found.refuses, nil)
  equal(found.about, nil)
  equal(answer.read("E\0\0\0\8MX\0\0", "postgres").line, "ERROR: X")
  equal(answer.read("E\0\0\0\5\0", "postgres").line, "ERROR: ")
  contains(answer.read("R\0\0\0\8\0\0\0\10", "postgres").line, "who we are")
end)

test("as much is read as it takes to see a refusal", function()
  equal(answer.is_whole("HTTP/1.1 200 OK\r\n", nil), false)
  equal(answer.is_whole("HTTP/1.1 200 OK\r\n\r\n", nil), true)
  equal(answer.is_whole("HTT", nil), false)
  equal(answer.is_whole("HTTP/1.1 400 X\r\nContent-Length: 5\r\n\r\nabc", nil), false)
  equal(answer.is_whole("HTTP/1.1 400 X\r\nContent-Length: 5\r\n\r\nabcde", nil), true)
  equal(answer.is_whole("HTTP/1.1 400 X\r\n\r\nabcde", nil), false)
  local endless = "HTTP/1.1 400 X\r\nContent-Length: 99999\r\n\r\n" .. ("x"):rep(1 << 14)
  equal(answer.is_whole(endless:sub(1, 1 << 14), nil), true)
  equal(answer.is_whole(endless:sub(1, (1 << 14) - 1), nil), false)
  equal(answer.is_whole("AMQP\0\0\9\1", nil), true)
  equal(answer.is_whole("250", "smtp"), true)
end)

unit.done()
