-- SPDX-License-Identifier: MIT
-- A client as a JSON object on one line: the names of facts.lua, in one order; what is not known or
-- did not come is left out.
local dkjson = require "dkjson"
local escape = require "moonshake.escape"

local json = {}

local ORDER = {
  "client", "number", "address", "outcome", "refusal", "version", "cipher_suite", "group",
  "resumed", "offered", "versions", "cipher_suites", "groups", "key_shares", "signature_schemes",
  "server_name", "alpn", "post_handshake_auth", "certificate", "asked", "names", "sent", "subject",
  "issuer", "fingerprint", "not_before", "not_after", "verified", "problem", "problems", "text",
  "alert_sent", "alert_received", "level", "name", "error", "code", "message", "told_by", "during",
  "explanation", "requests", "num_requests", "method", "target", "status", "ended",
}

local LISTS = {
  versions = true, cipher_suites = true, groups = true, key_shares = true,
  signature_schemes = true, alpn = true, names = true, sent = true, problems = true,
  explanation = true, requests = true,
}

-- Names and texts of peers may be any bytes.
local function plain(value, name)
  if type(value) == "string" then
    return escape.utf8(value)
  elseif type(value) ~= "table" then
    return value
  end
  local made = setmetatable({}, {
    __jsontype = LISTS[name] and "array" or "object",
  })
  for key, inner in pairs(value) do
    made[key] = plain(inner, key)
  end
  return made
end

--- A table as JSON.
---@param told table
---@return string without a line break
function json.of(told)
  return dkjson.encode(plain(told), { keyorder = ORDER })
end

return json
