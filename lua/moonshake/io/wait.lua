-- SPDX-License-Identifier: MIT
-- Waiting for what a callback of luv's will tell. In a function that ms.together runs a wait lets
-- the others go on; anywhere else, and where Lua cannot yield (in a function that a link calls, in
-- a coroutine that the script made itself), it runs the loop until it is over. The deadline of the
-- case ends every wait.
--
-- The deadline does not interrupt callbacks, for it could strike between luv and loop.guard(): they
-- must be short, and call no function of a script's.
local loop = require "moonshake.io.loop"
local native = require "moonshake.native"

local wait = {}

-- Who writes to what nobody reads is told so by the call; the signal would end this process.
loop.on_signals({ "sigpipe" }, function() end)

local Wait = {}
Wait.__index = Wait

local turning = false -- whether the loop runs for a wait

--- Something that has not happened yet.
---@return table
function wait.new()
  return setmetatable({}, Wait)
end

--- It has happened, with these values. The first call wins. To be called by a callback.
function Wait:finish(...)
  if self.values then
    return
  end
  self.values = table.pack(...)
  if turning then
    loop.stop() -- timers are run before the loop blocks: it would not know that it need not
  end
  local wakers = self.wakers or {}
  self.wakers = nil
  for _, wake in ipairs(wakers) do
    wake()
  end
end

--- Has wake() called once when it has happened.
---@param wake fun()
function Wait:wakes(wake)
  self.wakers = self.wakers or {}
  table.insert(self.wakers, wake)
end

--- Takes that back.
---@param wake fun()
function Wait:wakes_not(wake)
  for index, other in ipairs(self.wakers or {}) do
    if other == wake then
      table.remove(self.wakers, index)
      return
    end
  end
end

---------------------------------------------------------------------------------------------------

local tasks = setmetatable({}, { __mode = "k" }) -- coroutine -> whether a wait in it yields

--- Says whether a coroutine is one that gets going again when what it yielded has happened: it
--- yields a wait, and the moment at which it wants to go on in any case, or nil.
---@param thread thread
---@param is_task boolean
function wait.set_task(thread, is_task)
  tasks[thread] = is_task or nil
end

local function yields()
  return tasks[coroutine.running()] and coroutine.isyieldable()
end

-- The end of the case's time by the loop's clock, nil if it has none.
local function deadline()
  local left = native.time_left()
  return left and loop.now() + left
end

--- The clock of moments.
---@return number seconds
wait.now = loop.now

--- Whether the case's time is over.
---@return boolean
function wait.is_over()
  local left = native.time_left()
  return left ~= nil and left <= 0
end

local function earlier(a, b)
  return a and b and math.min(a, b) or a or b
end

local DAY = 86400 -- no timer goes on for ever
local alarm -- the timer that ends a turn of the loop
-- The loop goes on when a signal has come, and Lua's hook raises only between two turns.
local LONGEST_TURN = package.preload["moonshake.program"] and 0.25
local once = native.undisturbed(loop.once)

-- One turn of the loop, which ends at this moment at the latest. Whether there may be another.
-- (Where time has passed since the loop looked at the clock, the alarm goes off before the loop
-- waits, and so has to stop it: libuv would wait without end.)
local function turn(due)
  alarm = alarm or loop.timer(loop.stop)
  local ends = earlier(due, LONGEST_TURN and loop.now() + LONGEST_TURN)
  if ends then
    alarm:set(math.max(0, math.min(ends - loop.now(), DAY)))
  else
    alarm:clear()
  end
  turning = true
  local more = once()
  turning = false
  return more or due ~= nil
end

local between = function() return false end

--- Has f() called between the turns of the loop, outside of callbacks, whoever waits. It says
--- whether it did something.
---@param f fun(): boolean
function wait.between_turns(f)
  between = f
end

--- Waits until w has happened or the moment `due` or the end of the case's time has come; says not
--- which. What has happened by now is taken notice of, even if no time is left.
---@param w table
---@param due number|nil by wait.now()
function wait.sleep(w, due)
  due = earlier(due, deadline())
  repeat
    if w.values then
      return
    elseif yields() then
      coroutine.yield(w, due)
    elseif not between() and not turn(due) and not w.values then
      error("nothing is left that could end a wait, which has no deadline", 0)
    end
  until due and loop.now() >= due
end

--- Waits until w has happened, so many seconds at the most; nil: as long as it takes. Raises the
--- deadline's error when the case's time is over.
---@param w table
---@param seconds number|nil
---@return boolean happened false when the seconds are over
---@return any ... what it happened with
function wait.await(w, seconds)
  local due = seconds and loop.now() + seconds
  while not w.values do
    wait.sleep(w, due)
    if not w.values then
      native.check_time()
      if due and loop.now() >= due then
        return false
      end
    end
  end
  return true, table.unpack(w.values, 1, w.values.n)
end

---------------------------------------------------------------------------------------------------

local Bell = {}
Bell.__index = Bell

--- Something that happens again and again: who waits for it is told the next time.
---@return table
function wait.bell()
  return setmetatable({}, Bell)
end

--- It happens now.
function Bell:ring()
  local next_time = self.next_time
  self.next_time = nil
  if next_time then
    next_time:finish()
  end
end

--- Waits for the next time, as await() does. Of several who wait each is told.
---@param seconds number|nil
---@return boolean happened
function Bell:await(seconds)
  self.next_time = self.next_time or wait.new()
  return (wait.await(self.next_time, seconds))
end

--- Whether somebody has waited since it last happened.
---@return boolean
function Bell:is_awaited()
  return self.next_time ~= nil
end

return wait
