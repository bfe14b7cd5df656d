-- SPDX-License-Identifier: MIT
-- What programs printed last is told with a case that failed, in the order in which they were
-- started from the last.
local ms = require "moonshake"
local expect = ms.expect

ms.scenario "expects what a program does not print" {
  run = function()
    local program = ms.program { "sh", "-c", "echo one; echo two >&2; exec tail -f /dev/null" }
    program:line { match = "two" }
    expect(ms.program { "sh", "-c", "kill -TERM $$" }:wait().code):equals(0)
  end,
}

ms.scenario "waits for a line that never comes" {
  timeout = 0.5,
  run = function()
    local program = ms.program { "cat", timeout = 1000 }
    program:write "listening\n"
    program:line()
    program:line { match = "ready" }
  end,
}

ms.scenario "has no such program" {
  run = function()
    ms.program { "no-such/program", "--version" }
  end,
}

ms.scenario "passes, and leaves one running" {
  run = function()
    expect(ms.program { "cat" }:write "x"):is_true()
  end,
}
