-- SPDX-License-Identifier: MIT
-- A child that outlives its case holds nothing up: neither one that stays in the worker's process
-- group, which ends with that, nor one that leaves it, which nobody ends but itself.
local ms = require "moonshake"
local disaster = require "disaster"
local expect = ms.expect

local function keep(pid)
  local file <close> = assert(io.open(os.getenv "PIDS", "a"))
  file:write(pid, "\n")
end

ms.scenario "forks" {
  run = function()
    keep(disaster.fork_and_leave())
    expect(1):equals(1)
  end,
}

ms.scenario "forks into a session of its own" {
  run = function()
    keep(disaster.fork_and_leave(true))
    expect(1):equals(1)
  end,
}

ms.scenario "forks and crashes" {
  run = function()
    keep(disaster.fork_and_leave(true))
    disaster.abort_now()
  end,
}

ms.scenario "starts a program in the background" {
  run = function()
    os.execute "tail -f /dev/null & echo $! >> $PIDS"
    expect(1):equals(1)
  end,
}

ms.scenario "runs after them" { run = function() expect(1):equals(1) end }
