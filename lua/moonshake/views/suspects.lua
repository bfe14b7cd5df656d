-- SPDX-License-Identifier: MIT
-- A chain that an end of ours sent and a peer that is not ours refused: what can be seen of it here
-- that such peers refuse. These are suspicions, and the peer's verdict is not known.
local chain = require "moonshake.views.chain"
local phrase = require "moonshake.views.phrase"
local validity = require "moonshake.views.validity"

local suspects = {}

local PURPOSE = { client = "client", server = "server" }

local function has(list, word)
  for _, one in ipairs(list or {}) do
    if one == word then
      return true
    end
  end
  return false
end

-- Each looks at one thing: function(why, seen) that adds a reason and returns what to do.
local LOOK = {}

-- An expired certificate anywhere in the chain, by the clock of who sent it.
LOOK[1] = function(why, seen)
  for _, certificate in ipairs(seen.chain) do
    local from, to = certificate.not_before, certificate.not_after
    if seen.at < from or seen.at > to then
      why[#why + 1] = ("%s %s, by the %s's clock"):format(
        phrase.subject(certificate), validity.standing(from, to, seen.at), seen.role)
      return seen.at > to and "renew " .. phrase.subject(certificate)
        or "check the clocks, or wait"
    end
  end
end

-- A leaf for something else.
LOOK[2] = function(why, seen)
  local leaf = seen.chain[1]
  local purposes = leaf.purposes
  if purposes and not has(purposes, PURPOSE[seen.role]) and not has(purposes, "any") then
    why[#why + 1] = ("the extended key usage of %s is %s: it lacks %s authentication"):format(
      phrase.subject(leaf), phrase.list(purposes), seen.role)
    return ("present a certificate for %s authentication"):format(seen.role)
  end
end

-- An intermediate that stayed at home.
LOOK[3] = function(why, seen)
  local top = seen.chain[#seen.chain]
  local identity = chain.identity_of(seen.told, seen.chain[1])
  local authority = chain.authority(identity, top.issuer)
  if authority and not authority.self_signed then
    why[#why + 1] = ("the intermediate %s, which issued %s, was not sent"):format(
      phrase.subject(authority), phrase.subject(top))
    return ("present the whole chain: leaf first, then %s"):format(phrase.subject(authority))
  end
end

-- A client's certificate of nobody whom the request names.
LOOK[4] = function(why, seen)
  local named = seen.story.client.requested_issuers
  if seen.role ~= "client" or not named or #named == 0 then
    return nil
  end
  for _, certificate in ipairs(seen.chain) do
    if has(named, certificate.issuer) then
      return nil
    end
  end
  why[#why + 1] = "the CertificateRequest names " .. phrase.list(named)
    .. ", and none of them issued what was sent"
  return "present a certificate of an issuer that is named"
end

-- A name that is not in the server's certificate.
LOOK[5] = function(why, seen)
  local offer = seen.role == "server" and seen.story:offer()
  local name = offer and offer.server_name
  local leaf = seen.chain[1]
  if name and #leaf.dns_names == 0 then
    why[#why + 1] = ("the client asked for %s, and %s has no name of a host"):format(
      phrase.quoted(name), phrase.subject(leaf))
    return ("present a certificate for %s"):format(phrase.quoted(name))
  end
end

-- Which of these an alert is about; one that is not here can be about all of them.
local ABOUT = {
  certificate_expired = { 1 }, unsupported_certificate = { 2 }, unknown_ca = { 3, 4 },
  certificate_revoked = {},
}

--- Adds what was sent and what is suspicious about it.
---@param story table see story.lua
---@param why string[]
---@param message table the Certificate message
---@param alert string name of the peer's
---@return string|nil next what to do, where something is suspicious
function suspects.add(story, why, message, alert)
  local role = message.role
  local seen = { story = story, role = role, told = story.told[role], at = message.time,
                 chain = message.certificates }
  local leaf, next_step = seen.chain[1], nil
  why[#why + 1] = ("the %s sent %s: %s, issued by %s"):format(
    role, phrase.count(#seen.chain, "certificate"), phrase.subject(leaf), phrase.issuer(leaf))
  for _, number in ipairs(ABOUT[alert] or { 1, 2, 3, 4, 5 }) do
    local done, step = pcall(LOOK[number], why, seen) -- what a script sends may not be readable
    next_step = next_step or done and step or nil
  end
  return next_step
end

return suspects
