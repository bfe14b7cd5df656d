-- SPDX-License-Identifier: MIT
-- What two ends said, as handshakes: the first, then each renegotiation and reauthentication.
local messages = require "moonshake.import.messages"
local numbers = require "moonshake.import.numbers"

local history = {}

local CLOSE_NOTIFY, NO_RENEGOTIATION = 0, 100

local function new_epoch(kind, before)
  return {
    kind = kind, chains = {}, finished = {}, changed = {}, alerts = {}, unread = {},
    version = before and before.version,
    -- What holds on without being said again.
    cipher_suite = before and before.cipher_suite, alpn = before and before.alpn,
    group = kind == "reauthentication" and before.group or nil,
  }
end

local function is_over(epoch)
  return epoch.finished.client and epoch.finished.server
end

local ON = {}

ON[0] = function(state) -- HelloRequest
  state.asked = true
end

ON[1] = function(state, hello) -- ClientHello
  local epoch = state.epoch
  if epoch and is_over(epoch) then
    epoch = new_epoch("renegotiation", epoch)
    epoch.by = state.asked and "server" or "client"
    state.asked = false
    state.list[#state.list + 1], state.epoch = epoch, epoch
  elseif not epoch then
    epoch = new_epoch "initial"
    state.list[1], state.epoch = epoch, epoch
  end
  epoch.hello = epoch.hello or hello -- the second one answers a HelloRetryRequest
end

ON[2] = function(state, hello) -- ServerHello
  local epoch = state.epoch
  epoch.version, epoch.cipher_suite = hello.version, hello.cipher_suite
  epoch.group = hello.group
  if hello.retry then
    epoch.retried = true
    return
  end
  epoch.answered, epoch.alpn = true, epoch.alpn or hello.alpn
  local offered = epoch.hello and epoch.hello.session_id
  if hello.version == "TLS1.3" then
    epoch.resumed = hello.pre_shared_key
  else -- until a Certificate or its key exchange comes
    epoch.may_be_resumed = offered ~= nil and offered ~= "" and offered == hello.session_id
  end
end

ON[8] = function(state, extensions) -- EncryptedExtensions
  state.epoch.alpn, state.epoch.read = extensions.alpn, true
end

ON[11] = function(state, certificate, role) -- Certificate
  local chain = {}
  for index, one in ipairs(certificate.chain) do
    if one then
      chain[#chain + 1] = one
    else
      state.unreadable = ("certificate %d of the %s"):format(index, role)
    end
  end
  state.epoch.chains[role] = chain
  state.epoch.sent = state.epoch.sent or {}
  state.epoch.sent[role] = #certificate.chain
  state.epoch.may_be_resumed = false
end

ON[25] = function(state, _, role) -- CompressedCertificate (RFC 8879)
  state.unreadable = ("the certificates of the %s, which were compressed"):format(role)
end

ON[12] = function(state, exchange) -- ServerKeyExchange
  if (state.epoch.cipher_suite or ""):find "_ECDHE_" then
    state.epoch.group = exchange.group
  end
  state.epoch.may_be_resumed = false
end

ON[13] = function(state, request) -- CertificateRequest
  local epoch = state.epoch
  if epoch.version == "TLS1.3" and is_over(epoch) then
    epoch = new_epoch("reauthentication", epoch)
    epoch.finished.server = true -- only the client answers
    state.list[#state.list + 1], state.epoch = epoch, epoch
  end
  epoch.request = request
end

ON[14] = function(state) -- ServerHelloDone
  state.epoch.may_be_resumed = false
end

ON[20] = function(state, _, role) -- Finished
  local epoch = state.epoch
  if epoch.may_be_resumed then
    epoch.resumed, epoch.may_be_resumed = true, false
  end
  epoch.finished[role] = true
  epoch.last_finished = role
end

local function on_message(state, event)
  local read = messages.read(event.type, event.body, state.epoch and state.epoch.version)
  if not read then
    state.malformed = event.type
  elseif ON[event.type] and (state.epoch or event.type == 1) then
    ON[event.type](state, read, event.role)
  end
end

local function on_alert(state, event)
  if event.number ~= CLOSE_NOTIFY and event.number ~= NO_RENEGOTIATION then
    local epoch = state.epoch
    -- In TLS 1.3 the level means nothing (RFC 8446 section 6).
    local fatal = event.level == 2 or epoch.version == "TLS1.3"
    if fatal then
      epoch.alerts[#epoch.alerts + 1] = { role = event.role, level = "fatal",
                                          name = numbers.name("alert", event.number) }
    end
  elseif event.number == CLOSE_NOTIFY then
    state.epoch.closed = true
  end
end

-- Up to TLS 1.2 what follows a ChangeCipherSpec is a Finished, also where it cannot be read.
local function on_encrypted(state, event)
  local epoch = state.epoch
  if epoch.version ~= "TLS1.3" and epoch.changed[event.role] and not epoch.finished[event.role]
  then
    ON[20](state, nil, event.role)
  else
    epoch.unread[event.role] = true
  end
end

--- Reads what two ends said.
---@param said table[] of tshark.lua
---@return table told `list`: epochs, each with kind, by, hello, version, cipher_suite, group, alpn,
---  answered (by a ServerHello), resumed, request, chains and sent (by role), finished (by role),
---  last_finished, alerts, unread (by role: something was encrypted), `read` (TLS 1.3: what follows
---  the ServerHello was); `unreadable`, `malformed`: what could not be read
function history.read(said)
  local state = { list = {} }
  for _, event in ipairs(said) do
    if event.kind == "message" then
      on_message(state, event)
    elseif not state.epoch then
      state.early = true
    elseif event.kind == "alert" then
      on_alert(state, event)
    elseif event.kind == "change" then
      state.epoch.changed[event.role] = true
    elseif event.kind == "encrypted alert" then
      state.epoch.unread_alert = state.epoch.unread_alert or event.role
    else
      on_encrypted(state, event)
    end
  end
  return state
end

return history
