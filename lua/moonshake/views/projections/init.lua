-- SPDX-License-Identifier: MIT
-- Ends in the words of others: Go's tls.ConnectionState, gRPC's channelz, Envoy, Python's ssl.
local base64 = require "moonshake.base64"
local json = require "dkjson"
local plain = require "moonshake.plain"

local projections = {}

local function load(name)
  return require("moonshake.views.projections." .. name)
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
