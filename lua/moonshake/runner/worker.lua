-- SPDX-License-Identifier: MIT
-- A worker: the process in which the cases of one file run. Its parent (remote.lua) started it with
-- a channel on descriptor 3, over which lines go, JSON where they are not for every case:
--   from the parent, first     { token, parent = its process id, settings, load = PATH,
--                                timeout = seconds }
--   then, any number of times  INDEX ATTEMPT SECONDS: a case of its file, which run of it,
--                                its timeout
--   to the parent              TOKEN { loaded = see listing.lua }, or TOKEN { problem = text }
--   for each case              TOKEN INDEX MICROSECONDS, when it passed and that is all, or
--                              TOKEN { ended = result }, with `index`; `retires` when this process
--                              is not fit for another case
--   when it dies of a signal   TOKEN { last_words = ... }, see lua/binding/last_words.c; on a line
--                              of its own, for it may come in the middle of another
-- The token tells the worker's lines from what a script may write there. Descriptor 4 is its output
-- once more, where it marks, before it tells that it has loaded or that a case has ended, the end
-- of what was printed until then. When the channel is at its end the worker ends.
local json = require "dkjson"
local native = require "moonshake.native"
local globals = require "moonshake.runner.globals"
local listing = require "moonshake.runner.listing"
local loader = require "moonshake.runner.loader"
local no_exit = require "moonshake.runner.no_exit"
local stopwatch = require "moonshake.io.stopwatch"

-- What the chunk names of the library's own files begin with.
local LIBRARY = debug.getinfo(1, "S").source:match "^(.*)runner/worker%.lua$"
local DESCRIPTOR, OUTPUT = 3, 4
local NO_CHANNEL = 74 -- the exit status when nobody hears us any more

-- What our own functions need of a world that a script may have changed.
local encode, decode, exit, flush = json.encode, json.decode, os.exit, io.stdout.flush
local format, match = string.format, string.match

local Worker = {}
Worker.__index = Worker

-- (A script may have closed its output; then nobody can tell what belongs to what.)
function Worker:say(text)
  flush(io.stdout)
  self.output:write("\0" .. self.token)
  if not self.channel:write(self.token .. " " .. text) then
    exit(NO_CHANNEL, false)
  end
end

function Worker:tell(message)
  self:say(encode(message))
end

function Worker:load(path, timeout)
  local file, problem = loader.load(path, { timeout = timeout })
  if not file then
    return self:tell { problem = problem }
  end
  self.cases = file.cases
  local descriptions = {}
  for index, case in ipairs(file.cases) do
    descriptions[index] = case:describe()
  end
  self:tell { loaded = listing.pack(descriptions) }
end

function Worker:run(index, attempt, timeout)
  local case = self.cases[index]
  self.how.attempt = attempt
  local elapsed = stopwatch.start()
  local outcome, reason = case:run(timeout, self.how)
  local result = case.evidence or {}
  if outcome == "passed" and #case.notes == 0 and not (next(result) or case.damage) then
    self:say(format("%d %.0f", index, elapsed() * 1e6))
    return case:forget()
  end
  result.index, result.outcome, result.reason = index, outcome, reason
  result.failures, result.notes, result.seconds = case.failures, case.notes, elapsed()
  result.retires = case.damage and true or nil
  self:tell { ended = result }
  if case.damage then
    self.cases = nil -- what else was asked for is somebody else's
  end
  case:forget()
end

function Worker:work()
  while true do
    local line = self.channel:read()
    if not line then
      return
    elseif self.cases then
      local index, attempt, timeout = match(line, "^(%d+) (%d+) (%S+)$")
      self:run(tonumber(index), tonumber(attempt), tonumber(timeout))
    end
  end
end

--- Does what the parent says until it has no more to say.
---@param program table moonshake.program
---@param channel table see io/channel.lua
---@param output table another
---@return integer status
return function(program, channel, output)
  local line = channel:read()
  local first = line and decode(line)
  if not first then
    return 0
  end
  program.die_with_parent(first.parent)
  program.adopt_orphans() -- a daemon of one of our cases is not another worker's
  program.keep_to_itself(DESCRIPTOR)
  program.keep_to_itself(OUTPUT)
  io.stdout:setvbuf "line" -- what was written is there when a case crashes
  native.last_words(DESCRIPTOR, "\n" .. first.token, LIBRARY)
  if first.settings.memory then
    program.limit_memory(first.settings.memory)
  end
  local self = setmetatable({
    channel = channel, output = output, token = first.token,
    how = { evidence = first.settings.evidence, keep = first.settings.keep },
  }, Worker)
  local done, message = no_exit(function()
    self:load(first.load, first.timeout)
    self.how.mend = globals.remember_all() -- what the file changes while it loads is its own
    self:work()
  end, debug.traceback)
  if not done then
    error(message, 0) -- a script broke us in a way that globals.lua does not mend
  end
  return 0
end
