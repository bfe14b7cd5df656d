-- SPDX-License-Identifier: MIT
-- What must fail and does is fine; what must fail and passes is not.
local ms = require "moonshake"
local expect = ms.expect

ms.scenario "fails, as it must" {
  expected_failure = "GnuTLS forgets it",
  run = function() expect(1):equals(2) end,
}

ms.scenario "passes, which it must not" {
  expected_failure = "GnuTLS forgot it once",
  run = function() expect(1):equals(1) end,
}
