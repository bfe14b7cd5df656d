-- SPDX-License-Identifier: MIT
-- What becomes of our certificate: whether it fits what is asked for, whether GnuTLS sends it by
-- itself, what came of it when it was sent.
local asked = require "moonshake.probe.asked"
local fit = require "moonshake.probe.fit"

local ours = {}

local function was_sent(attempt, request)
  return request ~= nil and (request.sent or 0) > 0 and attempt.problem ~= "key_usage_violation"
end

-- Why GnuTLS did not send it by itself. With a key that its usage keeps from signing it offers no
-- TLS 1.3, so that the handshake may be over before there is a request.
local function reason(request, judged)
  if request then
    return request.not_sent_because or "library_choice"
  end
  for _, rule in ipairs(judged.rules) do
    if rule.rule == "key_usage" and not rule.holds then
      return "key_usage"
    end
  end
  return "failed_before"
end

-- What was seen of GnuTLS is stronger than what its rules say. Where the handshake went wrong
-- before, others may not send it, either.
local function correct(judged, withheld)
  if withheld == "failed_before" then
    judged.sent_by = nil
  else
    judged.sent_by.gnutls = withheld == nil
  end
end

--- Tries it, a second time whatever is asked for where it stays at home.
---@param identity userdata
---@param wanted table|nil the request of an attempt without a certificate
---@param at integer
---@param try fun(label: string, client: table): moonshake.attempt
---@return { identity: userdata, attempt: moonshake.attempt, asked: boolean, sent: boolean,
---  withheld: string?, judged: table? } attempt: the one that tells most; sent: in it; withheld:
---  why GnuTLS does not send it by itself
function ours.try(identity, wanted, at, try)
  local made = try("with our certificate", { identity = identity })
  local request = asked.of(made)
  local found = { identity = identity, attempt = made, sent = was_sent(made, request),
                  asked = (request or wanted) ~= nil }
  if not found.asked then
    return found
  end
  found.judged = fit.judge(identity, request or wanted, at)
  if not found.sent then
    found.withheld = reason(request, found.judged)
    local forced = try("with our certificate, whatever is asked for",
                       { identity = identity, send_certificate = "always" })
    local sent = was_sent(forced, asked.of(forced))
    if sent or not request then
      found.attempt, found.sent = forced, sent
    end
  end
  correct(found.judged, found.withheld)
  return found
end

return ours
