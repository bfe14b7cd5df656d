-- SPDX-License-Identifier: MIT
-- What is wrong with a server's chain, in a few words, and what to do about it.
local phrase = require "moonshake.views.phrase"
local validity = require "moonshake.views.validity"
local words = require "moonshake.views.words.verification"

local trouble = {}

--- A sentence as the end of another one.
---@param sentence string
---@return string
function trouble.continued(sentence)
  local text = sentence:gsub("%.$", "")
  return text:find "^%u%u" and text or (text:gsub("^%u", string.lower))
end

-- A flag that lumps several problems together; the exact finding stands beside it.
local LUMPS = { signer_constraints_failure = true, invalid = true }

local function problems_of(verification)
  local list = {}
  for _, problem in ipairs(verification.problems) do
    list[#list + 1] = not LUMPS[problem] and problem or nil
  end
  return #list > 0 and list or { verification.problems[1] }
end

-- The certificates of its chain whose time it is not: "CN=x, expired 2 days ago".
local function out_of_time(found)
  local list = {}
  for _, certificate in ipairs(found.read.path) do
    if found.at > certificate.not_after or found.at < certificate.not_before then
      list[#list + 1] = ("%s, %s"):format(phrase.subject(certificate),
                                          validity.standing(certificate.not_before,
                                                            certificate.not_after, found.at))
    end
  end
  return #list > 0 and table.concat(list, "; ") or nil
end

local function names_in(certificate)
  local names = table.move(certificate.dns_names, 1, #certificate.dns_names, 1, {})
  return table.move(certificate.ip_addresses, 1, #certificate.ip_addresses, #names + 1, names)
end

-- What is wrong with its chain, and what to do.
local TROUBLE = {}

function TROUBLE.expired(found)
  return out_of_time(found), "have it renewed, or look at the clock of this machine"
end

function TROUBLE.not_activated(found)
  return out_of_time(found), "look at the clock of this machine"
end

-- Without other names the CN of its subject is one.
local function way_to_a_name(certificate)
  local names, cn = names_in(certificate), certificate.subject:match "CN=([^,+\\]+)"
  if #names == 0 then
    return cn and ("it has no name but the CN of its subject: --servername %s"):format(
      phrase.plain(cn)) or "have it issued with the name of the server: it has none"
  end
  return ("ask for a name that it is for (--servername): %s"):format(phrase.list(names))
end

function TROUBLE.unexpected_owner(found)
  local options = found.options
  return ("it is not for the name %s"):format(
    phrase.quoted(tostring(options.verify_name or options.server_name))),
    way_to_a_name(found.chain[1])
end

function TROUBLE.signer_not_found(found)
  local missing = found.read.missing
  local subject = phrase.plain(missing.subject)
  if missing.what == "untrusted_self_signed" then
    return "its certificate is self-signed",
           "trust it, if it is the right one: --ca FILE with that certificate"
  elseif missing.what == "untrusted_root" then
    return ("its root %s is not trusted here"):format(subject),
           "trust that root, if it is the right one: --ca FILE"
  elseif missing.what == "intermediate_not_sent" then
    return ("the intermediate %s was not sent (if it is a root, it is not trusted here)"):format(
      subject), ("have the server send the whole chain: the leaf, then %s (or trust that: "
                 .. "--ca FILE)"):format(subject)
  end
  return ("%s, the issuer of %s, is neither trusted here nor was it sent"):format(
    subject, phrase.plain(missing.issued)),
    ("trust %s (--ca FILE), or have the server send it if it is an intermediate"):format(subject)
end

--- All that is wrong with the chain of what was found.
---@param found table whose chain does not verify
---@return { text: string, next: string|nil }[] at least one
function trouble.list(found)
  local list = {}
  for index, problem in ipairs(problems_of(found.verification)) do
    local word, text, step = words[problem], nil, nil
    if TROUBLE[problem] then
      text, step = TROUBLE[problem](found)
    end
    list[index] = { text = text or word and trouble.continued(word.means) or problem,
                    next = step or word and word.next }
  end
  return list
end

return trouble
