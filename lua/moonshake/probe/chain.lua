-- SPDX-License-Identifier: MIT
-- What is to be said of a chain as a server sent it: who issued whom, what is missing, what is too
-- much, in which order. Its verification is the library's; here is why it came out so.
local words = require "moonshake.views.words.verification"

local chain = {}

-- The certificate of a list that issued this one, by name.
local function issuer_of(list, certificate)
  for _, other in ipairs(list) do
    if other.subject == certificate.issuer and other ~= certificate then
      return other
    end
  end
end

-- From the leaf upwards through what was sent.
local function path_through(list)
  local path, seen = { list[1] }, { [list[1].fingerprint] = true }
  while not path[#path].self_signed do
    local above = issuer_of(list, path[#path])
    if not above or seen[above.fingerprint] then
      break
    end
    seen[above.fingerprint] = true
    path[#path + 1] = above
  end
  return path
end

-- What is to be said of each certificate, by its place.
local function remarks_of(list, path, at)
  local on_path, seen, remarks = {}, {}, {}
  for place, certificate in ipairs(path) do
    on_path[certificate.fingerprint] = place
  end
  for index, certificate in ipairs(list) do
    local own = {}
    if seen[certificate.fingerprint] then
      own[#own + 1] = "sent twice"
    elseif not on_path[certificate.fingerprint] then
      own[#own + 1] = "not part of the chain"
    else
      if index > 1 and certificate.self_signed then
        own[#own + 1] = "the root, which need not be sent"
      end
      if on_path[certificate.fingerprint] ~= index then
        own[#own + 1] = "out of order"
      end
    end
    if at > certificate.not_after then
      own[#own + 1] = "expired"
    elseif at < certificate.not_before then
      own[#own + 1] = "not valid yet"
    end
    seen[certificate.fingerprint] = true
    remarks[index] = own
  end
  return remarks
end

-- What OpenSSL says where no trusted issuer is found depends on what the chain ends in.
local function untrusted_words(list, path)
  local top = path[#path]
  if top.self_signed then
    return #list == 1 and { "18 self-signed certificate" }
      or { "19 self-signed certificate in certificate chain" }
  elseif #list == 1 then
    return { "20 unable to get local issuer certificate",
             "21 unable to verify the first certificate" }
  end
  return { "20 unable to get local issuer certificate" }
end

--- What OpenSSL would print of a chain with this problem.
---@param problem string of verification.problems
---@param list table[] the chain
---@param is_address boolean whether the name that was wanted is one
---@return string[]
function chain.openssl(problem, list, is_address)
  if problem == "signer_not_found" then
    return untrusted_words(list, path_through(list))
  end
  local known = words[problem] and words[problem].openssl or {}
  local one = problem == "unexpected_owner" and is_address and known[2] or known[1]
  return one and { ("%d %s"):format(one[1], one[2]) } or {}
end

-- Why no trusted certificate was reached.
local function missing(list, path)
  local top = path[#path]
  if top.self_signed then
    return #path == 1 and { what = "untrusted_self_signed", subject = top.subject }
      or { what = "untrusted_root", subject = top.subject }
  elseif #path == 1 or #path < #list then
    return { what = "intermediate_not_sent", subject = top.issuer, issued = top.subject }
  end
  return { what = "issuer_unknown", subject = top.issuer, issued = top.subject }
end

--- What is to be said of a chain.
---@param list table[] certificates in the order in which they were sent, at least one
---@param verification table|nil the library's result
---@param at integer by which clock
---@return { path: table[], remarks: string[][], missing: table|nil, in_order: boolean,
---  left: integer } remarks: for each certificate; missing: { what =, subject =, issued = } where
---  no trusted certificate was reached; left: seconds until the first of them expires
function chain.read(list, verification, at)
  local path = path_through(list)
  local made = { path = path, remarks = remarks_of(list, path, at), in_order = true }
  for index, certificate in ipairs(list) do
    for _, remark in ipairs(made.remarks[index]) do
      made.in_order = made.in_order and remark ~= "out of order"
    end
    local left = certificate.not_after - at
    made.left = math.min(made.left or left, left)
  end
  for _, problem in ipairs(verification and verification.problems or {}) do
    if problem == "signer_not_found" then
      made.missing = missing(list, path)
    end
  end
  return made
end

return chain
