-- SPDX-License-Identifier: MIT
-- A process that does not end when it has nothing to do any more is ended, and that fails the run.
local ms = require "moonshake"

local kept = setmetatable({}, { __gc = function()
  while true do end
end })

ms.scenario "passes" { run = function() ms.expect(kept).no:is_nil() end }
