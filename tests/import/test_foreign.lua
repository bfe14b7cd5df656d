-- SPDX-License-Identifier: MIT
-- What two programs of OpenSSL's sent each other, imported: both ends then are GnuTLS, and come to
-- the same, or the file says where they do not.
local unit = dofile "tests/lua/harness.lua"
local captures = dofile "tests/import/captures.lua"
local relay = dofile "tests/import/relay.lua"
local reproduced = dofile "tests/lua/reproduced.lua"
local ms = require "moonshake"
local files = require "moonshake.io.files"
local pki = ms.pki
local test, equal, contains = unit.test, unit.equal, unit.contains

if not files.find_program "openssl" then
  print "1..0 # SKIP there is no openssl"
  captures.remove()
  os.exit(0, true)
end

local root = pki.authority { cn = "Example Root" }
local sub = root:authority { cn = "Issuing CA" }
local _, root_chain = root:save(captures.path "root")
local _, server_chain, server_key = sub:issue { dns = "server.example", key = "rsa-2048" }
  :save(captures.path "server")
local _, alice_chain, alice_key = sub:issue { cn = "alice" }:save(captures.path "alice")
local _, mallory_chain, mallory_key = pki.authority { cn = "Other" }:issue { cn = "mallory" }
  :save(captures.path "mallory")

local ALICE = { "-cert", alice_chain, "-cert_chain", alice_chain, "-key", alice_key }
local MALLORY = { "-cert", mallory_chain, "-key", mallory_key }
local REQUIRE = { "-Verify", "4", "-verify_return_error", "-CAfile", root_chain }
local REQUEST = { "-verify", "4", "-CAfile", root_chain }
local count = 0

local function joined(...)
  local list = {}
  for _, one in ipairs { ... } do
    table.move(one, 1, #one, #list + 1, list)
  end
  return list
end

-- Starts s_server; its port.
local function serve(server_options)
  local server = ms.program(joined({
    "openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-cert", server_chain,
    "-key", server_key, "-keylogfile", captures.path(("%d.keys"):format(count)),
  }, server_options))
  local line, port = server:line { match = "ACCEPT.-:(%d+)$" }
  assert(line, port)
  return server, math.tointeger(tonumber(port))
end

-- Has s_client connect to s_server; what was sent, and the path of the key log.
local function talk(server_options, client_options)
  count = count + 1
  local server, port = serve(server_options)
  local between = relay.start(port)
  local client = ms.program(joined({
    "openssl", "s_client", "-connect", "127.0.0.1:" .. between.port, "-servername",
    "server.example", "-CAfile", root_chain,
  }, client_options))
  client:close_input()
  client:wait()
  server:stop()
  between.close()
  return between.pieces, captures.path(("%d.keys"):format(count))
end

-- Imports one connection; the source, what was said beside it, and the link that it made.
local function imported(pieces, log)
  local capture, output = ("%d.pcap"):format(count), ("%d.lua"):format(count)
  assert(files.write(captures.path(capture), relay.capture({ pieces }, ms.clock:now())))
  local said, status = captures.run(("import %s --output %s %s"):format(
    capture, output, log and "--keylog " .. captures.quoted(log) or ""))
  equal(status, 0, said)
  local text = assert(files.read(captures.path(output)))
  reproduced.check_lines(text)
  return text, said, reproduced.run(text).links[1]
end

for _, version in ipairs { "1.2", "1.3" } do
  local only = { "-tls" .. version:gsub("%.", "_") }

  local function named(what)
    return ("%s, TLS %s"):format(what, version)
  end

  test(named "a handshake succeeds", function()
    local text, said, link = imported(talk({}, only))
    equal(said, "", text)
    equal(link.client.version, "TLS" .. version)
    contains(text, 'key = "rsa-2048"')
    contains(text, "expect(link):succeeded()")
  end)

  test(named "a required certificate never comes", function()
    local text, said, link = imported(talk(REQUIRE, only))
    equal(said, "", text)
    equal(link.server.error.problem, "no_certificate")
    equal(link.server.alert_sent.name,
          version == "1.3" and "certificate_required" or "handshake_failure")
  end)

  test(named "a certificate is only asked for", function()
    local text, said = imported(talk(REQUEST, only))
    equal(said, "", text)
    contains(text, 'client_auth = "request"')
  end)

  test(named "both ends show a certificate", function()
    local text, said, link = imported(talk(REQUIRE, joined(only, ALICE)))
    equal(said, "", text)
    equal(#link.server.peer_certificates, 3) -- s_client sends what -cert and -cert_chain give
    equal(link.server.peer_certificate.subject, "CN=alice")
  end)

  test(named "the server does not know the client's issuer", function()
    local text, said, link = imported(talk(REQUIRE, joined(only, MALLORY)))
    equal(said, "", text)
    equal(link.server.alert_sent.name, "unknown_ca")
    contains(text, 'send_certificate = "always"')
  end)

  test(named "the client does not know the server's issuer", function()
    local text, said, link = imported(talk({}, joined(only, { "-verify_return_error", "-CAfile",
                                                              alice_chain })))
    equal(said, "", text)
    equal(link.client.alert_sent.name, "unknown_ca")
  end)
end

test("no common suite", function()
  local text, _, link = imported(talk({ "-tls1_2" },
                                      { "-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-GCM-SHA256" }))
  contains(text, "The server refused the ClientHello")
  equal(link.client.alert_received.name, "handshake_failure")
end)

test("several connections are listed, and one is chosen", function()
  local first, second = talk({}, { "-tls1_2" }), talk({}, { "-tls1_3", "-alpn", "h2" })
  assert(files.write(captures.path "two.pcap", relay.capture({ first, second }, 1700000000)))
  local text, status = captures.run "import two.pcap"
  equal(status, 2)
  equal(text, [[
moonshake: two.pcap has 2 connections: choose one with --stream
  0: 2023-11-14 22:13:20, 192.0.2.1:49152 to 198.51.100.1:4433 (server.example)
  1: 2023-11-14 22:13:20, 192.0.2.1:49153 to 198.51.100.1:4433 (server.example)
]])
  text, status = captures.run "import two.pcap --stream 0 --output first.lua"
  equal(text .. status, "0")
  contains(assert(files.read(captures.path "first.lua")), 'versions = "TLS1.2"')
  if files.kind "/dev/full" then
    text, status = captures.run "import two.pcap --stream 0 >/dev/full"
    contains(text, "the scenario could not be written")
    equal(status, 2)
  end
  text, status = captures.run "import two.pcap --stream 7"
  equal(status, 2)
  contains(text, "two.pcap: stream 7 is no connection with TLS\n  0: ")
end)

test("what was said before TLS does not matter", function()
  local pieces = talk(REQUIRE, { "-tls1_2" })
  table.insert(pieces, 1, { "server", "220 mail.example ESMTP\r\n" })
  table.insert(pieces, 2, { "client", "EHLO me.example\r\n" })
  table.insert(pieces, 3, { "server", "250-mail.example\r\n250 STARTTLS\r\n" })
  table.insert(pieces, 4, { "client", "STARTTLS\r\n" })
  table.insert(pieces, 5, { "server", "220 go ahead\r\n" })
  local text, said = imported(pieces)
  equal(said, "", text)
  contains(text, '["error.problem"] = "no_certificate"')
end)

test("a connection without its beginning is told so", function()
  local pieces = talk({}, { "-tls1_2" })
  table.remove(pieces, 1)
  assert(files.write(captures.path "middle.pcap", relay.capture({ pieces }, 1700000000)))
  local text, status = captures.run "import middle.pcap"
  equal(status, 2)
  contains(text, "no connection begins with a ClientHello")
end)

test("a file that was cut short is used as far as it goes", function()
  local whole = relay.capture({ (talk({}, { "-tls1_2" })) }, 1700000000)
  assert(files.write(captures.path "cut.pcap", whole:sub(1, #whole - 10)))
  local text, status = captures.run "import cut.pcap --output cut.lua"
  equal(status, 0)
  contains(text, "cut.pcap was cut short in the middle of a packet: what comes before is used")
  assert(files.write(captures.path "none.pcap", whole:sub(1, 100)))
  text, status = captures.run "import none.pcap"
  equal(status, 2)
  contains(text, "there is no TLS in it (over TCP); the file was cut short")
end)

captures.remove()
unit.done()
