-- SPDX-License-Identifier: MIT
-- What --shard may say, and that each case is in one shard, now and for ever.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local shard = require "moonshake.runner.shard"
local test, equal, contains = unit.test, unit.equal, unit.contains

local function refused(text, part)
  local wish, problem = shard.parse(text)
  equal(wish, nil, text)
  contains(problem, part)
end

test("I/N counts from one", function()
  local wish = shard.parse "2/3"
  equal(wish.index, 2)
  equal(wish.total, 3)
  equal(wish.auto, nil)
  equal(shard.parse("1/1").index, 1)
  equal(shard.parse("3/3").index, 3)
end)

test("auto asks the engine, with a total of the user's if there is one", function()
  local wish = shard.parse "auto"
  equal(wish.auto, true)
  equal(wish.total, nil)
  wish = shard.parse "auto/4"
  equal(wish.auto, true)
  equal(wish.total, 4)
  equal(wish.index, nil)
end)

test("a shard that there is not is refused", function()
  refused("0/3", "--shard 0/3: shards are numbered from 1 to 3")
  refused("4/3", "--shard 4/3: shards are numbered from 1 to 3")
  refused("1/0", "--shard 1/0: there is at least one shard")
  refused("auto/0", "--shard auto/0: there is at least one shard")
end)

test("what is no shard is refused", function()
  for _, text in ipairs {
    "", "2", "/", "1/", "/3", "a/b", "-1/3", "1/-3", "1.5/3", "0x1/3", "1e0/3", " 1/3", "1/3 ",
    "1/3/5", "Auto", "auto/", "auto/x", "auto/auto", "1/auto", "1of3", "1/99999999999999999999",
  } do
    refused(text, ("I/N wanted (shard I of N), auto or auto/N, got '%s'"):format(text))
  end
end)

-- Computed with another program. If one of these changes, machines with another version of this
-- program run other cases, and some case is run by none.
test("the hash never changes", function()
  equal(shard.hash "", 0xCBF29CE4 ~ 0x84222325)
  equal(shard.hash "a", 0xAF63DC4C ~ 0x8601EC8C)
  equal(shard.hash "foobar", 0x85944171 ~ 0xF73967E8)
  equal(shard.hash "scenarios/chains/depth.lua::a chain", 0x45C61AAC)
  equal(shard.hash "Grüße.lua::\u{1F319}[n=1]", 0x7D6291BC)
  equal(shard.of("scenarios/chains/depth.lua::a chain", 3), 1)
end)

-- Ids as matrices make them: alike but for a letter or two.
local function some_cases()
  local cases = {}
  for file = 1, 10 do
    for version = 0, 3 do
      for number = 1, 10 do
        cases[#cases + 1] = {
          id = ("t%d.lua::a title[n=%d,version=TLS1.%d]"):format(file, number, version),
        }
      end
    end
  end
  return cases
end

test("each case is in exactly one shard, in the order that it had", function()
  local cases, place = some_cases(), {}
  for at, case in ipairs(cases) do
    place[case] = at
  end
  for _, total in ipairs { 1, 2, 3, 7 } do
    local seen, count = {}, 0
    for index = 1, total do
      local last = 0
      for _, case in ipairs((shard.cut(cases, { index = index, total = total }))) do
        equal(place[case] > last, true, "order")
        equal(seen[case], nil, case.id)
        last, seen[case], count = place[case], true, count + 1
      end
    end
    equal(count, #cases, total)
  end
end)

test("shards of many like ids are of like size", function()
  local cases = some_cases()
  for _, total in ipairs { 2, 3, 4, 5, 8, 16 } do
    local sizes, even = {}, #cases / total
    for _, case in ipairs(cases) do
      local index = shard.of(case.id, total)
      sizes[index] = (sizes[index] or 0) + 1
    end
    for index = 1, total do
      if (sizes[index] or 0) < even / 2 or sizes[index] > even * 1.5 then
        error(("shard %d/%d has %s of %d cases"):format(index, total, sizes[index], #cases))
      end
    end
  end
end)

test("a case stays in its shard when others come and go", function()
  local cases = some_cases()
  local function of_third(list)
    local ids = {}
    for _, case in ipairs(shard.cut(list, { index = 3, total = 5 })) do
      ids[case.id] = true
    end
    return ids
  end
  local before = of_third(cases)
  table.remove(cases, 1)
  table.insert(cases, 7, { id = "new.lua::another" })
  local after = of_third(cases)
  for _, case in ipairs(cases) do
    if case.id ~= "new.lua::another" then
      equal(after[case.id], before[case.id], case.id)
    end
  end
end)

test("machines that selected the same tell reports the same of it", function()
  local _, one = shard.cut({ { id = "a" }, { id = "b" }, { id = "c" } }, { index = 1, total = 2 })
  local _, two = shard.cut({ { id = "c" }, { id = "a" }, { id = "b" } }, { index = 2, total = 2 })
  local _, other = shard.cut({ { id = "a" }, { id = "b" }, { id = "d" } }, { index = 2, total = 2 })
  equal(one.index, 1)
  equal(one.total, 2)
  equal(one.selected, 3)
  equal(two.selected, 3)
  equal(#one.digest, 16)
  equal(one.digest, two.digest)
  equal(one.digest == other.digest, false)
  local none, said = shard.cut({}, { index = 1, total = 2 })
  equal(#none, 0)
  equal(said.selected, 0)
  equal(said.digest, "0000000000000000")
end)

unit.done()
