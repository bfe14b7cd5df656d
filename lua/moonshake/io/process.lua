-- SPDX-License-Identifier: MIT
-- A child process that speaks in lines over descriptor 3, and whose output is kept, which is its
-- descriptor 4 as well. It leads a session and a process group of its own, so that all it started
-- can be ended with it; what left that group is adopted, and ended too.

local uv = require "luv"
local captured = require "moonshake.io.captured"
local loop = require "moonshake.io.loop"
local orphans = require "moonshake.io.orphans"

local process = {}

local living = {} -- pid -> true

local PIECE = 65536
local MOST_PIECES = 64 -- that are read at once: who prints without end must not hold us
local LONGEST_LINE = 1 << 26
local TO_DRAIN = 0.5 -- seconds that a dead process's descriptors may stay open in others

local Process = {}
Process.__index = Process

---------------------------------------------------------------------------------------------------
-- What it prints

-- Reads what is there; true when there will be no more.
local function drain(self)
  for _ = 1, MOST_PIECES do
    local piece, _, name = uv.fs_read(self.output, PIECE, -1)
    if piece == "" or (not piece and name ~= "EAGAIN" and name ~= "EINTR") then
      return true
    elseif not piece then
      return false
    end
    self.printed:add(piece)
    if #piece < PIECE then
      return false -- for now
    end
  end
  return false
end

local function close_output(self)
  if self.poll then
    drain(self)
    self.poll:close()
    uv.fs_close(self.output)
    self.poll = nil
  end
end

--- What the process and its children printed before the next mark, see captured.lua. What was
--- printed before a line which has been read has been read, too.
---@return string|nil
---@return integer|nil cut
function Process:take_output()
  if self.poll then
    drain(self)
  end
  return self.printed:take()
end

---------------------------------------------------------------------------------------------------
-- Its end

-- Told once it is dead and all that it left has been read.
local function check_end(self)
  if self.status and not self.poll and not self.channel and not self.ended then
    self.ended = true
    self.patience:close()
    self.on_end(self.status)
  end
end

local function close_channel(self)
  if self.channel then
    self.channel:close()
    self.channel = nil
  end
end

local function on_exit(self, code, signal)
  self.status = { code = code, signal = signal }
  self:kill() -- what it left behind
  living[self.pid] = nil
  orphans.end_all(living)
  self.buried = true -- its number may be another's from here on
  self.handle:close()
  self.patience:set(TO_DRAIN)
  check_end(self)
end

--- Sends SIGKILL to the whole group. The processes are gone when `on_end` is called.
function Process:kill()
  if not self.buried then
    uv.kill(-self.pid, "sigkill")
  end
end

--- Sends a signal ("sigterm") to the process alone.
---@param name string
function Process:signal(name)
  if not self.status then
    uv.kill(self.pid, name)
  end
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
  if not self.status and not self.finishing then
    self.on_silence(problem)
  end
  check_end(self)
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
  local ends, problem = uv.pipe({ nonblock = true }, {})
  if not ends then
    return nil, problem
  end
  local self = setmetatable({
    output = ends.read, printed = captured.new(how.mark), rest = {}, rest_length = 0,
    on_line = how.on_line, on_silence = how.on_silence, on_end = how.on_end,
    channel = uv.new_pipe(false),
  }, Process)
  orphans.adopt()
  self.handle, self.pid = uv.spawn(how.program, {
    args = how.arguments,
    env = how.environment,
    stdio = { nil, ends.write, ends.write, self.channel, ends.write },
    detached = true,
  }, loop.guard(function(code, signal)
    on_exit(self, code, signal)
  end))
  uv.fs_close(ends.write)
  if not self.handle then
    problem = self.pid
    self.channel:close()
    uv.fs_close(ends.read)
    return nil, ("cannot start %s: %s"):format(how.program, problem)
  end
  living[self.pid] = true
  self.poll = uv.new_poll(self.output)
  self.poll:start("r", loop.guard(function()
    if self.poll and drain(self) then
      close_output(self)
      check_end(self)
    end
  end))
  self.channel:read_start(loop.guard(function(read_problem, piece)
    on_read(self, read_problem, piece)
  end))
  self.patience = loop.timer(function()
    close_output(self)
    close_channel(self)
    check_end(self)
  end)
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

--- The environment as `start` takes it, without some names and with others set.
---@param without string[]
---@param with table<string, string>
---@return string[]
function process.environment(without, with)
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

return process
