-- SPDX-License-Identifier: MIT
-- moonshake probe as a program: its exit statuses, what it prints and what it keeps. The server is
-- another process of ours.
local unit = dofile "tests/lua/harness.lua"
local place = dofile "tests/program/place.lua"
local json = require "dkjson"
local test, equal, contains = unit.test, unit.equal, unit.contains

place.put("pki.lua", [[
local ms = require "moonshake"
local root = ms.pki.authority { cn = "Example Root" }
root:save "root"
root:issue { dns = "server.example" }:save "server"
root:issue { cn = "alice" }:save "alice"
root:issue { subject = "CN=\27[2Jevil", dns = "server.example" }:save "evil"
ms.pki.authority { cn = "Other" }:issue { cn = "mallory" }:save "mallory"
local file <close> = io.open("alice.p12", "wb")
file:write(ms.pki.load { certificate = "alice/chain.pem", key = "alice/key.pem" }
  :pkcs12 { password = "secret" })
]])

-- serve.lua IDENTITY CLIENT_AUTH: answers everybody, one after the other, until it is ended.
place.put("serve.lua", [[
local ms = require "moonshake"
local name, client_auth = ...
local listener = ms.tls.listen { server = {
  identity = ms.pki.load { certificate = name .. "/chain.pem", key = name .. "/key.pem" },
  trust = ms.pki.certificates "root/cert.pem", client_auth = client_auth,
} }
print(listener.port)
io.stdout:close()
while true do
  local one = listener:accept { timeout = 60 }
  if one and one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
    one:send { data = "HTTP/1.1 200 \27[31mOK\r\nContent-Length: 0\r\n\r\n" }
  end
  if one then
    one:close()
  end
end
]])

local made, status = place.shell "moonshake lua pki.lua && printf 'secret\\n' > password"
assert(status == 0, made)

-- What the probe prints of such a server, and its exit status.
local function probed(identity, client_auth, options)
  return place.shell(([[
rm -f ready; mkfifo ready
%s lua serve.lua %s %s > ready &
server=$!
read port < ready
moonshake probe 127.0.0.1:$port --servername server.example %s
status=$?
kill $server
wait $server 2>/dev/null
(exit $status)]]):format(place.quoted(place.program), identity, client_auth, options))
end

local TRUST, ALICE = "--ca root/cert.pem ", "--cert alice/chain.pem --key alice/key.pem "

test("0 is accepted", function()
  local text, code = probed("server", "require", TRUST .. ALICE)
  equal(code, 0, text)
  contains(text, "accepted with our certificate CN=alice, which it requires")
  contains(text, "with ours  remembered")
  equal(text:find("PRIVATE", 1, true), nil)
  for line in text:gmatch "[^\n]+" do
    equal(#line <= 80, true, line)
  end
end)

test("1 is refused, by the server or by us", function()
  local text, code = probed("server", "require", TRUST)
  equal(code, 1, text)
  contains(text, "refused by the server with the alert certificate_required (116) after our\n"
           .. "  handshake was complete")
  text, code = probed("server", "none", "--ca mallory/cert.pem")
  equal(code, 1, text)
  contains(text, "refused by us")
end)

test("a PKCS #12 file is taken with its password", function()
  local text, code = probed("server", "require",
                            TRUST .. "--p12 alice.p12 --password-file password")
  equal(code, 0, text)
  equal(text:find("secret", 1, true), nil)
end)

test("JSON is one object with all that was found, and no key", function()
  local text, code = probed("server", "request", TRUST .. ALICE .. "--json")
  equal(code, 0, text)
  local found = assert(json.decode(text))
  equal(found.verdict, "accepted")
  equal(found.request.requirement, "optional")
  equal(found.request.issuers[1], "CN=Example Root")
  equal(found.ours.sent, true)
  equal(found.versions["TLS1.3"], true)
  equal(found.chain[1].dns_names[1], "server.example")
  equal(#found.chain[1].uris, 0)
  equal(select(2, text:gsub("\n", "\n")), 1)
  equal(text:find("PRIVATE", 1, true), nil)
end)

test("what the server says does nothing to a terminal", function()
  local text, code = probed("evil", "none", TRUST)
  equal(code, 0, text)
  equal(text:find("\27", 1, true), nil)
  contains(text, "\\x1B[31mOK")
  contains(text, "evil")
end)

test("what is kept shows the same in process, and is for its owner alone", function()
  for _, case in ipairs {
    { "require", TRUST, 1 }, { "require", TRUST .. ALICE, 0 },
    { "require", TRUST .. "--cert mallory/chain.pem --key mallory/key.pem", 1 },
    { "none", TRUST, 0 }, { "none", "--ca mallory/cert.pem", 1 },
  } do
    local text, code = probed("server", case[1], case[2] .. " --write kept.lua")
    equal(code, case[3], text)
    equal(text:find "not all is the same", nil, text)
    text, code = place.shell "moonshake run kept.lua && stat -c %a kept.lua"
    equal(code, 0, text)
    contains(text, "\n600\n")
  end
end)

test("where it cannot be kept, that is said", function()
  local text, code = probed("server", "none", TRUST .. "--write there/is/no/place.lua")
  equal(code, 2, text)
  contains(text, "--write: cannot write there/is/no/place.lua")
end)

test("3 is unreachable", function()
  local text, code = place.shell "moonshake probe unix:nobody --timeout 5"
  equal(code, 3, text)
end)

test("2 is not told, for want of room", function()
  if io.open("/dev/full", "r") then
    local text, code = place.shell "{ moonshake probe unix:nobody --json >/dev/full; } 2>&1"
    equal(code, 2, text)
    contains(text, "what was found could not be written")
  end
end)

place.remove()
unit.done()
