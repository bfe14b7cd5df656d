-- SPDX-License-Identifier: MIT
-- Connections that more than one function uses, and what happens on them after the handshake.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"
local wait = require "moonshake.io.wait"
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local MIB = 1 << 20

-- Receives so many bytes.
local function receive(connection, number)
  local pieces, length = {}, 0
  while length < number do
    local data, why = connection:receive { max = number - length }
    if not data then
      return nil, why
    end
    pieces[#pieces + 1], length = data, length + #data
  end
  return table.concat(pieces)
end

-- Receives until the end, and returns why it came.
local function rest(connection)
  while true do
    local data, why = connection:receive()
    if not data then
      return why
    end
  end
end

---------------------------------------------------------------------------------------------------
-- Both ways at once

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test("both ends send much at once in " .. version, function()
    local client, server = world.pair { versions = version }
    local ups, downs = ("up"):rep(2 * MIB), ("dn"):rep(2 * MIB)
    local sent, answered, got, answer = ms.together(
      function() return client:send { data = ups } end,
      function() return server:send { data = downs } end,
      function() return receive(server, #ups) end,
      function() return receive(client, #downs) end)
    equal(sent and answered, true)
    equal(got == ups and answer == downs, true)
  end)
end

test("who waits to write still answers what it reads", function()
  -- The client sends before it reads; the server's answers to its key updates wait behind data that
  -- the client does not take.
  local client, server = world.pair { versions = "TLS1.3" }
  local data = ("x"):rep(8 * MIB)
  local sent, got = ms.together(function()
    return client:send { data = data } and rest(client)
  end, function()
    local taken = receive(server, #data)
    server:close()
    return taken and #taken
  end, function()
    for _ = 1, 3 do
      client:update_keys { request_peer = true }
    end
  end)
  equal(sent, "closed")
  equal(got, 8 * MIB)
end)

test("one function receives at a time", function()
  local client, server = world.pair()
  local line
  ms.together(function()
    client:receive()
  end, function()
    line = unit.line() + 1
    local message = raises("connection: busy: connection:receive waits for the peer already",
                           function() client:receive() end)
    contains(message, (":%d:"):format(line + 1))
    raises("busy", function() client:renegotiate() end)
    equal(client.client.epoch, "initial") -- it has not begun
    server:send { data = "x" }
  end)
end)

test("a connection is closed while another function receives", function()
  for how, wanted in pairs { fin = "closed_early", reset = "closed_early", orderly = "closed" } do
    local client, server = world.pair()
    local why = ms.together(function()
      return select(2, client:receive())
    end, function()
      client:close { how = how }
      if how == "orderly" then
        server:receive()
        server:close()
      end
    end)
    equal(why, wanted, how)
  end
  local client = world.pair()
  local done, message = pcall(ms.together, function()
    client:receive()
  end, function()
    local _ <close> = client
  end)
  equal(done, false)
  contains(message, "connection:receive: the connection was closed meanwhile")
end)

test("a send that fails tells who receives", function()
  local client, server = world.pair()
  local why, told = ms.together(function()
    return select(2, client:receive { timeout = 60 })
  end, function()
    local done, problem
    repeat
      done, problem = client:send { data = ("x"):rep(MIB), timeout = 0.02 }
    until not done
    return problem
  end)
  equal(why, "timeout")
  equal(told, "timeout")
  equal(world.problem_of(client), "timeout")
  equal(server.server.phase, "established")
end)

---------------------------------------------------------------------------------------------------
-- After the handshake

test("the server asks for another handshake", function()
  local client, server = world.pair({ versions = "TLS1.2", identity = world.alice })
  local content, got = ms.together(function()
    return server:renegotiate { server = { client_auth = "require" } }
  end, function()
    return (client:receive { timeout = 60 })
  end, function()
    -- It waits until the handshake is over.
    equal(server:send { data = "afterwards" }, true)
    equal(server.server.epoch, "renegotiation 1")
    equal(server.server.handshake_completed, true)
  end)
  equal(content, true)
  equal(got, "afterwards")
  for _, one in ipairs { client.client, server.server } do
    equal(#one.history, 2)
    equal(one.history[2].renegotiations, 1)
  end
  equal(client.client.history[1].certificate_requested, false)
  equal(client.client.history[2].certificate_requested, true)
  equal(server.server.peer_certificate, world.alice.certificate)
  equal(client.server.history[2].wire.received_certificates[1], world.alice.certificate)
end)

test("the client does, while the server sends", function()
  local client, server = world.pair { versions = "TLS1.2" }
  local content, got = ms.together(function()
    return client:renegotiate()
  end, function()
    equal(server:send { data = "before it" }, true)
    equal(select(2, server:receive { timeout = 60 }), "closed")
    return server.server.epoch
  end, function()
    equal(client:send { data = "" }, true) -- once the handshake is over
    equal(client:receive(), "before it")
    client:close()
  end)
  equal(content, true)
  equal(got, "renegotiation 1")
end)

test("a refused wish is no failure of the connection", function()
  local client, server = world.pair({ versions = "TLS1.2", renegotiation = "refuse" })
  local content = ms.together(function()
    local asked = server:renegotiate()
    server:send { data = "still there" }
    return asked
  end, function()
    equal(client:receive(), "still there")
  end)
  equal(content, false)
  equal(world.problem_of(server), "renegotiation_refused")
  equal(server.server.phase, "established")
  equal(world.problem_of(client), nil)
end)

test("a wish that nobody answers meets its deadline", function()
  local client, server = world.pair { versions = "TLS1.2" }
  equal(server:renegotiate { timeout = 0.05 }, false)
  equal(world.problem_of(server), "timeout")
  equal(client.client.phase, "established")
end)

test("a server asks for the certificate after the handshake", function()
  local client, server = world.pair { versions = "TLS1.3", identity = world.alice }
  equal(server.server.peer_certificate, nil)
  local content, got = ms.together(function()
    local asked = server:reauthenticate()
    server:send { data = "welcome" }
    return asked
  end, function()
    return (client:receive())
  end)
  equal(content, true)
  equal(got, "welcome")
  equal(server.server.peer_certificate, world.alice.certificate)
  equal(client.client.epoch, "reauthentication 1")
  equal(#client.client.history, 2)

  client, server = world.pair { versions = "TLS1.3", post_handshake_auth = false }
  equal(server:reauthenticate { server = { client_auth = "require" } }, false)
  equal(world.problem_of(server), "post_handshake_auth_not_offered")
  equal(client.client.phase, "established")
end)

test("who has closed is asked for what it cannot send any more", function()
  local client, server = world.pair { versions = "TLS1.3" }
  client:close()
  equal(server:update_keys { request_peer = true }, true)
  server:close()
  equal(select(2, client:receive()), "closed")
  equal(world.problem_of(client), nil)
end)

test("keys change while data goes both ways", function()
  local client, server = world.pair { versions = "TLS1.3" }
  local function talks(one, other)
    for number = 1, 3 do -- GnuTLS takes eight a second
      equal(one:update_keys { request_peer = number % 2 == 0 }, true)
      equal(one:send { data = tostring(number) }, true)
      equal(other:receive(), tostring(number))
    end
  end
  talks(client, server)
  talks(server, client)
end)

---------------------------------------------------------------------------------------------------
-- The script's functions

test("a verify function may wait, and nothing else acts on its connection meanwhile", function()
  local listener <close> = world.listen()
  local asked, gate = wait.new(), wait.new()
  local client = ms.tls.connect {
    port = listener.port,
    client = world.client {
      verify = function(question)
        asked:finish(question.server_name)
        return (wait.await(gate, 60))
      end,
    },
  }
  local done = ms.together(function()
    return client:handshake()
  end, function()
    return listener:accept():handshake()
  end, function()
    equal(select(2, wait.await(asked, 60)), "server.example")
    raises("busy", function() client:close() end)
    gate:finish()
  end)
  equal(done, true)
  equal(client.client.verification.accepted, true)
end)

test("a function that raises ends the connection, and its error is the script's", function()
  for _, given in ipairs {
    { verify = function() error "no opinion" end },
    { identity = function() error "no opinion" end },
  } do
    local listener <close> = world.listen { client_auth = "request" }
    local client = ms.tls.connect { port = listener.port, client = world.client(given) }
    local server
    local content = ms.together(function()
      contains(raises("no opinion", function() client:handshake() end), "test_connection_tasks.lua")
    end, function()
      server = listener:accept()
      return server:handshake()
    end)
    equal(content, nil)
    equal(client.client.phase, "failed")
    raises("the link is unusable since a function raised an error", function() client:receive() end)
    local peer = world.problem_of(server)
    equal(peer == "peer_alert" or peer == "closed_early", true, peer)
  end
end)

test("a connection that is given up while it is made leaves nothing open", function()
  local path = os.tmpname()
  os.remove(path)
  local unix = assert(sockets.listen({ path = path }, 1))
  local tcp = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 1))
  for _, place in ipairs { { path = path }, { host = "127.0.0.1", port = tcp.port } } do
    local before = world.num_handles()
    raises("enough", function()
      ms.together(function() sockets.connect(place, 10) end, function() error "enough" end)
    end)
    equal(world.num_handles(), before)
  end
  unix:close()
  tcp:close()
end)

unit.done()
