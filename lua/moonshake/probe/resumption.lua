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
local function try(context, label, from, client)
  local made = attempt.run(context, { label = label, resumes = from, client = client or {},
                                      talk = "ask" })
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

--- Tries them.
---@param context table see attempt.run()
---@param anonymous table<string, moonshake.attempt> without a certificate, by version
---@param ours moonshake.attempt|nil with our certificate, which was accepted
---@return { versions: table<string, boolean>, anonymous: table|nil, ours: table|nil } versions:
---  whether a session of that version was resumed; anonymous: { outcome =, version = } where a
---  certificate is asked for; ours: { resumed =, asked =, accepted = }
function resumption.try(context, anonymous, ours)
  local found = { versions = {} }
  for _, version in ipairs { "TLS1.3", "TLS1.2" } do
    local told = anonymous[version]
    local first = told and attempt.run(context, {
      label = "a session of " .. version, client = { versions = version }, talk = "tickets",
    })
    local second = first and try(context, "resuming a session of " .. version, first)
    if second then
      found.versions[version] = second.resumed
    end
    if told and asked.of(told) and not found.anonymous then
      found.anonymous = { version = version, attempt = second and second.attempt,
                          outcome = second and past_request(told, second) or "no_session" }
    end
  end
  local second = ours and try(context, "resuming a session with our certificate", ours)
  if second then
    local version = version_of(ours)
    found.ours = { resumed = second.resumed, asked = second.asked, accepted = second.accepted,
                   attempt = second.attempt, version = version }
    found.versions[version] = found.versions[version] or second.resumed
  end
  return found
end

return resumption
