-- SPDX-License-Identifier: MIT
-- What can be computed on a certification path beyond the library's status: who issued whom, which
-- certificates lie outside of their validity, which authority a chain lacks. What is found explains
-- a problem that the verification has; it never adds to its verdict.
local chain = {}

--- The anchors that an end was told to trust, as certificates; nil where that is not known: the
--- system's store, or another stack's.
---@param told table options in force
---@return table[]|nil
function chain.anchors(told)
  if not told.enabled or told.trust == "system" then
    return nil
  end
  return told.trust or {}
end

--- The first certificate of a list with this subject, and its place.
---@param certificates table[]
---@param subject string
---@return table|nil, integer|nil
function chain.by_subject(certificates, subject)
  for index, certificate in ipairs(certificates) do
    if certificate.subject == subject then
      return certificate, index
    end
  end
end

--- The identity of an end that this certificate belongs to, if it was given one.
---@param told table options in force
---@param leaf table|nil
---@return table|nil
function chain.identity_of(told, leaf)
  for _, identity in ipairs(type(told.identity) == "table" and told.identity or {}) do
    if identity.certificate == leaf then
      return identity
    end
  end
end

--- The authority of that name above an identity, as the script made it: its certificate.
---@param identity table|nil
---@param subject string
---@return table|nil
function chain.authority(identity, subject)
  for _, authority in ipairs(identity and identity.authorities or {}) do
    if authority.certificate.subject == subject then
      return authority.certificate
    end
  end
end

--- The certificates of a path for which f() holds, the topmost first.
---@param path table[]
---@param f fun(certificate: table, index: integer): boolean
---@return table[]
function chain.from_top(path, f)
  local found = {}
  for index = #path, 1, -1 do
    if f(path[index], index) then
      found[#found + 1] = path[index]
    end
  end
  return found
end

--- The topmost authority of a path below which there are more intermediates than it allows, as RFC
--- 5280 section 4.2.1.9 counts them (self-issued ones do not count), and those intermediates.
---@param path table[]
---@return table|nil authority
---@return table[]|nil below
function chain.over_limit(path)
  local below, found, too_many = {}, nil, nil
  for index = 2, #path do
    local certificate = path[index]
    local limit = certificate.is_ca and certificate.path_length
    if limit and #below > limit then
      found, too_many = certificate, table.move(below, 1, #below, 1, {})
    end
    if certificate.subject ~= certificate.issuer then
      below[#below + 1] = certificate
    end
  end
  return found, too_many
end

return chain
