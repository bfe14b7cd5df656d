-- SPDX-License-Identifier: MIT
-- A folder in which one process at a time changes what they share. The system takes the lock back
-- when a process dies, so that nobody is left waiting.

local uv = require "luv"
local wait = require "moonshake.io.wait"

local lock = {}

local PATIENCE = 10 -- seconds: a process that was stopped while it has the lock holds up nobody
local AGAIN = 0.005 -- seconds until it is tried again: nothing tells when a lock is free

--- Waits until nobody else has the folder's lock, and takes it. Where there are no locks (under a
--- stock interpreter, on some network file systems), and behind one that is not given back in time,
--- it goes on without.
---@param folder string
---@return table held to be closed
function lock.take(folder)
  local try = package.preload["moonshake.program"] and require("moonshake.program").lock
  local handle = try and uv.fs_open(folder, "r", 0)
  local due = wait.now() + PATIENCE
  while handle and try(handle) == false and wait.now() < due do
    wait.await(wait.new(), AGAIN)
  end
  return setmetatable({}, { __close = function()
    if handle then
      uv.fs_close(handle)
    end
  end })
end

return lock
