-- SPDX-License-Identifier: MIT
-- SIGINT ends the run, whatever the script does about errors; what is known by then is told. The
-- run is the parent of the process that a case is in.
local ms = require "moonshake"

ms.scenario "runs before" { run = function() ms.expect(1):equals(1) end }

ms.scenario "is interrupted" {
  timeout = 60,
  run = function()
    os.execute "read -r _ _ _ run _ </proc/$PPID/stat && kill -INT $run"
    while true do
      pcall(function() while true do end end)
    end
  end,
}

ms.scenario "never runs" { run = function() ms.expect(1):equals(1) end }
