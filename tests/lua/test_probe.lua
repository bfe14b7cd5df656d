-- SPDX-License-Identifier: MIT
-- The probe against servers of ours in this process: what it finds, and what it makes of it.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local ms = require "moonshake"
local write = require "moonshake.probe.scenario"
local to_text = require "moonshake.probe.text"
local test, equal, contains = unit.test, unit.equal, unit.contains
local pki = ms.pki

local world = dofile((arg[0]:match ".*/" or "") .. "probed.lua")
local answers, asking, probed = world.answers, world.asking, world.probed
local root, sub, server = world.root, world.sub, world.server
local alice, mallory, OK = world.alice, world.mallory, world.OK

local function text_of(found)
  return table.concat(to_text(found, { width = 200, paint = function(text) return text end }), "\n")
end

---------------------------------------------------------------------------------------------------
-- Without a request

test("a server that asks for nothing accepts us", function()
  local found = probed {}
  equal(found.verdict, "accepted", found.summary)
  contains(found.summary, "asks for no client certificate")
  equal(found.negotiated.version, "TLS1.3")
  equal(found.versions["TLS1.2"], true)
  equal(found.versions["TLS1.0"], false)
  equal(found.request, nil)
  equal(#found.chain, 2)
  equal(found.verification.verified, true)
  equal(found.main.answer.status, 200)
  equal(found.resumption.versions["TLS1.3"], true)
  equal(found.resumption.versions["TLS1.2"], true)
  equal(found.read.left > 89 * 86400, true)
end)

test("a server of TLS 1.2 alone, and one of TLS 1.0 alone, are found out", function()
  local found = probed { versions = "TLS1.2", tickets = 0 }
  equal(found.verdict, "accepted", found.summary)
  equal(found.negotiated.version, "TLS1.2")
  equal(found.versions["TLS1.3"], false)
  found = probed { versions = "TLS1.0" }
  equal(found.negotiated.version, "TLS1.0")
  equal(found.versions["TLS1.2"], false)
  equal(found.verdict, "accepted", found.summary)
end)

test("its choice of protocols is told", function()
  local found = probed { alpn = { "h2" } }
  equal(found.alpn.chosen, "h2")
  found = probed({ alpn = { "imap" }, alpn_required = true }, { alpn = { "pop3" } })
  equal(found.verdict, "refused")
  contains(found.summary, "no_application_protocol")
end)

---------------------------------------------------------------------------------------------------
-- Its chain

local function refused_by_us(options, trust)
  local found = probed(options, { trust = trust })
  equal(found.verdict, "refused", found.summary)
  equal(found.by, "us", found.summary)
  return found
end

test("an expired certificate, a missing intermediate, another root and another name are", function()
  local found = refused_by_us {
    identity = sub:issue { dns = "server.example", not_before = "-9d", not_after = "-2d" },
  }
  contains(found.summary, "does not verify: CN=server.example, expired 2 days ago")
  found = refused_by_us { identity = server:with { chain = { server } } }
  contains(found.summary, "the intermediate CN=Issuing CA was not sent")
  contains(found.next[1], "CN=Issuing CA")
  local kept = write(found)
  contains(kept, "server:with { chain = { server } }")
  contains(kept, "is refused by us")
  found = refused_by_us({}, mallory)
  contains(found.summary, "CN=Example Root, the issuer of CN=Issuing CA")
  found = refused_by_us({ identity = server:with { chain = { server, sub, root } } }, mallory)
  contains(found.summary, "its root CN=Example Root is not trusted")
  found = refused_by_us { identity = sub:issue { dns = "other.example" } }
  contains(found.summary, 'it is not for the name "server.example"')
  contains(found.next[1], "other.example")
end)

test("of several problems each is told, with what to do", function()
  local old = sub:issue { dns = "other.example", not_before = "-9d", not_after = "-2d" }
  local found = refused_by_us { identity = old:with { chain = { old } } }
  contains(found.summary, "the intermediate CN=Issuing CA was not sent")
  contains(table.concat(found.remarks, "\n"), "besides, CN=other.example, expired 2 days ago")
  contains(table.concat(found.remarks, "\n"), 'besides, it is not for the name "server.example"')
  equal(#found.next, 3)
end)

test("a certificate without names has its subject", function()
  local found = refused_by_us { identity = sub:issue { cn = "plain.example" } }
  contains(found.next[1], "--servername plain.example")
end)

test("what is kept of a chain that does not verify refuses it, as a client does", function()
  local found = refused_by_us { identity = server:with { chain = { server } },
                                client_auth = "request", trust = root }
  local text = write(found)
  equal(text:find("return true end", 1, true), nil, text)
  contains(text, '["error.problem"] = "certificate_rejected"')
  contains(text, '["verification.problems"] = { "signer_not_found" }')
  equal(text:find("succeeded", 1, true), nil, text)
end)

test("a chain that soon expires is worth a word", function()
  local found = probed { identity = sub:issue { dns = "server.example", not_after = "+10d" } }
  equal(found.verdict, "accepted")
  contains(found.remarks[1], "expires in 10 days")
end)

---------------------------------------------------------------------------------------------------
-- With a request

test("a certificate that is asked for and need not come is optional", function()
  local found = probed(asking "request")
  equal(found.verdict, "accepted", found.summary)
  equal(found.request.requirement, "optional")
  equal(found.request.when, "handshake")
  equal(found.request.issuers[1], "CN=Example Root")
  equal(#found.request.signature_schemes > 3, true)
  equal(found.resumption.anonymous.outcome, "not_asked")
end)

test("one that is required is told by the refusal, which comes late in TLS 1.3", function()
  local found = probed(asking "require")
  equal(found.verdict, "refused")
  equal(found.by, "server")
  equal(found.request.requirement, "required")
  contains(found.summary, "certificate_required (116) after our handshake was complete")
  contains(found.next[1], "issued by CN=Example Root: --cert FILE --key FILE")
  equal(found.request.by_version["TLS1.2"].requirement, "required")
  found = probed(asking("require", { versions = "TLS1.2" }))
  contains(found.summary, "decode_error (50) in the handshake: it requires a client certificate")
end)

test("our certificate is sent, accepted and remembered", function()
  local found = probed(asking "require", { identity = alice })
  equal(found.verdict, "accepted", found.summary)
  contains(found.summary, "with our certificate CN=alice, which it requires")
  equal(found.ours.sent, true)
  local kept = write(found)
  contains(kept, 'cn = "alice"')
  contains(kept, " accepts us")
  contains(kept, 'client_auth = "require"')
  equal(found.ours.judged.fits, true)
  equal(found.ours.withheld, nil)
  equal(found.resumption.ours.resumed, true)
  equal(found.resumption.ours.asked, false)
  equal(found.resumption.anonymous.outcome, "no_session")
end)

test("what a session is good for is told by version, where versions differ", function()
  local found = probed(asking("request", { tickets = 0 }), {
    behave = answers "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
  })
  equal(found.resumption.anonymous.by_version["TLS1.3"], "no_session")
  equal(found.resumption.anonymous.outcome, found.resumption.anonymous.by_version["TLS1.2"])
end)

test("one of another issuer stays at home, and is refused when it is sent all the same", function()
  local found = probed(asking "require", { identity = mallory })
  equal(found.verdict, "refused")
  equal(found.by, "server")
  equal(found.ours.withheld, "issuer_not_named")
  equal(found.ours.sent, true)
  contains(write(found), 'send_certificate = "always"')
  equal(found.ours.judged.sent_by.openssl, true)
  equal(found.ours.judged.sent_by.go, false)
  contains(found.summary, "bad_certificate (42) after our handshake was complete")
  contains(found.next[1], "CN=Other Root")
end)

test("one that nobody asks for is not sent", function()
  local found = probed({}, { identity = alice })
  equal(found.verdict, "accepted")
  equal(found.ours.asked, false)
  contains(found.summary, "without asking for our certificate")
end)

test("issuers that are not ours, where the server trusts us all the same", function()
  local found = probed(asking("require", { issuers = { "CN=Somebody Else" } }),
                       { identity = alice })
  equal(found.verdict, "accepted", found.summary)
  equal(found.ours.withheld, "issuer_not_named")
  contains(found.next[1], "keep this certificate at home")
end)

-- A server that asks when it was asked for something.
local function probed_later(version, client_auth)
  return probed({ versions = version, trust = root, tickets = version == "TLS1.2" and 0 or nil }, {
    identity = alice,
    behave = function(one)
      if one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
        local asks = version == "TLS1.3" and one.reauthenticate or one.renegotiate
        if asks(one, { server = { client_auth = client_auth }, timeout = 5 }) then
          one:send { data = OK }
        end
      end
      one:close()
    end,
  })
end

test("post-handshake authentication and renegotiation after the request are seen", function()
  for version, when in pairs { ["TLS1.3"] = "post_handshake", ["TLS1.2"] = "renegotiation" } do
    local found = probed_later(version, "require")
    equal(found.request.when, when, version)
    equal(found.request.requirement, "required", version)
    equal(found.verdict, "accepted", found.summary)
    equal(found.ours.sent, true, version)
    equal(found.ours.attempt.connection.client.handshake_completed, true)
  end
end)

test("what is kept of such a server has who asked, and whether it insists", function()
  for version, wanted in pairs {
    ["TLS1.2"] = 'link:renegotiate { by = "server", server = { client_auth = "%s" } }',
    ["TLS1.3"] = 'link:reauthenticate { server = { client_auth = "%s" } }',
  } do
    for _, client_auth in ipairs { "request", "require" } do
      contains(write(probed_later(version, client_auth)), wanted:format(client_auth))
    end
  end
end)

---------------------------------------------------------------------------------------------------
-- How deep

test("below an authority whose key we have the deepest chain is found", function()
  local found = probed(asking("require", { max_depth = 6 }), { depth = true, authority = root })
  equal(found.depth.trusted, true)
  equal(found.depth.deepest, 5)
  equal(found.depth.more, nil)
  local seen = {}
  for _, one in ipairs(found.depth.tried) do
    seen[#seen + 1] = one.intermediates .. (one.accepted and "+" or "-")
  end
  equal(table.concat(seen, " "), "0+ 1+ 2+ 4+ 8- 6- 5+")
end)

test("a server that verifies nobody is told to be one", function()
  local found = probed({ client_auth = "require", trust = root, verify = false,
                         versions = "TLS1.3" }, { depth = true })
  equal(found.depth.tried[1].accepted, true)
  contains(found.remarks[1], "an authority that we made up was accepted")
end)

-- What comes of strangers at a server: how many certificates they have, with + or -; and how deep
-- they may be.
local function strangers(verify)
  local depth = probed({ client_auth = "require", trust = root, verify = verify, max_depth = 7,
                         versions = "TLS1.3" }, { depth = true }).depth
  equal(depth.trusted, false)
  local seen = {}
  for index, one in ipairs(depth.tried) do
    seen[index] = one.certificates .. (one.accepted and "+" or "-")
  end
  return table.concat(seen, " "), depth.deepest, depth.more
end

test("who takes strangers is asked how many intermediates they may have", function()
  local seen, deepest, more = strangers(false)
  equal(seen, "1+ 10+ 100+")
  equal(deepest, 99)
  equal(more, true)
  seen, deepest, more = strangers(function(result)
    return not table.concat(result.problems, " "):find "depth_exceeded"
  end)
  equal(seen, "1+ 5+ 7+ 8- 10- 100-")
  equal(deepest, 6)
  equal(more, nil)
end)

test("an authority that the server does not know has no depth, and that is said", function()
  local found = probed(asking("require", { versions = "TLS1.3" }), {
    depth = true, authority = pki.authority { cn = "Nobody" },
  })
  equal(found.depth.trusted, true)
  equal(found.depth.deepest, nil)
  equal(#found.depth.tried, 1)
  contains(text_of(found), "even a certificate issued by the authority itself is refused")
end)

test("how a version was refused is told where it is not for the version", function()
  local found = probed { versions = "TLS1.2",
                         cipher_suites = "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256" }
  contains(text_of(found), "versions   none of those that were tried")
  contains(text_of(found), "TLS1.2: alert handshake_failure (40)")
  equal(found.refusals["TLS1.2"], "alert handshake_failure (40)")
end)

test("without one chains of strangers are sent, and refused", function()
  local found = probed(asking("require", { versions = "TLS1.3" }), { depth = true })
  equal(found.depth.trusted, false)
  equal(#found.depth.tried, 3)
  for _, one in ipairs(found.depth.tried) do
    equal(one.sent, true)
    equal(one.face, "alert bad_certificate (42)")
  end
end)

---------------------------------------------------------------------------------------------------
-- Refusals that are not TLS's

test("a page that wants a certificate refuses us", function()
  local found = probed(asking("request", { versions = "TLS1.3" }), {
    behave = answers("HTTP/1.1 400 Bad Request\r\nContent-Length: 36\r\n\r\n"
                     .. "No required SSL certificate was sent"),
  })
  equal(found.verdict, "refused", found.summary)
  contains(found.summary, "in HTTP, not in TLS: HTTP/1.1 400 Bad Request")
  equal(found.request.requirement, "required")
  local kept = write(found)
  contains(kept, "The refusal came in the server's own protocol, which is not shown here:")
  contains(kept, 'client_auth = "request"')
end)

test("one that forbids leaves open what it is about, until our certificate is let in", function()
  local function behave(one)
    if one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
      one:send { data = one.server.peer_certificate and OK
                   or "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n" }
    end
    one:close()
  end
  local options = asking("request", { versions = "TLS1.3" })
  local found = probed(options, { behave = behave })
  equal(found.verdict, "refused", found.summary)
  contains(found.summary, "HTTP/1.1 403 Forbidden")
  equal(found.request.requirement, "unknown")
  found = probed(options, { behave = behave, identity = alice })
  equal(found.verdict, "accepted", found.summary)
  equal(found.request.requirement, "required")
  options.client_auth = "none"
  found = probed(options, { behave = behave })
  equal(found.verdict, "accepted", found.summary)
  equal(found.main.answer.status, 403)
end)

-- Says in HTTP/1.1 that a certificate is missing, as nginx does; in HTTP/2 that would need a
-- question.
local function nginx(one)
  if one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
    one:send { data = one.server.alpn == "h2" and "\0\0\0\4\0\0\0\0\0"
                 or one.server.peer_certificate and OK
                 or "HTTP/1.1 400 Bad Request\r\nContent-Length: 36\r\n\r\n"
                   .. "No required SSL certificate was sent" }
  end
  one:close()
end

test("old versions are asked in HTTP, too, where they want a certificate", function()
  local found = probed(asking("request", { versions = { "TLS1.1", "TLS1.2" }, verify = false }),
                       { behave = nginx })
  equal(found.request.by_version["TLS1.2"].requirement, "required")
  equal(found.request.by_version["TLS1.1"].requirement, "required")
end)

test("where HTTP/2 is chosen it is asked in HTTP/1.1 all the same", function()
  local options = asking("request", { versions = "TLS1.3", alpn = { "h2" }, verify = false })
  local found = probed(options, { behave = nginx, alpn = { "h2" }, depth = true })
  equal(found.verdict, "refused", found.summary)
  contains(found.summary, "No required SSL certificate was sent")
  equal(found.request.requirement, "required")
  equal(found.alpn.chosen, "h2")
  found = probed(options, { behave = nginx, alpn = { "h2" }, identity = alice })
  contains(found.summary, "accepted with our certificate CN=alice, which it requires")
end)

test("a server of HTTP/2 alone is not said to let everybody in", function()
  local options = asking("request", { versions = "TLS1.3", alpn = { "h2" }, alpn_required = true,
                                      verify = false })
  local found = probed(options, { behave = nginx, alpn = { "h2", "http/1.1" }, depth = true })
  equal(found.verdict, "accepted", found.summary)
  contains(found.summary, "whether it insists in HTTP/2 is not seen")
  equal(found.request.requirement, "unknown")
  equal(#found.remarks, 0)
  found = probed(options, { behave = nginx, alpn = { "h2", "http/1.1" }, identity = alice })
  equal(found.request.requirement, "unknown")
  options.alpn, options.alpn_required = nil, nil
  found = probed(options, {
    behave = answers("HTTP/1.0 403 Forbidden\r\nContent-Length: 42\r\n\r\n"
                     .. "Missing ALPN Protocol, expected `h2` to be"),
  })
  equal(found.verdict, "accepted", found.summary)
  equal(found.request.requirement, "unknown")
end)

test("a server that closes without a word once it has seen us refuses us", function()
  local found = probed(asking("request", { versions = "TLS1.2" }), {
    behave = function(one)
      one:handshake { timeout = 5 }
      one:close { how = "fin" }
    end,
  })
  equal(found.verdict, "refused", found.summary)
  contains(found.summary, "without a word")
end)

test("one that only does not understand us accepts us", function()
  local found = probed({ versions = "TLS1.2" }, {
    behave = function(one)
      one:handshake { timeout = 5 }
      one:receive { timeout = 5 }
      one:close { how = "fin" }
    end,
  })
  equal(found.verdict, "accepted", found.summary)
  contains(found.remarks[1], "when nothing is said")
end)

unit.done()
