-- SPDX-License-Identifier: MIT
-- What a script may not do with a connection raises at its line, and changes nothing.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local ms = require "moonshake"
local test, equal, raises = unit.test, unit.equal, unit.raises
local tls = ms.tls

-- f() raises this, at a line of its own.
local function complains(part, f)
  local message, place = raises(part, f), debug.getinfo(f, "S")
  local line = tonumber(message:match ":(%d+): ")
  equal(line and line >= place.linedefined and line <= place.lastlinedefined, true, message)
end

test("making one", function()
  complains('tls.connect: unknown option "prot" (did you mean "port"?)', function()
    tls.connect { prot = 1 }
  end)
  complains("tls.connect: port is missing", function() tls.connect { client = {} } end)
  complains('tls.connect: client: unknown option "sever_name" (did you mean "server_name"?)',
            function() tls.connect { port = 1, client = { sever_name = "x" } } end)
  complains('"client_auth" is an option of the server',
            function() tls.connect { port = 1, client = { client_auth = "require" } } end)
  complains('tls.listen: unknown option "client"', function() tls.listen { client = {} } end)
  complains('"server_name" is an option of the client',
            function() tls.listen { server = { server_name = "x" } } end)
  complains("port", function() tls.connect { port = 65536, client = {} } end)
end)

test("before the handshake", function()
  local client = tls.connect { port = 1, client = {} }
  complains("connection:receive: the connection has had no handshake yet", function()
    client:receive()
  end)
  complains("connection:send: the link has had no handshake yet", function()
    client:send { data = "x" }
  end)
  complains("no handshake yet", function() client:renegotiate() end)
  complains("no handshake yet", function() client:update_keys() end)
  complains("there is no session to offer", function() client:resume() end)
  complains("to be called with a colon", function() client.handshake() end)
  complains('connection: unknown field "handshak" (did you mean "handshake"?)', function()
    return client.handshak
  end)
  complains("is read-only", function() client.role = "server" end)
  equal(client.client.phase, "idle")
  equal(tostring(client), "connection (client idle, with 127.0.0.1:1)")
end)

test("after it", function()
  local client, server = world.pair { versions = "TLS1.3" }
  complains("connection:handshake: it has had its handshake", function() client:handshake() end)
  complains("TLS 1.3 has no renegotiation", function() client:renegotiate() end)
  complains("connection:reauthenticate: only a server asks for it", function()
    client:reauthenticate()
  end)
  complains('unknown option "max_bytes"', function() client:receive { max_bytes = 1 } end)
  complains("max", function() client:receive { max = 0 } end)
  complains("connection:send: data", function() client:send {} end)
  complains('unknown word "abort"; it takes one of "orderly", "fin", "reset"', function()
    client:close { how = "abort" }
  end)
  complains("timeout: wants a number", function() client:receive { timeout = -1 } end)
  complains('unknown option "server"', function() client:resume { server = {} } end)
  complains("connection:reauthenticate: server: identity_change", function()
    server:reauthenticate { server = { identity_change = "allow" } }
  end)
  equal(client.client.epoch, "initial")
  equal(server:send { data = "whole" }, true)
  equal(client:receive(), "whole")

  local old = world.pair { versions = "TLS1.2" }
  complains("key updates are TLS 1.3's", function() old:update_keys() end)
end)

test("what the far end alone could tell is unknown", function()
  local client = world.pair()
  complains("the far end cannot be asked", function()
    client.server:exporter("EXPORTER-x", nil, 8)
  end)
  equal(client.server.error, tls.unknown)
  equal(client.server.peer_certificate, tls.unknown)
  equal(client.server.version, client.client.version)
end)

test("a connection that was closed at the end of a block", function()
  local client = world.pair()
  do
    local _ <close> = client
  end
  complains("the link is closed", function() client:send { data = "x" } end)
  complains("the link is closed", function() client:close() end)
  equal(client.client.version, "TLS1.3")
  local never = tls.connect { port = 1, client = {} }
  do
    local _ <close> = never
  end
  complains("the link is closed", function() never:handshake() end)
  equal(never.client.phase, "idle")
end)

unit.done()
