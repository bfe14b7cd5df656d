-- SPDX-License-Identifier: MIT
-- A link, or a connection to a far end, as the model of source.lua: what its ends report and what
-- its log says. What a far end does not tell is taken from what it was seen to do.
local certificates = require "moonshake.certificates"
local disjoint = require "moonshake.reproduce.disjoint"
local marks = require "moonshake.marks"
local offered = require "moonshake.reproduce.offered"

local of_link = {}

local OTHER = { client = "server", server = "client" }

-- What a stack cannot tell is nil here, what it knows to be none is false.
local function known(value)
  if rawequal(value, marks.unknown) then
    return nil
  end
  if value == nil then
    return false
  end
  return value
end

local function plain_list(list)
  list = known(list)
  return list and table.move(list, 1, #list, 1, {}) or nil
end

local function alert_of(alert)
  alert = known(alert)
  if alert and alert.name == "close_notify" then
    return nil -- how it ended in the end is not what is shown
  end
  return alert and { level = alert.level, name = alert.name } or alert
end

local function length_of(list)
  list = known(list)
  return list and #list or list
end

---------------------------------------------------------------------------------------------------
-- Outcomes

local function outcome_of_end(snapshot)
  local failure, verification = known(snapshot.error), known(snapshot.verification)
  local wire = known(snapshot.wire) or {}
  local seen = {
    handshake_completed = known(snapshot.handshake_completed),
    problem = failure and failure.problem or nil,
    alert_sent = alert_of(snapshot.alert_sent), alert_received = alert_of(snapshot.alert_received),
    version = known(snapshot.version) or nil, cipher_suite = known(snapshot.cipher_suite) or nil,
    group = known(snapshot.group) or nil, alpn = known(snapshot.alpn) or nil,
    problems = verification and plain_list(verification.problems) or nil,
    certificate_requested = known(snapshot.certificate_requested),
    not_sent_because = known(snapshot.not_sent_because) or nil,
    sent = length_of(wire.sent_certificates), received = length_of(wire.received_certificates),
    resumed = known(snapshot.resumed),
  }
  if failure then
    seen.told_by, seen.failed_during = known(snapshot.told_by), known(snapshot.failed_during)
  end
  -- That there was no alert is worth a word only where there was one on the other side.
  for _, name in ipairs { "alert_sent", "alert_received" } do
    seen[name] = seen[name] or nil
  end
  if seen.handshake_completed == nil and seen.version ~= "TLS1.3" then
    seen.group = nil -- whether it came to use it is not known
  end
  if not seen.certificate_requested and not seen.sent then
    seen.sent = nil
  end
  seen.resumed = seen.resumed or nil
  return seen
end

local function outcome_of(link, index, last)
  local outcome = {}
  for _, role in ipairs { "client", "server" } do
    local history = link[role].history
    outcome[role] = history[index] and outcome_of_end(history[index]) or nil
  end
  if last then
    outcome.failed_first = link.failed_first
  end
  return outcome
end

---------------------------------------------------------------------------------------------------
-- Ends

-- The first message of this type in the log.
local function message_of(link, kind)
  for _, event in ipairs(link.events) do
    if event.kind == "message" and event.type == kind then
      return event
    end
  end
end

-- How an end judged its peer's chain.
local function judge(one, snapshot, received)
  local verification = known(snapshot.verification)
  if verification == nil then -- a far end: its alert will tell
    return
  elseif not verification then
    if received and #received > 0 then
      one.verify = false
    end
    return
  end
  for _, problem in ipairs(verification.problems) do
    if problem == "signer_not_found" then
      one.trust = "other"
    end
  end
  if verification.accepted ~= verification.verified then
    one.verify = verification.accepted and "accept" or "refuse"
  end
  local path = verification.path
  if verification.verified and #path > 0 then
    return path[#path]
  end
end

-- Whether the end found that its peer left out an intermediate.
local function misses_one(link, role)
  for _, finding in ipairs(link.findings) do
    if finding.rule == "intermediate_not_sent" and finding.side == role then
      return true
    end
  end
end

local function chain_of(link, role, index)
  for _, side in ipairs { role, OTHER[role] } do
    local wire = known(link[side].history[index].wire)
    local list = wire and (side == role and wire.sent_certificates
                           or side ~= role and wire.received_certificates)
    list = list and known(list) and certificates.readable(list)
    if list and #list > 0 then
      return list
    end
  end
end

local function client_auth_of(link, client, server)
  local asked = known(client.certificate_requested) or known(server.certificate_requested)
  if not asked then
    return "none"
  end
  local failure = known(server.error)
  local alert = known(client.alert_received)
  if failure and failure.problem == "no_certificate"
    or alert and (alert.name == "certificate_required") then
    return "require"
  elseif not chain_of(link, "client", 1) and not failure and not alert then
    return "request"
  end
  return "require"
end

---------------------------------------------------------------------------------------------------
-- What came after

local function later_of(link)
  local later = {}
  local history = link.client.history
  for index = 2, #history do
    local action = history[index].epoch:match "^%a+"
    local step = { action = action == "reauthentication" and "reauthenticate" or "renegotiate",
                   outcome = outcome_of(link, index, index == #history) }
    local asked = known(history[index].certificate_requested)
    if step.action == "renegotiate" then
      step.by = "server"
      for _, event in ipairs(link.events) do
        if event.epoch == history[index].epoch and event.kind == "message" then
          step.by = event.type == "HelloRequest" and "server" or "client"
          break
        end
      end
      step.client_auth = asked and "require" or "none"
    elseif asked then
      step.client_auth = "request"
    end
    later[#later + 1] = step
  end
  return later
end

--- The model of a link that has had its handshake.
---@param link table a link or a connection
---@param how table title, origin, at: as of a model; client_auth: what is known of it;
---  client, server: fields of the ends that are put over what was found, such as the chain that a
---  client kept at home; later: what came after, on this connection or in a resumed one
---@return table model
function of_link.model(link, how)
  local client, server = link.client.history[1], link.server.history[1]
  local outcome = outcome_of(link, 1, #link.client.history == 1)
  local seen = outcome.client.version and outcome.client or outcome.server
  local hello = (message_of(link, "ClientHello") or {}).hello
  local model = {
    title = how.title, origin = how.origin, at = how.at, outcome = outcome,
    chosen = { version = seen.version, cipher_suite = seen.cipher_suite, group = seen.group },
    client = hello and offered(hello, seen.version) or {}, server = {},
    later = how.later or later_of(link),
  }
  local snapshots = { client = client, server = server }
  for role, snapshot in pairs(snapshots) do
    local one, peer = model[role], model[OTHER[role]]
    one.chain = chain_of(link, role, 1)
    local anchor = judge(one, snapshot, chain_of(link, OTHER[role], 1))
    peer.anchor = anchor
    if misses_one(link, role) then
      peer.missing, one.trust = true, nil
    end
  end
  model.server.client_auth = how.client_auth or client_auth_of(link, client, server)
  for _, snapshot in ipairs(link.client.history) do
    model.server.issuers = model.server.issuers or plain_list(snapshot.requested_issuers)
  end
  model.server.alpn = seen.alpn and { seen.alpn } or nil
  disjoint.guess(model, message_of(link, "ServerHello") ~= nil)
  for _, role in ipairs { "client", "server" } do
    for name, value in pairs(how[role] or {}) do
      model[role][name] = value
    end
  end
  return model
end

return of_link
