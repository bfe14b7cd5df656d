-- SPDX-License-Identifier: MIT
-- How each end learned that something went wrong: by itself or by an alert, in the handshake or
-- after it had believed in success; or what it still waits for.
local phrase = require "moonshake.views.phrase"

local learned = {}

-- What an end waits for that has sent and received nothing more, by what it last saw.
-- role -> { message received last, what comes next }
local NEXT = {
  client = {
    ["TLS1.3"] = {
      { "Finished", "application data" }, { "CertificateVerify", "Finished" },
      { "Certificate", "CertificateVerify" }, { "EncryptedExtensions", "Certificate" },
      { "ServerHello", "EncryptedExtensions" },
    },
    older = {
      { "NewSessionTicket", "Finished" }, { "ServerHelloDone", "Finished" },
      { "ServerKeyExchange", "ServerHelloDone" }, { "Certificate", "ServerHelloDone" },
      { "ServerHello", "Certificate" },
    },
    nothing = "ServerHello",
  },
  server = {
    ["TLS1.3"] = {
      { "CertificateVerify", "Finished" }, { "Certificate", "Finished" },
      { "ClientHello", "Finished" },
    },
    older = {
      { "CertificateVerify", "Finished" }, { "ClientKeyExchange", "Finished" },
      { "Certificate", "ClientKeyExchange" }, { "ClientHello", "ClientKeyExchange" },
    },
    nothing = "ClientHello",
  },
}

--- The message that an end waits for, by what it received last.
---@param story table
---@param role "client"|"server"
---@return string
function learned.awaited(story, role)
  local table_of_role = NEXT[role]
  local asked = role == "server" and story.server.certificate_requested
  for _, row in ipairs(table_of_role[story:is_1_3() and "TLS1.3" or "older"]) do
    if story:received(role, row[1]) then
      return row[1] == "ClientHello" and asked and "Certificate" or row[2]
    end
  end
  return table_of_role.nothing
end

-- "its handshake", "a read", ...
local DURING = { handshake = "in its handshake", read = "while reading", write = "while writing",
                 close = "while closing" }

local function sent_alert(one)
  local alert = one.alert_sent
  if not alert then
    return "and sent no alert"
  end
  return ("and sent the %s alert %s"):format(alert.level, phrase.alert(alert))
end

local function by_itself(one)
  local lead = one.handshake_completed and "had completed its handshake, then noticed"
    or "noticed by itself"
  return ("%s %s (%s) %s"):format(lead, DURING[one.failed_during] or "",
                                  phrase.plain(one.error.code), sent_alert(one))
end

local function by_peer(one)
  local alert = one.alert_received
  local what = alert and ("the %s alert %s"):format(alert.level, phrase.alert(alert))
    or phrase.plain(one.error.code)
  if one.handshake_completed and one.failed_during ~= "handshake" then
    local verb = one.failed_during == "read" and "read" or "learned " .. DURING[one.failed_during]
    return ("had completed its handshake, then %s %s"):format(verb, what)
  end
  return ("was told %s by %s"):format(DURING[one.failed_during] or "", what)
end

-- What an end without an error has to say.
local function of_content(story, one)
  local alert = one.alert_sent
  if one.phase == "stalled" then
    return "waits for " .. learned.awaited(story, one.role)
  elseif alert and alert.name ~= "close_notify" then
    return ("sent the %s alert %s and has no error"):format(alert.level, phrase.alert(alert))
  elseif one.phase == "idle" then
    return "has not begun"
  elseif one.handshake_completed then
    return "completed its handshake and has no error"
  end
  return ("has no error (%s)"):format(one.phase)
end

-- What the wire shows of an end that is somewhere else, when `one` is here.
local function of_far(far, one)
  local alert, problem = far.alert_sent, one.error and one.error.problem
  if alert and alert.name ~= "close_notify" then
    return ("it sent the %s alert %s"):format(alert.level, phrase.alert(alert))
  elseif problem == "closed_early" and one.told_by == "peer" then
    return "it ended the stream without close_notify"
  elseif problem == "connection_refused" or problem == "name_not_found" then
    return "nobody was reached there"
  elseif problem == "connection_reset" then
    return "the connection was reset, by it or on the way"
  elseif one.alert_sent and one.alert_sent.level == "fatal" then
    return "whether it got the alert is not known"
  elseif alert then
    return "it sent close_notify"
  elseif far.handshake_completed then
    return "its last Finished came, so its handshake was complete"
  end
  return "what it made of this is not known"
end

--- How an end learned of it, as the rest of a sentence that begins with its role.
---@param story table see story.lua
---@param role "client"|"server"
---@return string
function learned.by(story, role)
  local one = story[role]
  if story:is_far(role) then
    return ("is not ours (%s): %s"):format(phrase.plain(story.far.address),
                                           of_far(one, story[story:other(role)]))
  elseif not one.error then
    return of_content(story, one)
  end
  return one.told_by == "peer" and by_peer(one) or by_itself(one)
end

return learned
