-- SPDX-License-Identifier: MIT
-- Ends in the words of others: Go's tls.ConnectionState, gRPC's channelz, Envoy, Python's ssl.
local json = require "dkjson"
local plain = require "moonshake.plain"

local projections = {}

local function load(name)
  return require("moonshake.views.projections." .. name)
end

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- Bytes as all of these write them in JSON.
local function base64(bytes)
  local pieces = {}
  for at = 1, #bytes, 3 do
    local a, b, c = bytes:byte(at, at + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    for place = 0, 3 do
      local index = (bits >> 18 - 6 * place & 63) + 1
      local is_there = place < 2 or place == 2 and b or c
      pieces[#pieces + 1] = is_there and ALPHABET:sub(index, index) or "="
    end
  end
  return table.concat(pieces)
end

--- A projection of an end.
---@param name string of options.projection
---@param one table
---@param events table[] those of its link
---@return table record
function projections.of(name, one, events)
  return load(name).of(one, events)
end

--- A projection as JSON: bytes in Base64, what a stack cannot tell as { "unknown": true }.
---@param name string of options.projection
---@param one table
---@param events table[]
---@return string
function projections.json(name, one, events)
  return json.encode(plain.value(projections.of(name, one, events), base64))
end

return projections
