-- SPDX-License-Identifier: MIT
-- ms.program: a foreign program that a script talks to, each call with a deadline. (The process is
-- io/program.lua's. A module moonshake.program is something else: what our own program does to its
-- process.)
local arguments = require "moonshake.arguments"
local options = require "moonshake.options"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"

local foreign = {}

local TIMEOUT = 10 -- seconds
local GRACE = 2 -- seconds from SIGTERM to SIGKILL when the script ends it
local GRACE_AT_THE_END = 0.5 -- and when its case has ended
local LAST_LINES = 8 -- that are told when the case failed

local RESULT = strict.schema("result", {
  { name = "code", type = "integer", about = "its exit status; nil when a signal ended it" },
  { name = "signal", type = "string", about = "the signal that ended it: \"SIGTERM\"; else nil" },
  { name = "output", type = "string", about = "all that it printed" },
  { name = "cut", type = "integer",
    about = "how many bytes are left out in the middle of output; nil when it is whole" },
})

-- Private to this file: what a program's table holds.
local STATE = {}

local Program = { __name = "moonshake.program" }
local methods = {}

local function state_of(self, api)
  strict.called_on(api, self, Program, "a program")
  return rawget(self, STATE)
end

-- Checks what a method was given; what is asked of the program itself, and the time for it.
local function call(self, api, entries, given)
  local state = state_of(self, api)
  local checked = arguments.check(api, entries, given)
  return state, checked.timeout or state.timeout, checked
end

---------------------------------------------------------------------------------------------------

local function result_of(state)
  if not state.result then
    local status = state.process.status
    local beginning, ending, cut = state.process:printed()
    local killed = status.signal ~= 0
    state.result = strict.record(RESULT, {
      code = not killed and status.code or nil,
      signal = killed and (require("moonshake.io.loop").signal(status.signal)
                           or ("signal %d"):format(status.signal)) or nil,
      output = cut > 0 and ("%s\n[%d bytes are left out]\n%s"):format(beginning, cut, ending)
        or beginning .. ending,
      cut = cut > 0 and cut or nil,
    })
  end
  return state.result
end

-- A line with what find() says of it: the line and the captures.
local function found(line, first, _, ...)
  if first then
    return table.pack(line, ...)
  end
  return nil
end

--- program:line { match =, timeout = }: the next line that it prints (on standard output or
--- standard error) in which the Lua pattern is found, without its end. Lines before it are passed
--- over; they still stand in the result's output.
---@param given? table
---@return string|nil line
---@return string|nil ... the pattern's captures; where there is no line: "timeout" or "ended"
function methods:line(given)
  local state, seconds, checked = call(self, "program:line", options.program_line, given)
  local process = state.process
  local answer = process:wait_for(seconds, function()
    for line in process.take_line, process do
      local made = found(line, line:find(checked.match or ""))
      if made then
        return made
      end
    end
    return process:is_silent() and table.pack(nil, "ended") or nil
  end) or table.pack(nil, "timeout")
  return table.unpack(answer, 1, answer.n)
end

--- program:read { timeout = }: what it has printed and nobody has read; waits until there is some.
---@param given? table
---@return string|nil text
---@return string|nil problem "timeout" or "ended"
function methods:read(given)
  local state, seconds = call(self, "program:read", options.program_wait, given)
  local process = state.process
  local answer = process:wait_for(seconds, function()
    local text = process:take()
    if text or process:is_silent() then
      return { text, problem = "ended" }
    end
    return nil
  end) or { problem = "timeout" }
  if answer[1] then
    return answer[1]
  end
  return nil, answer.problem
end

--- program:write(text, { timeout = }): writes to its standard input, and returns when all has been
--- taken.
---@param text string
---@param given? table
---@return boolean|nil done
---@return string|nil problem "timeout" (a part may have been taken), or "ended": it reads no more
function methods:write(text, given)
  local api = "program:write"
  local state, seconds = call(self, api, options.program_wait, given)
  arguments.check_one(api, { name = "text", type = "string" }, text)
  if state.input_closed then
    strict.raise(api .. ": its input was closed")
  end
  return state.process:write(text, seconds)
end

--- program:close_input(): it reads the end of its standard input once it has read what was written.
function methods:close_input()
  local state = state_of(self, "program:close_input")
  state.input_closed = true
  state.process:close_input()
end

--- program:wait { timeout = }: waits for its end. What nobody reads is passed over meanwhile.
---@param given? table
---@return table|nil result { code =, signal =, output =, cut = }
---@return string|nil problem "timeout"
function methods:wait(given)
  local state, seconds = call(self, "program:wait", options.program_wait, given)
  if not state.process:wait_for_end(seconds) then
    return nil, "timeout"
  end
  return result_of(state)
end

--- program:stop { grace = }: ends it and all that it started (SIGTERM, and SIGKILL when `grace`
--- seconds are over). May be called when it has ended.
---@param given? table
---@return table result as of wait()
function methods:stop(given)
  local state, _, checked = call(self, "program:stop", options.program_stop, given)
  if not state.process:stop(checked.grace or GRACE) then
    strict.raise(("program:stop: %s cannot be killed"):format(state.name))
  end
  return result_of(state)
end

function Program:__index(name)
  if methods[name] then
    return methods[name]
  elseif name == "pid" then
    return rawget(self, STATE).process.pid
  end
  local words = { "pid" }
  for word in pairs(methods) do
    words[#words + 1] = word
  end
  strict.unknown("program", "field", name, words)
end

function Program.__newindex()
  strict.raise "program: is read-only"
end

function Program:__tostring()
  return "program " .. rawget(self, STATE).name
end

---------------------------------------------------------------------------------------------------
-- Starting

-- The items of the list in a script's table, as strings, and the rest.
local function split(given)
  if type(given) ~= "table" or getmetatable(given) ~= nil then
    strict.raise(("ms.program: wants a table, { PROGRAM, ARGUMENT, ... }, got %s"):format(
      arguments.describe(given)))
  end
  local words, named, count = {}, {}, 0
  for key, value in pairs(given) do
    if math.type(key) == "integer" then
      count = count + 1
    else
      named[key] = value
    end
  end
  for index = 1, count do
    local word = given[index]
    if math.type(word) == "integer" then
      word = tostring(word)
    elseif type(word) ~= "string" or word:find "%z" then
      strict.raise(("ms.program: argument %d: wants a string or an integer, got %s"):format(
        index - 1, arguments.describe(word)))
    end
    words[index] = word
  end
  if count == 0 or words[1] == "" then
    strict.raise "ms.program: wants { PROGRAM, ARGUMENT, ... }, got no program"
  end
  return words, named
end

local function path_of(name)
  local files = require "moonshake.io.files"
  if name:find("/", 1, true) then
    if files.kind(name) ~= "file" then
      strict.raise(("ms.program: there is no file %s"):format(name))
    end
    return files.real_path(name) or name
  end
  local path = files.find_program(name)
  if not path then
    strict.raise(("ms.program: %s is not in PATH (%s)"):format(name,
                                                              os.getenv "PATH" or "unset"))
  end
  return path
end

local function environment_of(changes)
  local without, with = {}, {}
  for name, text in pairs(changes) do
    if text then
      with[name] = text
    else
      without[#without + 1] = name
    end
  end
  return require("moonshake.io.child").environment(without, with)
end

-- What is told of a program whose case failed.
local function tell(state, case)
  local lines = state.process:last_lines(LAST_LINES)
  local ended = "was still running"
  if state.ended_before then
    local result = result_of(state)
    ended = result.signal and "had been ended by " .. result.signal
      or ("had ended with status %d"):format(result.code)
  end
  case:note(("%s %s; %s"):format(state.name, ended,
                                 #lines > 0 and "it printed last:" or "it printed nothing"))
  for _, line in ipairs(lines) do
    case:note("  " .. line)
  end
end

local function close(state, case)
  state.ended_before = state.process.status ~= nil
  state.process:close(GRACE_AT_THE_END)
  if #case.failures > 0 then
    tell(state, case)
  end
end

--- ms.program { PROGRAM, ARGUMENT, ..., timeout = }: starts a foreign program. It is ended, with
--- all that it started, when its case ends, or this process does.
---@param given table
---@return table program
function foreign.start(given)
  local api = "ms.program"
  local words, named = split(given)
  local checked = arguments.check(api, options.program, named)
  local path, files = path_of(words[1]), require "moonshake.io.files"
  if checked.directory and files.kind(checked.directory) ~= "directory" then
    strict.raise(("%s: directory: there is no directory %s"):format(api, checked.directory))
  end
  local process = strict.check(api, require("moonshake.io.program").start {
    path = path,
    arguments = table.move(words, 2, #words, 1, {}),
    directory = checked.directory,
    environment = checked.environment and environment_of(checked.environment),
    discards_errors = checked.stderr == "discard",
  })
  local name = words[1]:match "[^/]*$"
  if words[2] and words[2]:find "^%a[%w_]*$" then
    name = name .. " " .. words[2]
  end
  local state = { process = process, name = name, timeout = checked.timeout or TIMEOUT }
  local case = scenario.current()
  if case then
    case:on_close(function()
      close(state, case)
    end)
  end
  return setmetatable({ [STATE] = state }, Program)
end

return foreign
