-- SPDX-License-Identifier: MIT
-- A listener and the clients that it has at once:
--   moonshake lua listener.lua CERTIFICATES COUNT together|each
-- prints its port, and once so many have had their handshakes the KiB that each needs while it
-- lives and the CPU microseconds that its handshake took here. Ends with its input. "each": they
-- come one after the other, and none is kept.
local ms = require "moonshake"
local groups = require "moonshake.group"

local folder, count, how = arg[1], tonumber(arg[2]), arg[3]
require("moonshake.program").raise_descriptors()

local listener = ms.tls.listen { server = {
  identity = ms.pki.load { certificate = folder .. "/server/chain.pem",
                           key = folder .. "/server/key.pem" },
  trust = ms.pki.certificates(folder .. "/root.pem"), client_auth = "require",
} }
print(listener.port)
io.flush()

local function resident()
  collectgarbage()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s*(%d+)"
    if kib then
      return tonumber(kib)
    end
  end
end

local kept = {} -- luacheck: ignore 241 (they live because they are in it)
local group <close> = groups.new()
local before, begin = resident(), os.clock()
group:add(function()
  for number = 1, count do
    local connection = assert(listener:accept { timeout = 600 })
    kept[number] = how == "together" and connection or nil
    group:add(function()
      assert(connection:handshake { timeout = 600 }, connection.server.error)
      if how == "each" then
        local _ <close> = connection
        connection:receive { timeout = 600 }
        connection:close()
      end
    end)
  end
end)
group:run()
print(("%.1f %.1f"):format((resident() - before) / count, (os.clock() - begin) / count * 1e6))
io.flush()
io.read "a"
