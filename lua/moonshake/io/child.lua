-- SPDX-License-Identifier: MIT
-- A child process whose output is read. It leads a session and a process group of its own, so that
-- all it started can be ended with it: when it is dead, the rest of its group is killed.

local uv = require "luv"
local loop = require "moonshake.io.loop"

local child = {}

local PIECE = 65536
local MOST_PIECES = 64 -- that are read at once: who prints without end must not hold us
local TO_DRAIN = 0.5 -- seconds that a dead process's descriptors may stay open in others

local Child = {}
Child.__index = Child

---------------------------------------------------------------------------------------------------
-- What it prints

--- Reads what is there.
---@return boolean over whether there will be no more
function Child:drain()
  for _ = 1, MOST_PIECES do
    if not self.poll or self.paused then
      return false
    end
    local piece, _, name = uv.fs_read(self.output, PIECE, -1)
    if piece == "" or (not piece and name ~= "EAGAIN" and name ~= "EINTR") then
      return true
    elseif not piece then
      return false
    end
    self.on_output(piece)
    if #piece < PIECE then
      return false -- for now
    end
  end
  return false
end

local function close_output(self)
  if self.poll then
    self.paused = false
    self:drain()
    self.poll:close()
    uv.fs_close(self.output)
    self.poll = nil
    self.on_silence()
    self:release()
  end
end

local function listen(self)
  self.poll:start("r", loop.guard(function()
    if self:drain() then
      close_output(self)
    end
  end))
end

--- Reads no more for now: the process has to wait when it goes on printing.
function Child:pause()
  if self.poll and not self.paused and not self.status then
    self.paused = true
    self.poll:stop()
  end
end

--- Reads again.
function Child:go_on()
  if self.poll and self.paused then
    self.paused = false
    listen(self)
  end
end

---------------------------------------------------------------------------------------------------
-- Its end

--- Of what has to come to an end before the end is told, one more has.
function Child:release()
  self.holds = self.holds - 1
  if self.holds == 0 then
    self.patience:close()
    self.on_end(self.status)
  end
end

local function on_exit(self, code, signal)
  self.status = { code = code, signal = signal }
  self:kill "sigkill" -- what it left behind
  self.on_exit()
  self.buried = true -- its number may be another's from here on
  self.handle:close()
  self:go_on()
  self.patience:set(TO_DRAIN)
  self:release()
end

--- Sends a signal ("sigkill") to the whole group.
---@param name string
function Child:kill(name)
  if not self.buried then
    uv.kill(-self.pid, name)
  end
end

--- Sends a signal to the process alone.
---@param name string
function Child:signal(name)
  if not self.status then
    uv.kill(self.pid, name)
  end
end

--- Starts one. `stdio(output)` gives its descriptors from 0 on, `output` being the one to print to;
--- `on_output(piece)` gets what it prints, `on_silence()` is told when there will be no more;
--- `on_exit()` that it is dead, its group too; `on_end({ code =, signal = })` comes last, when all
--- that it printed has been read as well and release() was called `holds` times; `on_patience()` is
--- told when others hold its descriptors for too long.
---@param how { program: string, arguments: string[], environment: string[]?, directory: string?,
---  stdio: fun(output: integer): table, on_output: fun(piece: string), on_silence: fun()?,
---  holds: integer?, on_exit: fun()?, on_end: fun(status: table), on_patience: fun()? }
---@return table|nil
---@return string|nil problem
function child.start(how)
  local ends, problem = uv.pipe({ nonblock = true }, {})
  if not ends then
    return nil, problem
  end
  local self = setmetatable({ output = ends.read, holds = 2 + (how.holds or 0),
                              on_output = how.on_output, on_end = how.on_end,
                              on_silence = how.on_silence or function() end,
                              on_exit = how.on_exit or function() end }, Child)
  self.handle, self.pid = uv.spawn(how.program, {
    args = how.arguments,
    env = how.environment,
    cwd = how.directory,
    stdio = how.stdio(ends.write),
    detached = true,
  }, loop.guard(function(code, signal)
    on_exit(self, code, signal)
  end))
  uv.fs_close(ends.write)
  if not self.handle then
    problem = self.pid
    uv.fs_close(ends.read)
    loop.settle()
    return nil, ("cannot start %s: %s"):format(how.program, problem)
  end
  self.poll = uv.new_poll(self.output)
  listen(self)
  self.patience = loop.timer(function()
    close_output(self)
    if how.on_patience then
      how.on_patience()
    end
  end)
  return self
end

--- The environment as `start` takes it, without some names and with others set.
---@param without string[]
---@param with table<string, string>
---@return string[]
function child.environment(without, with)
  local values = uv.os_environ()
  for _, name in ipairs(without) do
    values[name] = nil
  end
  for name, value in pairs(with) do
    values[name] = value
  end
  local list = {}
  for name, value in pairs(values) do
    list[#list + 1] = name .. "=" .. value
  end
  return list
end

return child
