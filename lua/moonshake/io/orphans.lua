-- SPDX-License-Identifier: MIT
-- Processes that outlived whoever started them, and were adopted by this one: daemons, mostly,
-- which leave the process group and the session of their case. Linux alone can adopt; elsewhere,
-- and under a stock interpreter, there are none.
local uv = require "luv"

local orphans = {}

local MOST_ROUNDS = 100 -- of ending what the ended ones leave behind

local adopts -- whether this process does
local inherited = {} -- children that a shell had and left to us by its exec

local function children()
  local file <close> = io.open(("/proc/self/task/%d/children"):format(uv.os_getpid()))
  local found = {}
  for pid in (file and file:read "a" or ""):gmatch "%d+" do
    found[#found + 1] = math.tointeger(tonumber(pid))
  end
  return found
end

--- Has this process adopt what its children leave behind.
function orphans.adopt()
  if adopts == nil then
    adopts = package.preload["moonshake.program"] ~= nil
      and require("moonshake.program").adopt_orphans()
    for _, pid in ipairs(adopts and children() or {}) do
      inherited[pid] = true
    end
  end
end

--- Ends every child that is none of `known`, and what those leave behind.
---@param known table<integer, boolean> process ids
function orphans.end_all(known)
  if not adopts then
    return
  end
  local program = require "moonshake.program"
  for _ = 1, MOST_ROUNDS do
    local ended = 0
    for _, pid in ipairs(children()) do
      ended = ended + (not (known[pid] or inherited[pid]) and program.end_child(pid) and 1 or 0)
    end
    if ended == 0 then
      return
    end
  end
end

return orphans
