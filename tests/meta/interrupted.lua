-- SPDX-License-Identifier: MIT
-- SIGINT ends the run, whatever the script does about errors; what is known by then is told.
local ms = require "moonshake"

ms.scenario "runs before" { run = function() ms.expect(1):equals(1) end }

ms.scenario "is interrupted" {
  timeout = 60,
  run = function()
    io.popen("kill -INT $PPID"):close()
    while true do
      pcall(function() while true do end end)
    end
  end,
}

ms.scenario "never runs" { run = function() ms.expect(1):equals(1) end }
