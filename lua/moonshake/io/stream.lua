-- SPDX-License-Identifier: MIT
-- A connected stream socket. It reads only while somebody waits for its bytes, so that a peer which
-- sends without end is held up by the kernel; what is written may wait while it reads.

local addresses = require "moonshake.io.addresses"
local loop = require "moonshake.io.loop"
local wait = require "moonshake.io.wait"

local stream = {}

local MOST_PASSED_OVER = 1 << 16 -- bytes, at the end

local told = addresses.told

local Socket = {}
Socket.__index = Socket

local function address_of(name)
  return name and { host = name.ip, port = name.port } or nil
end

--- The socket of a handle of luv's that is connected.
---@param handle userdata
---@param path? string of a unix socket
---@return table
function stream.new(handle, path)
  local self = setmetatable({ handle = handle, pieces = {}, news = wait.bell() }, Socket)
  if path then
    self.remote = path
  else
    handle:nodelay(true)
    local remote = address_of(handle:getpeername())
    self.remote = remote and addresses.show(remote) or "unknown"
  end
  return self
end

-- Says what the kernel said, once: the end or an error.
local function end_reading(self, problem, message)
  self.ended, self.end_message = problem, message
end

local function on_bytes(self, problem, piece)
  if not self.handle then -- closed in the same turn of the loop, or (luv 1.44) reset from here
    return
  end
  self.handle:read_stop()
  self.reading = false
  if piece then
    self.pieces[#self.pieces + 1] = piece
  elseif problem then
    end_reading(self, told(problem, "connection_reset"))
  else
    end_reading(self, "closed", "the peer closed the connection")
  end
  self.news:ring()
end

--- The bytes that come next, as many as there are.
---@param seconds? number 0: only what is there; nil: as long as it takes
---@return string|nil bytes
---@return string|nil problem "timeout", "woken", "closed" (the peer's FIN) or a problem word
---@return string|nil message
function Socket:read(seconds)
  local due, happened = seconds and loop.now() + seconds, true
  while true do
    if #self.pieces > 0 then
      return table.remove(self.pieces, 1)
    elseif self.ended or self:is_closed() then
      return nil, self.ended or "closed", self.end_message or "this end closed the connection"
    elseif self.woken then
      self.woken = nil
      return nil, "woken"
    elseif not happened then
      return nil, "timeout", ("nothing came within %g s"):format(seconds)
    end
    if not self.reading then
      self.reading = true
      self.handle:read_start(loop.guard(function(problem, piece)
        on_bytes(self, problem, piece)
      end))
    end
    -- Another function may take what comes.
    happened = self.news:await(due and math.max(0, due - loop.now()))
  end
end

--- Ends the wait of who waits for bytes, if somebody does.
function Socket:wake()
  if self.news:is_awaited() then
    self.woken = true
    self.news:ring()
  end
end

--- Hands bytes to the system, which may take them later.
---@param bytes string
---@return table|nil written what io/wait.lua waits for; it happens with the system's complaint
---@return string|nil problem
---@return string|nil message
function Socket:put(bytes)
  if not self.handle or self.shut then
    return nil, "closed", "this end closed the connection"
  end
  local written = wait.new()
  local request, message = self.handle:write(bytes, loop.guard(function(problem)
    if problem and self.handle then
      self.refused = self.refused or table.pack(told(problem, "connection_reset"))
    end
    written:finish(problem)
  end))
  if not request then
    self.refused = self.refused or table.pack(told(message, "connection_reset"))
    return nil, table.unpack(self.refused, 1, 2)
  end
  self.last_written = written
  return written
end

--- Waits until the system has taken all that was put.
---@param seconds number
---@return boolean|nil done
---@return string|nil problem "timeout", "closed" (by this end) or a problem word
---@return string|nil message
function Socket:flush(seconds)
  if self.last_written and not wait.await(self.last_written, seconds) then
    return nil, "timeout", ("the peer took nothing within %g s"):format(seconds)
  elseif self.refused then
    return nil, table.unpack(self.refused, 1, 2)
  elseif not self.handle then
    return nil, "closed", "this end closed the connection"
  end
  return true
end

--- Writes bytes; returns when the system has them all.
---@param bytes string
---@param seconds number
---@return boolean|nil done
---@return string|nil problem as of flush()
---@return string|nil message
function Socket:write(bytes, seconds)
  local written, problem, message = self:put(bytes)
  if not written then
    return nil, problem, message
  end
  return self:flush(seconds)
end

--- How many bytes were put that the system has not taken.
---@return integer
function Socket:num_queued()
  return self.handle and self.handle:get_write_queue_size() or 0
end

-- Closes what was let go once nothing is left to do.
local function close_if_over(self)
  if self.going and self.ended and self.shut_done then
    self:close()
  end
end

--- Says that nothing more comes from here (FIN), once what was written has gone.
function Socket:shutdown()
  if not self.handle or self.shut then
    return
  end
  self.shut = true
  self.shut_done = not self.handle:shutdown(loop.guard(function()
    self.shut_done = true
    close_if_over(self)
  end))
end

--- Says that nothing more comes, and closes it once the peer has, too: who closes with bytes unread
--- resets the connection, and what was written last may be lost with it. Does not wait; nothing
--- more can be read.
function Socket:let_go()
  local handle, passed = self.handle, 0
  if not handle or self.going then
    return
  end
  self.going = true
  self:shutdown()
  if not self.ended then
    handle:read_stop()
    handle:read_start(loop.guard(function(_, piece)
      passed = passed + #(piece or "")
      if not piece then
        self.ended = "closed"
        close_if_over(self)
      elseif passed > MOST_PASSED_OVER then
        self:close()
      end
    end))
  end
  close_if_over(self)
  self.news:ring()
end

--- Closes it. With `rude` by a reset (RST), where the system can.
---@param rude? boolean
function Socket:close(rude)
  local handle = self.handle
  if not handle then
    return
  end
  self.handle = nil
  loop.close(handle, rude and (not self.shut or self.shut_done) and handle.close_reset or nil)
  self.news:ring()
end

--- Whether it is closed, or let go.
function Socket:is_closed()
  return self.handle == nil or self.going == true
end

return stream
