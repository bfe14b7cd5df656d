-- SPDX-License-Identifier: MIT
-- The deadline ends a loop, one that swallows every error too, and what was found before is told.
local ms = require "moonshake"
local check = ms.check

ms.scenario "loops" {
  timeout = 0.05,
  run = function()
    check(1):equals(2)
    while true do end
  end,
}

ms.scenario "loops and swallows" {
  timeout = 0.05,
  run = function()
    while true do
      pcall(function() while true do end end)
    end
  end,
}

ms.scenario "loops in a coroutine" {
  timeout = 0.05,
  run = function()
    coroutine.wrap(function() while true do end end)()
  end,
}

ms.scenario "runs after them" { run = function() check(1):equals(1) end }
