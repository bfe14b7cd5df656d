-- SPDX-License-Identifier: MIT
-- A worker as its parent sees it: a process that has loaded one file and runs cases of it, which
-- may die, hang or talk nonsense at any time. Whatever it does, its owner is told what became of
-- each case that it was given. (worker.lua is the other side; messages are described there.)
local json = require "dkjson"
local events = require "moonshake.events"
local listing = require "moonshake.runner.listing"
local failure_text = require "moonshake.report.failure_text"
local loop = require "moonshake.io.loop"
local process = require "moonshake.io.process"
local random = require "moonshake.io.random"
local traceback = require "moonshake.traceback"

local remote = {}

-- Seconds: what a case gets on top of its time to fail in the regular way, and what a process gets
-- to tell where it stood.
local TO_FAIL, TO_TELL = 1, 1

local Remote = {}
Remote.__index = Remote

---------------------------------------------------------------------------------------------------
-- Why a worker is gone

local SIGNALS = {
  SIGSEGV = "it used memory that it does not have",
  SIGBUS = "it used memory that is not there",
  SIGABRT = "it, or its C library, gave up",
  SIGFPE = "it divided by zero, or the like",
  SIGILL = "it came to an instruction that is none",
  SIGKILL = "not by Moonshake; the system may have been short of memory",
}

-- The exit status with which worker.lua says that its results cannot be written.
local NO_CHANNEL = 74
local NO_MORE_RESULTS = "closed descriptor 3, through which a worker tells its results"

-- (A sanitizer takes a fault for an exit; the last words tell which it was.)
function Remote:how_it_ended()
  local status, words = self.status, self.last_words or {}
  local signal = status.signal ~= 0 and status.signal or words.signal
  if self.blame then
    return self.blame
  elseif signal then
    local name = loop.signal(signal) or ("signal %s"):format(signal)
    local about = SIGNALS[name]
    return ("was killed by %s%s"):format(name, about and " (" .. about .. ")" or "")
  elseif status.code == NO_CHANNEL then
    return NO_MORE_RESULTS
  end
  return ("ended with exit status %d"):format(status.code)
end

-- Which failure the end of the process is for the case that it had begun.
function Remote:failure(run)
  local words = self.last_words or {}
  local made = {
    kind = self.verdict or "crashed",
    file = words.file,
    line = words.line,
    source = words.file and traceback.source_line(words.file, words.line),
    differences = {}, notes = {}, events = events.told(words.events),
  }
  if self.verdict == "timeout" then
    made.message = ("timeout after %g s, in a call that does not return"):format(run.seconds)
  else
    made.message = "the case's process " .. self:how_it_ended()
  end
  if not made.file then
    made.file, made.line = run.case.file, run.case.line
  end
  return made
end

-- A complaint about the file, in the line where its process was last, and what that printed.
function Remote:complaint(format, ...)
  local lines = failure_text.printed { output = self.process:take_output() }
  local words = self.last_words or {}
  local place = words.file and ("%s:%s"):format(words.file, words.line) or self.path
  table.insert(lines, 1, place .. ": " .. format:format(...))
  return table.concat(lines, "\n")
end

function Remote:problem()
  if self.verdict == "timeout" then
    return self:complaint("loading it took longer than %g s", self.seconds)
  end
  return self:complaint("loading it failed: its process %s", self:how_it_ended())
end

-- What is wrong with the end of a process that had nothing to do any more.
function Remote:bad_end()
  local signal = self.status.signal
  if self.finished and self.status.code == 0
    and (signal == 0 or self.asked and loop.signal(signal) == "SIGTERM") then
    return nil
  end
  return self:complaint("%s, its process %s",
                        self.was_given and "after its last case" or "after it had loaded",
                        self:how_it_ended())
end

function Remote:ended(status)
  self.status = status
  self.timer:close()
  self.gone = true
  if not self.loaded then
    self.owner:loaded(self, nil, self:problem())
  elseif self.given[1] and not self.retired then
    local run = table.remove(self.given, 1)
    self.owner:lost(self, run, self:failure(run), loop.now() - self.since)
  elseif not self.dismissed then
    local problem = self:bad_end()
    if problem then
      self.owner:ended_badly(self, problem)
    end
  end
  self.owner:gone(self)
end

---------------------------------------------------------------------------------------------------
-- Deadlines

-- From now on, until the next answer, it has `seconds` by its own watch.
function Remote:watch(seconds)
  self.since = loop.now()
  self.seconds = seconds
  self.timer:set(seconds + TO_FAIL)
end

-- The first time it is asked to stop, and tells where it stands; then its whole group is killed.
function Remote:out_of_time()
  if self.silent then
    self:give_up(NO_MORE_RESULTS)
  elseif self.finished and (self.retired or not self.given[1]) then
    self:give_up(("did not end within %g s"):format(self.to_end))
  elseif not self.verdict then
    self.verdict = "timeout"
    self.process:signal "sigterm"
    self.process:signal "sigcont" -- one that stopped would not notice
    self.timer:set(TO_TELL)
  else
    self.process:kill()
  end
end

-- It cannot be believed any more.
function Remote:give_up(blame)
  self.blame = self.blame or blame
  self.process:kill()
end

---------------------------------------------------------------------------------------------------
-- Messages

local take = {}

function take:loaded(packed)
  self.loaded = true
  self.timer:clear()
  self.process:take_output() -- of no case
  local descriptions = listing.unpack(packed)
  for index, description in ipairs(descriptions) do
    description.index = index
  end
  self.owner:loaded(self, descriptions)
end

function take:problem(text)
  self.loaded, self.dismissed = true, true
  self.timer:clear()
  self.owner:loaded(self, nil, text)
end

function take:ended(result)
  local run = table.remove(self.given, 1)
  if not run or run.case.index ~= result.index then
    return self:give_up "told of a case that it had not been given"
  end
  result.index = nil
  result.case, result.attempt = run.case, run.attempt
  result.output, result.output_cut = self.process:take_output()
  self.asked = self.asked or self.verdict ~= nil -- to stop, and will do that now
  self.verdict = nil
  self.timer:clear()
  if result.retires or self.asked then
    result.retires = nil
    self.retired = true
    self:finish()
  elseif self.given[1] then
    self:watch(self.given[1].seconds)
  end
  self.owner:ended(self, result)
end

function take:last_words(words)
  self.last_words = words
end

local function message_in(text)
  local index, microseconds = text:match "^(%d+) (%d+)$"
  if index then
    return {
      ended = {
        index = math.tointeger(index), outcome = "passed", seconds = microseconds / 1e6,
        failures = {}, notes = {},
      },
    }
  end
  return json.decode(text)
end

function Remote:line(line)
  local text = self.token and line:sub(1, #self.token + 1) == self.token .. " "
    and line:sub(#self.token + 2)
  local message = text and message_in(text)
  local kind, content
  if type(message) == "table" then
    kind, content = next(message)
  end
  if self.blame or self.dismissed or line == "" then -- (an empty line goes before last words)
    return
  elseif not take[kind] then
    return self:give_up "wrote to descriptor 3, through which a worker tells its results"
  end
  take[kind](self, content)
end

---------------------------------------------------------------------------------------------------
-- What its owner may do

--- Gives it a case. It runs what it was given in that order.
---@param run table { case = description with `index`, attempt, seconds = its deadline }
function Remote:give(run)
  self.given[#self.given + 1] = run
  self.was_given = true
  self.process:send(("%d %d %s"):format(run.case.index, run.attempt, run.seconds))
  if #self.given == 1 then
    self:watch(run.seconds)
  end
end

--- Tells it that there is nothing more to do. It is to end by itself, in the time that a file may
--- take to load.
function Remote:finish()
  self.finished = true
  self.process:finish()
  if self.retired or #self.given == 0 then
    self.timer:set(self.to_end)
  end
end

--- Ends it at once, whatever it does; its owner is told nothing but that it is gone.
function Remote:dismiss()
  self.given = {}
  self.dismissed = true
  self.loaded = true
  self.process:kill()
end

--- The output of what it did last, for a worker that will tell no result.
function Remote:take_output()
  return self.process:take_output()
end

--- Starts a worker and has it load a file. `owner` has the methods that are told, each with the
--- worker first: loaded(w, descriptions) or loaded(w, nil, problem); ended(w, result) for each case
--- given, or lost(w, run, failure, seconds) for the one that it did not survive; ended_badly(w,
--- problem) when it died with nothing to do; and gone(w), the last, when its `given` holds the runs
--- that it never began.
---@param owner table
---@param path string of the file
---@param how { program: string, environment: string[], timeout: number, settings: table }
---@return table|nil
---@return string|nil problem
function remote.start(owner, path, how)
  local self = setmetatable({
    owner = owner, path = path, to_end = how.timeout, given = {}, token = random.word(),
  }, Remote)
  local problem
  self.process, problem = process.start {
    program = how.program,
    arguments = { "worker" },
    mark = "\0" .. self.token .. "\n",
    environment = how.environment,
    on_line = function(line) self:line(line) end,
    on_silence = function()
      self.silent = true
      self.timer:set(TO_TELL)
    end,
    on_end = function(status) self:ended(status) end,
  }
  if not self.process then
    return nil, problem
  end
  self.timer = loop.timer(function() self:out_of_time() end)
  self.process:send(json.encode {
    token = self.token, parent = process.own_id(), settings = how.settings, load = path,
    timeout = how.timeout,
  })
  self:watch(how.timeout)
  return self
end

return remote
