-- SPDX-License-Identifier: MIT
-- A child process that speaks in lines over descriptor 3, and whose output is kept, which is its
-- descriptor 4 as well. What it started and left its group is adopted, and ended with it.

local uv = require "luv"
local captured = require "moonshake.io.captured"
local child = require "moonshake.io.child"
local loop = require "moonshake.io.loop"
local orphans = require "moonshake.io.orphans"

local process = {}

local living = {} -- pid -> true
local LONGEST_LINE = 1 << 26

local Process = {}
Process.__index = Process

--- What the process and its children printed before the next mark, see captured.lua. What was
--- printed before a line which has been read has been read, too.
---@return string|nil
---@return integer|nil cut
function Process:take_output()
  self.child:drain()
  return self.printed:take()
end

--- Sends SIGKILL to the whole group. The processes are gone when `on_end` is called.
function Process:kill()
  self.child:kill "sigkill"
end

--- Sends a signal ("sigterm") to the process alone.
---@param name string
function Process:signal(name)
  self.child:signal(name)
end

local function close_channel(self)
  local channel = self.channel
  self.channel = nil
  if channel then
    channel:close()
  end
  return channel ~= nil
end

---------------------------------------------------------------------------------------------------
-- What it says

local function take_lines(self, piece)
  self.rest[#self.rest + 1] = piece
  self.rest_length = self.rest_length + #piece
  if not piece:find("\n", 1, true) then
    if self.rest_length > LONGEST_LINE then
      local line = table.concat(self.rest)
      self.rest, self.rest_length = {}, 0
      self.on_line(line)
    end
    return
  end
  local text, from = table.concat(self.rest), 1
  local ending = text:find("\n", 1, true)
  while ending do -- (a pattern would look for the end of what has none from each place in it)
    self.on_line(text:sub(from, ending - 1))
    from = ending + 1
    ending = text:find("\n", from, true)
  end
  self.rest = { text:sub(from) }
  self.rest_length = #self.rest[1]
end

local function on_read(self, problem, piece)
  if piece then
    return take_lines(self, piece)
  end
  close_channel(self)
  if self.rest_length > 0 then
    self.on_line(table.concat(self.rest))
  end
  if not self.child.status and not self.finishing then
    self.on_silence(problem)
  end
  self.child:release()
end

--- Sends a line (without its end). A process that does not read any more is told of by `on_end`.
---@param line string
function Process:send(line)
  if self.channel and not self.finishing then
    self.channel:write(line .. "\n")
  end
end

--- Tells the process that no more lines will come.
function Process:finish()
  if self.channel and not self.finishing then
    self.finishing = true
    self.channel:shutdown()
  end
end

--- Starts one. `mark` divides its output (see captured.lua); `on_line(line)` gets each line that it
--- writes to descriptor 3; `on_silence()` is told when it closed that while it lives;
--- `on_end({ code =, signal = })` comes last, when it is dead, its group too, and all that it said
--- and printed has been read.
---@param how { program: string, arguments: string[], environment: string[]?, mark: string,
---  on_line: fun(line: string), on_silence: fun(), on_end: fun(status: table) }
---@return table|nil
---@return string|nil problem
function process.start(how)
  local self = setmetatable({
    printed = captured.new(how.mark), rest = {}, rest_length = 0,
    on_line = how.on_line, on_silence = how.on_silence,
    channel = uv.new_pipe(false),
  }, Process)
  local problem
  orphans.adopt()
  self.child, problem = child.start {
    program = how.program, arguments = how.arguments, environment = how.environment, holds = 1,
    stdio = function(output)
      return { nil, output, output, self.channel, output }
    end,
    on_output = function(piece)
      self.printed:add(piece)
    end,
    on_patience = function()
      if close_channel(self) then
        self.child:release()
      end
    end,
    on_exit = function()
      living[self.child.pid] = nil
      orphans.end_all(living)
    end,
    on_end = how.on_end,
  }
  if not self.child then
    self.channel:close()
    loop.settle()
    return nil, problem
  end
  living[self.child.pid] = true
  self.channel:read_start(loop.guard(function(read_problem, piece)
    on_read(self, read_problem, piece)
  end))
  return self
end

--- This process's own program.
---@return string
function process.own_program()
  return uv.exepath()
end

--- This process's id.
---@return integer
function process.own_id()
  return uv.os_getpid()
end

--- The environment as `start` takes it, see child.lua.
process.environment = child.environment

return process
