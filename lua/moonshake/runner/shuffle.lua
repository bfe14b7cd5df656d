-- SPDX-License-Identifier: MIT
-- An order that looks like chance and is the same for the same seed, everywhere.

local hash = require "moonshake.hash"

local shuffle = {}

-- Texts that differ in their last character only must be far from each other, too.
local function mixed(text)
  local value = hash(text)
  value = (value ~ value >> 32) * 0x9E3779B97F4A7C15
  return value ~ value >> 29
end

-- Sorts by a hash of the seed and the key, so that an item stands where it stands whatever else is
-- there.
local function by_chance(items, seed, key_of)
  local places = {}
  for _, item in ipairs(items) do
    places[item] = mixed(("%d %s"):format(seed, key_of(item)))
  end
  table.sort(items, function(a, b)
    if places[a] ~= places[b] then
      return math.ult(places[a], places[b])
    end
    return key_of(a) < key_of(b)
  end)
end

--- The cases in another order: files by chance, and the cases within each file by chance.
---@param cases table[] descriptions
---@param seed integer
---@return table[]
function shuffle.cases(cases, seed)
  local groups, of = {}, {}
  for _, case in ipairs(cases) do
    local group = of[case.file]
    if not group then
      group = { file = case.file }
      of[case.file] = group
      groups[#groups + 1] = group
    end
    group[#group + 1] = case
  end
  by_chance(groups, seed, function(group) return group.file end)
  local all = {}
  for _, group in ipairs(groups) do
    by_chance(group, seed, function(case) return case.id end)
    table.move(group, 1, #group, #all + 1, all)
  end
  return all
end

return shuffle
