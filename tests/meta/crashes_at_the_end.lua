-- SPDX-License-Identifier: MIT
-- A crash after the last case is no case's, and fails the run all the same.
local ms = require "moonshake"
local disaster = require "disaster"

local kept = setmetatable({}, { __gc = function()
  print "the end"
  disaster.segfault()
end })

ms.scenario "passes" { run = function() ms.expect(kept).no:is_nil() end }
