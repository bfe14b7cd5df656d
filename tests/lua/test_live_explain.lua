-- SPDX-License-Identifier: MIT
-- Explanations of connections: of what is known here, and never more of the end that is not ours.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local explained = dofile(here .. "explained.lua")
local live = dofile(here .. "live_pairs.lua")
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local test, equal, contains = unit.test, unit.equal, unit.contains

local root, alice = live.root, live.alice
local OTHER = { client = "server", server = "client" }

-- Nobody claims to know what the far end knows.
local function is_honest(connection)
  local far = OTHER[connection.role]
  for _, found in ipairs(connection.findings) do
    contains(found.told[far], ("is not ours (%s): "):format(connection.remote))
    equal(found.told[connection.role]:find("not ours", 1, true), nil)
  end
  return connection
end

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, text)
end

for _, version in ipairs(live.VERSIONS) do
  test("of what went well nothing is to be explained in " .. version, function()
    local client, server = live.pair(version, { identity = alice }, { client_auth = "require" })
    for _, one in ipairs { client, server } do
      equal(one:explain(), "nothing went wrong, and nothing is worth a word")
    end
  end)

  test("a client is told of a refusal for want of a certificate in " .. version, function()
    local client, server = live.pair(version, nil, { client_auth = "require" })
    local found = explained.finding(is_honest(client), "refused_by_peer")
    local alert = version == "TLS1.3" and "certificate_required (116)" or "decode_error (50)"
    equal(found.what, "the server, which is not ours, refuses the client's empty Certificate: "
            .. "fatal alert " .. alert)
    equal(found.side, "server")
    equal(found.message, "Certificate")
    contains(explained.text(found), "the client has no identity to present")
    equal(found.next, "give the client an identity issued by CN=Example Root, or let the server "
            .. "only ask")
    contains(found.told.server, "it sent the fatal alert " .. alert)
    equal(explained.has(client, "late_alert"), version == "TLS1.3")
    if version == "TLS1.3" then
      equal(found.told.client,
            "had completed its handshake, then read the fatal alert certificate_required (116)")
    end
    found = explained.finding(is_honest(server), "no_certificate")
    contains(found.what, "the client sent an empty Certificate")
    contains(explained.text(found), "the client presented none")
    contains(found.told.client, "whether it got the alert is not known")
  end)

  test("a certificate that stayed at home is the reason in " .. version, function()
    local stranger = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    local client = live.pair(version, { identity = stranger }, { client_auth = "require" })
    local found = explained.finding(is_honest(client), "refused_by_peer")
    contains(explained.text(found), "the CertificateRequest names CN=Example Root")
    contains(explained.text(found), "not_sent_because: issuer_not_named")
    client = live.pair(version, { identity = stranger }, { client_auth = "request" })
    explained.finding(is_honest(client), "certificate_stayed_home")
    local server
    client, server = live.pair(version, { identity = alice })
    lacks(explained.text(explained.finding(is_honest(client), "not_asked")), "client_auth")
    equal(#server.findings, 0)
  end)

  test("what is wrong with a certificate is suspected by who sent it in " .. version, function()
    local sub = root:authority { cn = "Issuing CA" }
    local bob = sub:issue { cn = "bob" }
    local stranger = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }
    for _, row in ipairs {
      { bob:with { chain = { bob.certificate } }, "the intermediate CN=Issuing CA, which issued "
          .. "CN=bob, was not sent", "present the whole chain: leaf first, then CN=Issuing CA" },
      { root:issue { cn = "carol", purpose = "server" }, "it lacks client authentication",
        "present a certificate for client authentication" },
      { root:issue { cn = "old", not_before = "-9d", not_after = "-2d" },
        "CN=old expired 2 days ago, by the client's clock", "renew CN=old" },
      { stranger, "the client sent 1 certificate: CN=mallory, issued by CN=Other Root",
        "read the log of the server: only it knows which of these it was" },
    } do
      local client, server = live.pair(version, { identity = row[1] },
                                       { client_auth = "require", issuers = {}, alerts = "rfc" })
      local found = explained.finding(is_honest(client), "refused_by_peer")
      contains(found.what, "the server, which is not ours, refuses the client's Certificate: ")
      contains(explained.text(found), row[2])
      equal(found.next, row[3])
      equal(found.certificate, row[1].certificate)
      equal(is_honest(server).failed_first, "server")
      equal(server.findings[1].problem ~= nil, true)
    end
  end)

  test("a client that distrusts our server is told with its alert in " .. version, function()
    local stranger = pki.authority { cn = "Other Root" }
    local client, server = live.pair(version, { trust = stranger })
    local found = explained.finding(is_honest(server), "refused_by_peer")
    equal(found.what, "the client, which is not ours, refuses the server's Certificate: fatal "
            .. "alert bad_certificate (42)")
    contains(explained.text(found), "many stacks send it for any certificate that they refuse")
    found = explained.finding(is_honest(client), "issuer_unknown")
    contains(explained.text(found), "a missing intermediate or an untrusted root")
  end)

  test("a ClientHello that is refused is told with what it offers in " .. version, function()
    for _, row in ipairs {
      { { alpn = "http/1.1" }, { alpn = "h2", alpn_required = true },
        'it offers the protocols "http/1.1"' },
      { nil, { sites = { ["a.example"] = {} }, unknown_name = "reject" },
        'the name that it asks for is "server.example"' },
      { { groups = "secp256r1" }, { groups = "secp384r1" }, "the groups secp256r1" },
    } do
      local client = live.pair(version, row[1], row[2])
      local found = explained.finding(is_honest(client), "refused_by_peer")
      contains(found.what, "refuses the client's ClientHello: fatal alert ")
      contains(explained.text(found), row[3])
      contains(explained.text(found), "usual causes: ")
    end
  end)
end

test("an alert that is about nothing in particular is told with what it came after", function()
  local client = live.client_of(live.answers "\21\3\3\0\2\2\80")
  local found = explained.finding(is_honest(client), "refused_by_peer")
  equal(found.what, "the server, which is not ours, refuses the client's ClientHello: fatal alert "
          .. "internal_error (80)")
  contains(explained.text(found), "a bug, or no memory")
end)

test("what is no TLS is told by its first bytes", function()
  for _, row in ipairs {
    { "HTTP/1.1 400 Bad Request\r\n\r\n", "an answer in plain HTTP", '"HTTP/1.1 400 Bad Request"' },
    { "SSH-2.0-OpenSSH_9.2\r\n", "SSH", '"SSH-2.0-OpenSSH_9.2"' },
    { "220 mail.example ESMTP\r\n", "SMTP", "STARTTLS" },
    { "220 (vsFTPd 3.0.3)\r\n", "FTP", "STARTTLS" },
    { "* OK IMAP4rev1 ready\r\n", "IMAP", "STARTTLS" },
    { "+OK ready\r\n", "POP3", "STARTTLS" },
    { "J\0\0\0\0108.0.36\0", "MySQL", "4a 00 00 00 0a" },
    { "\1\2\3\4\5\6\7\8", "it is no record", "01 02 03 04" },
    { "\27[31m\27[31m", "it is no record", "1b 5b 33 31 6d" },
  } do
    local found = explained.finding(is_honest(live.client_of(live.says(row[1]))), "no_tls")
    contains(found.what, "what the server, which is not ours, sends is no TLS: ")
    contains(found.what, row[2])
    contains(explained.text(found), row[3])
  end
  for _, row in ipairs {
    { "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", "a request in plain HTTP", "use https://" },
    { "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "the PROXY protocol", "at the proxy" },
    { "EHLO a.example\r\n", "SMTP", "STARTTLS" },
    { "\0\0\0\8\4\210\22\47", "PostgreSQL", "the byte S" },
  } do
    local found = explained.finding(is_honest(live.server_of(live.says(row[1]))), "no_tls")
    contains(found.what, "what the client, which is not ours, sends is no TLS: ")
    contains(found.what, row[2])
    contains(explained.text(found), row[3])
  end
end)

test("records that make no sense are a violation, not something else", function()
  local client = live.client_of(live.answers "\22\3\3\0\4\2\0\0\0")
  local found = explained.finding(is_honest(client), "protocol_violation")
  contains(found.next, "its own log")
end)

test("a peer that goes away is told with what was awaited", function()
  local found = explained.finding(is_honest(live.client_of(function(raw) raw:read(10) end)),
                                  "gone_without_close_notify")
  equal(found.message, "ServerHello")
  contains(found.what, "the server, which is not ours, was gone without close_notify")
  contains(explained.text(found), "may speak no TLS on this port")
  found = explained.finding(is_honest(live.server_of(function() end)), "gone_without_close_notify")
  contains(explained.text(found), "may only have looked whether the port is open")
end)

test("a reset, a deadline and an address of nobody are told as what they are", function()
  local found = explained.finding(is_honest(live.client_of(function(raw)
    raw:read(10)
    raw:close(true)
  end)), "connection_reset")
  contains(found.what, "by the server or on the way; the client waited for ServerHello")
  found = explained.finding(is_honest(live.client_of(function(raw)
    while raw:read(10) do end -- luacheck: ignore 542
  end, 0.5)), "timeout")
  contains(found.what, "the client waited for ServerHello, and the server, which is not ours,")
  found = explained.finding(is_honest(live.server_of(function(raw)
    raw:write("\22\3\1\4\0\1\0\4\0" .. ("\0"):rep(1000), 10)
    while raw:read(10) do end -- luacheck: ignore 542
  end, 0.5)), "timeout")
  contains(explained.text(found), "the server received 1009 bytes, and no whole message")
  local most = require("moonshake.link.carrying").most
  local before = most.bytes
  most.bytes = 1 << 16
  local flooded = live.server_of(function(raw)
    local record = "\22\3\1\64\0" .. ("\1\255\255\255"):rep(4096)
    while raw:write(record, 10) do end -- luacheck: ignore 542
  end, 10)
  most.bytes = before
  found = explained.finding(is_honest(flooded), "message_too_large")
  contains(flooded.server.error.message, "the peer sent more than 65536 bytes")
  equal(found.what, "the server refuses what the client sends: its ClientHello is too large")
  local nobody = live.client_of_nobody()
  found = explained.finding(is_honest(nobody), "connection_refused")
  equal(found.what, "the client could not connect: nobody listens at " .. nobody.remote)
  local nowhere = tls.connect { path = "/nowhere/at/all.sock", client = {} }
  nowhere:handshake()
  found = explained.finding(is_honest(nowhere), "name_not_found")
  contains(found.what, "/nowhere/at/all.sock leads nowhere")
end)

test("a silent end may have refused what it was sent", function()
  for _, version in ipairs(live.VERSIONS) do
    local listener <close> = tls.listen { server = {
      identity = live.server, trust = root, client_auth = "request", versions = version,
    } }
    local client = tls.connect { port = listener.port, client = { versions = version } }
    local server
    ms.together(function()
      client:handshake()
      client:receive()
    end, function()
      server = listener:accept()
      server:handshake()
      server:close { how = "fin" }
    end)
    local found = explained.finding(is_honest(client), "gone_without_close_notify")
    contains(explained.text(found), "the client had sent an empty Certificate: ")
    contains(explained.text(found), "may have been cut short")
    found = explained.finding(is_honest(server), "gone_without_close_notify")
    equal(found.what, "the server ended the connection itself, without close_notify")
  end
end)

test("an end that verified nothing is told, and of the far end that is not claimed", function()
  local client, server = live.pair("TLS1.2", { trust = {}, verify = false, identity = alice },
                                   { client_auth = "require" })
  explained.finding(is_honest(client), "nothing_verified")
  equal(#server.findings, 0)
end)

test("a renegotiation that the peer refuses is told at the peer", function()
  local listener <close> = tls.listen { server = {
    identity = live.server, versions = "TLS1.2", renegotiation = "refuse",
  } }
  local client = tls.connect { port = listener.port, client = {
    trust = root, server_name = "server.example", versions = "TLS1.2" } }
  ms.together(function()
    client:handshake()
    client:renegotiate()
    client:close()
  end, function()
    local server = listener:accept()
    server:handshake()
    server:receive()
  end)
  local found = explained.finding(is_honest(client), "renegotiation_refused")
  equal(found.side, "server")
  contains(found.told.server, "it sent the warning alert no_renegotiation (100)")
end)

explained.all_seen(unit, { "far_refusal", "carrier" })

unit.done()
