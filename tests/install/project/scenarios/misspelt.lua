-- SPDX-License-Identifier: MIT
-- Does not load, and says so at its fifth line.
local ms = require "moonshake"

ms.scenario "has no run function" {
  runs = function() end,
}
