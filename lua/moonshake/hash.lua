-- SPDX-License-Identifier: MIT
-- A hash of a text that is the same on every machine and never changes: FNV-1a of 64 bits.

--- The hash of a text; its high bits depend little on the last characters.
---@param text string
---@return integer of 64 bits
return function(text)
  local value = 0xCBF29CE484222325
  for at = 1, #text do
    value = (value ~ text:byte(at)) * 0x100000001B3
  end
  return value
end
