-- SPDX-License-Identifier: MIT
-- A case's directory is its own, and gone when the case has ended, even if it failed.
local ms = require "moonshake"
local expect = ms.expect

local before

ms.scenario "leaves a file behind" {
  run = function(case)
    before = case.dir
    expect(io.open(before .. "/file", "w")):no_such_matcher()
  end,
}

ms.scenario "sees nothing of it" {
  run = function(case)
    expect(case.dir == before):is_false()
    expect(io.open(before .. "/file")):is_nil()
    expect(io.open(case.dir .. "/file", "w") ~= nil):is_true()
  end,
}
