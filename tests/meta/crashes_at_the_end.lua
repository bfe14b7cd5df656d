-- SPDX-License-Identifier: MIT
-- A crash after the last case is no case's, and fails the run all the same.
local ms = require "moonshake"
local disaster = require "disaster"

KEPT = setmetatable({}, { __gc = function()
  print "the end"
  io.stdout:flush()
  disaster.segfault()
end })

ms.scenario "passes" { run = function() ms.expect(1):equals(1) end }
