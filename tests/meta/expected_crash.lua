-- SPDX-License-Identifier: MIT
-- An expected failure may be a crash.
local ms = require "moonshake"
local disaster = require "disaster"

ms.scenario "crashes as expected" {
  expected_failure = "a bug of the library",
  run = function() disaster.segfault() end,
}

ms.scenario "hangs as expected" {
  expected_failure = "another bug of the library",
  timeout = 0.05,
  run = function() disaster.loop_for_ever() end,
}

ms.scenario "does not crash as expected" {
  expected_failure = "a bug that is no more",
  run = function() ms.expect(1):equals(1) end,
}
