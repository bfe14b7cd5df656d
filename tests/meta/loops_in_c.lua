-- SPDX-License-Identifier: MIT
-- A deadline that no hook of Lua's can keep, and one that is kept by nobody: the process stopped.
local ms = require "moonshake"
local disaster = require "disaster"

ms.scenario "runs before" { run = function() ms.expect(1):equals(1) end }

ms.scenario "loops in C" { timeout = 0.05, run = function() disaster.loop_for_ever() end }

ms.scenario "stops itself" { timeout = 0.05, run = function() disaster.stop_self() end }

ms.scenario "waits for a program" {
  timeout = 0.05,
  run = function() os.execute "tail -f /dev/null" end,
}

ms.scenario "runs after them" { run = function() ms.expect(1):equals(1) end }
