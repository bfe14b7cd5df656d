-- SPDX-License-Identifier: MIT
-- What the tests of live views share: connections over loopback, both ends ours or one of them a
-- raw socket that does what the test says.
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"
local pki, tls = ms.pki, ms.tls

local live = {}

local SECONDS = 10

live.VERSIONS = { "TLS1.2", "TLS1.3" }
live.root = pki.authority { cn = "Example Root" }
live.server = live.root:issue { dns = "server.example" }
live.alice = live.root:issue { cn = "alice" }

local function merged(options, more)
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

local function client_options(version, more)
  return merged({ trust = live.root, server_name = "server.example", versions = version }, more)
end

local function server_options(version, more)
  return merged({ identity = live.server, trust = live.root, versions = version }, more)
end

local function read_all(connection)
  repeat
    local data = connection:receive { timeout = SECONDS }
  until not data
end

--- Both ends of a connection of two of ours: usual options with these put over them. The client
--- says "ping" and the server "pong", as far as they come; then both close in order.
---@return table client
---@return table server
function live.pair(version, client, server)
  local listener <close> = tls.listen { server = server_options(version, server) }
  local ours = tls.connect { port = listener.port, client = client_options(version, client) }
  local theirs
  ms.together(function()
    if ours:handshake() and ours:send { data = "ping" } then
      ours:receive()
      if ours.client.phase == "established" then
        ours:close()
      end
      read_all(ours)
    end
  end, function()
    theirs = listener:accept()
    if theirs:handshake() then
      theirs:receive()
      if theirs:send { data = "pong" } then
        theirs:close()
      end
      read_all(theirs)
    end
  end)
  return ours, theirs
end

--- A client of ours whose server is a raw socket: f(socket) says what that does.
---@param f fun(socket: table)
---@param seconds? number how long the handshake may take
function live.client_of(f, seconds)
  local socket = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, SECONDS))
  local ours = tls.connect { port = socket.port, client = client_options() }
  ms.together(function()
    if ours:handshake { timeout = seconds or SECONDS } then
      ours:receive()
    end
  end, function()
    local raw = assert(socket:accept(SECONDS))
    f(raw)
    raw:close()
  end)
  socket:close()
  return ours
end

--- A server of ours whose client is a raw socket.
---@param f fun(socket: table)
---@param seconds? number how long the handshake may take
function live.server_of(f, seconds)
  local listener <close> = tls.listen { server = server_options() }
  local ours
  ms.together(function()
    ours = listener:accept()
    ours:handshake { timeout = seconds or SECONDS }
  end, function()
    local raw = assert(sockets.connect({ host = "127.0.0.1", port = listener.port }, SECONDS))
    f(raw)
    raw:close()
  end)
  return ours
end

--- A client of a port on which nobody listens.
function live.client_of_nobody()
  local socket = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, SECONDS))
  local port = socket.port
  socket:close()
  local ours = tls.connect { port = port, client = client_options() }
  ours:handshake()
  return ours
end

--- What a raw socket does: reads once, says this, reads until its peer is done.
function live.answers(bytes)
  return function(raw)
    raw:read(SECONDS)
    raw:write(bytes, SECONDS)
    while raw:read(SECONDS) do end -- luacheck: ignore 542
  end
end

local function record(bytes)
  return string.pack(">I1I2s2", 22, 0x0303, bytes)
end

local function message(kind, body)
  return string.pack(">I1s3", kind, body)
end

--- What a server says in TLS 1.2 whose certificate cannot be read: a ServerHello with
--- ECDHE-ECDSA-AES128-GCM-SHA256, and the Certificate.
live.UNREADABLE = record(message(2, "\3\3" .. ("r"):rep(32) .. "\0\xc0\x2b\0"
                                    .. string.pack(">s2", "\xff\x01\0\1\0\0\x17\0\0")))
  .. record(message(11, string.pack(">s3", string.pack(">s3", "no certificate"))))

--- What a raw socket does: says this, reads until its peer is done.
function live.says(bytes)
  return function(raw)
    raw:write(bytes, SECONDS)
    while raw:read(SECONDS) do end -- luacheck: ignore 542
  end
end

return live
