-- SPDX-License-Identifier: MIT
-- What there is to tell of one client: plain values, read off its connection. Whoever tells it
-- (text.lua, json.lua, page.lua) escapes it.
local certificates = require "moonshake.certificates"
local explain = require "moonshake.views.explain"
local messages = require "moonshake.views.facts"
local pki = require "moonshake.pki"

local facts = {}

-- What went wrong with the stream, or with what came over it: nobody refused anybody.
local BROKEN = {
  timeout = true, closed_early = true, connection_reset = true, protocol_violation = true,
  message_too_large = true, library_error = true,
}

local function hello_of(events)
  for _, event in ipairs(events) do
    if event.kind == "message" and event.type == "ClientHello" and event.direction == "received"
    then
      return event.hello
    end
  end
end

local function list_of(values)
  return values and table.move(values, 1, #values, 1, {})
end

--- What the client's first hello offers; nil where none came.
---@param connection table
---@return table|nil
function facts.offered(connection)
  local hello = hello_of(connection.events)
  return hello and {
    versions = list_of(hello.versions), cipher_suites = messages.suites(hello),
    groups = list_of(hello.groups), key_shares = list_of(hello.key_shares),
    signature_schemes = list_of(hello.signature_schemes), server_name = hello.server_name,
    alpn = list_of(hello.alpn), post_handshake_auth = hello.post_handshake_auth or false,
  }
end

---------------------------------------------------------------------------------------------------
-- The certificate

-- Of one that cannot be read there is nothing to tell.
local function certificate_of(one)
  return #certificates.readable { one } == 0 and {} or {
    subject = one.subject, issuer = one.issuer, fingerprint = one.fingerprint,
    not_before = one.not_before, not_after = one.not_after,
  }
end

local function when(epoch)
  return epoch:find "^re" and (epoch:find "^reneg" and "by renegotiation" or "after the handshake")
    or "in the handshake"
end

-- How the chain of a session that was resumed is judged now: nobody did, then.
local function judged_now(chain, trust)
  return pki.verify { chain = chain, trust = trust, purpose = "client" }
end

--- What became of the question for a certificate. `asked`: when, or nil; `names`: whom the request
--- names; `sent`: the chain, {} for none, nil where no message came; `resumed`: it was sent before;
--- `verified`, `problems`, `text`: how it is judged, whether or not anybody was let in for it.
---@param connection table
---@param trust table[]|nil
---@return table
function facts.certificate(connection, trust)
  local told = {}
  for _, snapshot in ipairs(connection.server.history) do
    if snapshot.certificate_requested then
      told.asked, told.names = when(snapshot.epoch), list_of(snapshot.requested_issuers)
    end
    local chain, result = snapshot.wire.received_certificates, snapshot.verification
    if snapshot.resumed and not chain and snapshot.peer_certificates then
      chain, told.resumed = snapshot.peer_certificates, true
      result = result or judged_now(chain, trust or {})
    end
    if chain then
      told.sent = {}
      for index, one in ipairs(chain) do
        told.sent[index] = certificate_of(one)
      end
      told.verified = result and result.verified
      told.problems, told.text = result and list_of(result.problems), result and result.text
    end
  end
  return told
end

--- Whether that certificate lets a client in.
---@param told table as facts.certificate() gives it
---@return boolean
function facts.is_good(told)
  return told.sent ~= nil and #told.sent > 0 and told.verified == true
end

---------------------------------------------------------------------------------------------------
-- How it went

local function error_of(server)
  return server.error and {
    problem = server.error.problem, code = server.error.code, message = server.error.message,
    told_by = server.told_by, during = server.failed_during,
  }
end

-- What it came to: "accepted", "refused" (the client, by the server), "refused_server" (by the
-- client, with an alert), or "failed": the client left, or sent what is no TLS.
local function outcome_of(client, server)
  local failure = server.error
  if client.refusal then
    return "refused"
  elseif not failure or server.handshake_completed
    and (BROKEN[failure.problem] or server.told_by == "peer") then
    return server.handshake_completed and "accepted" or "failed"
  elseif failure.problem == "peer_alert" then
    return "refused_server"
  end
  return server.told_by == "itself" and not BROKEN[failure.problem] and "refused" or "failed"
end

--- Whether a finding is for a client, too. That this server went on though a certificate is not
--- good is what it was told to; why it lets nobody in for it, it says itself.
---@param finding table
---@return boolean
function facts.is_told(finding)
  return finding.rule ~= "accepted_though_wrong"
end

local function explanation_of(connection)
  local done, lines = pcall(function()
    local list = {}
    for _, finding in ipairs(connection.findings) do
      list[#list + 1] = facts.is_told(finding) and finding or nil
    end
    return explain.short(list)
  end)
  return done and lines or {}
end

local function alert_of(alert)
  return alert and { level = alert.level, name = alert.name, number = alert.number }
end

--- Everything about a client.
---@param client table see client.lua
---@return table
function facts.of(client)
  local connection = client.connection
  local server = connection.server
  return {
    number = client.number, address = connection.remote, outcome = outcome_of(client, server),
    refusal = client.refusal,
    offered = facts.offered(connection),
    version = server.version, cipher_suite = server.cipher_suite, group = server.group,
    alpn = server.alpn, resumed = server.resumed or false,
    certificate = facts.certificate(connection, client.served.trust),
    alert_sent = alert_of(server.alert_sent), alert_received = alert_of(server.alert_received),
    error = error_of(server),
    explanation = explanation_of(connection),
    requests = client.requests, num_requests = client.num_requests,
    ended = client.ended,
  }
end

return facts
