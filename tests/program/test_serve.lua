-- SPDX-License-Identifier: MIT
-- moonshake serve: what it tells of clients and to them. Clients are this program's own; others are
-- in tests/live. What a client does or does not do never hangs on how long anything takes.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local json = require "dkjson"
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- A client: get.lua PORT VERSION IDENTITY ACCEPT PATH...: asks for one after the other, and prints
-- what came. IDENTITY is a directory, or "-". The authority that it trusts is in $CA.
place.put("get.lua", [[
local ms = require "moonshake"
local port, version, folder, accept = ...
accept = accept == "any" and "*/*" or accept
local connection = ms.tls.connect {
  port = tonumber(port),
  client = {
    versions = version, server_name = "localhost", trust = ms.pki.certificates(os.getenv "CA"),
    post_handshake_auth = not os.getenv "WITHOUT", send_certificate = "always",
    identity = folder ~= "-" and ms.pki.load {
      certificate = folder .. "/chain.pem", key = folder .. "/key.pem",
    } or nil,
  },
}
local function over(why)
  local alert = connection.client.alert_received
  print("over: " .. tostring(why) .. (alert and ", alert " .. alert.name or ""))
  os.exit(0, true)
end
if not connection:handshake() then
  over(connection.client.error.problem)
end
for number, path in ipairs { select(5, ...) } do
  local last = number == select("#", ...) - 4
  connection:send { data = ("GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: %s\r\n"
    .. "Connection: %s\r\n\r\n"):format(path, accept, last and "close" or "keep-alive") }
  local text = ""
  while not text:find "\r\n\r\n" or #text:match "\r\n\r\n(.*)$" < tonumber(
    text:match "Content%-Length: (%d+)") do
    local data, why = connection:receive()
    if not data then
      over(why)
    end
    text = text .. data
  end
  print(text)
end
over(select(2, connection:receive()))]])

place.put("other.lua", [[
local pki = require("moonshake").pki
pki.authority { cn = "Other Root" }:issue { cn = "mallory" }:save "other"]])
place.shell "moonshake lua other.lua"

local EMPTY = "" -- of a file
local SECONDS = "4" -- that somebody is waited for in vain

-- Serves with these arguments, beside a script of the shell, in which `get` is the client and $port
-- where the server is; then ends it by a signal if it has not ended. Returns what the script
-- printed, what the server did, its exit status, and its complaints.
local function serve(arguments, script, signal)
  place.remove "client"
  place.put("out", EMPTY)
  local text, status = place.shell(([[
    %s serve %s >out 2>err & pid=$!
    until [ -s out ] || ! kill -0 $pid 2>/dev/null; do :; done
    url=$(sed -n '1s/^listening on //p' out); port=${url##*:}; port=${port%%/}
    export CA=$(sed -n 's/^the authority.s certificate is in \(.*\): curl.*/\1/p' out)
    get() { moonshake lua get.lua "$port" "$@"; }
    { %s
    }
    %s
    wait $pid]]):format(place.quoted(place.program), arguments, script,
                        signal and ("kill -%s $pid"):format(signal) or ""))
  return text, place.get "out", status, place.get "err"
end

local function count(text, part)
  return select(2, text:gsub(part:gsub("%p", "%%%0"), ""))
end

-- The lines of JSON that a server printed: the first, those of clients, the last.
local function objects(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do
    list[#list + 1] = assert(json.decode(line), line)
  end
  return table.remove(list, 1), list, table.remove(list)
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test("a client is let in and shown what it did: " .. version, function()
    local text, told, status, errors = serve("--client-auth require --make-client client --once",
      ("get %s client text/plain /hello"):format(version))
    equal(status, 0)
    equal(errors, "")
    contains(text, "HTTP/1.1 200 OK\r\n")
    contains(text, "Let in\n")
    contains(text, "over: closed")
    for _, one in ipairs { text, told } do
      contains(one, version .. ", ")
      contains(one, "SNI localhost")
      contains(one, "asked    for a certificate, in the handshake, naming CN=Moonshake")
      contains(one, "sent     CN=Moonshake client, issued by CN=Moonshake authority")
      contains(one, "verified yes: the chain is good")
    end
    contains(told, "client 1: GET /hello: 200\n")
    contains(told, "client 1: accepted; 1 request, ended: closed by the server after its answer\n")
    contains(told, "\n1 client: 1 accepted, 0 refused, 0 refused the server, 0 failed\n")
  end)

  test("a client without a certificate, and one with a wrong one, get an alert: " .. version,
       function()
    local text, told, status = serve("--client-auth require --make-client client --clients 2",
      ("get %s - any /; get %s other any /"):format(version, version))
    equal(status, 1)
    local missing = version == "TLS1.3" and "certificate_required" or "handshake_failure"
    contains(text, "alert " .. missing)
    contains(text, "alert unknown_ca")
    contains(told, ": refused by the server: no_certificate\n")
    contains(told, "sent     no certificate")
    contains(told, "the server sent fatal " .. missing)
    contains(told, ": refused by the server: certificate_rejected\n")
    contains(told, "sent     CN=mallory, issued by CN=Other Root")
    contains(told, "verified no: signer_not_found: the issuer of CN=mallory")
    contains(told, "2 clients: 0 accepted, 2 refused, 0 refused the server, 0 failed\n")
  end)

  test("a refusal is explained to the client where that is wanted: " .. version, function()
    local text, told, status = serve(
      "--client-auth require --on-refusal explain --make-client client --clients 3",
      ("for one in - other client; do get %s $one text/html /; done"):format(version))
    equal(status, 1)
    equal(count(text, "HTTP/1.1 403 Forbidden"), 2)
    equal(count(text, "HTTP/1.1 200 OK"), 1)
    equal(count(text, "over: closed"), 3)
    contains(text, "a certificate is required, and the client sent none")
    contains(text, "You were asked for one, and sent none.")
    contains(text, "the certificate of CN=mallory is not accepted: signer_not_found")
    contains(text, "You sent one, and it is not good.")
    contains(text, "You sent one, and it is good.")
    contains(told, "3 clients: 1 accepted, 2 refused, 0 refused the server, 0 failed\n")
  end)

  local way = version == "TLS1.3" and "after the handshake" or "by renegotiation"
  test("a certificate is asked for when a path is wanted: " .. version, function()
    local text, told, status = serve(
      "--client-auth require --ask-at /secret --make-client client --clients 2",
      ("get %s client any / /secret/a?b /secret; get %s - any /secrets /secret"):format(
        version, version))
    equal(status, 1)
    equal(count(text, "HTTP/1.1 200 OK"), 4)
    equal(count(text, "Connected\n"), 2)
    equal(count(text, "Let in\n"), 2)
    contains(text, "asked    for a certificate, " .. way)
    contains(text, "over: peer_alert, alert "
                     .. (version == "TLS1.3" and "certificate_required" or "handshake_failure"))
    equal(count(told, "verified yes: the chain is good"), 1)
    contains(told, "client 2: GET /secret: no answer\n")
    contains(told, "client 2: refused by the server: no_certificate; 2 requests")
  end)

  test("that, too, is explained where it is wanted: " .. version, function()
    local text, told = serve("--client-auth require --ask-at /secret/ --on-refusal explain "
                             .. "--make-client client --clients 2",
      ("get %s other application/json /secret /; get %s - any /secret"):format(version, version))
    equal(count(text, "HTTP/1.1 403 Forbidden"), 2)
    equal(count(text, "HTTP/1.1 200 OK"), 1)
    local object = assert(json.decode(text:match "\r\n\r\n(%b{})"))
    equal(object.refusal.problem, "certificate_rejected")
    equal(object.certificate.asked, way)
    equal(object.certificate.sent[1].subject, "CN=mallory")
    equal(object.certificate.verified, false)
    contains(told, "2 clients: 0 accepted, 2 refused, 0 refused the server, 0 failed\n")
  end)
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test("a client that refuses the server has not failed: " .. version, function()
    local script = ("CA=other/cert.pem get %s client any /"):format(version)
    local text, told, status = serve("--client-auth require --make-client client --once", script)
    equal(status, 1)
    contains(text, "over: certificate_rejected")
    contains(told, ": the client refused the server: ")
    contains(told, "alert    the client sent fatal ")
    contains(told, "1 client: 0 accepted, 0 refused, 1 refused the server, 0 failed\n")
    told = select(2, serve("--json --once", "port=$(sed 's/.*\"port\":\\([0-9]*\\).*/\\1/' out); "
                           .. script:gsub("client", "-")))
    local _, clients, sum = objects(told)
    equal(clients[1].outcome, "refused_server")
    equal(sum.refused_server, 1)
    equal(sum.failed, 0)
  end)
end

test("who cannot be asked after the handshake is told so", function()
  local text, told = serve("--ask-at /secret --make-client client --once",
                           "WITHOUT=1 get TLS1.3 client any /secret")
  contains(text, "HTTP/1.1 403 Forbidden")
  contains(text, "the client did not offer the extension post_handshake_auth")
  contains(told, "client 1: refused by the server: post_handshake_auth_not_offered; 1 request")
end)

-- The server stands still until the request and the client's end are both there.
test("why a client is not let in is told though it has left", function()
  place.put("gone.lua", [[
local port, server = ...
local one = require("moonshake").tls.connect { port = tonumber(port), client = {
  verify = false, post_handshake_auth = false,
} }
one:handshake()
os.execute(("kill -STOP %s; until grep -q '^State:.T' /proc/%s/status; do :; done"):format(
  server, server))
one:send { data = "GET /secret HTTP/1.1\r\nHost: localhost\r\n\r\n" }
one:close()
os.execute("kill -CONT " .. server)
print(one:receive())]])
  local text, told = serve("--ask-at /secret --make-client client --once",
                           "moonshake lua gone.lua $port $pid")
  contains(text, "nil\tclosed\n")
  contains(told, "client 1: GET /secret: no answer\n    why      the client did not offer")
  equal(told:find("close_notify", 1, true), nil)
end)

test("a page is complete in itself", function()
  local text = serve("--client-auth request --make-client client --once",
                     "get TLS1.3 client text/html /")
  contains(text, "Content-Type: text/html; charset=utf-8\r\n")
  contains(text, "<!DOCTYPE html>")
  contains(text, "TLS_AES_128_CCM_SHA256")
  contains(text, "default-src &#39;none&#39;")
  contains(text, "You sent one, and it is good.")
  contains(text, "<svg")
  contains(text, "Certificate state")
  equal(text:find "<script", nil)
  equal(text:find 'src="', nil)
end)

test("JSON is an object a client and line, behind one that says where", function()
  local _, told, status = serve("--client-auth request --make-client client --json --clients 2", [[
    port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' out)
    CA=client/ca.pem get TLS1.3 client any / /again
    CA=client/ca.pem get TLS1.2 - any /]])
  equal(status, 0)
  local first, clients, last = objects(told)
  equal(first.listening, ("https://127.0.0.1:%d/"):format(first.port))
  equal(first.authority, "client/ca.pem")
  equal(#clients, 2)
  local one = clients[1]
  equal(one.number, 1)
  equal(one.outcome, "accepted")
  equal(one.version, "TLS1.3")
  equal(one.offered.server_name, "localhost")
  contains(table.concat(one.offered.cipher_suites, " "), "TLS_AES_128_GCM_SHA256")
  equal(one.offered.post_handshake_auth, true)
  equal(one.certificate.verified, true)
  equal(#one.certificate.sent, 1)
  equal(#one.requests, 2)
  equal(one.requests[2].target, "/again")
  equal(one.requests[2].status, 200)
  equal(one.ended, "answered")
  equal(#clients[2].certificate.sent, 0)
  equal(last.clients, 2)
  equal(last.accepted, 2)
end)

---------------------------------------------------------------------------------------------------
-- Bad clients

-- Clients that do not get far: bad.lua PORT HOW. "waits" prints "there" once it is connected, and
-- goes when its input ends.
place.put("bad.lua", [[
local port, how = ...
local socket = require "moonshake.io.socket"
local one = assert(socket.connect({ host = "127.0.0.1", port = tonumber(port) }, 60))
if how == "garbage" then
  one:write(("hello, world\n"):rep(1000), 60)
elseif how == "hello" then -- a record that says more is to come
  one:write("\22\3\1\2\0\1\0\1\252\3\3", 60)
elseif how == "endless" then -- a ClientHello of 16 MiB, of which more comes for ever
  local record = "\22\3\1\64\0" .. ("\0"):rep(16384)
  one:write("\22\3\1\0\4\1\255\255\255", 60)
  while one:write(record, 60) do end
end
if how == "leaves" or how == "hello" then
  one:close()
  require("moonshake.io.loop").settle()
elseif how == "reset" then
  one:close(true)
  require("moonshake.io.loop").settle()
else
  io.stderr:write "there\n"
  while one:read(60) do end
end]])

test("clients that send garbage, no end, nothing, or a part and leave are told apart", function()
  local _, told, status = serve("--clients 5 --timeout " .. SECONDS, [[
    for how in garbage hello endless leaves waits; do moonshake lua bad.lua $port $how; done]])
  equal(status, 1)
  contains(told, "client 1, 127.0.0.1:")
  equal(count(told, ": failed: protocol_violation\n"), 1)
  contains(told, 'its first bytes: "hello, world"')
  contains(told, ": failed: message_too_large\n")
  contains(told, "the server refuses the client's ClientHello: it is too large")
  contains(told, "the ClientHello has 16777215 bytes")
  equal(count(told, ": failed: closed_early\n"), 2)
  contains(told, ": failed: timeout\n")
  contains(told, ("the handshake was not over within %s s"):format(SECONDS))
  contains(told, "5 clients: 0 accepted, 0 refused, 0 refused the server, 5 failed\n")
end)

-- A client of TLS 1.2 whose certificate is none: unreadable.lua PORT.
place.put("unreadable.lua", [[
local socket = require "moonshake.io.socket"
local function message(kind, body)
  return string.pack(">I1I2s2", 22, 0x0303, string.pack(">I1s3", kind, body))
end
local function extension(kind, body)
  return string.pack(">I2s2", kind, body)
end
local one = assert(socket.connect({ host = "127.0.0.1", port = tonumber((...)) }, 60))
one:write(message(1, "\3\3" .. ("c"):rep(32) .. "\0" .. "\0\2\xc0\x2b" .. "\1\0"
  .. string.pack(">s2", extension(10, "\0\2\0\23") .. extension(13, "\0\2\4\3")
                        .. extension(0xff01, "\0"))), 60)
local came = ""
while not came:find "\14\0\0\0$" do -- ServerHelloDone
  came = came .. assert(one:read(60))
end
one:write(message(11, string.pack(">s3", string.pack(">s3", "no certificate"))), 60)
while one:read(60) do end]])

test("a client whose certificate cannot be read is told of like any other", function()
  local _, told, status, errors = serve("--client-auth require --make-client client --once",
                                        "moonshake lua unreadable.lua $port")
  equal(errors, "")
  equal(status, 1)
  contains(told, "sent     a certificate that cannot be read\n")
  contains(told, "1 client: 0 accepted, 1 refused, 0 refused the server, 0 failed\n")
  _, told = serve("--client-auth require --make-client client --once --json", [[
    moonshake lua unreadable.lua $(sed -n 's/.*"port":\([0-9]*\).*/\1/p' out)]])
  local _, clients = objects(told)
  equal(clients[1].outcome, "refused")
  equal(#clients[1].certificate.sent, 1)
end)

test("a client that waits holds nobody up", function()
  local text, told = serve("--make-client client", [[
    for i in 1 2 3; do moonshake lua bad.lua $port waits 2>>there & waiting="$waiting $!"; done
    until [ "$(grep -c there there)" = 3 ]; do :; done
    get TLS1.3 - any /
    kill $waiting]], "INT")
  contains(text, "HTTP/1.1 200 OK")
  contains(told, "client 4: GET /: 200")
  contains(told, "4 clients: 1 accepted, 0 refused, 0 refused the server, 3 failed\n")
  place.remove "there"
end)

-- Requests that are none: raw.lua PORT TEXT, escaped as in Lua.
place.put("raw.lua", [[
local ms = require "moonshake"
local port, text = ...
local one = ms.tls.connect { port = tonumber(port), client = { verify = false } }
assert(one:handshake())
one:send { data = load("return '" .. text .. "'")() }
local data, why = one:receive()
while data do
  print(data)
  data, why = one:receive()
end
print("over: " .. why)]])

test("requests that are bad or unwanted are answered so", function()
  local text, told = serve("--clients 3", [[
    moonshake lua raw.lua $port 'hello\r\n\r\n'
    rest='Connection: close\r\nContent-Length: 3\r\n\r\nabc'
    moonshake lua raw.lua $port 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n'"$rest"
    moonshake lua raw.lua $port 'HEAD / HTTP/1.0\r\n\r\n']])
  contains(text, "HTTP/1.1 400 Bad Request\r\n")
  contains(text, "HTTP/1.1 100 Continue\r\n\r\n")
  contains(text, "HTTP/1.1 405 Method Not Allowed\r\n")
  contains(text, "Allow: GET, HEAD\r\n")
  contains(text, "Connection: close\r\n\r\n\nover: closed\n")
  equal(count(text, "over: closed\n"), 3)
  contains(told, "client 1: what is no request: 400\n")
  contains(told, "client 2: POST /: 405\n")
  contains(told, "client 3: HEAD /: 200\n")
  contains(told, "3 clients: 3 accepted, 0 refused, 0 refused the server, 0 failed\n")
end)

test("requests that do not come to their end are given up", function()
  local text, told = serve("--clients 2 --timeout " .. SECONDS, [[
    moonshake lua raw.lua $port 'GET / HTTP/1.1\r\nHo' & first=$!
    moonshake lua raw.lua $port 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na'
    wait $first]])
  contains(text, "HTTP/1.1 408 Request Timeout\r\n")
  equal(count(text, "over: closed\n"), 2)
  contains(told, ("the request was not whole within %s s"):format(SECONDS))
  contains(told, ": POST /: no answer\n")
  contains(told, "1 request, ended: timeout\n")
  contains(told, "2 clients: 2 accepted, 0 refused, 0 refused the server, 0 failed\n")
end)

---------------------------------------------------------------------------------------------------
-- What is kept, and where

place.put("tiny.lua", [[
local ms = require "moonshake"
local connection = ms.tls.connect { port = tonumber((...)), client = { verify = false } }
connection:handshake()
local sent = connection:send {
  data = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n",
}
while sent do
  sent = connection:send { data = "x" }
end]])

test("a body in records of a byte each is given up before it fills the memory", function()
  local _, told = serve("--once --timeout 60", "moonshake lua tiny.lua $port")
  contains(told, "ended: message_too_large\n")
end)

test("files are for this user alone, and no key is told", function()
  local text, told, status, errors = serve(
    "--client-auth require --make-client client --log logs --clients 2",
    "get TLS1.3 client text/html /; get TLS1.3 - application/json /")
  equal(status, 1)
  equal(place.shell "ls -l logs/* client/key.pem client/*.p12 | sed 's/^-\\(.........\\).* /\\1 /'",
        "rw------- client/client.p12\nrw------- client/key.pem\n"
        .. "rw------- logs/client-0001.pcapng\nrw------- logs/client-0002.pcapng\n")
  contains(errors, "captures go to logs; they hold session keys")
  local key = place.get "client/key.pem":match "\n(%S+)\n"
  for _, one in ipairs { text, told, errors, place.get "logs/client-0001.pcapng" } do
    equal(one:find(key, 1, true), nil)
    equal(one:find("PRIVATE KEY", 1, true), nil)
  end
  place.remove "logs"
end)

test("a capture that cannot be written costs nobody his connection", function()
  local text, told, _, errors = serve("--log logs --clients 2",
                                      "rm -r logs; get TLS1.3 - any /; get TLS1.3 - any /")
  equal(count(text, "HTTP/1.1 200 OK"), 2)
  contains(told, "2 clients: 2 accepted, 0 refused, 0 refused the server, 0 failed\n")
  equal(count(errors, "cannot write logs/client-000"), 2)
end)

test("nobody has to read what is told", function()
  local text = place.shell(([[
    { %s serve --once; echo "status $?" >&3; } 3>status | { read -r line
      port=${line##*:}; port=${port%%/}; exec <&-
      moonshake lua raw.lua $port 'GET / HTTP/1.0\r\n\r\n'; }
    until [ -s status ]; do :; done; cat status]]):format(place.quoted(place.program)))
  contains(text, "HTTP/1.1 200 OK")
  contains(text, "status 0\n")
end)

test("but who cannot be told where it listens gets no server", function()
  for _, stream in ipairs { "/dev/full", "&-" } do
    local text, status = place.shell(("{ moonshake serve --json >%s; } 2>&1"):format(stream))
    contains(text, "moonshake: what there is to tell could not be written: ")
    equal(count(text, "\n"), 1)
    equal(status, 2)
  end
end)

test("what cannot be told of clients costs them nothing, and is complained about once", function()
  -- A file that may have no more than 1 or 2 KiB holds the line that says where, and no client.
  local text, status = place.shell(([[
    rm -f out
    (ulimit -f 2; trap '' XFSZ; exec %s serve --json --clients 2) >out 2>err & pid=$!
    until [ -s out ]; do :; done
    port=$(sed -n 's/.*"port":\([0-9]*\).*/\1/p' out)
    for one in 1 2; do moonshake lua raw.lua $port 'GET / HTTP/1.0\r\n\r\n'; done
    wait $pid]]):format(place.quoted(place.program)))
  equal(count(text, "HTTP/1.1 200 OK"), 2)
  equal(status, 2)
  equal(count(place.get "out", "\n"), 1)
  equal(place.get "err",
        "moonshake: what there is to tell could not be written: File too large\n")
end)

test("what is there already is not written over", function()
  place.put("taken/key.pem", "mine")
  local text, status = place.shell "moonshake serve --make-client taken"
  equal(status, 2)
  equal(text, "moonshake: taken/key.pem is there already\n")
  equal(place.get "taken/key.pem", "mine")
  place.put("log/client-0001.pcapng", "seen before")
  text, status = place.shell "moonshake serve --log log"
  equal(status, 2)
  equal(text, "moonshake: log has client-0001.pcapng of an earlier run: name another folder, or "
    .. "remove what is there\n")
  equal(place.get "log/client-0001.pcapng", "seen before")
  place.remove "log"
end)

test("an identity of files serves, and its own authority is needed by nobody", function()
  place.put("own.lua", [[
local pki = require("moonshake").pki
local ca = pki.authority { cn = "Own Root" }
ca:issue { dns = "localhost" }:save "own"
ca:issue { cn = "alice" }:save "alice"
local file = io.open("own/ca.pem", "w")
file:write(ca.certificate:pem())
file:close()]])
  place.shell "moonshake lua own.lua"
  local text, told = serve("--cert own/chain.pem --key own/key.pem --ca own/ca.pem "
                           .. "--client-auth require --versions TLS1.2 --once", [[
    CA=own/ca.pem get TLS1.2 alice any /]])
  contains(text, "HTTP/1.1 200 OK")
  contains(told, "sent     CN=alice, issued by CN=Own Root")
  equal(told:find("the authority's certificate", 1, true), nil)
end)

test("a unix socket is served, and an address for others said to be one", function()
  place.put("unix.lua", [[
local one = require("moonshake").tls.connect { path = "sock", client = { verify = false } }
print(one:handshake())
one:close()]])
  local text, told = serve("--path sock --once", "moonshake lua unix.lua")
  contains(text, "true\n")
  contains(told, "listening on unix:sock\n")
  local _, _, _, errors = serve("--host 0.0.0.0 --once", "get TLS1.3 - any /")
  contains(errors, "0.0.0.0 is no loopback address: anyone who reaches this machine can connect")
end)

for signal, wanted in pairs { INT = 130, TERM = 143, HUP = 129 } do
  test(("SIG%s ends it, with its clients and what is kept"):format(signal), function()
    local text, told, status = serve("", [[
      echo $CA
      moonshake lua bad.lua $port waits 2>there & waiting=$!
      until grep -q there there; do :; done
      get TLS1.3 - any / >/dev/null]], signal)
    equal(status, wanted)
    contains(told, "2 clients: 1 accepted, 0 refused, 0 refused the server, 1 failed\n")
    local path = text:match "%S+"
    contains(path, "/ca.pem")
    equal(io.open(path), nil)
  end)
end

test("--quiet tells where and how many", function()
  local _, told = serve("--quiet --once", "get TLS1.3 - any /")
  equal(count(told, "\n"), 3)
  contains(told, "listening on ")
  contains(told, "1 client: 1 accepted, 0 refused, 0 refused the server, 0 failed\n")
end)

for _, row in ipairs {
  { "--client-auth require --cert own/cert.pem --key own/key.pem", "whose certificates are good?" },
  { "--key own/key.pem", "--cert is missing" },
  { "--cert nowhere.pem", "nowhere.pem" },
  { "--cert own/cert.pem --key alice/key.pem", "key" },
  { "--ca own/key.pem --client-auth require", "own/key.pem" },
  { "--path a --port 1", "one of them" },
  { "--once --clients 2", "one of them" },
  { "--ask-at secret", "a path wanted that begins with /" },
  { "--ask-at / --client-auth none", "nothing to ask for" },
  { "--on-refusal explain", "nobody is refused without --client-auth" },
  { "--port 70000", "up to 65535" },
  { "--versions TLS1.4", "TLS1.4" },
  { "--path no/such/folder", "cannot listen on no/such/folder" },
  { "--host 192.0.2.1", "cannot listen on 192.0.2.1:0: no address of this machine" },
  { "--clinet-auth none", "unknown option '--clinet-auth'" },
} do
  test(("serve %s is unusable"):format(row[1]), function()
    local text, status = place.shell("moonshake serve " .. row[1])
    equal(status, 2)
    contains(text, row[2])
    equal(text:find("listening", 1, true), nil)
    equal(text:find("stack traceback", 1, true), nil)
  end)
end

place.remove()
unit.done()
