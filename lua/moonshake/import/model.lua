-- SPDX-License-Identifier: MIT
-- From what two ends said in a capture to the model that reproduce/source.lua writes.
local escape = require "moonshake.escape"
local disjoint = require "moonshake.reproduce.disjoint"
local offered = require "moonshake.reproduce.offered"

local model = {}

local OTHER = { client = "server", server = "client" }

local function is_finished(epoch)
  return epoch.finished.client and epoch.finished.server or false
end

-- Whether TLS 1.3 hid what came after the ServerHello.
local function is_blind(epoch)
  return epoch.version == "TLS1.3" and epoch.answered and not epoch.read
    and epoch.kind == "initial" and #epoch.alerts == 0 and not is_finished(epoch)
end

-- Whether an end completed this handshake; nil: nobody can tell.
local function completed(epoch, role)
  local failed = epoch.alerts[1]
  if is_blind(epoch) or epoch.kind == "reauthentication" then
    return nil
  elseif epoch.version == "TLS1.3" and role == "client" then
    if epoch.finished.client then
      return true
    end
  elseif is_finished(epoch) then
    return not (failed and failed.role == role and role == "server")
  end
  if failed then
    return false
  end
end

local function outcome_of(epoch)
  local outcome = { client = {}, server = {} }
  for role, seen in pairs(outcome) do
    seen.handshake_completed = completed(epoch, role)
    local sent = epoch.sent or {}
    seen.sent, seen.received = sent[role], sent[OTHER[role]]
  end
  local client = outcome.client
  if epoch.answered or epoch.kind ~= "initial" then
    client.version, client.cipher_suite = epoch.version, epoch.cipher_suite
    client.alpn = epoch.alpn
    -- Up to TLS 1.2 an end says so once it has used it.
    if epoch.version == "TLS1.3" or client.handshake_completed then
      client.group = epoch.group
    end
  end
  client.resumed = epoch.resumed or nil
  local failed = epoch.alerts[1]
  if failed and failed.role == "client" and epoch.version ~= "TLS1.3" then
    client.certificate_requested = nil -- it may not have read as far as that
  elseif epoch.request then
    client.certificate_requested = true
    client.requested_issuers = #epoch.request.issuers > 0 and epoch.request.issuers or nil
  elseif not is_blind(epoch) and epoch.chains.server then
    client.certificate_requested = false
  end
  if failed then
    local alert = { level = failed.level, name = failed.name }
    outcome[failed.role].alert_sent, outcome[OTHER[failed.role]].alert_received = alert, alert
    outcome.failed_first = failed.role
  end
  outcome.open = is_blind(epoch) or epoch.kind ~= "reauthentication" and not failed
    and outcome.client.handshake_completed == nil
  return outcome
end

---------------------------------------------------------------------------------------------------
-- The ends

-- Whether the server requires what it asks for, and whether that was seen.
local function client_auth_of(epoch)
  if not epoch.request then
    return "none", true
  end
  local refused = epoch.alerts[1]
  local empty = epoch.sent and epoch.sent.client == 0
  if refused and refused.name == "certificate_required" then
    return "require", true
  elseif empty and refused and refused.role == "server" then
    return "require", true
  elseif empty and is_finished(epoch) then
    return "request", true
  elseif epoch.sent and epoch.sent.client then
    return "require", false
  end
  return "request", false
end

local function trust_of(epoch, role)
  local failed = epoch.alerts[1]
  if failed and failed.role == role and failed.name == "unknown_ca" then
    return "other"
  end
end

---------------------------------------------------------------------------------------------------
-- What is said at the head of the file

local HOW = "With a key log it can: have one of the two programs write it (SSLKEYLOGFILE=keys.log "
  .. "in the environment of curl, Firefox, Chromium, gnutls-cli and of whatever Moonshake runs; "
  .. "openssl s_client -keylogfile keys.log), capture again, and give --keylog keys.log."

local NOT_IN_IT = "The key log that was given has none of them: it has to be written by one of "
  .. "these two programs while the capture is made."

--- What is to be said of a capture that was made with a snapshot length.
model.SHORT = "Packets were cut short when they were captured, and what is missing in them was not "
  .. "seen: capture whole ones (tcpdump -s 0)."

local function unseen(told, epoch, key_log)
  local list, how = {}, key_log and NOT_IN_IT or HOW
  if is_blind(epoch) then
    list[1] = "The secrets of this connection are not there, so nothing after the ServerHello "
      .. "could be read: no certificate, no request for one, no refusal. " .. how
  elseif epoch.unread_alert and not is_finished(epoch) then
    list[1] = ("The secrets of this connection are not there: the %s sent an alert that could not "
      .. "be read. %s"):format(epoch.unread_alert, how)
  elseif epoch.unread.client or epoch.unread.server then
    list[1] = "The secrets of this connection are not there: what came after this handshake could "
      .. "not be read. " .. how
  end
  if #told.list[1].alerts == 0 and completed(told.list[1], "client") == nil
    and not is_blind(epoch) then
    list[#list + 1] = "The capture ends before the handshake does, and without an alert."
  end
  if told.short then
    table.insert(list, 1, model.SHORT)
  end
  if told.unreadable then
    list[#list + 1] = ("Left out, because it cannot be read: %s."):format(told.unreadable)
  end
  if told.malformed then
    list[#list + 1] = ("A handshake message of type %d is malformed."):format(told.malformed)
  end
  return list
end

-- "the server refuses with certificate_required"
local function what_happens(told)
  local last = told.list[#told.list]
  local failed = last.alerts[1]
  if failed then
    return ("the %s refuses with %s"):format(failed.role, failed.name)
  elseif told.list[1].resumed then
    return "a session is resumed"
  elseif is_blind(told.list[1]) then
    return "as far as it can be read"
  elseif last.kind ~= "initial" then
    return last.kind == "renegotiation" and "a renegotiation" or "a client is asked afterwards"
  elseif last.sent and (last.sent.client or 0) > 0 then
    return "both ends show a certificate"
  elseif last.request and last.sent and last.sent.client == 0 then
    return "a client is asked for a certificate and has none"
  end
  return is_finished(last) and "a handshake succeeds" or "a handshake is not finished"
end

local function title_of(told, stream)
  local version = told.list[1].answered and told.list[1].version or "TLS"
  local name = told.list[1].hello.server_name
  return ("%s with %s: %s"):format(version, escape.short(name and name ~= "" and name
                                                           or stream.server),
                                   what_happens(told))
end

local function later_of(told)
  local later = {}
  for index = 2, #told.list do
    local epoch = told.list[index]
    local step = { action = epoch.kind == "renegotiation" and "renegotiate" or "reauthenticate",
                   by = epoch.by, outcome = outcome_of(epoch) }
    local auth = client_auth_of(epoch)
    step.client_auth = epoch.kind == "reauthentication" and "request" or auth
    later[#later + 1] = step
  end
  return later
end

-- A chain or a request that only a later handshake showed.
local function add_later(made, told)
  for index = 2, #told.list do
    local epoch = told.list[index]
    local chain = epoch.chains.client
    if chain and #chain > 0 and not (made.client.chain and #made.client.chain > 0) then
      made.client.chain = chain
    end
    if epoch.request and not made.server.issuers then
      made.server.issuers = epoch.request.issuers
    end
  end
end

-- A session that was resumed came from a handshake that is not here: one like it comes first.
local function begin_earlier(made, first)
  made.origin[#made.origin + 1] = "The session was resumed, and the handshake that it comes from "
    .. "is not part of this connection: the first one here is made up."
  made.later = { { action = "resume", outcome = made.outcome } }
  made.outcome = { client = { version = first.version } }
  made.chosen = { version = first.version, cipher_suite = first.cipher_suite }
end

--- Makes a model.
---@param told table of history.read(); its list is not empty
---@param stream table of tshark.lua
---@param origin string the sentence that says where it comes from
---@param key_log boolean whether there was one
---@return table model see reproduce/source.lua
---@return string[] unseen what could not be seen, and what to do
function model.make(told, stream, origin, key_log)
  local first = told.list[1]
  local auth, sure = client_auth_of(first)
  local hidden = unseen(told, told.list[#told.list], key_log)
  local made = {
    title = title_of(told, stream), at = stream.at,
    origin = { origin, table.unpack(hidden) },
    chosen = { version = first.version, cipher_suite = first.cipher_suite, group = first.group },
    client = offered(first.hello, first.version),
    server = {
      chain = first.chains.server, client_auth = auth,
      issuers = first.request and first.request.issuers,
      alpn = first.alpn and { first.alpn } or nil,
    },
    outcome = outcome_of(first), later = later_of(told),
  }
  made.client.chain = first.chains.client
  for _, role in ipairs { "client", "server" } do
    made[role].trust = trust_of(told.list[#told.list], role)
  end
  if not sure then
    made.origin[#made.origin + 1] = "Whether the server requires a certificate or only asks for "
      .. ("one was not seen: here it %s one."):format(auth == "require" and "requires"
                                                      or "only asks for")
  end
  add_later(made, told)
  disjoint.guess(made, first.answered)
  if first.resumed then
    begin_earlier(made, first)
  end
  return made, hidden
end

return model
