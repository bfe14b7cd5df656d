-- SPDX-License-Identifier: MIT
-- What goes wrong in functions side by side is told as if it had gone wrong outside of them.
local ms = require "moonshake"
local wait = require "moonshake.io.wait"
local expect = ms.expect

local function for_ever()
  wait.await(wait.new())
end

local function helper(value)
  return value.field
end

ms.scenario "raises beside one that waits" {
  run = function()
    ms.together(for_ever, function()
      helper(nil)
    end)
  end,
}

ms.scenario "raises in functions inside of functions" {
  run = function()
    ms.together(for_ever, function()
      ms.together(for_ever, function()
        helper(nil)
      end)
    end)
  end,
}

ms.scenario "expects what does not hold" {
  run = function()
    ms.together(for_ever, function()
      expect(1):equals(2)
    end)
  end,
}

ms.scenario "checks and goes on" {
  run = function()
    ms.together(function()
      ms.check(1):equals(2)
    end, function()
      ms.check(3):equals(4)
    end)
  end,
}

ms.scenario "skips" {
  run = function()
    ms.together(for_ever, function() ms.skip "there is nothing to see" end)
  end,
}

ms.scenario "waits until the time is over" {
  timeout = 0.05,
  run = function()
    for_ever()
  end,
}

ms.scenario "waits in all functions until the time is over" {
  timeout = 0.05,
  run = function()
    ms.together(function()
      ms.together(for_ever, for_ever)
    end, for_ever)
  end,
}

ms.scenario "waits and swallows" {
  timeout = 0.05,
  run = function()
    ms.together(function()
      while true do
        pcall(for_ever)
      end
    end, for_ever)
  end,
}

ms.scenario "loops beside one that waits" {
  timeout = 0.05,
  run = function()
    ms.together(for_ever, function()
      while true do end
    end)
  end,
}

ms.scenario "yields" {
  run = function()
    ms.together(function()
      coroutine.yield()
    end)
  end,
}

ms.scenario "is misused" { run = function() ms.together(for_ever, nil) end }

ms.scenario "runs after them" { run = function() ms.check(1):equals(1) end }
