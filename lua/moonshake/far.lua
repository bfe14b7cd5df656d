-- SPDX-License-Identifier: MIT
-- What the wire shows of an end that is somewhere else: its fields, put together from those of the
-- end that is here. What only that end's own stack could tell is tls.unknown. The stream keeps its
-- order: once a handshake is complete here, what had not come by then was not sent.
local marks = require "moonshake.marks"

local far = {}

local UNKNOWN = marks.unknown

-- Whether the end here completed its handshake with a message that the far end sends only once it
-- has completed, too: the last Finished (RFC 5246 section 7.3, RFC 8446 section 2).
local function has_completed(near, role)
  if not near.handshake_completed then
    return false
  elseif near.version == "TLS1.3" then
    return role == "client"
  end
  return (role == "server") ~= near.resumed
end

-- Whether the far end is known to have sent, or to have received, what the end here says of a
-- CertificateRequest of this epoch.
local function knows_request(near, role)
  if near.handshake_completed then
    return true
  elseif role == "server" then
    return near.certificate_requested
  end
  return not near.certificate_requested or near.wire.received_certificates ~= nil
end

local function wire_of(near, role)
  local sent, received = near.wire.received_certificates, UNKNOWN
  if sent == nil and not near.handshake_completed then
    sent = UNKNOWN
  end
  if has_completed(near, role) then
    received = near.wire.sent_certificates
  end
  return { sent_certificates = sent, received_certificates = received }
end

-- What both ends have in common once it is agreed on.
local SHARED = {
  "epoch", "version", "cipher_suite", "group", "server_name", "alpn", "resumed", "renegotiations",
  "secure_renegotiation", "extended_master_secret", "session_id", "tls_unique",
}

-- What only the far end's own stack could tell.
local OWN = {
  "stack", "phase", "failed_during", "told_by", "error", "alert_received", "local_certificates",
  "local_certificate", "peer_certificates", "peer_certificate", "verification",
}

local REQUEST = { "certificate_requested", "requested_issuers", "requested_signature_schemes" }

--- The fields of the far end.
---@param near table<string, any> those of the end that is here, as native.link_methods.snapshot()
--- gives them
---@param role "client"|"server" of the far end
---@return table<string, any>
function far.of(near, role)
  local made = { role = role }
  for _, name in ipairs(SHARED) do
    made[name] = near[name]
  end
  for _, name in ipairs(OWN) do
    made[name] = UNKNOWN
  end
  made.handshake_completed = has_completed(near, role) or UNKNOWN
  made.alert_sent = near.alert_received
  if near.alert_received == nil and near.phase ~= "closed" then
    made.alert_sent = UNKNOWN
  end
  made.signature_scheme = near.peer_signature_scheme
  made.peer_signature_scheme = near.signature_scheme
  local known = knows_request(near, role)
  for _, name in ipairs(REQUEST) do
    if known then
      made[name] = near[name]
    else
      made[name] = UNKNOWN
    end
  end
  made.wire = wire_of(near, role)
  if role == "client" then
    made.not_sent_because, made.tickets_received = UNKNOWN, UNKNOWN
  else
    made.site = UNKNOWN
  end
  return made
end

return far
