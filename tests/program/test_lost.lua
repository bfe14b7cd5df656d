-- SPDX-License-Identifier: MIT
-- A worker that dies while it has nothing to do costs no case, and the run still comes to its end.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- It has loaded, and dies while the next file loads, which waits for that.
place.put("dies.lua", [[
local ms = require "moonshake"
if not io.open "dead" then
  -- In a session of its own, for its group ends with the worker.
  os.execute("worker=$PPID setsid sh -c 'until [ -e loads ]; do :; done; kill -KILL $worker; "
             .. ">dead' >/dev/null 2>&1 &")
end
ms.scenario "runs all the same" { run = function() ms.expect(1):equals(1) end }]])
place.put("loads.lua", [[
local ms = require "moonshake"
os.execute ">loads; until [ -e dead ]; do :; done"
ms.scenario "runs" { run = function() ms.expect(1):equals(1) end }]])

test("one that dies between loading and its cases is told of, and replaced", function()
  local text, status = place.shell "moonshake run -j1 dies.lua loads.lua"
  contains(text, "worker lost dies.lua: after it had loaded, its process was killed by SIGKILL")
  contains(text, "2 passed, 1 lost")
  equal(status, 1)
end)

place.remove()
unit.done()
