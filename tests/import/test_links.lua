-- SPDX-License-Identifier: MIT
-- Links that are captured, imported, and run again: they come to the same.
local uv = require "luv"
local unit = dofile "tests/lua/harness.lua"
local captures = dofile "tests/import/captures.lua"
local reproduced = dofile "tests/lua/reproduced.lua"
local ms = require "moonshake"
local files = require "moonshake.io.files"
local pki, tls = ms.pki, ms.tls
local test, equal, contains = unit.test, unit.equal, unit.contains

local root = pki.authority { cn = "Example Root" }
local sub = root:authority { cn = "Issuing CA", path_length = 0 }
local server = sub:issue { dns = "server.example" }
local alice = sub:issue { cn = "alice", uri = "spiffe://example.org/alice", purpose = "client" }

local function link_with(server_options, client_options, versions)
  local given = { server = { identity = server, trust = root },
                  client = { trust = root, server_name = "server.example" }, versions = versions }
  for name, value in pairs(server_options or {}) do
    given.server[name] = value
  end
  for name, value in pairs(client_options or {}) do
    given.client[name] = value
  end
  local link = tls.link(given)
  link:handshake()
  return link
end

local count = 0

-- Captures a link and imports it; the source, and what the program said beside it.
local function imported(link, more)
  count = count + 1
  local capture, output = ("%d.pcapng"):format(count), ("%d.lua"):format(count)
  link:pcapng(captures.path(capture))
  local said, status = captures.run(("import %s --output %s %s"):format(capture, output,
                                                                        more or ""))
  equal(status, 0, said)
  equal(uv.fs_stat(captures.path(output)).mode & tonumber("777", 8), tonumber("600", 8))
  return assert(files.read(captures.path(output))), said, output
end

local SAME = { "version", "cipher_suite", "group", "alpn", "handshake_completed", "resumed",
               "certificate_requested" }

local function length(list)
  return list and #list or nil
end

-- Raises unless two links came to the same, in every epoch, as far as a wire shows it.
local function check_same(was, is, text, but_problem)
  for _, role in ipairs { "client", "server" } do
    local before, after = was[role].history, is[role].history
    equal(#after, #before, text)
    for index, epoch in ipairs(before) do
      for _, name in ipairs(SAME) do
        equal(after[index][name], epoch[name], ("%s, %s\n%s"):format(role, name, text))
      end
      for _, name in ipairs { "alert_sent", "alert_received" } do
        equal((after[index][name] or {}).name, (epoch[name] or {}).name, role .. name .. text)
      end
      equal(but_problem or (after[index].error or {}).problem,
            but_problem or (epoch.error or {}).problem, role .. text)
      equal(length(after[index].wire.sent_certificates), length(epoch.wire.sent_certificates),
            role .. text)
    end
  end
  equal(is.failed_first, was.failed_first, text)
end

-- The same, of a link that is imported; the source. Causes that share an alert may be taken for
-- another where `but_problem` is true.
local function again(link, but_problem)
  local text, said, output = imported(link)
  equal(said, "", text)
  reproduced.check_lines(text)
  local told = reproduced.run(text)
  check_same(link, told.links[#told.links], text, but_problem)
  said = captures.run("run --format tap " .. output)
  contains(said, "\nok 1 - ")
  equal(said:find("not ok", 1, true), nil, said)
  return text
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  local function named(what)
    return what .. ", " .. version
  end

  test(named "a handshake succeeds", function()
    contains(again(link_with(nil, nil, version)), version .. " with server.example: a handshake")
  end)

  test(named "a required certificate never comes", function()
    contains(again(link_with({ client_auth = "require" }, nil, version)), "the server refuses")
  end)

  test(named "a certificate is only asked for", function()
    contains(again(link_with({ client_auth = "request" }, nil, version)), '"request"')
  end)

  test(named "both ends show a certificate", function()
    contains(again(link_with({ client_auth = "require" }, { identity = alice }, version)),
             'uri = "spiffe://example.org/alice"')
  end)

  test(named "the server names other issuers", function()
    local link = link_with({ client_auth = "require", issuers = { "CN=Some,O=Other", "CN=X" } },
                           { identity = alice }, version)
    contains(again(link), 'issuers = { "CN=Some,O=Other", "CN=X" }')
  end)

  test(named "each end refuses the other", function()
    again(link_with(nil, { trust = pki.authority { cn = "Other" } }, version))
    local mallory = pki.authority { cn = "Other" }:issue { cn = "mallory" }
    contains(again(link_with({ client_auth = "require", issuers = {}, alerts = "rfc" },
                             { identity = mallory }, version)), 'alerts = "rfc"')
    local late = sub:issue { dns = "server.example", not_before = "-30d", not_after = "-3d" }
    contains(again(link_with({ identity = late }, nil, version)), 'not_after = "-3d"')
  end)

  test(named "an intermediate is missing", function()
    local bare = server:with { chain = { server } }
    again(link_with({ identity = bare }, nil, version))
    again(link_with({ identity = bare, alerts = "rfc" }, { alerts = "rfc" }, version))
  end)

  test(named "a session is resumed", function()
    local first = link_with(nil, nil, version)
    local link = first:resume()
    link:handshake()
    local text, said, output = imported(link)
    equal(said, "", text)
    contains(text, "resumed:handshake()")
    contains(text, "resumed = true")
    contains(captures.run("run --format tap " .. output), "\nok 1 - ")
  end)
end

test("groups, protocols, suites and an old version", function()
  again(link_with({ groups = "secp384r1", alpn = "h2" },
                  { groups = { "x25519", "secp384r1" }, alpn = { "h2", "http/1.1" } }))
  again(link_with({ cipher_suites = "TLS_CHACHA20_POLY1305_SHA256" }))
  again(link_with({ client_auth = "require" }, { identity = alice }, "TLS1.0"))
end)

test("what two ends do not share", function()
  again(link_with({ versions = "TLS1.3" }, { versions = "TLS1.2" }), true)
  contains(again(link_with({ versions = "TLS1.3" }, { versions = "TLS1.0" }), true),
           "protocol_version")
  contains(again(link_with({ cipher_suites = "TLS_AES_128_GCM_SHA256", versions = "TLS1.3" },
                           { cipher_suites = "TLS_AES_256_GCM_SHA384", versions = "TLS1.3" })),
           "the alert handshake_failure does not tell")
  again(link_with({ alpn = "h2", alpn_required = true }, { alpn = "http/1.1" }))
  again(link_with({ sites = { ["a.example"] = {} }, unknown_name = "reject" }))
end)

test("a renegotiation and a reauthentication", function()
  local link = link_with(nil, { identity = alice }, "TLS1.2")
  link:renegotiate { by = "server", server = { client_auth = "require" } }
  contains(again(link), 'link:renegotiate { by = "server", server = { client_auth = "require" } }')
  link = link_with(nil, nil, "TLS1.2")
  link:renegotiate { by = "client" }
  contains(again(link), 'link:renegotiate { by = "client"')
  link = link_with(nil, { identity = alice }, "TLS1.3")
  link:reauthenticate()
  contains(again(link), "link:reauthenticate {")
end)

test("a message in many records", function()
  local deep = pki.chain { depth = 60, leaf = { dns = "server.example" } }
  local link = link_with({ identity = deep }, { trust = deep.root, max_depth = 100 }, "TLS1.3")
  local text = imported(link)
  contains(text, "authorities[60]")
end)

test("a capture of a case is read as well", function()
  local text, said, output = imported(link_with({ client_auth = "require" }, nil, "TLS1.3"))
  equal(said, "", text)
  captures.run("run --pcap pcaps " .. output)
  local names = files.list(captures.path "pcaps")
  equal(#names, 1)
  said = captures.run(("import %s --output case.lua"):format(captures.quoted(
    captures.path("pcaps/" .. names[1]:match "[^/]*$"))))
  equal(said, "")
  contains(assert(files.read(captures.path "case.lua")), '["error.problem"] = "no_certificate"')
end)

test("without secrets a key log is asked for, and with it all is seen", function()
  local link = link_with({ client_auth = "require" }, { identity = alice }, "TLS1.3")
  link:pcapng(captures.path "whole.pcapng")
  local bare, log = captures.without_secrets(captures.path "whole.pcapng")
  assert(files.write(captures.path "bare.pcapng", bare))
  assert(files.write(captures.path "keys.log", log))
  local text, status = captures.run "import bare.pcapng --output bare.lua"
  equal(status, 0)
  contains(text, "nothing after the ServerHello could be read")
  contains(text, "--keylog keys.log")
  text = assert(files.read(captures.path "bare.lua"))
  contains(text, "-- The chain of the server was not seen: this one is made up.")
  equal(text:find("succeeded", 1, true), nil, text) -- who knows
  local told = reproduced.run(text)
  equal(told.links[1].client.cipher_suite, link.client.cipher_suite)
  equal(told.links[1].client.group, link.client.group)

  assert(files.write(captures.path "other.log", ""))
  text = captures.run "import bare.pcapng --keylog other.log --output other.lua"
  contains(text, "The key log that was given has none of them")

  text, status = captures.run "import bare.pcapng --keylog keys.log --output seen.lua"
  equal(text, "")
  equal(status, 0)
  text = assert(files.read(captures.path "seen.lua"))
  told = reproduced.run(text)
  check_same(link, told.links[1], text)
end)

test("packets that were cut short when they were captured are said to be", function()
  link_with():pcapng(captures.path "whole.pcapng")
  local function imported_short(most, how)
    files.write(captures.path "short.pcapng",
                captures.cut_short(captures.path "whole.pcapng", most))
    return captures.run("import short.pcapng" .. (how or ""))
  end
  local said, status = imported_short(100)
  equal(status, 2, said)
  contains(said, "no connection begins with a ClientHello that can be read. Packets were cut short")
  said, status = imported_short(100, " --stream 0")
  equal(status, 2, said)
  contains(said, "stream 0 has TLS, but no ClientHello that can be read. Packets were cut short")
  said, status = imported_short(500) -- the hellos are whole
  equal(status, 0, said)
  contains(said, "Packets were cut short when they were captured")
end)

test("up to TLS 1.2 a handshake is seen without secrets", function()
  local link = link_with({ client_auth = "require" }, { identity = alice }, "TLS1.2")
  link:close()
  link:pcapng(captures.path "whole.pcapng")
  assert(files.write(captures.path "bare.pcapng",
                     (captures.without_secrets(captures.path "whole.pcapng"))))
  local text, status = captures.run "import bare.pcapng"
  equal(status, 0)
  equal(text:find("secrets", 1, true), nil)
  local told = reproduced.run(text)
  equal(told.links[1].server.peer_certificate.subject, "CN=alice")
end)

test("a certificate's names cannot leave their strings", function()
  local name = '" .. os.exit() --\n]]\27[31m\u{202E}'
  local odd = pki.authority { cn = name }
  local link = link_with({ identity = odd:issue { cn = name, dns = "server.example" } },
                         { trust = odd })
  local text = again(link)
  equal(text:find("[\27\u{202E}]"), nil)
  equal(text:find("\n%s*%]%]"), nil)
end)

captures.remove()
unit.done()
