-- SPDX-License-Identifier: MIT
-- Alternative names with any bytes in them, which no certificate factory would write.
local raw_names = {}

local TAGS = { email = 0x81, dns = 0x82, directory = 0xA4, uri = 0x86, ip = 0x87, id = 0x88 }

local function length_of(text)
  local count = #text
  if count < 0x80 then
    return string.char(count)
  elseif count < 0x100 then
    return string.char(0x81, count)
  end
  return string.char(0x82, count >> 8, count & 0xFF)
end

--- A DER value.
---@param tag integer
---@param content string
---@return string
function raw_names.der(tag, content)
  return string.char(tag) .. length_of(content) .. content
end

--- The subjectAltName extension, as pki takes it, with names in this order.
---@param names { [1]: string, [2]: string }[] kind and bytes
---@return table
function raw_names.extension(names)
  local list = {}
  for index, name in ipairs(names) do
    list[index] = raw_names.der(TAGS[name[1]], name[2])
  end
  return { oid = "2.5.29.17", der = raw_names.der(0x30, table.concat(list)) }
end

return raw_names
