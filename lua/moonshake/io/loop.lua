-- SPDX-License-Identifier: MIT
-- The event loop: waiting for processes, signals and deadlines. A callback that raises stops the
-- loop, and loop.run() raises what it raised. (Only files below io/ load luv.)

local uv = require "luv"

local loop = {}

-- luv calls back in the coroutine that loaded it, which must not be collected.
loop.thread = coroutine.running()

local failure -- what a callback raised

-- Raises what a callback raised.
local function raise_failure()
  if failure then
    local message = failure[1]
    failure = nil
    error(message, 0)
  end
end

--- `f` as a callback of luv's: an error in one would end the process.
---@param f function
---@return function
function loop.guard(f)
  return function(...)
    if failure then
      return
    end
    local done, message = xpcall(f, debug.traceback, ...)
    if not done then
      failure = { message }
      uv.stop()
    end
  end
end

--- Runs until loop.stop() is called or nothing is left to wait for. May be called again.
---@return boolean more whether there is something to wait for
function loop.run()
  local more = uv.run()
  raise_failure()
  return more
end

--- Blocks until something happens, and runs the callbacks that are due then.
---@return boolean more whether there is something to wait for
function loop.once()
  local more = uv.run "once"
  raise_failure()
  return more
end

--- Makes loop.run() return once the callbacks that are due have run.
function loop.stop()
  uv.stop()
end

--- Lets what was closed come to its end: luv crashes at exit where a handle is still closing.
function loop.settle()
  uv.run "nowait"
end

local kept = {} -- handles that are open
local last -- of the marks below

-- luv crashes when Lua's state is closed while a handle is closing. Finalisers then run in reverse
-- order, so that of what was made last comes before those of all handles.
local function at_the_end()
  local mark = {}
  last = setmetatable(mark, { __gc = function()
    if last == mark then
      for handle in pairs(kept) do
        loop.close(handle)
      end
      uv.run "nowait"
    end
  end })
end

--- Has a handle closed at the latest when Lua's state is.
---@param handle userdata
---@return userdata handle
function loop.keep(handle)
  kept[handle] = true
  at_the_end()
  return handle
end

--- Closes a handle that was kept, once. `how`, if given, is luv's function that does it.
---@param handle userdata
---@param how? function
function loop.close(handle, how)
  if kept[handle] then
    kept[handle] = nil;
    (how or handle.close)(handle)
  end
end

--- Seconds by a clock that only goes forward.
---@return number
function loop.now()
  return uv.hrtime() / 1e9
end

local Timer = {}
Timer.__index = Timer

--- A timer that is not set yet; it alone keeps no loop running when `idle` is true.
---@param f function called when the time is over
---@param idle? boolean
---@return table
function loop.timer(f, idle)
  local handle = loop.keep(uv.new_timer())
  if idle then
    handle:unref()
  end
  return setmetatable({ handle = handle, f = loop.guard(f) }, Timer)
end

--- Sets the timer anew; `again`, if given, is the interval at which it repeats, in seconds too.
---@param seconds number
---@param again? number
function Timer:set(seconds, again)
  self.handle:start(math.ceil(seconds * 1000), math.ceil((again or 0) * 1000), self.f)
end

--- Takes it back.
function Timer:clear()
  self.handle:stop()
end

--- Ends its life.
function Timer:close()
  loop.close(self.handle)
end

-- nohup's way to say that the terminal may go.
local function ignores_hangups()
  return package.preload["moonshake.program"] ~= nil
    and require("moonshake.program").ignores(uv.constants.SIGHUP)
end

--- Calls f(name) when a signal of these names ("sigint") comes; hang-ups that are ignored stay so.
--- Returns what takes that back.
---@param names string[]
---@param f fun(name: string)
---@return fun()
function loop.on_signals(names, f)
  local handles = {}
  for _, name in ipairs(names) do
    if name ~= "sighup" or not ignores_hangups() then
      local handle = uv.new_signal()
      handle:unref()
      handle:start(name, loop.guard(function()
        f(name)
      end))
      handles[#handles + 1] = handle
    end
  end
  return function()
    for _, handle in ipairs(handles) do
      if not handle:is_closing() then
        handle:close()
      end
    end
  end
end

--- The number of a signal by its name in capitals ("SIGINT"), or its name by its number.
---@param signal string|integer
---@return integer|string|nil
function loop.signal(signal)
  if type(signal) == "string" then
    return uv.constants[signal]
  end
  -- SIGIOT and SIGABRT are one number, and so are SIGIO and SIGPOLL.
  local found
  for name, number in pairs(uv.constants) do
    if number == signal and name:find "^SIG" and name ~= "SIGIOT" and name ~= "SIGPOLL" then
      found = name
    end
  end
  return found
end

--- The exit status that says that a signal ("sigint") ended a run.
---@param name string
---@return integer
function loop.status_of(name)
  return 128 + loop.signal(name:upper())
end

return loop
