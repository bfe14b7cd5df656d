-- SPDX-License-Identifier: MIT
-- The nearest right word for a misspelt one.
local suggest = {}

-- Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and
-- swapped neighbours each cost one.
local function distance(a, b)
  local before, last = nil, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    local current = { [0] = i }
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local best = math.min(last[j] + 1, current[j - 1] + 1, last[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        best = math.min(best, before[j - 2] + 1)
      end
      current[j] = best
    end
    before, last = last, current
  end
  return last[#b]
end

--- The word of `words` nearest to `word`, or nil when none is near: at most a third of the word's
--- letters, but at least one, may be wrong. Case does not count. Of equally near words the first in
--- alphabetical order is taken, so that the answer does not depend on the order of the list.
---@param word string
---@param words string[]
---@return string|nil
function suggest.nearest(word, words)
  local most = math.max(1, #word // 3)
  local lower = word:lower()
  local best, best_distance
  for _, candidate in ipairs(words) do
    if math.abs(#candidate - #word) <= most then
      local wrong = distance(lower, candidate:lower())
      if wrong <= most and (not best or wrong < best_distance
                            or (wrong == best_distance and candidate < best)) then
        best, best_distance = candidate, wrong
      end
    end
  end
  return best
end

--- ` (did you mean "x"?)`, or nothing when no word is near: to be put behind a complaint.
---@param word any what was given; anything but a string has no neighbours
---@param words string[]
---@return string
function suggest.hint(word, words)
  local nearest = type(word) == "string" and suggest.nearest(word, words)
  return nearest and (' (did you mean "%s"?)'):format(nearest) or ""
end

return suggest
