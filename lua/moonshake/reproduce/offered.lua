-- SPDX-License-Identifier: MIT
-- What a ClientHello says of its client, as options of one (see source.lua).

local LISTS = { "cipher_suites", "groups", "signature_schemes", "alpn" }

local function copy(list)
  return list and table.move(list, 1, #list, 1, {})
end

--- The end that a hello shows. What the versions that it offers have no use for is left out.
---@param hello table lists by their names as options, server_name, and whether there was
---  extended_master_secret, secure_renegotiation, post_handshake_auth, ticket; `or_older`: it would
---  have taken an older version, too
---@param version string|nil the one that was agreed on, which tells which older one
---@return table
return function(hello, version)
  local one = { server_name = hello.server_name, versions = copy(hello.versions) or {} }
  for _, name in ipairs(LISTS) do
    one[name] = copy(hello[name])
  end
  if hello.or_older and version and version ~= hello.versions[1] then
    table.insert(one.versions, version)
  end
  local has, is_old = {}, false
  for _, word in ipairs(one.versions) do
    has[word], is_old = true, is_old or word ~= "TLS1.3"
  end
  if has["TLS1.3"] then
    one.post_handshake_auth = hello.post_handshake_auth or false
  end
  if has["TLS1.2"] then
    one.ticket, one.secure_renegotiation = hello.ticket or false, hello.secure_renegotiation
  end
  if is_old then
    one.extended_master_secret = hello.extended_master_secret
  end
  return one
end
