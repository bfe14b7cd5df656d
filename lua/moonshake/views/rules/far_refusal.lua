-- SPDX-License-Identifier: MIT
-- An end that is somewhere else refused, and said so by an alert. Why, only its own log can tell;
-- what the alert means, what it was about, and what is wrong with what was sent is known here.
local absence = require "moonshake.views.absence"
local lexicon = require "moonshake.views.lexicon"
local phrase = require "moonshake.views.phrase"
local suspects = require "moonshake.views.suspects"

-- Alerts that are about a certificate, whoever sends them.
local OF_CERTIFICATE = {
  no_certificate = true, bad_certificate = true, unsupported_certificate = true,
  certificate_revoked = true, certificate_expired = true, certificate_unknown = true,
  unknown_ca = true, access_denied = true, certificate_required = true,
}

-- What is sent where a certificate was required and did not come (RFC 5246 section 7.4.6, RFC 8446
-- section 4.4.2.4; GnuTLS, Go and others choose otherwise).
local OF_ABSENCE = { handshake_failure = true, decode_error = true, internal_error = true }

local function sent(story, role, kind, before)
  local message = story:last_of({ role = role, kind = "message", direction = "sent", type = kind },
                                before)
  return message and message.delivered ~= false and message or nil
end

local function lower(sentence)
  local first = sentence:match "^%u[%l ]" -- no abbreviation
  return (first and sentence:sub(1, 1):lower() .. sentence:sub(2) or sentence):gsub("%.$", "")
end

-- What the lexicon has on an alert, nil for one that is not in IANA's registry.
local function word_of(alert)
  for _, entry in ipairs(lexicon.find(alert.name)) do
    if entry.kind.name == "alert" then
      return entry.word
    end
  end
end

---------------------------------------------------------------------------------------------------
-- Which message

local SIGNED = { "CertificateVerify", "ServerKeyExchange", "Finished" }

-- The message of this end that the alert is about, and whether that is certain: else it is the last
-- one before the alert.
local function refused(story, role, alert, before)
  local certificate = sent(story, role, "Certificate", before)
  if certificate and (OF_CERTIFICATE[alert.name]
                      or #certificate.certificates == 0 and OF_ABSENCE[alert.name]) then
    return certificate, true
  end
  for _, kind in ipairs(alert.name == "decrypt_error" and SIGNED or {}) do
    local message = sent(story, role, kind, before)
    if message then
      return message, true
    end
  end
  local last = sent(story, role, nil, before)
  return last, last and last.hello ~= nil
end

---------------------------------------------------------------------------------------------------
-- What was in it

local function add_list(why, what, list, show)
  if list and #list > 0 then
    why[#why + 1] = what .. " " .. phrase.list(list, show)
  end
end

-- What a ClientHello offers that this alert can be about.
local function add_offer(why, alert, hello)
  if alert == "unrecognized_name" then
    why[#why + 1] = hello.server_name and "the name that it asks for is "
      .. phrase.quoted(hello.server_name) or "it asks for no name (server_name)"
  elseif alert == "no_application_protocol" then
    add_list(why, "it offers the protocols", hello.alpn, phrase.quoted)
  else
    add_list(why, "it offers the versions", hello.versions)
    if alert ~= "protocol_version" then
      add_list(why, "the cipher suites", hello.cipher_suites)
      add_list(why, "the groups", hello.groups)
      add_list(why, "the signature schemes", hello.signature_schemes)
    end
  end
end

-- Adds what is known of the message; returns what to do about it, if that can be said.
local function add_content(story, why, alert, message)
  if message.type == "Certificate" and #message.certificates == 0 then
    local reasons, next_step = absence.reasons(story)
    table.move(reasons, 1, #reasons, #why + 1, why)
    return next_step
  elseif message.type == "Certificate" then
    return suspects.add(story, why, message, alert.name)
  elseif message.hello and message.type == "ClientHello" then
    add_offer(why, alert.name, message.hello)
  end
end

local function is_empty(message)
  return message and message.type == "Certificate" and #message.certificates == 0
end

local function sentence(story, role, alert, message, is_certain)
  local name = not message and "connection" or is_empty(message) and "empty Certificate"
    or message.type
  return ("%s %s the %s's %s: %s alert %s"):format(
    story:named(story.far.role), is_certain and "refuses" or "gives up after", role, name,
    alert.level, phrase.alert(alert))
end

return {
  {
    name = "refused_by_peer",
    rfc = { older = "RFC 5246 section 7.2.2", newer = "RFC 8446 section 6.2" },
    find = function(story)
      local fault = story.far and story:failed "peer_alert"
      local alert = fault and story[fault.role].alert_received
      if not alert then
        return nil
      end
      local role, far = fault.role, story.far.role
      local word, why = word_of(alert), {}
      local message, is_certain = refused(story, role, alert, fault.index)
      why[1] = word and ("%s means: %s"):format(alert.name, lower(word.means))
      if is_empty(message) and OF_ABSENCE[alert.name] then
        why[#why + 1] = "up to TLS 1.2 no alert says that a certificate was required: servers send "
          .. "handshake_failure, GnuTLS decode_error"
      end
      local next_step = message and add_content(story, why, alert, message)
      if word and not next_step and #word.causes > 0 then
        why[#why + 1] = "usual causes: " .. table.concat(word.causes, "; ")
      end
      return {
        side = far, message = message and message.type or "ClientHello", why = why,
        what = sentence(story, role, alert, message, is_certain),
        certificate = message and message.certificates and message.certificates[1] or nil,
        next = next_step or ("read the log of the %s: only it knows which of these it was"):format(
          far),
      }
    end,
  },
}
