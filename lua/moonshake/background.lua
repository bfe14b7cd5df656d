-- SPDX-License-Identifier: MIT
-- Functions that go on while a script waits for something else: each in a coroutine that rests
-- where it waits itself. They run between the turns of the loop, where a function of a script's may
-- run and the deadline holds. What one of them raises is raised by the wait that ran it.
local wait = require "moonshake.io.wait"
local loop = require "moonshake.io.loop"

local background = {}

local ready = {} -- tasks that can go on, in order

local Task = {}
Task.__index = Task

-- What it has to close it closes now, also where it raised: Lua leaves that to whoever resumed it.
local function end_task(self)
  wait.set_task(self.thread, false)
  if self.timer then
    self.timer:close()
  end
  self.over = true
  coroutine.close(self.thread)
end

-- Has it go on until it waits or ends.
local function go_on(self)
  local done, waits_for, due = coroutine.resume(self.thread)
  if not done or coroutine.status(self.thread) == "dead" then
    end_task(self)
    if not done then
      error(waits_for, 0)
    end
    return
  end
  self.waits_for = waits_for
  waits_for:wakes(self.wake)
  if due and due < math.huge then
    self.timer = self.timer or loop.timer(function()
      self.wake()
      loop.stop() -- up to libuv 1.44 timers run before a turn blocks, too
    end)
    self.timer:set(math.max(0, due - loop.now()))
  end
end

-- Runs those that can go on now. Whether there were any.
wait.between_turns(function()
  local tasks = ready
  ready = {}
  for index, task in ipairs(tasks) do
    task.queued = false
    if not task.over then
      local _ <close> = setmetatable({}, { __close = function(_, failed)
        if failed then -- the others must not be lost with it
          table.move(tasks, index + 1, #tasks, #ready + 1, ready)
        end
      end })
      go_on(task)
    end
  end
  return #tasks > 0
end)

--- Starts a function. It begins with the script's next wait.
---@param f fun()
---@return table task
function background.start(f)
  local self = setmetatable({ thread = coroutine.create(f), queued = true }, Task)
  wait.set_task(self.thread, true)
  function self.wake()
    if self.queued or self.over then
      return
    elseif self.timer then
      self.timer:clear()
    end
    self.waits_for:wakes_not(self.wake)
    self.queued = true
    ready[#ready + 1] = self
  end
  ready[#ready + 1] = self
  return self
end

--- Ends it where it waits. One that runs just now (it called this) ends by itself.
function Task:stop()
  if not self.over and coroutine.status(self.thread) == "suspended" then
    if self.waits_for then
      self.waits_for:wakes_not(self.wake)
    end
    end_task(self)
  end
end

return background
