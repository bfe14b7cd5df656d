-- SPDX-License-Identifier: MIT
-- Functions side by side, each in a coroutine that rests where it waits (io/wait.lua). More can be
-- added while they run: by one of them, or by a callback.
local native = require "moonshake.native"
local traceback = require "moonshake.traceback"

local group = {}

-- The bottom of each coroutine. An error is taken notice of where it happens, while its frames are
-- still there.
local function body(f, own)
  return xpcall(f, native.undisturbed(function(value)
    return { value = value, frames = traceback.frames(own) }
  end))
end

local Group = {}
Group.__index = Group

--- A group without functions.
---@return table
function group.new()
  local wait = require "moonshake.io.wait" -- few scripts need luv
  return setmetatable({
    wait = wait, stirred = wait.new(), ready = {}, tasks = {}, left = 0, count = 0,
    earliest = math.huge, -- no task wants to go on before, whatever happens; often too early
  }, Group)
end

--- Adds a function. It runs from the next turn on.
---@param f function
---@return table task its `result` is what the function returned first
function Group:add(f)
  self.count, self.left = self.count + 1, self.left + 1
  local task = { index = self.count, f = f, thread = coroutine.create(body) }
  task.wake = function()
    self.ready[#self.ready + 1] = task
    task.waits_for, task.due = nil, nil
    self.stirred:finish()
  end
  self.wait.set_task(task.thread, true)
  self.tasks[task], self.ready[#self.ready + 1] = true, task
  self.stirred:finish()
  return task
end

--- Makes run() return at the end of this turn.
function Group:stop()
  self.stopped = true
  self.stirred:finish()
end

-- Tasks for which f() holds, in the order in which they were added.
local function sorted(self, f)
  local list = {}
  for task in pairs(self.tasks) do
    list[#list + 1] = f(task) and task or nil
  end
  table.sort(list, function(a, b) return a.index < b.index end)
  return list
end

--- Ends what is still at work. A function's to-be-closed variables may wait, but yield no more.
function Group:__close()
  local all = sorted(self, function() return true end)
  for _, task in ipairs(all) do
    self.wait.set_task(task.thread, false)
  end
  for _, task in ipairs(all) do
    if task.waits_for then
      task.waits_for:wakes_not(task.wake)
    end
    coroutine.close(task.thread)
  end
end

-- A function yielded what is no wait.
local function refuse_yield(task)
  local info = debug.getinfo(task.thread, 1, "Sl") or debug.getinfo(task.thread, 0, "Sl")
  local place = info.currentline > 0 and ("%s:%d: "):format(info.short_src, info.currentline) or ""
  error(place .. "ms.together: a function that it runs can wait, but not yield", 0)
end

-- Lets a function go on until it waits or ends.
local function go_on(self, task)
  local resumed, done, result = coroutine.resume(task.thread, task.f, body)
  if not resumed then
    error(done, 0) -- no memory for a coroutine
  elseif coroutine.status(task.thread) == "dead" then
    self.left, self.tasks[task] = self.left - 1, nil
    task.result = result
    if not done and type(result) == "table" and result.frames then
      traceback.rethrow(result.value, result.frames)
    elseif not done then
      error(result, 0) -- Lua calls no handler where it has no memory
    end
  elseif getmetatable(done) ~= getmetatable(self.stirred) then
    refuse_yield(task)
  else
    task.waits_for, task.due = done, result
    task.waits_for:wakes(task.wake)
    self.earliest = math.min(self.earliest, result or math.huge)
  end
end

-- Wakes those whose time is over; all of them when that of the case is.
local function wake_late(self)
  local now, over = self.wait.now(), self.wait.is_over()
  if not over and now < self.earliest then
    return
  end
  for _, task in ipairs(sorted(self, function(task)
    return task.waits_for and (over or task.due and task.due <= now)
  end)) do
    task.waits_for:wakes_not(task.wake)
    task.wake()
  end
  self.earliest = math.huge
  for task in pairs(self.tasks) do
    self.earliest = math.min(self.earliest, task.due or math.huge)
  end
end

-- Waits until a function can go on.
local function rest(self)
  self.stirred = self.wait.new()
  self.wait.sleep(self.stirred, self.earliest < math.huge and self.earliest or nil)
  wake_late(self)
end

--- Runs all until they have returned. The first error of one is raised; what is still at work is
--- ended when the group is closed.
function Group:run()
  while self.left > 0 and not self.stopped do
    local ready = self.ready
    self.ready = {}
    for _, task in ipairs(ready) do
      go_on(self, task)
    end
    if self.left > 0 and #self.ready == 0 and not self.stopped then
      rest(self)
    end
  end
end

return group
