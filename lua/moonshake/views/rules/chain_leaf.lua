-- SPDX-License-Identifier: MIT
-- Certificates that are right, but not now, not for this purpose, not for this name, or not for a
-- script's policy.
local chain = require "moonshake.views.chain"
local phrase = require "moonshake.views.phrase"
local refusal = require "moonshake.views.refusal"
local validity = require "moonshake.views.validity"

-- Whose clock it was, where it is not the case's own.
local function clock_of(story, judgement)
  local offset = story.told[judgement.role].clock_offset or 0
  local of = ("the %s's clock"):format(judgement.role)
  if offset ~= 0 then
    of = ("%s, which is set %s %s"):format(of, validity.span(math.abs(offset)),
                                           offset > 0 and "ahead" or "back")
  end
  return ("it is %s by %s"):format(validity.time(judgement.at), of)
end

-- A rule about one end of the validity. `when(certificate, at)`: by how many seconds it lies
-- outside, nil if it does not.
local function validity_rule(name, when, reason, detail, next_step)
  return refusal.rule {
    name = name, problem = name, rfc = "RFC 5280 section 4.1.2.5",
    tell = function(story, judgement)
      local found = judgement.at and chain.from_top(judgement.verification.path, function(one)
        return when(one, judgement.at) ~= nil
      end) or {}
      local certificate = found[1]
      if not certificate then
        return { reason = "a certificate of its chain is out of date",
                 why = { refusal.sentence(judgement) }, next = next_step,
                 certificate = judgement.verification.certificate }
      end
      local why = {}
      for index, one in ipairs(found) do
        if index <= 3 then
          why[index] = detail(one)
        end
      end
      why[#why + 1] = clock_of(story, judgement)
      return {
        reason = reason:format(phrase.subject(certificate),
                               validity.span(when(certificate, judgement.at))),
        why = why, certificate = certificate, next = next_step,
      }
    end,
  }
end

---------------------------------------------------------------------------------------------------
-- Purpose

local EXTENDED = { server = "server authentication", client = "client authentication" }

local function is_for(certificate, purpose, any_is_fine)
  local purposes = certificate.purposes
  if purposes == nil then
    return true
  end
  for _, one in ipairs(purposes) do
    if one == purpose or any_is_fine and one == "any" then
      return true
    end
  end
  return false
end

local function purpose_of(story, judgement)
  local path, purpose = judgement.verification.path, judgement.sender
  for index, one in ipairs(path) do
    -- As GnuTLS has it: the anchor is not asked, and "any" counts at a leaf only.
    if (index < #path or #path == 1) and not is_for(one, purpose, index == 1) then
      local leaf = index == 1
      return {
        reason = ("%s is not for %s"):format(phrase.subject(one), EXTENDED[purpose]),
        why = {
          ("its extended key usage is %s%s"):format(
            phrase.list(one.purposes), leaf and "" or ", which binds what it issues, too"),
        },
        certificate = one,
        next = ('issue it with purpose = "%s" or "both", or present another at the %s'):format(
          purpose, judgement.sender),
      }
    end
  end
  return { reason = "it is not for " .. EXTENDED[purpose],
           why = { refusal.sentence(judgement) },
           certificate = story and judgement.verification.certificate }
end

---------------------------------------------------------------------------------------------------
-- Names

local function is_address(name)
  return name:find "^%d+%.%d+%.%d+%.%d+$" ~= nil or name:find(":", 1, true) ~= nil
end

-- What a leaf is for, as clauses.
local function names_in(leaf, why)
  local some = false
  for _, kind in ipairs { { "dns_names", "DNS name" }, { "ip_addresses", "IP address" },
                          { "uris", "URI" } } do
    local names = leaf[kind[1]]
    if #names > 0 then
      some = some or kind[1] ~= "uris"
      why[#why + 1] = ("the certificate has the %s%s %s"):format(
        kind[2], #names == 1 and "" or kind[2]:sub(-1) == "s" and "es" or "s",
        phrase.list(names, phrase.quoted))
    end
  end
  if not some then
    why[#why + 1] = ("it has no DNS name; its subject is %s"):format(phrase.subject(leaf))
  end
end

local function hint(leaf, name, why)
  local lower = name:lower()
  for _, one in ipairs(leaf.dns_names) do
    local suffix = one:lower():match "^%*(%..+)$"
    if suffix and #lower > #suffix and lower:sub(-#suffix) == suffix then
      why[#why + 1] = ("%s stands for one label, no more"):format(phrase.quoted(one))
    elseif one == name and is_address(name) then
      why[#why + 1] = "an address is looked for among IP addresses, not among DNS names"
    end
  end
end

local function owner_of(story, judgement)
  local leaf = judgement.sent[1] or judgement.verification.path[1]
  local name = story.told[judgement.role].name_to_verify
  if not leaf or not name then
    return { reason = "it is for another name", why = { refusal.sentence(judgement) },
             certificate = judgement.verification.certificate }
  end
  local why = {}
  names_in(leaf, why)
  hint(leaf, name, why)
  local sent = story.client.server_name
  if sent and sent ~= name then
    why[#why + 1] = ("the client asked for %s (server_name) and verifies %s (verify_name)"):format(
      phrase.quoted(sent), phrase.quoted(name))
  elseif is_address(name) == false and not sent then
    why[#why + 1] = "the client sent no server_name, so the server could not choose by name"
  end
  return {
    reason = ("it wants %s, and %s is not for it"):format(phrase.quoted(name),
                                                        phrase.subject(leaf)),
    why = why, certificate = leaf,
    next = ("issue the certificate for %s, or connect by a name that it has"):format(
      phrase.quoted(name)),
  }
end

---------------------------------------------------------------------------------------------------

return {
  validity_rule("not_activated", function(one, at)
    return at < one.not_before and one.not_before - at or nil
  end, "%s becomes valid in %s", function(one)
    return ("%s is not valid before %s"):format(phrase.subject(one), validity.time(one.not_before))
  end, "wait, correct the clock, or issue the certificate with an earlier not_before"),

  validity_rule("expired", function(one, at)
    return at > one.not_after and at - one.not_after or nil
  end, "%s expired %s ago", function(one)
    return ("%s was valid until %s"):format(phrase.subject(one), validity.time(one.not_after))
  end, "have the certificate issued anew, or correct the clock"),

  refusal.rule {
    name = "purpose_mismatch", problem = "purpose_mismatch", rfc = "RFC 5280 section 4.2.1.12",
    tell = purpose_of,
  },

  refusal.rule {
    name = "unexpected_owner", problem = "unexpected_owner", rfc = "RFC 9525 section 6",
    tell = owner_of,
  },

  {
    name = "policy_rejected",
    rfc = { older = "RFC 5246 section 7.4.6", newer = "RFC 8446 section 4.4.2.4" },
    find = function(story)
      for _, role in ipairs { "client", "server" } do
        local judgement = refusal.of(story, role)
        if judgement and judgement.verification.verified then
          local leaf = judgement.sent[1]
          return {
            side = role, message = "Certificate",
            what = ("the %s refuses the %s's Certificate: its verify function said no"):format(
              role, judgement.sender),
            why = { ("the chain of %s is valid: %s"):format(
              leaf and phrase.subject(leaf) or "the peer", refusal.sentence(judgement)) },
            next = ("look at the verify function of the %s, or at verification.accepted"):format(
              role),
            certificate = leaf,
          }
        end
      end
    end,
  },
}
