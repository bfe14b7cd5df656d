-- SPDX-License-Identifier: MIT
-- However a process ends that started programs, they end with it.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, contains = unit.test, unit.contains

local START = [[
local ms = require "moonshake"
local function start()
  local program = ms.program { "sh", "-c", "exec 3>pipe; echo started; exec tail -f /dev/null" }
  print(program:line())
  io.stdout:flush()
end
]]

local RUN = [[
cd %s
rm -f pipe
mkfifo pipe
{ cat pipe; echo gone; } &
%s %s starts.lua 2>&1
wait
]]

-- Runs a script, and returns what is printed until the program that it has started is gone, which
-- writes to the pipe.
local function output_of(command, script)
  place.put("starts.lua", START .. script)
  place.put("script.sh", RUN:format(place.quoted(place.directory), place.quoted(place.program),
                                    command))
  local pipe = assert(io.popen(("sh %s/script.sh"):format(place.quoted(place.directory))))
  local text = pipe:read "a"
  pipe:close()
  return text
end

for _, one in ipairs {
  { how = "comes to its end", line = "" },
  { how = "raises", line = "error 'why'" },
  { how = "exits", line = "os.exit(0)" },
  { how = "is killed", line = "os.execute 'kill -KILL $PPID'" },
} do
  test(("a program ends where the process that started it %s"):format(one.how), function()
    local text = output_of("lua", "start()\n" .. one.line)
    contains(text, "started\n")
    contains(text, "gone\n")
  end)
end

test("a program ends where the worker of its case is killed", function()
  local text = output_of("run -j1", [[
    ms.scenario "is killed" { run = function()
      start()
      os.execute "kill -KILL $PPID"
    end }]])
  contains(text, "gone\n")
  contains(text, "SIGKILL")
end)

test("a program ends where its case loops until its time is over", function()
  local text = output_of("run -j1", [[
    ms.scenario "loops" { timeout = 0.1, run = function()
      start()
      while true do
        pcall(function() while true do end end)
      end
    end }]])
  contains(text, "gone\n")
  contains(text, "timeout after 0.1 s")
end)

place.remove()
unit.done()
