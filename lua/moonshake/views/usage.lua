-- SPDX-License-Identifier: MIT
-- Which certificates the links of a case presented: read off their Certificate messages, with the
-- validity that was left by the clock of who presented them, and with what a chain had that its
-- peer did not need. As tables for JSON. (report/usage.lua puts a run together.)
local escape = require "moonshake.escape"
local fact = require("moonshake.views.phrase").fact
local far_of = require("moonshake.views.known").far

local usage = {}

local OTHER = { client = "server", server = "client" }

local function text(certificate, field)
  local value = fact(certificate, field)
  return value and escape.utf8(value) or "unreadable"
end

-- Joins what is the same; lists keep the order in which things came.
local function counted(list, by_key, key, made)
  local known = by_key[key]
  if not known then
    known = made
    known.times = 0
    by_key[key] = known
    list[#list + 1] = known
  end
  known.times = known.times + 1
  return known
end

local function note_certificate(found, event, role, certificate, is_leaf)
  local key = ("%s %s %s"):format(role, is_leaf, certificate:der())
  local known = counted(found.presented, found.by_certificate, key, {
    role = role, leaf = is_leaf, subject = text(certificate, "subject"),
    issuer = text(certificate, "issuer"), fingerprint = text(certificate, "fingerprint"),
  })
  local to = fact(certificate, "not_after")
  local left = to and to - event.time
  known.left = left and math.min(left, known.left or left)
end

-- What is too much in a chain: certificates that stand there twice, a root (the peer has it, or
-- does not believe it), and what is not on the path that the peer found valid.
local function too_much(chain, verification)
  local seen, on_path, list = {}, {}, {}
  local path = verification and verification.verified and verification.path or {}
  for index = 1, #path do
    on_path[path[index]:der()] = true
  end
  for index = 1, #chain do
    local certificate = chain[index]
    local der = certificate:der()
    local why
    if seen[der] then
      why = "twice"
    elseif index > 1 and fact(certificate, "self_signed") then
      why = "root"
    elseif #path > 0 and not on_path[der] then
      why = "not on the path"
    end
    seen[der] = true
    list[#list + 1] = why and { why = why, subject = text(certificate, "subject") }
  end
  return list
end

local function note_chain(found, event, role, verification)
  local list = too_much(event.certificates, verification)
  if #list == 0 then
    return
  end
  local key = { role, #event.certificates }
  for _, item in ipairs(list) do
    key[#key + 1] = item.why .. " " .. item.subject
  end
  counted(found.long_chains, found.by_chain, table.concat(key, "\0"), {
    role = role, length = #event.certificates, too_much = list,
    subject = text(event.certificates[1], "subject"),
  })
end

-- What an end found of its peer in each epoch.
local function verifications_of(events)
  local found = {}
  for _, event in ipairs(events) do
    if event.kind == "verification" then
      found[event.epoch .. "/" .. event.role] = event.verification
    end
  end
  return found
end

-- Who presented the chain of an event: who sent it, and of a far end what was received. Nil where
-- another event tells it.
local function presenter(event, far)
  if event.direction == "sent" then
    return event.delivered and event.role or nil
  end
  return far and far.role
end

-- Whether the message has been counted: two connections of a case may be the ends of one.
local function is_counted(found, event, role, hello)
  local key = table.concat({ role, event.epoch, hello, event.bytes }, "\0")
  local is_known = found.by_message[key]
  found.by_message[key] = true
  return is_known
end

local function note_link(found, link)
  local events, far, hello = link.events, far_of(link), ""
  local verifications = verifications_of(events)
  for _, event in ipairs(events) do
    hello = event.type == "ClientHello" and event.bytes or hello
    local chain = event.certificates
    local role = chain and #chain > 0 and presenter(event, far)
    if role and not (far and is_counted(found, event, role, hello)) then
      for index = 1, #chain do
        note_certificate(found, event, role, chain[index], index == 1)
      end
      note_chain(found, event, role, verifications[event.epoch .. "/" .. OTHER[role]])
    end
  end
end

---@class moonshake.usage
---@field presented { role: string, leaf: boolean, subject: string, issuer: string,
---  fingerprint: string, times: integer, left: integer? }[] left: seconds of validity, the least
---@field long_chains { role: string, subject: string, length: integer, times: integer,
---  too_much: { why: string, subject: string }[] }[]
---@field left_out integer? links that are not counted

--- What these links presented.
---@param links table[]
---@param left_out integer how many links the case made before these
---@return moonshake.usage
function usage.of(links, left_out)
  local found = { presented = {}, long_chains = {}, by_certificate = {}, by_chain = {},
                  by_message = {} }
  for _, link in ipairs(links) do
    note_link(found, link)
  end
  return { presented = found.presented, long_chains = found.long_chains,
           left_out = left_out > 0 and left_out or nil }
end

return usage
