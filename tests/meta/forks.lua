-- SPDX-License-Identifier: MIT
-- A child that outlives its case holds nothing up and ends with the worker: one that stays in its
-- process group, and one that leaves it.
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
