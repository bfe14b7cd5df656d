-- SPDX-License-Identifier: MIT
-- A signal ends everything at once: no process is left, no half-written file, and what is known is
-- told.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- Two cases at a time, each of which leaves the ids of its process and of a child: one loops, and
-- the other, once both are there, sends the signal to the run and waits in a program.
place.put("loops.lua", [[
local ms = require "moonshake"
ms.scenario "ends before" { run = function() ms.expect(1):equals(1) end }
ms.scenario "loops" { run = function()
  os.execute "echo $PPID >>pids; tail -f /dev/null & echo $! >>pids"
  while true do pcall(function() while true do end end) end
end }]])
place.put("waits.lua", [[
local ms = require "moonshake"
ms.scenario "waits in a program" { run = function()
  os.execute("echo $PPID >>pids; tail -f /dev/null & echo $! >>pids; "
             .. "until [ $(wc -l <pids) = 4 ]; do :; done; "
             .. "read -r _ _ _ run _ </proc/$PPID/stat; kill -$SIGNAL $run; exec tail -f /dev/null")
end }]])

-- Whether a process of the list is there that is no zombie: those are its parent's to bury.
local function alive()
  local left = {}
  for pid in (place.get "pids" or ""):gmatch "%d+" do
    local status = io.open("/proc/" .. pid .. "/status")
    if status then
      local state = status:read "a":match "State:%s+(%a)"
      status:close()
      left[#left + 1] = state ~= "Z" and pid or nil
    end
  end
  return table.concat(left, " ")
end

for signal, wanted in pairs { INT = 130, TERM = 143, HUP = 129 } do
  test("a run ends by SIG" .. signal .. " and leaves nothing behind", function()
    os.remove(place.directory .. "/pids")
    place.put("old.tap", "old")
    local text, status = place.shell(("export SIGNAL=%s; moonshake run -j2 loops.lua waits.lua "
      .. "--format pretty --format json=r.json --format tap=old.tap --format junit=r.xml "
      .. "--report pages")
      :format(signal))
    equal(status, wanted)
    contains(text, "interrupted in ")
    contains(text, "loops.lua::loops")
    contains(text, "waits.lua::waits in a program")
    contains(text, "passed")
    equal(alive(), "")
    contains(place.names(), "loops.lua old.tap pages pids r.json r.xml waits.lua ")
    local events = place.events "r.json"
    equal(events[#events].event, "run_end")
    equal(events[#events].status, wanted)
    contains(place.get "r.xml", "</testsuites>")
    contains(place.get "old.tap", "Bail out!")
    local index = place.get "pages/index.html"
    contains(index, "The run was interrupted in")
    contains(index, "</html>")
    local page = place.get("pages/" .. index:match 'href="(cases/loops%-ends%-before%-[^"]*)"')
    contains(page, "</html>")
    equal(select(2, index:gsub('href="cases/', "")), 1)
  end)
end

-- Loads what says that it is there, and then waits to be ended.
place.put("loads.lua", 'os.execute "echo $PPID >>pids; exec tail -f /dev/null"')
place.put("quick.lua", [[
local ms = require "moonshake"
ms.scenario "ends at once" { run = function() ms.expect(1):equals(1) end }]])

-- Runs the program, and ends it by SIGINT once `pids` has something in it.
local function interrupt(arguments)
  os.remove(place.directory .. "/pids")
  local _, status = place.shell(("%s %s >out 2>&1 & run=$!; until [ -s pids ]; do :; done; "
    .. "kill -INT $run; wait $run"):format(place.quoted(place.program), arguments))
  return place.get "out", status
end

test("a listing that is interrupted does not look like a whole one", function()
  for command, wanted in pairs { list = "interrupted", run = "interrupted\n" } do
    local text, status = interrupt(command .. " loads.lua quick.lua")
    equal(status, 130, command)
    contains(text, wanted)
    equal(alive(), "")
  end
end)

-- Its one case ends at once, and its process then takes all the time that it is given.
place.put("lingers.lua", [[
local ms = require "moonshake"
ms.scenario "ends" { run = function()
  ms.expect(1):equals(1)
  kept = setmetatable({}, { __gc = function()
    os.execute "echo $PPID >>pids; exec tail -f /dev/null"
  end })
end }]])

test("a worker that does not end by itself is not waited for", function()
  local text, status = interrupt "run lingers.lua"
  equal(status, 130)
  contains(text, "interrupted\n1 passed in ")
  local seconds = text:match "passed in ([%d.]+) s"
  equal(tonumber(seconds) < 5, true, seconds)
end)

test("a run whose terminal may go, as nohup says, goes on", function()
  place.put("hangs_up.lua", [[
local ms = require "moonshake"
ms.scenario "hangs up" { run = function()
  os.execute "read -r _ _ _ run _ </proc/$PPID/stat; kill -HUP $run"
  ms.expect(1):equals(1)
end }]])
  local text, status = place.shell "trap '' HUP; moonshake run --repeat 3 hangs_up.lua"
  contains(text, "3 passed")
  equal(status, 0)
  text, status = place.shell "moonshake run --repeat 3 hangs_up.lua"
  contains(text, "interrupted")
  equal(status, 129)
end)

test("a run that is killed takes its workers with it, and leaves the old reports", function()
  os.remove(place.directory .. "/pids")
  place.put("r.json", "old")
  local _, status = place.shell(
    "export SIGNAL=KILL; moonshake run -j2 loops.lua waits.lua --format json=r.json >/dev/null")
  equal(status, 137)
  -- The kernel ends the workers when their parent is gone; what they started ends with the test.
  local worker = place.get "pids":match "%d+"
  place.shell(("while kill -0 %s && ! grep -q '^State:.Z' /proc/%s/status; do :; done"):format(
    worker, worker))
  equal(place.get "r.json", "old")
  place.shell "kill -9 $(cat pids)"
end)

test("a wait ends by SIGINT, which Lua cannot see while the loop blocks", function()
  place.put("waiting.lua", [[
local ms = require "moonshake"
local killer = ms.program { "sh", "-c", "read pid; kill -INT $pid; exec tail -f /dev/null" }
local program = ms.program { "sh", "-c", "echo $PPID; exec tail -f /dev/null", timeout = 600 }
killer:write(program:line() .. "\n")
ms.together(function() program:line() end, function() program:wait() end)
]])
  local text, status = place.shell "moonshake lua waiting.lua"
  equal(status, 1)
  contains(text, "interrupted")
  equal(text:find "waiting%.lua:[45]: " ~= nil, true, text) -- the write may be waited for, too
end)

place.remove()
unit.done()
