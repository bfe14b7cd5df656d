-- SPDX-License-Identifier: MIT
-- Listeners: who comes, how many, and what the connections of one have in common.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local ms = require "moonshake"
local native = require "moonshake.native"
local sockets = require "moonshake.io.socket"
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises
local tls = ms.tls

test("a listener tells where it is, and no more", function()
  local listener <close> = world.listen()
  equal(listener.host, "127.0.0.1")
  equal(listener.port > 0, true)
  equal(tostring(listener), "listener (127.0.0.1:" .. listener.port .. ")")
  raises('unknown field "prot" (did you mean "port"?)', function() return listener.prot end)
  raises("is read-only", function() listener.port = 1 end)
  raises("accept: to be called with a colon, on a listener", function() listener.accept {} end)
  listener:close()
  listener:close()
  raises("the listener is closed", function() listener:accept() end)
  equal(tostring(listener), "listener (closed)")
end)

test("where it cannot listen it says why", function()
  local listener <close> = world.listen()
  contains(raises("address already in use", function()
    tls.listen { port = listener.port, server = {} }
  end), "cannot listen on 127.0.0.1:" .. listener.port)
  raises("no address of this machine", function()
    tls.listen { host = "192.0.2.1", server = {} }
  end)
  raises("no such name", function() tls.listen { host = "name.invalid", server = {} } end)
  raises("one of them", function() tls.listen { path = "x", port = 1, server = {} } end)
  raises("no/such/directory/x: there is no directory no/such/directory", function()
    tls.listen { path = "no/such/directory/x", server = {} }
  end)
  raises("longer than 103 bytes", function()
    tls.listen { path = ("x"):rep(104), server = {} }
  end)
end)

test("nobody comes", function()
  local listener <close> = world.listen()
  local connection, why = listener:accept { timeout = 0 }
  equal(connection, nil)
  equal(why, "timeout")
  equal(select(2, listener:accept { timeout = 0.02 }), "timeout")
end)

test("it is closed while a function waits", function()
  local listener = world.listen()
  local why = ms.together(function()
    return select(2, listener:accept { timeout = 60 })
  end, function()
    listener:close()
  end)
  equal(why, "closed")
end)

test("several functions wait for the next", function()
  local listener <close> = world.listen()
  local function serve()
    local connection = assert(listener:accept { timeout = 60 })
    return connection:handshake()
  end
  local function come()
    return tls.connect { port = listener.port, client = world.client() }:handshake()
  end
  local results = { ms.together(serve, serve, serve, come, come, come) }
  for index = 1, 6 do
    equal(results[index], true)
  end
end)

test("connections that nobody accepted are closed with it", function()
  local listener = world.listen()
  local client = tls.connect { port = listener.port, client = world.client() }
  ms.together(function()
    equal(client:handshake(), false)
  end, function()
    local probe = assert(sockets.connect({ host = "127.0.0.1", port = listener.port }, 10))
    listener:close()
    probe:close()
  end)
  local word = world.problem_of(client)
  equal(word == "closed_early" or word == "connection_reset", true, word)
end)

test("a listener that nobody refers to is closed", function()
  local listener = world.listen()
  local place = { host = "127.0.0.1", port = listener.port }
  listener = nil -- luacheck: ignore 311
  collectgarbage()
  collectgarbage()
  equal(select(2, sockets.connect(place, 10)), "connection_refused")
end)

test("200 connections live at once", function()
  local listener <close> = world.listen()
  local clients, servers, functions = {}, {}, {}
  for index = 1, 200 do
    clients[index] = tls.connect { port = listener.port, client = world.client() }
    functions[#functions + 1] = function()
      equal(clients[index]:handshake { timeout = 300 }, true)
      equal(clients[index]:send { data = tostring(index) }, true)
    end
    functions[#functions + 1] = function()
      local server = assert(listener:accept { timeout = 300 })
      equal(server:handshake { timeout = 300 }, true)
      servers[tonumber(server:receive())] = server
    end
  end
  ms.together(table.unpack(functions))
  equal(#servers, 200)
  for index, server in ipairs(servers) do
    equal(server:send { data = "you are " .. index }, true)
    equal(clients[index]:receive(), "you are " .. index)
    clients[index]:close()
    equal(select(2, server:receive()), "closed")
  end
end)

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test("a session is resumed by another connection in " .. version, function()
    local listener <close> = world.listen { client_auth = "request" }
    local first, server = world.meet(listener, world.client { versions = version,
                                                              identity = world.alice })
    equal(first.client.resumed, false)
    equal(server:send { data = "tickets come before this" }, true)
    first:receive()
    first:close()
    server:close()
    local second = first:resume()
    local _, again, done = world.meet(listener, second)
    equal(done, true)
    equal(second.client.resumed, true)
    equal(again.server.resumed, true)
    equal(second.remote, first.remote)
    equal(second.client.peer_certificate, world.server_identity.certificate)
    equal(again.server.peer_certificate, world.alice.certificate)

    -- Another server knows nothing of it.
    local elsewhere <close> = world.listen()
    local stranger = first:resume()
    equal(stranger ~= second, true)
    local other = tls.connect { port = elsewhere.port, client = world.client() }
    raises("no session to offer", function() other:resume() end)
  end)
end

test("a session of a listener is none of another's", function()
  local directory = assert(require("moonshake.io.files").temporary_directory())
  local path = directory .. "/socket"
  local first = tls.connect { path = path, client = world.client { versions = "TLS1.2" } }
  do
    local listener <close> = tls.listen { path = path, server = world.server() }
    world.meet(listener, first)
    first:close()
  end
  local listener <close> = tls.listen { path = path, server = world.server() }
  local second, _, done = world.meet(listener, first:resume())
  equal(done, true)
  equal(second.client.resumed, false)
  require("moonshake.io.files").remove_tree(directory)
end)

test("what a case leaves open is closed when it ends", function()
  -- As the runner does: a scenario's file in this process.
  local files = require "moonshake.io.files"
  local directory = assert(files.temporary_directory())
  local path = directory .. "/open.lua"
  PORTS = {} -- luacheck: ignore 111
  assert(files.write(path, [[
    local ms = require "moonshake"
    ms.scenario "leaves all open" {
      run = function()
        local listener = ms.tls.listen { server = {} }
        local client = ms.tls.connect { port = listener.port, client = {} }
        ms.together(function()
          ms.expect(client:handshake { timeout = 0.02 }):is_false()
        end, function()
          SERVER = listener:accept()
        end)
        PORTS[#PORTS + 1] = listener.port
      end,
    }
  ]]))
  local loader = require "moonshake.runner.loader"
  local file = assert(loader.load(path))
  local outcome = file.cases[1]:run(60, {})
  equal(outcome, "passed")
  local port = PORTS[1] -- luacheck: ignore 113
  equal(select(2, sockets.connect({ host = "127.0.0.1", port = port }, 10)), "connection_refused")
  files.remove_tree(directory)
end)

test("no time is left in a case that waits", function()
  native.deadline(0.02)
  local done, message = pcall(function()
    local listener = world.listen()
    listener:accept { timeout = 600 }
  end)
  native.deadline(nil)
  equal(done, false)
  equal(message, "the time is over")
end)

unit.done()
