-- SPDX-License-Identifier: MIT
-- ms.check goes on: all failures are told, then the one that ended the case.
local ms = require "moonshake"
local check, expect = ms.check, ms.expect

ms.scenario "three things are wrong" {
  run = function()
    check(1, "the first"):equals(2)
    check({ a = 1, b = { c = "x" } }, "the second"):equals { a = 1, b = { c = "y" }, d = true }
    expect("abc"):matches "^b"
    check(3):equals(4) -- never reached
  end,
}
