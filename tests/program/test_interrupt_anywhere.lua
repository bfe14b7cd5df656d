-- SPDX-License-Identifier: MIT
-- A signal at any moment: the run ends at once, with whole reports, and leaves no process and no
-- file. The moment is a number of lines that were read, which is the same in each run of this test;
-- more rounds than usual: lua5.4 test_interrupt_anywhere.lua PROGRAM ROUNDS
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal = unit.test, unit.equal

local ROUNDS = tonumber(arg[2]) or 6

-- All kinds of cases, and files that do not load.
for number = 1, 6 do
  place.put(("mix/%d.lua"):format(number), [[
local ms = require "moonshake"
local numbers = {}
for number = 1, 20 do numbers[number] = number end
ms.scenario "a case" { matrix = { n = numbers }, timeout = 0.1, run = function(case)
  local kind = (case.n + ]] .. number .. [[) % 10
  ms.expect(1):equals(1)
  if kind == 1 then
    os.execute "kill -KILL $PPID"
  elseif kind == 2 then
    while true do pcall(function() while true do end end) end
  elseif kind == 3 then
    os.execute "tail -f /dev/null"
  elseif kind == 4 then
    os.execute "tail -f /dev/null &"
  elseif kind == 5 then
    for _ = 1, 1000 do print "much" end
  elseif kind == 6 then
    os.execute "kill -STOP $PPID"
  elseif kind == 7 then
    ms.expect(case.dir).no:equals ""
  end
end }]])
end
place.put("mix/broken.lua", "this is no Lua")
place.put("mix/dies.lua", "os.execute 'kill -KILL $PPID'")
place.put("mix/hangs.lua", "os.execute 'tail -f /dev/null'")

-- Processes that have the word in their environment, but for zombies: those are for their parents.
local function alive(word)
  local pipe <close> = io.popen(("grep -lsa 'ROUND=%s' /proc/[0-9]*/environ"):format(word))
  local left = {}
  for path in pipe:lines() do
    local status <close> = io.open((path:gsub("environ", "status")))
    local text = status and status:read "a" or "State: Z"
    local name = text:match "Name:%s+(%S+)"
    if not text:find "State:%s+[ZX]" and name ~= "grep" and name ~= "sh" then
      left[#left + 1] = text:match "Name:%s+(%S+)" .. path
    end
  end
  return table.concat(left, " ")
end

-- Runs, and sends the signal when so many lines were read. Returns the output and the exit status.
local function run(round, signal, lines)
  local pipe <close> = io.popen(([[cd %s/work && export ROUND=%s TMPDIR=$PWD/../tmp &&
    sh -c 'echo $$; exec "$@"' sh %s run -j3 --timeout 1 ../mix --format tap --format json=r.json \
    --format junit=r.xml 2>&1; echo "[exit $?]"]]):format(
    place.quoted(place.directory), round, place.quoted(place.program)))
  local pid, output = pipe:read "l", {}
  while #output < lines do
    local line = pipe:read "l"
    output[#output + 1] = line
    if not line then
      break
    end
  end
  os.execute(("kill -%s %s 2>/dev/null"):format(signal, pid))
  output[#output + 1] = pipe:read "a"
  local text = table.concat(output, "\n")
  return text, tonumber(text:match "%[exit (%d+)%]\n$")
end

local STATUS = { INT = 130, TERM = 143, HUP = 129 }
local seed = 1
local function random(limit)
  seed = (seed * 1103515245 + 12345) % (1 << 31)
  return (seed >> 8) % limit
end

for round = 1, ROUNDS do
  local signal = ({ "INT", "TERM", "HUP" })[random(3) + 1]
  local lines = random(4) == 0 and random(4) or random(300)
  test(("SIG%s after %d lines"):format(signal, lines), function()
    place.remove "work"
    place.put("work/r.json", "old")
    place.put("work/r.xml", "old")
    place.put("tmp/x", "")
    local text, status = run(place.directory:match "[^/]*$" .. round, signal, lines)
    equal(text:find "traceback", nil, text)
    equal(alive(place.directory:match "[^/]*$" .. round), "")
    equal(place.shell "ls -A tmp work | grep -v '^[.]moonshake$'",
          "tmp:\nx\n\nwork:\nr.json\nr.xml\n", text)
    equal(status, STATUS[signal], text)
    if place.get "work/r.json" == "old" then
      return equal(text:find "TAP", nil) -- it had not begun to run
    end
    local events = place.events "work/r.json"
    equal(events[1].event, "run_start")
    equal(events[#events].event, "run_end")
    equal(events[#events].status, status)
    local under_way, ended = {}, 0
    for _, event in ipairs(events) do
      if event.event == "case_start" then
        under_way[event.id] = true
      elseif event.event == "case_end" then
        under_way[event.id], ended = nil, ended + 1
      end
    end
    equal(events[#events].not_run, events[1].count - ended)
    local interrupted = events[#events].interrupted
    for id in pairs(under_way) do
      equal(interrupted:find(id, 1, true) ~= nil, true, id)
    end
    equal(place.get "work/r.xml":match "</testsuites>\n$", "</testsuites>\n")
  end)
end

place.remove()
unit.done()
