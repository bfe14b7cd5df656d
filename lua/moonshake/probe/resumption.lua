-- SPDX-License-Identifier: MIT
-- What becomes of a session that is resumed: whether it is, whether one that began without a
-- certificate gets past a request for one, and whether ours is remembered.
local asked = require "moonshake.probe.asked"
local attempt = require "moonshake.probe.attempt"

local resumption = {}

local function version_of(one)
  return one.connection.client.version
end

-- A session offered, and what came of it; nil where there is none to offer.
local function try(context, label, from)
  local made = attempt.run(context, { label = label, resumes = from, talk = "ask" })
  return made and {
    attempt = made, resumed = made.connection.client.history[1].resumed or false,
    asked = asked.of(made) ~= nil, accepted = made.outcome == "accepted",
  }
end

-- What a session that began without a certificate says of those who ask for one.
local function past_request(first, second)
  if not second.resumed then
    return "not_resumed"
  elseif second.asked then
    return "asked_again"
  elseif second.accepted and first.outcome ~= "accepted" then
    return "gets_past"
  end
  return second.accepted and "not_asked" or "refused"
end

-- What says most of a server comes first.
local TELLING = { "gets_past", "not_asked", "refused", "asked_again", "not_resumed", "no_session" }

local function most_telling(by_version)
  for _, outcome in ipairs(TELLING) do
    for _, version in ipairs { "TLS1.3", "TLS1.2" } do
      if by_version[version] == outcome then
        return { version = version, outcome = outcome, by_version = by_version }
      end
    end
  end
end

-- Ours. Where no ticket was asked for, one that is not resumed says nothing.
local function with_ours(context, ours)
  local second = ours and try(context, "resuming a session with our certificate", ours)
  if second and (second.resumed or not ours.without_tickets) then
    return { resumed = second.resumed, asked = second.asked, accepted = second.accepted,
             attempt = second.attempt, version = version_of(ours) }
  end
end

--- Tries them.
---@param context table see attempt.run()
---@param anonymous table<string, moonshake.attempt> without a certificate, by version
---@param ours moonshake.attempt|nil with our certificate, which was accepted
---@return { versions: table<string, boolean>, anonymous: table|nil, ours: table|nil } versions:
---  whether a session of that version was resumed; anonymous: { outcome =, version =,
---  by_version = } where a certificate is asked for: the outcome that says most, and all of them;
---  ours: { resumed =, asked =, accepted = }
function resumption.try(context, anonymous, ours)
  local found, by_version = { versions = {} }, {}
  for _, version in ipairs { "TLS1.3", "TLS1.2" } do
    local told = anonymous[version]
    local first = told and attempt.run(context, {
      label = "a session of " .. version, client = { versions = version }, talk = "tickets",
    })
    local second = first and try(context, "resuming a session of " .. version, first)
    if second then
      found.versions[version] = second.resumed
    end
    if told and asked.of(told) then
      by_version[version] = second and past_request(told, second) or "no_session"
    end
  end
  found.anonymous = most_telling(by_version)
  found.ours = with_ours(context, ours)
  if found.ours then
    local version = found.ours.version
    found.versions[version] = found.versions[version] or found.ours.resumed
  end
  return found
end

return resumption
