-- SPDX-License-Identifier: MIT
-- Functions that go on in the background: when they run, what their errors do, how they end.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local background = require "moonshake.background"
local loop = require "moonshake.io.loop"
local ms = require "moonshake"
local wait = require "moonshake.io.wait"
local test, equal, raises = unit.test, unit.equal, unit.raises

-- Something that a timer tells soon.
local function soon(seconds)
  local w = wait.new()
  local timer
  timer = loop.timer(function()
    timer:close()
    w:finish()
    loop.stop()
  end)
  timer:set(seconds or 0.001)
  return w
end

test("they go on while somebody waits, and not before", function()
  local steps = {}
  local told = wait.new()
  background.start(function()
    steps[1] = "begun"
    wait.await(soon())
    steps[2] = "on"
    told:finish()
  end)
  equal(#steps, 0)
  equal(wait.await(told, 10), true)
  equal(table.concat(steps, " "), "begun on")
end)

test("a wait in one is over in time, again and again", function()
  local never, count, told = wait.new(), 0, wait.new()
  background.start(function()
    for index = 1, 20 do
      equal(wait.await(never, index % 3 * 0.001), false)
      wait.await(soon())
      count = count + 1
    end
    told:finish()
  end)
  equal(wait.await(told, 10), true)
  equal(count, 20)
end)

test("they go on beside functions that ms.together runs, and wake these", function()
  local first, second = wait.new(), wait.new()
  background.start(function()
    wait.await(first)
    second:finish("from the background")
  end)
  local _, found = ms.together(function()
    wait.await(soon())
    first:finish()
  end, function()
    return select(2, wait.await(second, 10))
  end)
  equal(found, "from the background")
end)

test("what one raises is raised by the wait that ran it, and the others go on", function()
  local told = wait.new()
  background.start(function() error "not with me" end)
  background.start(function() told:finish() end)
  raises("not with me", function() wait.await(wait.new(), 10) end)
  equal(wait.await(told, 10), true)
end)

test("one that raises closes what it has to", function()
  local closed = 0
  background.start(function()
    local _ <close> = setmetatable({}, { __close = function() closed = closed + 1 end })
    error("it fell over", 0)
  end)
  raises("it fell over", function() wait.await(wait.new(), 10) end)
  equal(closed, 1)
end)

test("one that is stopped closes what it has to", function()
  local closed, never = false, wait.new()
  local task = background.start(function()
    local _ <close> = setmetatable({}, { __close = function() closed = true end })
    wait.await(never)
    error "it went on"
  end)
  wait.await(soon(), 10)
  equal(closed, false)
  task:stop()
  equal(closed, true)
  equal(task.over, true)
  never:finish()
  wait.await(soon(), 10)
  task:stop()
end)

test("one that stops itself ends where it returns", function()
  local told, task = wait.new(), nil
  task = background.start(function()
    task:stop()
    told:finish()
  end)
  equal(wait.await(told, 10), true)
  equal(task.over, true)
end)

test("one that has not begun can be stopped", function()
  local begun = false
  background.start(function() begun = true end):stop()
  wait.await(soon(), 10)
  equal(begun, false)
end)

unit.done()
