-- SPDX-License-Identifier: MIT
-- What failed last, where several runs keep it at once.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal = unit.test, unit.equal

local RUNS, ROUNDS = 6, 20

place.put("keep.lua", [[
local last_failed = require "moonshake.runner.last_failed"
local run, rounds = ...
for round = 1, rounds do
  local id = ("a.lua::%s.%d"):format(run, round)
  assert(last_failed.keep({ [id] = true }, function() return false end))
end]])

test("runs that end at the same moment lose nothing of each other", function()
  local text = place.shell(("for run in $(seq %d); do moonshake lua keep.lua $run %d & done; wait")
    :format(RUNS, ROUNDS))
  equal(text, "")
  local _, count = place.get ".moonshake/last-failed.json":gsub("a%.lua::", "")
  equal(count, RUNS * ROUNDS)
  equal(place.get ".moonshake/.gitignore", "*\n")
end)

place.remove()
unit.done()
