-- SPDX-License-Identifier: MIT
-- SHA-256 (FIPS 180-4) in Base64, by which a page names the style and the script that it allows.
local base64 = require "moonshake.base64"

local MASK = 0xFFFFFFFF

-- The first 32 bits of the fractional part of a root.
local function fraction(root)
  return math.floor((root - math.floor(root)) * 0x100000000)
end

local START, ROUND = {}, {}
do
  local candidate = 2
  while #ROUND < 64 do
    local is_prime = true
    for divisor = 2, math.floor(candidate ^ 0.5) do
      is_prime = is_prime and candidate % divisor ~= 0
    end
    if is_prime then
      ROUND[#ROUND + 1] = fraction(candidate ^ (1 / 3))
      START[#START + 1] = #START < 8 and fraction(candidate ^ 0.5) or nil
    end
    candidate = candidate + 1
  end
end

local function rotated(word, bits)
  return (word >> bits | word << (32 - bits)) & MASK
end

local function schedule(text, at)
  local words = { string.unpack(">I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4I4", text, at) }
  for index = 17, 64 do
    local a, b = words[index - 15], words[index - 2]
    words[index] = (words[index - 16] + words[index - 7]
      + (rotated(a, 7) ~ rotated(a, 18) ~ a >> 3)
      + (rotated(b, 17) ~ rotated(b, 19) ~ b >> 10)) & MASK
  end
  return words
end

local function compress(state, words)
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for index = 1, 64 do
    local one = h + (rotated(e, 6) ~ rotated(e, 11) ~ rotated(e, 25)) + (e & f ~ ~e & MASK & g)
      + ROUND[index] + words[index]
    local two = (rotated(a, 2) ~ rotated(a, 13) ~ rotated(a, 22)) + (a & b ~ a & c ~ b & c)
    h, g, f, e, d, c, b, a = g, f, e, (d + one) & MASK, c, b, a, (one + two) & MASK
  end
  for index, value in ipairs { a, b, c, d, e, f, g, h } do
    state[index] = (state[index] + value) & MASK
  end
end

--- The hash of a text.
---@param text string
---@return string in Base64
return function(text)
  local state = { table.unpack(START) }
  local padded = text .. "\x80" .. ("\0"):rep((-#text - 9) % 64) .. string.pack(">I8", 8 * #text)
  for at = 1, #padded, 64 do
    compress(state, schedule(padded, at))
  end
  return base64(string.pack(">I4I4I4I4I4I4I4I4", table.unpack(state)))
end
