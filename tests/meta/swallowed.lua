-- SPDX-License-Identifier: MIT
-- An expectation that failed has failed, whatever the script does with the error.
local ms = require "moonshake"
local expect = ms.expect

ms.scenario "a pcall hides nothing" {
  run = function()
    pcall(function() expect(1):equals(2) end)
  end,
}

ms.scenario "a coroutine hides nothing" {
  run = function()
    coroutine.resume(coroutine.create(function() expect(1):equals(2) end))
  end,
}

ms.scenario "what is raised is told once" {
  run = function()
    expect(1):equals(2)
  end,
}
