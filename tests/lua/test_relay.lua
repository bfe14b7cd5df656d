-- SPDX-License-Identifier: MIT
-- tls.relay: what it passes on, keeps and tells, between ends of ours and between bare sockets.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local files = require "moonshake.io.files"
local ms = require "moonshake"
local native = require "moonshake.native"
local sockets = require "moonshake.io.socket"
local tls = ms.tls
local faults = tls.faults
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local LOCAL = "127.0.0.1"
local LONG, SHORT = 10, 0.05 -- seconds: for what comes, and for what does not

local listener = world.listen { client_auth = "request" }

---------------------------------------------------------------------------------------------------
-- Ends of ours

-- A relay to the listener, and both ends of one connection through it after their handshakes.
local function through(version, given)
  return world.through(listener, world.client { identity = world.alice, versions = version }, given)
end

local function close(relay, near, far)
  ms.together(function()
    near:close()
    near:receive()
  end, function()
    far:receive()
    far:close()
  end)
  equal(relay:wait(), true)
  relay:close()
end

test("a handshake goes through, and what is in the clear is named", function()
  local relay, near, far = through "TLS1.2"
  equal(near.client.handshake_completed, true)
  equal(far.server.peer_certificate, world.alice.certificate)
  ms.together(function()
    near:send { data = "ping" }
    equal(near:receive(), "pong")
  end, function()
    equal(far:receive(), "ping")
    far:send { data = "pong" }
  end)
  close(relay, near, far)
  equal(#relay.connections, 1)
  local one = relay.connections[1]
  equal(one.over, true)
  equal(one.ended.client, "closed")
  equal(one.ended.server, "closed")
  equal(one.unrecorded, 0)
  equal(one.remote:match "^127.0.0.1:%d+$", one.remote)
  equal(one:text():gsub("\n.*", ""), "connection 1 from " .. one.remote)
  contains(one:text():gsub("\n%l+  closes", ""), table.concat({
    "client  ClientHello",
    "server  ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone",
    "client  Certificate, ClientKeyExchange, CertificateVerify, change_cipher_spec, "
      .. "encrypted handshake",
    "server  NewSessionTicket, change_cipher_spec, encrypted handshake",
    "client  encrypted application_data",
    "server  encrypted application_data",
    "client  encrypted alert",
    "server  encrypted alert",
  }, "\n"))
  local flight = one.flights[2]
  equal(flight.from, "server")
  equal(flight.type, "handshake")
  equal(flight.messages[1], "ServerHello")
  equal(flight.encrypted, false)
  equal(flight.arrived, "as_sent")
  equal(#flight.bytes, flight.length)
end)

test("what greetings and certificates in clear say is told", function()
  local relay, near, far = through "TLS1.2"
  close(relay, near, far)
  local flights = relay.connections[1].flights
  equal(flights[1].hello.server_name, "server.example")
  equal(flights[1].hello.versions[1], "TLS1.2")
  equal(flights[2].hello.cipher_suites[1], near.client.cipher_suite)
  equal(#flights[3].certificates, 1)
  equal(flights[3].certificates[1], world.server_identity.certificate)
  equal(flights[3].hello, nil)
  equal(table.concat(flights[5].issuers, "; "), "CN=Example Root")
  equal(flights[7].certificates[1], world.alice.certificate)
  raises('unknown field "server_nam"', function() return flights[1].hello.server_nam end)
  for _, told in ipairs { "SNI server.example", "names CN=Example Root",
                          "CN=server.example, issued by CN=Example Root" } do
    contains(relay.connections[1]:diagram(), told)
  end

  relay, near, far = through("TLS1.3", { keep = 0 })
  close(relay, near, far)
  equal(relay.connections[1].flights[1].messages[1], "ClientHello")
  equal(relay.connections[1].flights[1].hello, nil)
end)

test("a tamper function may choose by the name that is asked for", function()
  local relay, near, far = through("TLS1.3", { tamper = function(flight)
    local hello = flight.records[1].hello
    return hello and hello.server_name == "server.example" and "HTTP/1.0 400\r\n\r\n" or nil
  end })
  equal(far.server.error.problem, "protocol_violation")
  equal(near.client.handshake_completed, false)
  relay:close()
end)

test("in TLS 1.3 hellos are named, and the rest is encrypted", function()
  local relay, near, far = through "TLS1.3"
  close(relay, near, far)
  local names = {}
  for _, flight in ipairs(relay.connections[1].flights) do
    for _, message in ipairs(flight.messages) do
      names[#names + 1] = flight.from .. " " .. message
    end
  end
  equal(table.concat(names, ", "), "client ClientHello, server ServerHello")
  contains(relay.connections[1]:text(), "encrypted application_data")
end)

test("a fault does to each connection what it does between the ends of a link", function()
  for _ = 1, 2 do
    local relay, near, far = through("TLS1.2", {
      tamper = faults.flip { at = "ServerHello", byte = 20, bit = 0 },
    })
    equal(near.client.error.problem, "bad_signature")
    equal(far.server.error.problem, "peer_alert")
    equal(relay:wait(), true)
    equal(relay.connections[1].flights[2].arrived, "changed")
    contains(relay.connections[1]:text(), "server  ServerHello (changed), Certificate")
    contains(relay.connections[1]:text(), "client  alert fatal decrypt_error")
    relay:close()
  end
  local relay, near = through("TLS1.2", { tamper = faults.drop { at = "ServerHello" } })
  equal(near.client.error.problem, "protocol_violation")
  equal(relay.connections[1].flights[2].arrived, "dropped")
  relay:close()
  for _, fault in ipairs { faults.split { size = 1 }, faults.delay { seconds = 0.001 },
                           faults.chain { faults.delay { seconds = 0.001, at = "ServerHello" },
                                          faults.split { size = 50 } } } do
    for _, version in ipairs { "TLS1.2", "TLS1.3" } do
      local straight, one, other = through(version, { tamper = fault })
      equal(one.client.handshake_completed and other.server.handshake_completed, true)
      close(straight, one, other)
    end
  end
end)

test("a fault ends a connection as it is told", function()
  for problem, fault in pairs {
    closed_early = faults.close { at = "ServerHello" },
    connection_reset = faults.reset { at = "ServerHello" },
  } do
    local relay, near, far = through("TLS1.3", { tamper = fault })
    equal(near.client.error.problem, problem)
    equal(far.server.error.problem, problem)
    equal(relay:wait(), true)
    local one, reset = relay.connections[1], problem == "connection_reset"
    equal(one.ended.relay, reset and "reset" or "closed")
    equal(one.ended.client, nil)
    contains(one:text(), "server  ServerHello (dropped)\nrelay  "
             .. (reset and "resets" or "closes"))
    relay:close()
  end
end)

test("a direction that stops leaves the connection open", function()
  local relay = tls.relay { to = { port = listener.port },
                            tamper = faults.stop { at = "ServerHello" } }
  local near = tls.connect { port = relay.port, client = { verify = false } }
  local far
  ms.together(function()
    near:handshake { timeout = SHORT }
  end, function()
    far = listener:accept()
    far:handshake()
  end)
  equal(near.client.error.problem, "timeout")
  equal(far.server.error.problem, "closed_early") -- by the client, whose time was over
  equal(relay:wait(), true)
  relay:close()
end)

test("a tamper function sees one record at a time, and which connection it is of", function()
  local seen = {}
  local relay, near, far = through("TLS1.3", { tamper = function(flight)
    seen[#seen + 1] = flight.connection .. flight.from
    equal(#flight.records, 1)
    equal(flight.records[1].bytes, flight.bytes)
  end })
  close(relay, near, far)
  equal(seen[1], "1client")
  equal(#seen, #relay.connections[1].flights)
end)

---------------------------------------------------------------------------------------------------
-- Bare sockets

-- A relay between a socket that connects and one that listens.
local function bare(given)
  local target = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  given = given or {}
  given.to = { port = target.port }
  local relay = tls.relay(given)
  local near = assert(sockets.connect({ host = LOCAL, port = relay.port }, LONG))
  local far = assert(target:accept(LONG))
  target:close()
  return relay, near, far
end

-- Reads until so many bytes are there, or the end.
local function read(socket, length)
  local pieces, count = {}, 0
  while count < length do
    local bytes, problem = socket:read(LONG)
    if not bytes then
      return table.concat(pieces), problem
    end
    pieces[#pieces + 1], count = bytes, count + #bytes
  end
  return table.concat(pieces)
end

test("what is no TLS passes as it came, with a tamper function, too", function()
  for _, tamper in ipairs { false, function() end, faults.drop { at = "ClientHello" } } do
    local relay, near, far = bare { tamper = tamper or nil }
    for _, text in ipairs { "GET / HTTP/1.0\r\n\r\n", "\0\1\2", "\22HTTP", ("x"):rep(70000) } do
      assert(near:write(text, LONG))
      equal(read(far, #text) == text, true)
      assert(far:write(text, LONG))
      equal(read(near, #text) == text, true)
    end
    near:close()
    far:close()
    equal(relay:wait(), true)
    contains(relay.connections[1]:text(), "client  18 bytes that are no record")
    relay:close()
  end
end)

test("a record that is not whole passes at the end at the latest", function()
  for _, tamper in ipairs { false, function() end } do
    local relay, near, far = bare { tamper = tamper or nil }
    assert(near:write("\22\3\1\0\100half", LONG))
    near:shutdown()
    local bytes, problem = read(far, 100)
    equal(bytes, "\22\3\1\0\100half")
    equal(problem, "closed")
    relay:close()
  end
end)

test("TLS is found behind a conversation in the clear", function()
  local relay, near, far = bare()
  local function say(from, to, text)
    assert(from:write(text, LONG))
    equal(read(to, #text), text)
  end
  say(far, near, "220 ready\r\n")
  say(near, far, "STARTTLS\r\n")
  say(near, far, "\22\3\1\0\4\1\0\0\0")
  local flights = relay.connections[1].flights
  equal(#flights, 3)
  equal(flights[2].type, nil)
  equal(flights[3].messages[1], "ClientHello")
  relay:close()
end)

test("a record that comes behind the next one does so where both are delayed", function()
  local hello, data = "\22\3\1\0\4\1\0\0\0", "\23\3\3\0\1x"
  for _, parts in ipairs {
    { faults.delay { seconds = 0 }, faults.reorder { at = "ClientHello" } },
    { faults.reorder { at = "ClientHello" }, faults.delay { seconds = 0 } },
  } do
    local relay, near, far = bare { tamper = faults.chain(parts) }
    assert(near:write(hello .. data, LONG))
    equal(read(far, #hello + #data), data .. hello)
    relay:close()
  end
end)

test("the seed of a relay is that of its faults, unless they have their own", function()
  local hello = "\22\3\1\0\100\1\0\0\96" .. ("x"):rep(96)
  local function flipped(seed, own)
    local relay, near, far = bare { seed = seed,
                                    tamper = faults.flip { at = "ClientHello", seed = own } }
    assert(near:write(hello, LONG))
    local bytes = read(far, #hello)
    relay:close()
    return bytes
  end
  equal(flipped(1) ~= hello, true)
  equal(flipped(1), flipped(1))
  equal(flipped(1), flipped(nil))
  equal(flipped(1) ~= flipped(2) or flipped(2) ~= flipped(3), true)
  equal(flipped(5, 7), flipped(6, 7))
end)

test("a half-close passes, and the other direction goes on", function()
  local relay, near, far = bare()
  near:shutdown()
  local bytes, problem = far:read(LONG)
  equal(bytes, nil)
  equal(problem, "closed")
  assert(far:write("still here", LONG))
  equal(read(near, 10), "still here")
  equal(relay.connections[1].ended.client, "closed")
  equal(relay.connections[1].ended.server, nil)
  equal(relay.connections[1].over, false)
  far:close()
  equal(select(2, near:read(LONG)), "closed")
  equal(relay:wait(), true)
  local one = relay.connections[1]
  equal(one:text():gsub("^.-\n", ""), table.concat({
    "client  closes", "server  10 bytes that are no record", "server  closes",
  }, "\n"))
  equal(one.ended.relay, nil)
  relay:close()
end)

test("a reset passes in both directions", function()
  for round = 1, 2 do
    local relay, near, far = bare()
    assert(near:write("x", LONG))
    equal(read(far, 1), "x")
    local resets, reads = near, far
    if round == 2 then
      resets, reads = far, near
    end
    resets:close(true)
    equal(select(2, reads:read(LONG)), "connection_reset")
    equal(relay:wait(), true)
    equal(relay.connections[1].ended[round == 1 and "client" or "server"], "reset")
    equal(relay.connections[1].ended.relay, nil)
    relay:close()
  end
end)

test("a reset passes behind a half-close", function()
  local relay, near, far = bare()
  near:shutdown()
  equal(select(2, far:read(LONG)), "closed")
  far:close(true)
  equal(select(2, near:read(LONG)), "connection_reset")
  equal(relay:wait(), true)
  relay:close()
end)

test("who does not read holds up who writes, and nothing piles up", function()
  local piece = ("x"):rep(1 << 20)
  for _, tamper in ipairs { false, function() end } do
    local relay, near, far = bare { tamper = tamper or nil }
    collectgarbage()
    local before, written = collectgarbage "count", 0
    local done, problem = near:write(piece, SHORT)
    while done do
      written = written + #piece
      done, problem = near:write(piece, SHORT)
    end
    equal(problem, "timeout")
    equal(written < 64 << 20, true)
    collectgarbage()
    equal(collectgarbage "count" - before < 4096, true) -- KiB
    local count = #read(far, written)
    equal(count >= written, true)
    relay:close()
  end
end)

test("what is kept is bounded", function()
  local record = "\23\3\3\0\10" .. ("x"):rep(10)
  local relay, near, far = bare { keep = 40 }
  assert(near:write(record:rep(1200), LONG))
  equal(#read(far, 1200 * #record), 1200 * #record)
  local one = relay.connections[1]
  equal(#one.flights, 1000)
  equal(one.unrecorded, 200)
  equal(one.flights[2].bytes, record)
  equal(one.flights[3].bytes, nil)
  equal(one.flights[1000].length, 15)
  contains(one:text(), "client  1000 encrypted application_data")
  relay:close()
  contains(one:text(), "application_data\nand 200 records more\nrelay  closes")
end)

-- However short the record is in which it ends.
test("what messages say is bounded as well", function()
  local hello, done = "\22\3\3\0\4\1\0\0\0", "\22\3\3\0\4\14\0\0\0"
  local chain = string.pack(">I1s3", 11, string.pack(">s3", string.pack(">s3", ("x"):rep(90))))
  local first = "\22\3\3" .. string.pack(">s2", chain:sub(1, -2))
  local last = "\22\3\3\0\1" .. chain:sub(-1)
  for keep, num in pairs { [200] = 1, [50] = 0 } do
    local relay, near, far = bare { keep = keep }
    for from, bytes in pairs { [near] = hello, [far] = first .. last .. done } do
      local to = from == near and far or near
      assert(from:write(bytes, LONG))
      equal(read(to, #bytes), bytes)
    end
    local kept
    for _, flight in ipairs(relay.connections[1].flights) do
      if flight.from == "server" and flight.messages[1] == "Certificate" then
        kept = flight
      end
    end
    equal(kept.bytes, last)
    equal(#(kept.certificates or {}), num)
    relay:close()
  end
end)

test("what was changed is counted where it is not kept", function()
  local record, count = "\23\3\3\0\10" .. ("x"):rep(10), 0
  local relay, near, far = bare { tamper = function(flight)
    count = count + 1
    return count > 1100 and flight.bytes:upper() or nil
  end }
  assert(near:write(record:rep(1200), LONG))
  equal(#read(far, 1200 * #record), 1200 * #record)
  near:close()
  far:close()
  equal(relay:wait(), true)
  for _, told in ipairs { relay.connections[1]:text(), relay.connections[1]:diagram() } do
    contains(told, "and 200 records more, 100 of them changed or dropped")
  end
  relay:close()
end)

test("of the first thousand connections flights are kept, of others they are counted", function()
  local far = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  local relay = tls.relay { to = { port = far.port } }
  for _ = 1, 1001 do
    local near = assert(sockets.connect({ host = LOCAL, port = relay.port }, LONG))
    local other = assert(far:accept(LONG))
    assert(near:write("\23\3\3\0\1x", LONG))
    near:shutdown()
    equal(read(other, 6), "\23\3\3\0\1x")
    near:close()
    other:close()
  end
  equal(relay:wait { connections = 1001 }, true)
  equal(#relay.connections[1000].flights, 1)
  equal(#relay.connections[1001].flights, 0)
  equal(relay.connections[1001].unrecorded, 1)
  contains(relay.connections[1001]:text(), "and 1 record more")
  relay:close()
  far:close()
end)

test("many connections go at a time", function()
  local echo = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  local relay = tls.relay { to = { port = echo.port } }
  local jobs = {}
  for index = 1, 50 do
    jobs[2 * index - 1] = function()
      local near = assert(sockets.connect({ host = LOCAL, port = relay.port }, LONG))
      local text = ("%05d"):format(index):rep(1000)
      assert(near:write(text, LONG))
      equal(read(near, #text), text)
      near:close()
    end
    jobs[2 * index] = function()
      local far = assert(echo:accept(LONG))
      assert(far:write(read(far, 5000), LONG))
      far:read(LONG)
      far:close()
    end
  end
  ms.together(table.unpack(jobs))
  equal(relay:wait { connections = 50 }, true)
  equal(#relay.connections, 50)
  relay:close()
  echo:close()
end)

test("unix sockets are relayed", function()
  local directory = assert(files.temporary_directory())
  local target = assert(sockets.listen({ path = directory .. "/target" }, LONG))
  local relay = tls.relay { listen = { path = directory .. "/relay" },
                            to = { path = directory .. "/target" } }
  equal(relay.port, nil)
  local near = assert(sockets.connect({ path = directory .. "/relay" }, LONG))
  assert(near:write("hello", LONG))
  local far = assert(target:accept(LONG))
  equal(read(far, 5), "hello")
  near:shutdown()
  equal(select(2, far:read(LONG)), "closed")
  far:close()
  equal(relay:wait(), true)
  near:close()
  relay:close()
  target:close()
  assert(files.remove_tree(directory))
end)

---------------------------------------------------------------------------------------------------
-- What goes wrong

test("a place that does not answer is told, and ends the connection", function()
  local gone = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  local port = gone.port
  gone:close()
  local relay = tls.relay { to = { port = port } }
  local near = assert(sockets.connect({ host = LOCAL, port = relay.port }, LONG))
  equal(select(2, near:read(LONG)), "connection_reset")
  equal(relay:wait(), true)
  equal(relay.connections[1].problem, "connection_refused")
  contains(relay.connections[1]:text(), "\nproblem  connection_refused\nrelay  resets")
  contains(relay.connections[1]:diagram(), "# no connection to the server: connection_refused")
  contains(relay.connections[1]:diagram(), "not reached")
  relay:close()
end)

test("what a tamper function raises ends its connection, and the wait raises it", function()
  local line
  local relay, near, far = bare { tamper = function(flight)
    if flight.connection == 1 then
      line = unit.line() + 1
      error "not with me"
    end
  end }
  assert(near:write("x", LONG))
  equal(select(2, far:read(LONG)), "connection_reset")
  equal(select(2, near:read(LONG)), "connection_reset")
  local message = raises("not with me", function() relay:wait() end)
  contains(message, (":%d:"):format(line))
  equal(relay:wait(), true) -- once
  relay:close()
end)

test("a wrong answer is an error of the function, and close raises what no wait did", function()
  local relay, near = bare { tamper = function() return 5 end }
  assert(near:write("x", LONG))
  equal(select(2, near:read(LONG)), "connection_reset")
  raises("tls.relay: tamper: the function must return bytes, a list of pieces", function()
    relay:close()
  end)
  relay:close()
end)

test("a tamper function may close its relay, and may wait", function()
  local relay, near
  relay, near = bare { tamper = function() relay:close() end }
  assert(near:write("x", LONG))
  equal(near:read(LONG), nil)
  equal(tostring(relay), "relay (closed)")

  local helper = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  local far
  relay, near, far = bare { tamper = function()
    local to = assert(sockets.connect({ host = LOCAL, port = helper.port }, LONG))
    to:close()
    return "waited"
  end }
  assert(near:write("x", LONG))
  equal(read(far, 6), "waited")
  relay:close()
  helper:close()
end)

test("the deadline ends a tamper function that does not end", function()
  native.deadline(0.3) -- now: a coroutine has the hook that there is when it is made
  local relay, near = bare { tamper = function() while true do end end } -- luacheck: ignore
  assert(near:write("x", LONG))
  local done, message = pcall(near.read, near, LONG)
  native.deadline(nil)
  equal(done, false)
  equal(message, native.deadline_message)
  relay:close()
end)

test("a wait ends in time", function()
  local relay = tls.relay { to = { port = 1 } }
  local over, why = relay:wait { timeout = SHORT }
  equal(over, nil)
  equal(why, "timeout")
  relay:close()
  raises("relay:wait: the relay is closed", function() relay:wait() end)
end)

test("closing closes what there is", function()
  local relay, near, far = bare()
  assert(near:write("x", LONG))
  equal(read(far, 1), "x")
  relay:close()
  equal(near:read(LONG), nil)
  equal(far:read(LONG), nil)
  equal(sockets.connect({ host = LOCAL, port = relay.port }, LONG), nil)
  relay:close()
end)

test("mistakes are told at the script's line", function()
  raises("tls.relay: to is missing", function() tls.relay {} end)
  raises('tls.relay: unknown option "tmper" (did you mean "tamper"?)', function()
    tls.relay { to = { port = 1 }, tmper = print }
  end)
  raises("tls.relay: to: port is missing", function() tls.relay { to = {} } end)
  raises("tls.relay: tamper: wants a function, got 5", function()
    tls.relay { to = { port = 1 }, tamper = 5 }
  end)
  raises('tls.relay: listen: unknown option "prot" (did you mean "port"?)', function()
    tls.relay { to = { port = 1 }, listen = { prot = 1 } }
  end)
  local relay <close> = tls.relay { to = { port = 1 } }
  raises('relay: unknown field "prt" (did you mean "port"?)', function() return relay.prt end)
  raises("read-only", function() relay.port = 1 end)
  raises("relay:wait: to be called with a colon, on a relay", function() relay.wait {} end)
end)

unit.done()
