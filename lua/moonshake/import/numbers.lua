-- SPDX-License-Identifier: MIT
-- The names of TLS's numbers, as IANA has them; a number without a name is "0x2a2a".
local native = require "moonshake.native"

local numbers = {}

local by_kind = {}

--- The name of a number.
---@param kind "version"|"cipher_suite"|"group"|"signature_scheme"|"alert"
---@param number integer
---@return string
function numbers.name(kind, number)
  local names = by_kind[kind]
  if not names then
    names = {}
    for _, name in ipairs(native.names(kind)) do
      local _, code = native.find(kind, name)
      names[code] = names[code] or name
    end
    by_kind[kind] = names
  end
  return names[number] or ("0x%04x"):format(number)
end

return numbers
