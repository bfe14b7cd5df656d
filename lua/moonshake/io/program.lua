-- SPDX-License-Identifier: MIT
-- A foreign program: what it prints can be waited for, and what is written reaches it, each with a
-- deadline. It is dead when this process is.
--
-- Standard output and standard error are one pipe, so that what stands in them is in the order in
-- which it was printed. What nobody reads is held up: the program has to wait, unless somebody
-- waits for its end.

local uv = require "luv"
local bounded = require "moonshake.io.bounded"
local child = require "moonshake.io.child"
local loop = require "moonshake.io.loop"
local wait = require "moonshake.io.wait"
local watchdog = require "moonshake.io.watchdog"

local program = {}

local MOST_UNREAD = 1 << 20 -- bytes; a line is not longer
local HALF = 1 << 18 -- bytes that are kept of the beginning of all output, and of its end
local TO_DIE = 5 -- seconds that a process may take that was killed

local Program = {}
Program.__index = Program

---------------------------------------------------------------------------------------------------
-- What it prints

-- All that was not read, as one text; it begins at self.at.
local function join(self)
  if #self.pieces > 0 then
    self.text = self.text:sub(self.at) .. table.concat(self.pieces)
    self.at, self.pieces = 1, {}
  end
end

-- So many bytes of it have been read.
local function consume(self, length)
  self.at = self.at + length
  self.unread = self.unread - length
  if self.unread <= MOST_UNREAD // 2 then
    self.child:go_on()
  end
end

local function on_output(self, piece)
  self.output:add(piece)
  self.pieces[#self.pieces + 1] = piece
  self.unread = self.unread + #piece
  if self.unread >= MOST_UNREAD then
    if self.passing_over == 0 then
      self.child:pause()
    end
    if not self.child.paused then
      join(self)
      consume(self, self.unread - MOST_UNREAD // 2)
    end
  end
  self.news:ring()
end

--- The next line, without its end; nil if there is none yet. What a program printed last is a line,
--- and so is what is too long.
---@return string|nil
function Program:take_line()
  local first, last = self.text:find("\n", self.at, true)
  if not first then
    join(self)
    first, last = self.text:find("\n", self.at, true)
  end
  if not first then
    if self.unread == 0 or not (self:is_silent() or self.unread >= MOST_UNREAD) then
      return nil
    end
    first, last = #self.text + 1, #self.text
  end
  local line = self.text:sub(self.at, first - 1)
  consume(self, last - self.at + 1)
  return (line:gsub("\r$", ""))
end

--- All that was not read; nil if there is nothing.
---@return string|nil
function Program:take()
  if self.unread == 0 then
    return nil
  end
  join(self)
  local text = self.text:sub(self.at)
  consume(self, #text)
  return text
end

--- Whether it will print no more.
---@return boolean
function Program:is_silent()
  return self.child.poll == nil
end

--- All that it has printed until now: the beginning and the end of what is long, and how many bytes
--- between them are left out.
---@return string beginning
---@return string ending
---@return integer cut
function Program:printed()
  return self.output:parts()
end

--- The last lines that it has printed until now.
---@param most integer
---@return string[]
function Program:last_lines(most)
  local lines = {}
  local beginning, ending, cut = self.output:parts()
  for line in (cut > 0 and ending or beginning .. ending):gmatch "[^\r\n]+" do
    lines[#lines + 1] = line
  end
  return table.move(lines, math.max(1, #lines - most + 1), #lines, 1, {})
end

---------------------------------------------------------------------------------------------------
-- Waiting

--- Calls f() whenever something has changed, until it returns something that is not nil.
---@param seconds number
---@param f fun(): any
---@return any answer nil when the time is over
function Program:wait_for(seconds, f)
  local due, polled = loop.now() + seconds, false
  while true do
    local late = loop.now() >= due
    local answer = f()
    if answer ~= nil then
      return answer
    elseif late and polled then
      return nil
    end
    polled = true
    self.news:await(math.max(0, due - loop.now()))
  end
end

--- Waits for its end, and passes over what nobody reads.
---@param seconds number
---@return boolean ended
function Program:wait_for_end(seconds)
  self.passing_over = self.passing_over + 1
  self.child:go_on()
  local _ <close> = setmetatable({}, { __close = function()
    self.passing_over = self.passing_over - 1
  end })
  return self:wait_for(seconds, function()
    return self.status and true or nil
  end) or false
end

--- Writes to its standard input; returns when all has been taken.
---@param text string
---@param seconds number
---@return boolean|nil done
---@return string|nil problem "timeout", or "ended": it reads no more
function Program:write(text, seconds)
  if not self.input then
    return nil, "ended"
  elseif text == "" then
    return true
  end
  local written = wait.new()
  local request = self.input:write(text, loop.guard(function(problem)
    written:finish(problem)
  end))
  if not request then
    return nil, "ended"
  end
  local happened, problem = wait.await(written, seconds)
  if not happened then
    return nil, "timeout"
  elseif problem then
    return nil, "ended"
  end
  return true
end

--- Closes its standard input, once what was written has gone.
function Program:close_input()
  local input = self.input
  self.input = nil
  if input then
    input:shutdown(loop.guard(function()
      if not input:is_closing() then
        input:close()
      end
    end))
    self.closing_input = input
  end
end

---------------------------------------------------------------------------------------------------
-- Its life

local function on_end(self, status)
  self.status = status
  for _, input in pairs { self.input, self.closing_input } do
    if not input:is_closing() then
      input:close()
    end
  end
  self.input, self.closing_input = nil, nil
  watchdog.forget(self.pid)
  self.news:ring()
end

--- Asks it and all that it started to end (SIGTERM), and kills them (SIGKILL) if that takes longer
--- than `grace` seconds.
---@param grace number
---@return boolean ended
function Program:stop(grace)
  if self.status then
    return true
  end
  self.child:kill "sigterm"
  self.child:kill "sigcont" -- one that stopped would not notice
  if self:wait_for_end(grace) then
    return true
  end
  self.child:kill "sigkill"
  return self:wait_for_end(TO_DIE)
end

--- Ends it, for good and whatever happens. Raises nothing.
---@param grace number
function Program:close(grace)
  pcall(self.stop, self, grace)
  self.child:kill "sigkill"
  loop.settle()
end

--- Starts one.
---@param how { path: string, arguments: string[], environment: string[]?, directory: string?,
---  discards_errors: boolean? } standard error goes nowhere, instead of where output goes
---@return table|nil
---@return string|nil problem
function program.start(how)
  local ends, problem = uv.pipe({}, { nonblock = true })
  if not ends then
    return nil, problem
  end
  local self = setmetatable({
    output = bounded.new(HALF), pieces = {}, text = "", at = 1,
    unread = 0, passing_over = 0, news = wait.bell(), input = uv.new_pipe(false),
  }, Program)
  self.input:open(ends.write)
  self.child, problem = child.start {
    program = how.path, arguments = how.arguments, environment = how.environment,
    directory = how.directory,
    stdio = function(output)
      return { ends.read, output, not how.discards_errors and output or nil }
    end,
    on_output = function(piece)
      on_output(self, piece)
    end,
    on_silence = function()
      self.news:ring()
    end,
    on_end = function(status)
      on_end(self, status)
    end,
  }
  uv.fs_close(ends.read)
  if not self.child then
    self.input:close()
    loop.settle()
    return nil, problem
  end
  self.pid = self.child.pid
  watchdog.watch(self.pid)
  return self
end

return program
