-- SPDX-License-Identifier: MIT
-- A case cannot end the run, whatever status it chooses.
local ms = require "moonshake"
local disaster = require "disaster"
local expect = ms.expect

ms.scenario "runs before" { run = function() expect(1):equals(1) end }
ms.scenario "calls os.exit" { run = function() os.exit(0) end }
ms.scenario "calls os.exit and swallows" {
  run = function()
    expect(pcall(os.exit, 0)):is_false()
  end,
}
ms.scenario "exits in C with 0" { run = function() disaster.exit_now(0) end }
ms.scenario "exits in C with 3" {
  run = function()
    print "goodbye"
    disaster.exit_now(3)
  end,
}
ms.scenario "runs after them" { run = function() expect(1):equals(1) end }
