-- SPDX-License-Identifier: MIT
-- The file is another one when the rest of its cases is to run: its first case writes, over itself,
-- what BECOMES says, and dies. (To be run as a copy.)
local ms = require "moonshake"
local disaster = require "disaster"

ms.scenario "changes the file" {
  run = function()
    local becomes = os.getenv "BECOMES"
    os.execute(becomes .. " changes_itself.lua")
    disaster.exit_now(1)
  end,
}

ms.scenario "is still there" {
  matrix = { number = { 1, 2 } },
  run = function() ms.expect(1):equals(1) end,
}

ms.scenario "is known to fail" {
  expected_failure = "a bug",
  run = function() ms.expect(1):equals(2) end,
}
