-- SPDX-License-Identifier: MIT
-- A leak is no case's, and whoever watches for leaks (LeakSanitizer, valgrind) sees it when the
-- worker ends: that must fail the run.
local ms = require "moonshake"

ms.scenario "leaks" {
  run = function()
    require("disaster").leak()
    ms.expect(1):equals(1)
  end,
}
