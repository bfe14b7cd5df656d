-- SPDX-License-Identifier: MIT
-- How deep a client's chain may be. With the key of an authority that the server trusts chains are
-- issued below it, and the deepest that is accepted is looked for. Without one only so much can be
-- known: whether strangers are accepted, up to which depth, and whether long chains of theirs are
-- refused as short ones are.
local attempt = require "moonshake.probe.attempt"
local pki = require "moonshake.pki"

local depth = {}

local SIZES = { 1, 10, 100 } -- certificates
local DEEPEST = 100 -- intermediates
local LARGEST = (1 << 24) - 1 -- bytes of a message: no limit of ours

--- How an attempt ended, in the few words by which endings are compared.
---@param made moonshake.attempt
---@return string
function depth.face(made)
  if made.outcome == "accepted" then
    return "accepted"
  elseif made.alert then
    return ("alert %s (%d)"):format(made.alert.name, made.alert.number)
  elseif made.answer then
    return made.answer.status and "HTTP " .. made.answer.status or made.answer.line
  elseif made.closed then
    return "closed without a word"
  end
  return made.problem or made.outcome
end

-- The kind of key that a request lets us sign with.
local function key_for(request)
  if #request.signature_schemes == 0 then
    return "ecdsa-p256"
  end
  for _, scheme in ipairs(request.signature_schemes) do
    if scheme == "ecdsa_secp256r1_sha256" then
      return "ecdsa-p256"
    end
  end
  return "rsa-2048"
end

local function try(context, identity, count)
  local made = attempt.run(context, {
    label = ("with a chain of %d certificates"):format(count), talk = "ask",
    client = { identity = identity, send_certificate = "always", max_message_size = LARGEST },
  })
  local wire = made.connection.client.history
  local sent = wire[#wire].wire.sent_certificates
  return { certificates = count, sent = sent ~= nil and #sent == count, face = depth.face(made),
           accepted = made.outcome == "accepted", attempt = made }
end

-- The largest number that is accepted, between one that is and one that is not.
local function between(low, high, accepts)
  while high - low > 1 do
    local middle = (low + high) // 2
    if accepts(middle) then
      low = middle
    else
      high = middle
    end
  end
  return low
end

-- Who accepts strangers may do so up to some length.
local function of_strangers(context, request)
  local found, key = { trusted = false, tried = {} }, key_for(request)
  local function accepts(count)
    local one = try(context, pki.chain { depth = count - 1, key = key,
                                         leaf = { cn = "Probe", purpose = "client" } }, count)
    one.intermediates = count - 1
    found.tried[#found.tried + 1] = one
    return one.sent and one.accepted
  end
  local low, high
  for _, count in ipairs(SIZES) do
    if accepts(count) then
      low = count
    else
      high = high or count
    end
  end
  if low and high and low < high then
    found.deepest = between(low, high, accepts) - 1
  elseif low and not high then
    found.deepest, found.more = low - 1, true
  end
  table.sort(found.tried, function(one, other) return one.certificates < other.certificates end)
  return found
end

-- An identity that so many intermediates separate from the authority.
local function issue_below(authority, count)
  local issuer = authority
  for number = 1, count do
    issuer = issuer:authority { cn = "Probe Intermediate " .. number }
  end
  return issuer:issue { cn = "Probe", purpose = "client" }
end

local function of_trusted(context, authority)
  local found = { trusted = true, tried = {} }
  local function accepts(count)
    local made = issue_below(authority, count)
    local one = try(context, made, #made.chain)
    one.intermediates = count
    found.tried[#found.tried + 1] = one
    return one.accepted
  end
  if not accepts(0) then
    return found
  end
  local low, high = 0, 1 -- low is accepted
  while accepts(high) do
    if high == DEEPEST then
      found.deepest, found.more = high, true
      return found
    end
    low, high = high, math.min(2 * high, DEEPEST)
  end
  found.deepest = between(low, high, accepts)
  return found
end

--- Tries chains of several lengths.
---@param context table see attempt.run()
---@param request table of asked.of()
---@param authority userdata|nil whose key we have
---@return { trusted: boolean, tried: table[], deepest: integer?, more: boolean? } deepest: how many
---  intermediates below the authority, or below the root of a stranger, are accepted; more:
---  perhaps more than that
function depth.try(context, request, authority)
  if authority then
    return of_trusted(context, authority)
  end
  return of_strangers(context, request)
end

return depth
