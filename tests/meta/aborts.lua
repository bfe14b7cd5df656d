-- SPDX-License-Identifier: MIT
-- What a C library does that gives up.
local ms = require "moonshake"
local disaster = require "disaster"

ms.scenario "runs before" { run = function() ms.expect(1):equals(1) end }

ms.scenario "gives up" {
  run = function()
    io.stderr:write "the library: cannot happen\n"
    disaster.abort_now()
  end,
}

ms.scenario "runs after it" { run = function() ms.expect(1):equals(1) end }
