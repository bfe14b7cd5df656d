-- SPDX-License-Identifier: MIT
-- Waiting until something changes in folders.

local uv = require "luv"
local loop = require "moonshake.io.loop"

local changes = {}

local BURST = 0.1 -- seconds: an editor writes, renames and removes for one saving

local Changes = {}
Changes.__index = Changes

local function close(self)
  for _, handle in ipairs(self and self.handles or {}) do
    handle:close()
  end
  loop.settle()
end

--- Waits until entries of the folders have changed since the last call, and for the rest of the
--- burst.
---@param ready fun() called when a signal can end the waiting
---@return table<string, boolean>|nil paths that changed
---@return string|nil signal "sigint", "sigterm" or "sighup", where it came instead
function Changes:wait(ready)
  local signal
  local unwatch = loop.on_signals({ "sigint", "sigterm", "sighup" }, function(name)
    signal = name
    loop.stop()
  end)
  for _, handle in ipairs(self.handles) do
    handle:ref()
  end
  self.burst = loop.timer(loop.stop)
  if next(self.changed) then
    self.burst:set(BURST)
  end
  ready()
  loop.run()
  self.burst:close()
  self.burst = nil
  unwatch()
  for _, handle in ipairs(self.handles) do
    handle:unref()
  end
  loop.settle()
  local changed = self.changed
  self.changed = {}
  return not signal and changed or nil, signal
end

--- Begins to watch folders (each alone: what lies in one below is not told). What changes while
--- the loop runs for others is told by the next wait().
---@param folders string[]
---@param before? table a watch that this one takes the place of; nothing gets lost
---@return table|nil watch
---@return string|nil problem
function changes.watch(folders, before)
  local self = setmetatable({ changed = before and before.changed or {}, handles = {} }, Changes)
  for index, folder in ipairs(folders) do
    local handle = uv.new_fs_event()
    self.handles[index] = handle
    local started, problem = handle:start(folder, {}, loop.guard(function(_, name)
      if name then
        self.changed[folder == "." and name or folder:gsub("/*$", "/") .. name] = true
        if self.burst then
          self.burst:set(BURST)
        end
      end
    end))
    handle:unref()
    if not started and uv.fs_stat(folder) then -- else it went a moment ago, which is told as well
      close(self)
      close(before)
      return nil, ("cannot watch %s: %s"):format(folder, problem)
    end
  end
  loop.settle() -- what `before` was not told yet
  close(before)
  return self
end

return changes
