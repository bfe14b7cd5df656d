-- SPDX-License-Identifier: MIT
-- Waiting until something changes in folders.

local uv = require "luv"
local loop = require "moonshake.io.loop"

local changes = {}

local BURST = 0.1 -- seconds: an editor writes, renames and removes for one saving

--- Waits until entries of folders change (a folder's own: what lies in one below is not told), and
--- for the rest of the burst.
---@param folders string[]
---@param ready fun() called when nothing that changes from now on can be missed
---@return table<string, boolean>|nil paths that changed; nil when SIGINT, SIGTERM or SIGHUP came
function changes.wait(folders, ready)
  local changed, handles, stopped = {}, {}, false
  local burst = loop.timer(loop.stop)
  for index, folder in ipairs(folders) do
    local handle = uv.new_fs_event()
    handle:start(folder, {}, loop.guard(function(_, name)
      if name then
        changed[folder == "." and name or folder:gsub("/*$", "/") .. name] = true
        burst:set(BURST)
      end
    end))
    handles[index] = handle
  end
  local unwatch = loop.on_signals({ "sigint", "sigterm", "sighup" }, function()
    stopped = true
    loop.stop()
  end)
  ready()
  loop.run()
  unwatch()
  burst:close()
  for _, handle in ipairs(handles) do
    handle:close()
  end
  loop.settle()
  return not stopped and changed or nil
end

return changes
