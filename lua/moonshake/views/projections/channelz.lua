-- SPDX-License-Identifier: MIT
-- An end as gRPC's channelz tells of a socket's security: message grpc.channelz.v1.Security, with
-- the field names of its .proto (which its JSON reading takes as they are).
local marks = require "moonshake.marks"
local strict = require "moonshake.strict"

local SECURITY = strict.schema("Security", {
  { name = "tls", about = "nil before a suite is agreed on", fields = {
    { name = "standard_name", about = "IANA's name of the suite" },
    { name = "other_name", about = "instead of it, where IANA has none" },
    { name = "local_certificate", type = "bytes", about = "DER; nil: none" },
    { name = "remote_certificate", type = "bytes", about = "DER; nil: none" },
  } },
})

-- As protobuf's JSON does it.
SECURITY.omits_nil, SECURITY.by_name.tls.schema.omits_nil = true, true

local function der_of(certificate)
  if certificate == nil or certificate == marks.unknown then
    return certificate
  end
  return certificate:der()
end

local channelz = { schema = SECURITY }

--- The projection of an end.
---@param one table
function channelz.of(one)
  local suite, security = one.cipher_suite, nil
  if suite ~= nil then
    local is_standard = suite == marks.unknown or suite:find "^TLS_" ~= nil
    security = {
      standard_name = is_standard and suite or nil,
      other_name = not is_standard and suite or nil,
      local_certificate = der_of(one.local_certificate),
      remote_certificate = der_of(one.peer_certificate),
    }
  end
  return strict.record(SECURITY, { tls = security })
end

return channelz
