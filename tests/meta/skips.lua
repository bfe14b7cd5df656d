-- SPDX-License-Identifier: MIT
-- Skips are no passes; their reasons are grouped. A check that failed before a skip counts.
local ms = require "moonshake"
local check = ms.check

ms.scenario "is skipped" {
  matrix = { n = { 1, 2, 3 } },
  run = function(case)
    if case.n < 3 then
      ms.skip "only the third # is run"
    end
    check(case.n):equals(3)
  end,
}

ms.scenario "fails, then skips" {
  run = function()
    check(1):equals(2)
    ms.skip "too late"
  end,
}
