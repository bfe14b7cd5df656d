-- SPDX-License-Identifier: MIT
-- ms.together: functions side by side, each in a coroutine that rests where it waits.
local arguments = require "moonshake.arguments"
local native = require "moonshake.native"
local strict = require "moonshake.strict"
local traceback = require "moonshake.traceback"

-- The bottom of each coroutine. An error is taken notice of where it happens, while its frames are
-- still there.
local function body(f, own)
  return xpcall(f, native.undisturbed(function(value)
    return { value = value, frames = traceback.frames(own) }
  end))
end

local Group = {}
Group.__index = Group

local function new_group(functions)
  local wait = require "moonshake.io.wait" -- few scripts need luv
  local group = setmetatable({ wait = wait, ready = {}, tasks = {}, left = #functions }, Group)
  for index, f in ipairs(functions) do
    local task = { index = index, f = f, thread = coroutine.create(body) }
    task.wake = function()
      group.ready[#group.ready + 1] = task
      task.waits_for, task.due = nil, nil
      group.bell:finish()
    end
    wait.set_task(task.thread, true)
    group.tasks[index], group.ready[index] = task, task
  end
  group.bell = wait.new()
  return group
end

--- Ends what is still at work. A function's to-be-closed variables may wait, but yield no more.
function Group:__close()
  for _, task in ipairs(self.tasks) do
    self.wait.set_task(task.thread, false)
  end
  for _, task in ipairs(self.tasks) do
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
function Group:go_on(task)
  local resumed, done, result = coroutine.resume(task.thread, task.f, body)
  if not resumed then
    error(done, 0) -- no memory for a coroutine
  elseif coroutine.status(task.thread) == "dead" then
    self.left = self.left - 1
    task.result = result
    if not done and type(result) == "table" and result.frames then
      traceback.rethrow(result.value, result.frames)
    elseif not done then
      error(result, 0) -- Lua calls no handler where it has no memory
    end
  elseif getmetatable(done) ~= getmetatable(self.bell) then
    refuse_yield(task)
  else
    task.waits_for, task.due = done, result
    task.waits_for:wakes(task.wake)
  end
end

-- Waits until a function can go on.
function Group:rest()
  local due
  for _, task in ipairs(self.tasks) do
    if task.due and (not due or task.due < due) then
      due = task.due
    end
  end
  self.bell = self.wait.new()
  self.wait.sleep(self.bell, due)
  local now, over = self.wait.now(), self.wait.is_over()
  for _, task in ipairs(self.tasks) do
    if task.waits_for and (over or task.due and task.due <= now) then
      task.waits_for:wakes_not(task.wake)
      task.wake()
    end
  end
end

--- ms.together(f, g, ...): runs functions side by side until all have returned. A wait in one of
--- them (an accept, a handshake, a program's line) lets the others go on. The first error ends them
--- all and is raised. A wait in a coroutine that the script made itself holds up the others.
---@param ... function
---@return any ... what each of them returned first
local function together(...)
  local functions = table.pack(...)
  if functions.n == 0 then
    strict.raise "ms.together: a function is missing"
  end
  for index = 1, functions.n do
    if type(functions[index]) ~= "function" then
      strict.raise(("ms.together: argument %d: wants a function, got %s"):format(
        index, arguments.describe(functions[index])))
    end
  end
  local group <close> = new_group(functions)
  while group.left > 0 do
    local ready = group.ready
    group.ready = {}
    for _, task in ipairs(ready) do
      group:go_on(task)
    end
    if group.left > 0 and #group.ready == 0 then
      group:rest()
    end
  end
  local results = {}
  for index, task in ipairs(group.tasks) do
    results[index] = task.result
  end
  return table.unpack(results, 1, functions.n)
end

return together
