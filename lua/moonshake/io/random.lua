-- SPDX-License-Identifier: MIT
-- Random bytes of the operating system, for words that nobody can guess.
local uv = require "luv"

local random = {}

--- A word of 32 hexadecimal digits.
---@return string
function random.word()
  return (assert(uv.random(16)):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

return random
