-- SPDX-License-Identifier: MIT
-- One of each outcome.
local ms = require "moonshake"
local expect = ms.expect

ms.scenario "passes" {
  tags = { "quick", "good" },
  timeout = 2.5,
  run = function()
    expect(os.getenv "FIRST"):equals "a b"
    expect(os.getenv "SECOND"):equals "$c"
  end,
}

ms.scenario "fails" {
  tags = "quick",
  run = function()
    expect(1):equals(2)
  end,
}

ms.scenario "is skipped" {
  run = function()
    ms.skip "not today"
  end,
}

ms.scenario "fails as expected" {
  expected_failure = "a known bug",
  run = function()
    expect(1):equals(2)
  end,
}
