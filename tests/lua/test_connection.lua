-- SPDX-License-Identifier: MIT
-- Connections: where they go, and how they end. Nothing here sleeps: a deadline is met by a peer
-- that does nothing.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"
local uv = require "luv"
local test, equal, contains = unit.test, unit.equal, unit.contains
local tls = ms.tls

local SOON = 0.05 -- a deadline that is to be over

-- What a client's handshake with a place comes to.
local function try(place, seconds)
  place.client = {}
  local connection = tls.connect(place)
  equal(connection:handshake { timeout = seconds or 10 }, false)
  equal(connection.client.phase, "failed")
  equal(connection.client.failed_during, "handshake")
  equal(connection.client.told_by, "itself")
  return world.problem_of(connection), connection.client.error.message
end

---------------------------------------------------------------------------------------------------
-- Where to

-- A port of 127.0.0.1 at which nobody listens.
local function closed_port()
  local listener = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 1))
  listener:close()
  return listener.port
end

test("a refused connection is a problem of this end, not an error", function()
  local port = closed_port()
  local word, message = try { port = port }
  equal(word, "connection_refused")
  equal(message, ("127.0.0.1:%d: connection refused"):format(port))
  equal(try { path = "no/such/socket" }, "name_not_found")
  equal(try { host = "name.invalid", port = port }, "name_not_found")
end)

test("what is no address of anything is one, too", function()
  equal(try { host = "300.1.1.1", port = 1 }, "connection_refused")
  equal(try { host = "::zz", port = 1 }, "connection_refused")
end)

local function greets(listener, place)
  place.client = world.client()
  local client, server, here_done, there_done = world.meet(listener, tls.connect(place))
  equal(here_done, true)
  equal(there_done, true)
  equal(client:send { data = "hello" }, true)
  equal(server:receive(), "hello")
  return client, server
end

test("IPv4, with the addresses told", function()
  local listener <close> = world.listen()
  equal(listener.host, "127.0.0.1")
  local client, server = greets(listener, { port = listener.port })
  equal(client.remote, "127.0.0.1:" .. listener.port)
  contains(server.remote, "127.0.0.1:")
  equal(client.role, "client")
  equal(server.role, "server")
end)

if world.has_ipv6() then
  test("IPv6", function()
    local listener <close> = tls.listen { host = "::1", server = world.server() }
    local client = greets(listener, { host = "::1", port = listener.port })
    equal(client.remote, "[::1]:" .. listener.port)
  end)
else
  print "# skipped: this machine has no IPv6 loopback"
end

test("a unix socket, whose file goes with the listener", function()
  local files = require "moonshake.io.files"
  local directory = assert(files.temporary_directory())
  local path = directory .. "/socket"
  do
    local listener <close> = tls.listen { path = path, server = world.server() }
    equal(listener.port, nil)
    local client, server = greets(listener, { path = path })
    equal(client.remote, path)
    equal(server.remote, path)
    unit.raises("address already in use", function()
      tls.listen { path = path, server = world.server() }
    end)
  end
  equal(files.kind(path), nil)
  files.remove_tree(directory)
end)

-- Runs f() where a name has these addresses.
local function with_addresses(addresses, f)
  local before = uv.getaddrinfo
  uv.getaddrinfo = function(_, _, _, callback) -- luacheck: ignore 122
    local list = {}
    for index, address in ipairs(addresses) do
      list[index] = { addr = address, family = address:find ":" and "inet6" or "inet" }
    end
    callback(nil, list)
    return {}
  end
  local _ <close> = setmetatable({}, { __close = function()
    uv.getaddrinfo = before -- luacheck: ignore 122
  end })
  return f()
end

test("a name is tried at each of its addresses", function()
  local listener <close> = world.listen()
  with_addresses({ "127.0.0.3", "127.0.0.2", "127.0.0.1" }, function()
    local client = greets(listener, { host = "several.example", port = listener.port })
    equal(client.remote, "127.0.0.1:" .. listener.port)
  end)
  local port = closed_port()
  with_addresses({ "127.0.0.1", "127.0.0.2" }, function()
    local word, message = try { host = "several.example", port = port }
    equal(word, "connection_refused")
    equal(message, ("several.example:%d: connection refused"):format(port))
  end)
  equal(#assert(sockets.resolve("localhost", 10)) > 0, true)
end)

-- A listener whose queue is full: on Linux nobody answers then. Returns its port and what ends it.
local function full_queue()
  local handle, accepted = uv.new_tcp(), false
  assert(handle:bind("127.0.0.1", 0))
  assert(handle:listen(1, function() accepted = true end)) -- one is libuv's, which nobody takes
  local port, clients = handle:getsockname().port, {}
  local function connect(number)
    for _ = 1, number do
      clients[#clients + 1] = uv.new_tcp()
      clients[#clients]:connect("127.0.0.1", port, function() end)
    end
  end
  connect(1)
  repeat
    uv.run "once"
  until accepted
  connect(8)
  return port, function()
    handle:close()
    for _, client in ipairs(clients) do
      client:close()
    end
    uv.run "nowait"
  end
end

if uv.os_uname().sysname == "Linux" then
  test("nobody answers a connection", function()
    local port, finish = full_queue()
    local word, message = try({ port = port }, SOON)
    finish()
    equal(word, "timeout")
    contains(message, "no connection to 127.0.0.1:" .. port)
  end)

  test("one address that never answers does not hold up the others", function()
    local port, finish = full_queue()
    local listener = assert(sockets.listen({ host = "127.0.0.2", port = port }, 1))
    with_addresses({ "127.0.0.1", "127.0.0.2" }, function()
      local connection = tls.connect { host = "several.example", port = port, client = {} }
      local _, came = ms.together(function()
        connection:handshake()
      end, function()
        local socket = listener:accept(10)
        socket:close()
        return socket ~= nil
      end)
      equal(came, true)
      equal(connection.remote, "127.0.0.2:" .. port)
    end)
    listener:close()
    finish()
  end)
end

---------------------------------------------------------------------------------------------------
-- Deadlines

test("a peer that says nothing", function()
  local client, content = world.against(function(socket)
    assert(socket:read(10))
    equal(socket:read(10), nil) -- until the client gives up
  end, {}, { timeout = SOON })
  equal(content, false)
  equal(world.problem_of(client), "timeout")
  equal(client.client.error.code, "GNUTLS_E_TIMEDOUT")
  equal(client.client.error.message, "the handshake was not over within 0.05 s")
  equal(client.server.error, tls.unknown)
  local server = world.served(function(socket)
    equal(socket:read(10), nil)
  end, {}, { timeout = SOON })
  equal(world.problem_of(server), "timeout")
  equal(server.server.handshake_completed, false)
end)

test("a handshake that ran out of time is over", function()
  local client = world.against(function(socket)
    assert(socket:read(10))
    socket:read(10)
  end, {}, { timeout = SOON })
  unit.raises("it has had its handshake", function() client:handshake() end)
  local data, why = client:receive()
  equal(data, nil)
  equal(why, "timeout")
  equal(select(2, client:send { data = "x" }), "timeout")
end)

test("a peer that sends byte by byte meets the deadline of the whole handshake", function()
  local sent = 0
  local client = world.against(function(socket, connection)
    local bytes = world.record(22, world.server_hello) .. world.record(22, "\11\0\xff\xff")
      .. world.record(22, ("x"):rep(1 << 14)):rep(4)
    while world.problem_of(connection) == nil do
      sent = sent + 1
      if not socket:write(bytes:sub(sent, sent), 10) then
        break
      end
      socket:read(0) -- a turn of the loop, and so of the other function
    end
  end, { versions = "TLS1.2" }, { timeout = SOON })
  equal(world.problem_of(client), "timeout")
  equal(sent < 1 << 16, true)
end)

test("a read that ran out of time changes nothing", function()
  local client, server = world.pair()
  equal(select(2, client:receive { timeout = SOON }), "timeout")
  equal(client.client.phase, "established")
  equal(world.problem_of(client), nil)
  equal(server:send { data = "late" }, true)
  equal(client:receive(), "late")
end)

test("the shortest deadline still takes what is there", function()
  local client, server = world.pair()
  equal(select(2, client:receive { timeout = 1e-9 }), "timeout")
  equal(server:send { data = "here" }, true)
  equal(client:receive { timeout = 1e-9 }, "here")
  local listener <close> = world.listen()
  equal(select(2, listener:accept { timeout = 1e-9 }), "timeout")
end)

test("a peer that takes nothing meets the deadline of a send", function()
  local client, server = world.pair()
  local done, why = client:send { data = ("x"):rep(1 << 25), timeout = SOON }
  equal(done, nil)
  equal(why, "timeout")
  contains(client.client.error.message, "the peer took nothing within")
  equal(server.server.phase, "established")
end)

---------------------------------------------------------------------------------------------------
-- Endings

test("an orderly end is told from a rude one", function()
  for how, wanted in pairs { orderly = "closed", fin = "closed_early", reset = "connection_reset" }
  do
    local client, server = world.pair()
    server:close { how = how }
    local data, why = client:receive()
    equal(data, nil, how)
    equal(why, wanted, how)
    equal(world.problem_of(client), how ~= "orderly" and wanted or nil, how)
    equal(client.client.phase, how == "orderly" and "closed" or "failed", how)
    equal(world.problem_of(server), how ~= "orderly" and "closed_early" or nil, how)
  end
end)

test("in a handshake as well", function()
  local function early(rude)
    local client, content = world.against(function(socket)
      assert(socket:read(10))
      socket:close(rude)
    end)
    equal(content, false)
    equal(client.client.failed_during, "handshake")
    return world.problem_of(client)
  end
  equal(early(false), "closed_early")
  equal(early(true), "connection_reset")
  local server = world.served(function() end)
  equal(world.problem_of(server), "closed_early")
end)

test("who has closed can still receive", function()
  local client, server = world.pair()
  equal(client:close(), true)
  equal(client.client.phase, "closed")
  equal(server:receive(), nil)
  equal(server.server.phase, "closed")
  equal(server:close(), true)
  equal(select(2, client:receive()), "closed")
  equal(world.problem_of(client), nil)

  client, server = world.pair()
  client:close()
  equal(server:send { data = "unread till now" }, true)
  server:close()
  equal(client:receive(), "unread till now")
  equal(select(2, client:receive()), "closed")

  client, server = world.pair()
  client:close()
  server:close { how = "fin" }
  equal(select(2, client:receive()), "closed_early")

  client, server = world.pair()
  client:close()
  server:close { how = "reset" }
  equal(select(2, client:receive()), "connection_reset")
end)

test("a connection may be closed before its handshake", function()
  local client = tls.connect { port = 1, client = {} }
  equal(client:close(), true)
  equal(client.client.phase, "closed")
  equal(world.problem_of(client), nil)
  equal(select(2, client:receive()), "closed")
  unit.raises("the link is closed", function() client:handshake() end)

  local listener <close> = world.listen()
  client = tls.connect { port = listener.port, client = world.client() }
  local server
  local content = ms.together(function()
    return client:handshake()
  end, function()
    server = assert(listener:accept())
    return server:close()
  end)
  equal(content, false)
  equal(world.problem_of(client), "closed_early")
  equal(server.server.phase, "closed")
  equal(world.problem_of(server), nil)
  unit.raises("the link is closed", function() server:handshake() end)
end)

test("nothing is sent to who has closed", function()
  local client, server = world.pair()
  server:close()
  client:receive()
  equal(select(2, client:send { data = "x" }), "closed")
  unit.raises("the link is closed", function() server:send { data = "x" } end)
  unit.raises("the link is closed", function() server:close() end)
end)

test("bytes after close_notify are on record, and nothing else", function()
  local client = world.against(function(socket, connection)
    assert(socket:read(10))
    socket:write(world.record(21, "\1\0") .. world.record(22, "what is this"), 10)
    equal(connection.client.phase ~= nil, true)
    while socket:read(10) do end
  end)
  equal(world.problem_of(client), "closed_early")
  local last = client.events[#client.events]
  for _, event in ipairs(client.events) do
    if event.kind == "record" and event.direction == "received" then
      last = event
    end
  end
  contains(last.bytes, "what is this")
end)

test("what a peer sent before it reset the connection is not lost", function()
  local client, server = world.pair()
  equal(server:send { data = "all of it" }, true)
  server:close { how = "orderly" }
  equal(client:receive(), "all of it")
  equal(select(2, client:receive()), "closed")
end)

test("an alert is read although the peer takes nothing any more", function()
  local client, server = world.pair({}, { client_auth = "require", versions = "TLS1.3" })
  equal(world.problem_of(server), "no_certificate")
  for _ = 1, 100 do -- until the system has noticed
    if not client:send { data = ("x"):rep(1000) } then
      break
    end
  end
  equal(world.problem_of(client), "peer_alert")
  equal(client.client.alert_received.name, "certificate_required")
end)

test("a connection that nobody refers to is closed", function()
  local client, server = world.pair()
  equal(client:send { data = "x" }, true)
  client = nil -- luacheck: ignore 311
  collectgarbage()
  collectgarbage()
  equal(server:receive(), "x")
  equal(select(2, server:receive()), "closed_early")
end)

test("a variable's end closes it", function()
  local server
  do
    local client, peer = world.pair()
    local _ <close> = client
    equal(client.client.phase, "established")
    server = peer
  end
  equal(select(2, server:receive()), "closed_early")
end)

test("what was closed or failed is told without a wait", function()
  local client, server = world.pair()
  server:close { how = "fin" }
  client:receive()
  for _ = 1, 3 do
    equal(select(2, client:receive { timeout = 1e9 - 1 }), "closed_early")
  end
end)

-- The state is closed with all of this open: a crash would be the test's.
LEFT_OPEN = { world.listen(), world.pair() } -- luacheck: ignore 111

unit.done()
