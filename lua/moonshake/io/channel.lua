-- SPDX-License-Identifier: MIT
-- A worker's way to its parent: lines, read and written while everything else waits.

local uv = require "luv"

local channel = {}

local PIECE = 65536

local Channel = {}
Channel.__index = Channel

--- The next line, without its end; nil when there will be none.
---@return string|nil
function Channel:read()
  while true do
    local line, rest = self.text:match "^([^\n]*)\n(.*)$"
    if line then
      self.text = rest
      return line
    end
    local piece, _, name = uv.fs_read(self.descriptor, PIECE, -1)
    if piece == "" or (not piece and name ~= "EINTR") then
      return nil
    end
    self.text = self.text .. (piece or "")
  end
end

--- Writes a line; false when that cannot be done.
---@param line string
---@return boolean
function Channel:write(line)
  local text, at = line .. "\n", 1
  while at <= #text do
    local count, _, name = uv.fs_write(self.descriptor, text:sub(at), -1)
    if not count and name ~= "EINTR" then
      return false
    end
    at = at + (count or 0)
  end
  return true
end

--- A channel over a descriptor that the process was started with.
---@param descriptor integer
function channel.over(descriptor)
  return setmetatable({ descriptor = descriptor, text = "" }, Channel)
end

return channel
