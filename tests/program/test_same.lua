-- SPDX-License-Identifier: MIT
-- However many workers there are and in whatever order cases run, the results are the same.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal = unit.test, unit.equal

-- Enough cases in a file for it to be divided among workers.
place.put("many.lua", [[
local ms = require "moonshake"
local numbers = {}
for number = 1, 60 do numbers[number] = number end
ms.scenario "counts" { matrix = { n = numbers }, run = function(case)
  seen = (seen or 0) + 1 -- of this case alone
  ms.expect(seen):equals(1)
  ms.expect(case.n % 7).no:equals(0)
end }]])
place.put("kinds.lua", [[
local ms = require "moonshake"
local function pass() ms.expect(1):equals(1) end
ms.scenario "passes" { run = pass }
ms.scenario "fails" { run = function() ms.expect(1):equals(2) end }
ms.scenario "dies" { run = function() os.execute "kill -KILL $PPID" end }
ms.scenario "is skipped" { run = function() ms.skip "because" end }
ms.scenario "is known to fail" { expected_failure = "known", run = function() error "no" end }
ms.scenario "is known to die" { expected_failure = "known", run = function()
  os.execute "kill -KILL $PPID"
end }
ms.scenario "changes what is not its own" { run = function()
  pass()
  string.format, table.concat = nil, nil
end }
ms.scenario "comes after" { run = pass }]])
place.put("broken.lua", "this is no Lua")
place.put("tls.lua", [[
local ms = require "moonshake"
ms.scenario "a handshake" { matrix = { version = { "TLS1.2", "TLS1.3" } }, run = function(case)
  local ca = ms.pki.authority { cn = "Root" }
  local link = ms.tls.link { versions = case.version,
    server = { identity = ca:issue { dns = "server.example" } },
    client = { trust = ca, server_name = "server.example" } }
  ms.expect(link:handshake()):is_true()
end }]])

-- What a run with these options came to, without order and times; and the order of the cases.
local function run(options)
  local _, status = place.shell(("moonshake run --format json=r.json %s . >/dev/null 2>&1"):format(
    options))
  local results, order = {}, {}
  for _, event in ipairs(place.events "r.json") do
    if event.event == "case_end" then
      local failure = (event.failures or {})[1] or {}
      results[#results + 1] = table.concat({ event.id, event.outcome, tostring(event.reason),
                                             tostring(failure.message) }, " | ")
    elseif event.event == "case_start" then
      order[#order + 1] = event.id
    elseif event.event == "run_end" then
      results[#results + 1] = ("%d %s"):format(status, table.concat(event.problems, " "))
    end
  end
  table.sort(results)
  return table.concat(results, "\n"), table.concat(order, "\n")
end

local alone, in_turn = run "-j1"

test("a run of one worker has all results", function()
  equal(select(2, alone:gsub("\n", "")), 70)
  unit.contains(alone, "kinds.lua::dies | failed | nil | the case's process was killed by SIGKILL")
  unit.contains(alone, "kinds.lua::comes after | passed")
  unit.contains(alone, "2 broken.lua:1:")
end)

for _, options in ipairs { "-j2", "-j5", "-j1 --shuffle=1", "-j4 --shuffle=2" } do
  test("the results are the same with " .. options, function()
    equal(run(options), alone)
  end)
end

test("a seed means an order, which another seed does not mean", function()
  local _, one = run "-j1 --shuffle=1"
  local _, again = run "-j1 --shuffle=1"
  local _, other = run "-j1 --shuffle=2"
  equal(one, again)
  equal(one == other, false)
  equal(one == in_turn, false)
end)

test("of three shards each has its own cases, and together they have all", function()
  local seen, count = {}, 0
  for index = 1, 3 do
    place.shell(("moonshake run --format json=r.json --shard %d/3 many.lua"):format(index))
    for _, event in ipairs(place.events "r.json") do
      if event.event == "case_end" then
        equal(seen[event.id], nil, event.id)
        seen[event.id] = true
        count = count + 1
      end
    end
  end
  equal(count, 60)
end)

place.remove()
unit.done()
