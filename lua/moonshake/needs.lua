-- SPDX-License-Identifier: MIT
-- The words that a scenario's `needs` knows, and whether this machine has what they stand for.

local needs = {}

-- word -> the program to look for in PATH
local PROGRAMS = {
  openssl = "openssl",
  tshark = "tshark",
}

--- The words, in alphabetical order.
---@return string[]
function needs.words()
  local words = {}
  for word in pairs(PROGRAMS) do
    words[#words + 1] = word
  end
  table.sort(words)
  return words
end

--- Whether `word` is one of them.
function needs.known(word)
  return PROGRAMS[word] ~= nil
end

--- Why a need is not met here, as the reason of a skip; nil when it is met.
---@param word string one of needs.words()
---@return string|nil
function needs.missing(word)
  local files = require "moonshake.io.files" -- not before a scenario needs something
  if files.find_program(PROGRAMS[word]) then
    return nil
  end
  return ("needs %s, which is not in PATH"):format(PROGRAMS[word])
end

return needs
