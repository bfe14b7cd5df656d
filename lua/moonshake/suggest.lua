-- SPDX-License-Identifier: MIT
-- The nearest right word for a misspelt one.
local suggest = {}

-- Damerau-Levenshtein distance (optimal string alignment): insertions, deletions, substitutions and
-- swapped neighbours each cost one. Words are lists of bytes; gives up with nil once it is beyond
-- `most`, since hundreds of names of cipher suites may be compared with one.
local function distance(a, b, most)
  local before, last = nil, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    local letter, current, row = a[i], { [0] = i }, i
    for j = 1, #b do
      local best = last[j - 1] + (letter == b[j] and 0 or 1)
      best = last[j] < best and last[j] + 1 or best
      best = current[j - 1] < best and current[j - 1] + 1 or best
      if before and j > 1 and letter == b[j - 1] and a[i - 1] == b[j] and before[j - 2] < best then
        best = before[j - 2] + 1
      end
      current[j] = best
      row = best < row and best or row
    end
    if row > most then
      return nil
    end
    before, last = last, current
  end
  return last[#b] <= most and last[#b] or nil
end

--- The word of `words` nearest to `word`, or nil when none is near: at most a third of the word's
--- letters, but at least one, may be wrong. Case does not count. Of equally near words the first in
--- alphabetical order is taken, so that the answer does not depend on the order of the list.
---@param word string
---@param words string[]
---@return string|nil
function suggest.nearest(word, words)
  local most = math.max(1, #word // 3)
  local letters = { word:lower():byte(1, -1) }
  local best, best_distance
  for _, candidate in ipairs(words) do
    if math.abs(#candidate - #word) <= most then
      local wrong = distance(letters, { candidate:lower():byte(1, -1) }, best_distance or most)
      if wrong and (not best or wrong < best_distance or candidate < best) then
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
