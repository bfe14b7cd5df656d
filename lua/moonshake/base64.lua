-- SPDX-License-Identifier: MIT
-- Bytes as text: Base64 (RFC 4648 section 4), in one line.
local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Bytes in Base64.
---@param bytes string
---@return string
return function(bytes)
  local pieces = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for place = 0, 3 do
      local index = (bits >> 18 - 6 * place & 63) + 1
      local is_there = place < 2 or place == 2 and b or c
      pieces[#pieces + 1] = is_there and LETTERS:sub(index, index) or "="
    end
  end
  return table.concat(pieces)
end
