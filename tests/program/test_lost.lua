-- SPDX-License-Identifier: MIT
-- A worker that dies while it has nothing to do costs no case, and the run still comes to its end.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- With one job the second file loads when the first one has: it kills the process that waits with
-- that, and goes on when its parent has buried it.
place.put("dies.lua", [[
local ms = require "moonshake"
os.execute "[ -e pid ] || echo $PPID >pid"
ms.scenario "runs all the same" { run = function() ms.expect(1):equals(1) end }]])
place.put("kills.lua", [[
local ms = require "moonshake"
os.execute "kill -KILL $(cat pid); while kill -0 $(cat pid) 2>/dev/null; do :; done"
ms.scenario "runs" { run = function() ms.expect(1):equals(1) end }]])

test("one that dies between loading and its cases is told of, and replaced", function()
  local text, status = place.shell "moonshake run -j1 dies.lua kills.lua"
  contains(text, "worker lost dies.lua: after it had loaded, its process was killed by SIGKILL")
  contains(text, "2 passed, 1 lost")
  equal(status, 1)
end)

place.remove()
unit.done()
