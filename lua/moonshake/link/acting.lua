-- SPDX-License-Identifier: MIT
-- Acting on a link: the pump, and the script's functions that it asks.
local arguments = require "moonshake.arguments"
local flight = require "moonshake.flight"
local key_log = require "moonshake.key_log"
local native = require "moonshake.native"
local strict = require "moonshake.strict"
local transit = require "moonshake.link.transit"

local acting = {}

local natives = native.link_methods
local OTHER = { client = "server", server = "client" }

local QUESTION
do
  local fields = native.fields "verification"
  fields[#fields + 1] = { name = "peer_certificates", about = "the chain as the peer sent it" }
  fields[#fields + 1] = { name = "server_name", about = "the name that was asked for, or nil" }
  QUESTION = strict.schema("verification", fields)
end

--- Raises where `api` cannot act on a link now.
---@param state table its inside
---@param api string
function acting.check(state, api)
  if state.acting then
    strict.raise(("link: busy: %s cannot run inside a function that %s called"):format(
      api, state.acting))
  elseif state.broken then
    strict.raise(("%s: the link is unusable since a function raised an error in %s"):format(
      api, state.broken))
  end
end

-- After a policy raised: refuses whatever is asked until both ends are quiet, so that the sessions
-- end and the log is whole.
local function abandon(state)
  repeat
    local what, role = natives.pump(state.native)
    if what == "asks" then
      natives.answer(state.native, role, false)
    elseif what == "flight" then
      natives.take(state.native, role)
    end
  until what ~= "asks" and what ~= "raised" and what ~= "flight"
end

-- To be closed behind the call of a script's function. Where that raises, the link ends first, and
-- the error goes on as it is (no pcall around the function: its traceback stays whole). `refuse`,
-- if given, is done before.
local function guard(state, refuse)
  return setmetatable({ answered = false }, {
    __close = function(self)
      if not self.answered then
        state.broken = state.acting
        if refuse then
          refuse()
        end
        pcall(abandon, state)
      end
    end,
  })
end

-- Has the script's function judge a verification.
local function ask(state, role)
  local verification = strict.check(state.acting, natives.question(state.native, role))
  verification.accepted = nil -- that is the question
  local question = strict.record(QUESTION, verification)
  local asked <close> = guard(state, function() natives.answer(state.native, role, false) end)
  local accept = state.policies[role](question)
  if type(accept) ~= "boolean" then
    strict.raise(("%s: %s: verify: the function must return true or false, got %s"):format(
      state.acting, role, arguments.describe(accept)))
  end
  asked.answered = true
  natives.answer(state.native, role, accept)
end

-- Has the script's function say what is to arrive of a flight.
local function carry(state, role)
  local asked <close> = guard(state)
  local taken = transit.take(state, role)
  local pieces = flight.pieces(state.acting .. ": tamper", taken, state.tamper(taken), false)
  asked.answered = true
  for _, piece in ipairs(pieces) do
    strict.check(state.acting, natives.feed(state.native, OTHER[role], piece))
  end
end

-- Works until nothing is left to do.
local function pump(state)
  while true do
    local what, detail = natives.pump(state.native)
    if what == "quiet" then
      return natives.content(state.native)
    elseif what == "asks" then
      ask(state, detail)
    elseif what == "flight" then
      carry(state, detail)
    elseif what == "raised" then -- a choosing function did, below a GnuTLS frame
      state.broken = state.acting
      pcall(abandon, state)
      error(detail, 0)
    else
      strict.raise(("%s: %s"):format(state.acting, tostring(detail)))
    end
  end
end

-- Adds new secrets to the key log, if there is to be one. Returns nil and why where it cannot.
local function log_secrets(state)
  local secrets = key_log.wanted and natives.secrets(state.native) or {}
  local logged = state.logged or 0
  if #secrets == logged then
    return true
  end
  state.logged = #secrets
  return key_log.add(secrets, logged + 1)
end

--- Carries out what has begun, as far as it goes: until the ends that are here are quiet.
---@param state table
---@param api string
---@return boolean content
function acting.carry_out(state, api)
  state.events = nil
  state.acting = api
  local _ <close> = setmetatable({}, {
    __close = function(_, failed)
      state.acting = nil
      local done, problem = log_secrets(state)
      if not done and not failed then
        strict.raise(("%s: %s"):format(api, problem))
      end
    end,
  })
  return pump(state)
end

--- Begins an action and carries it out.
---@param state table
---@param api string
---@param action string a word of natives.begin
---@param args table
---@return boolean content
function acting.act(state, api, action, args)
  strict.check(api, natives.begin(state.native, action, args))
  return acting.carry_out(state, api)
end

return acting
