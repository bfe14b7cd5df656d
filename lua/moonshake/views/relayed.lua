-- SPDX-License-Identifier: MIT
-- What a relay knows of a connection as the steps of a sequence diagram (see steps.lua): a step for
-- each message in clear and for each record that is encrypted, in the order in which they came by.
local facts = require "moonshake.views.facts"

local PROTECTED = { [false] = "none", [true] = "application" }
local FATE = { as_sent = "arrived", changed = "changed", dropped = "lost" }
local ENDS = { closed = "closes the connection", reset = "resets the connection" }

local function step_of(flight, kind, name)
  return { kind = kind, name = name, from = flight.from, level = PROTECTED[flight.encrypted],
           fate = FATE[flight.arrived], facts = {}, lines = {} }
end

local EMPTY = "\0\0\0" -- the body of a Certificate without one
local KEPT = { ClientHello = "hello", ServerHello = "hello", HelloRetryRequest = "hello",
               Certificate = "certificates", CertificateRequest = "issuers" }

local function nobody() end -- of whom there would be a snapshot

-- A message in clear, with what it says where that is kept.
local function message(flight, name, offer)
  local step = step_of(flight, "message", name)
  if not KEPT[name] or not flight[KEPT[name]] then
    return step
  elseif name == "CertificateRequest" then
    step.facts = facts.of_request { issuers = flight.issuers }
  else
    step.facts, step.lines = facts.of_message({
      type = name, role = flight.from, bytes = EMPTY, hello = flight.hello,
      certificates = flight.certificates,
    }, { offer = offer, snapshot = nobody })
  end
  return step
end

-- The steps that a record is. `offer`: what the last ClientHello said.
local function steps_of(flight, offer)
  local list = {}
  for index = 1, #flight.messages do
    list[index] = message(flight, flight.messages[index], offer)
  end
  if #list > 0 then
    return list
  elseif flight.alert then
    local name = ("%s (%d)"):format(flight.alert.name, flight.alert.number)
    list[1] = step_of(flight, "alert", name)
    list[1].fatal = flight.alert.level == "fatal"
  elseif flight.type == "change_cipher_spec" and not flight.encrypted then
    list[1] = step_of(flight, "change_cipher_spec", "ChangeCipherSpec")
  else
    list[1] = step_of(flight, "data", flight.type or "no TLS")
    list[1].bytes = flight.length
  end
  return list
end

local function is_same(a, b)
  return a and a.bytes and b.bytes and a.name == b.name and a.from == b.from and a.fate == b.fate
    and a.level == b.level
end

-- Adds a step; records of which nothing more is known, and that follow each other, are one.
local function add(list, step)
  local last = list[#list]
  if is_same(last, step) then
    last.count, last.bytes = (last.count or 1) + 1, last.bytes + step.bytes
  else
    list[#list + 1] = step
  end
end

-- The last word about an end.
local function ending_of(state, role)
  return state.ended[role] or role == "server" and state.problem and "not reached"
    or state.ended.relay and "was " .. state.ended.relay or state.over and "was reset" or "open"
end

--- The steps.
---@param state table what a relay knows of a connection, see relay/record.lua
---@param more string what it says of records that are not kept
---@return table model
return function(state, more)
  local list, offer = {}, nil
  list[1] = state.problem
    and { kind = "note", text = "no connection to the server: " .. state.problem }
  for _, item in ipairs(state.course) do
    if item.flight then
      for _, step in ipairs(steps_of(item.flight, offer)) do
        add(list, step)
      end
      offer = item.flight.from == "client" and item.flight.hello or offer
    elseif item.more then
      list[#list + 1] = { kind = "note", text = more }
    elseif item.who == "relay" then
      list[#list + 1] = { kind = "note", text = "the relay " .. ENDS[item.how] }
    else
      list[#list + 1] = { kind = "mark", at = item.who, what = item.how, text = ENDS[item.how],
                          bad = item.how == "reset" }
    end
  end
  for _, step in ipairs(list) do
    step.facts = step.bytes and { ("%d bytes"):format(step.bytes) } or step.facts
    step.bytes = nil
  end
  return { steps = list, left_out = 0,
           ends = { client = ending_of(state, "client"), server = ending_of(state, "server") } }
end
