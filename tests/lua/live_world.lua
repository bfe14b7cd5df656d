-- SPDX-License-Identifier: MIT
-- What the tests of connections share: certificates, ends that shake hands on loopback, and peers
-- that speak no TLS, or their own.
local uv = require "luv"
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"

local world = {}

world.authority = ms.pki.authority { cn = "Example Root" }
world.server_identity = world.authority:issue { dns = "server.example" }
world.alice = world.authority:issue { cn = "alice" }

local function with(base, given)
  for name, value in pairs(given or {}) do
    base[name] = value
  end
  return base
end

--- Options of a server that has a certificate and knows the authority, and these.
function world.server(given)
  return with({ identity = world.server_identity, trust = world.authority }, given)
end

--- Options of a client that trusts it, and these.
function world.client(given)
  return with({ trust = world.authority, server_name = "server.example" }, given)
end

--- A listener of such a server.
function world.listen(given)
  return ms.tls.listen { server = world.server(given) }
end

--- Shakes hands with a listener, from a client or a connection's options of one; returns client,
--- server and what their handshakes returned.
function world.meet(listener, client)
  local connection = client
  if getmetatable(client) == nil then
    connection = ms.tls.connect { host = listener.host, port = listener.port, client = client }
  end
  local server
  local here, there = ms.together(function()
    return connection:handshake()
  end, function()
    server = assert(listener:accept())
    return server:handshake()
  end)
  return connection, server, here, there
end

--- Shakes hands with a listener through a relay with these options, from options of a client;
--- returns relay, client and server.
function world.through(listener, client, given)
  given = given or {}
  given.to = { port = listener.port }
  local relay = ms.tls.relay(given)
  local near, far = world.meet(listener, ms.tls.connect { port = relay.port, client = client })
  return relay, near, far
end

--- A client and a server that have shaken hands; options beside the usual ones.
function world.pair(client, server)
  local listener <close> = world.listen(server)
  return world.meet(listener, world.client(client))
end

--- A client's handshake with a peer that is a function of a raw socket. Returns the connection and
--- what handshake() returned.
function world.against(peer, client, given)
  local listener = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 1))
  local connection = ms.tls.connect { port = listener.port, client = world.client(client) }
  local content = ms.together(function()
    return connection:handshake(given)
  end, function()
    local socket = assert(listener:accept(10))
    peer(socket, connection)
    socket:close()
  end)
  listener:close()
  return connection, content
end

--- A server's handshake with such a peer.
function world.served(peer, server, given)
  local listener <close> = world.listen(server)
  local connection
  local content = ms.together(function()
    connection = assert(listener:accept())
    return connection:handshake(given)
  end, function()
    local socket = assert(sockets.connect({ host = "127.0.0.1", port = listener.port }, 10))
    peer(socket)
    socket:close()
  end)
  return connection, content
end

--- The problem of the end of a connection that is here, or nil.
function world.problem_of(connection)
  local one = connection[connection.role]
  return one.error and one.error.problem
end

--- A record, and a handshake message, of TLS 1.2.
function world.record(kind, bytes)
  return string.pack(">I1I2s2", kind, 0x0303, bytes)
end

function world.message(kind, body)
  return string.pack(">I1I3", kind, #body) .. body
end

--- A ServerHello of TLS 1.2 that every client here takes: ECDHE-ECDSA-AES128-GCM-SHA256, with
--- renegotiation_info and extended_master_secret.
world.server_hello = world.message(2, "\3\3" .. ("r"):rep(32) .. "\0\xc0\x2b\0"
  .. string.pack(">s2", "\xff\x01\0\1\0\0\x17\0\0"))

--- How many handles of luv's there are, those that are closing not counted. The loop does not run:
--- a listener would take what came to it.
function world.num_handles()
  local count = 0
  uv.walk(function(handle)
    count = count + (handle:is_closing() and 0 or 1)
  end)
  return count
end

--- Whether there is a loopback address of IPv6.
function world.has_ipv6()
  local listener = sockets.listen({ host = "::1", port = 0 }, 1)
  if listener then
    listener:close()
  end
  return listener ~= nil
end

return world
