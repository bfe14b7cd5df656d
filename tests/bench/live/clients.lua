-- SPDX-License-Identifier: MIT
-- Clients of one server:
--   moonshake lua clients.lua CERTIFICATES PORT COUNT together|each
-- together: all of them at once, each of which waits for the server's end after its handshake;
-- each: one after the other, and gone at once.
local ms = require "moonshake"
local groups = require "moonshake.group"

local folder, port, count, how = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]
require("moonshake.program").raise_descriptors()

local root = ms.pki.certificates(folder .. "/root.pem")
local alice = ms.pki.load { certificate = folder .. "/client/chain.pem",
                            key = folder .. "/client/key.pem" }

local function connect()
  local connection = ms.tls.connect {
    port = port, client = { trust = root, server_name = "server.example", identity = alice },
  }
  assert(connection:handshake { timeout = 600 }, connection.client.error)
  return connection
end

if how == "each" then
  for _ = 1, count do
    local connection <close> = connect()
    connection:close()
    connection:receive { timeout = 600 } -- the server's tickets, and its end
  end
else
  local group <close> = groups.new()
  for _ = 1, count do
    group:add(function()
      local connection <close> = connect()
      connection:receive { timeout = 600 }
    end)
  end
  group:run()
end
