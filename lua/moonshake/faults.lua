-- SPDX-License-Identifier: MIT
-- tls.faults: ready tamper functions, for links and for relays. Each does one thing to the records
-- that carry a named message, and remembers for each connection how far it has come.
local aim = require "moonshake.aim"
local arguments = require "moonshake.arguments"
local flight = require "moonshake.flight"
local options = require "moonshake.options"
local strict = require "moonshake.strict"

local faults = {}

-- What crosses a fault is a list of items: { bytes =, record =, hidden = } (no record: what another
-- fault has made of one; hidden: what may be in it, see aim.lua) and actions of relays. A transform
-- makes another list of it.
--   transform(state, from, items) -> items
-- Of each fault's function: its transform, what it is about, or what its parts are (a list, see
-- aim.lua), and whether only a relay can do it.
local made = setmetatable({}, { __mode = "k" })

local function new_state(seed)
  return { silent = {}, held = {}, finished = {}, seed = seed }
end

local function items_of(state, seen)
  local items = {}
  if #seen.records == 0 then
    return { { bytes = seen.bytes } } -- no TLS
  end
  for index = 1, #seen.records do
    local record = seen.records[index]
    items[index] = {
      bytes = record.bytes, record = record,
      -- Of a link it is known which messages are in its records.
      hidden = seen.connection and aim.hidden(state.finished, seen.from, record) or nil,
    }
  end
  return items
end

-- What a tamper function returns for these items.
local function answer_of(items, before)
  local same, pieces = #items == #before, {}
  for index, item in ipairs(items) do
    same = same and rawequal(item, before[index])
    pieces[index] = flight.is_action(item) and item or item.bytes
  end
  if same then
    return nil
  end
  return #pieces > 0 and pieces or false
end

-- The tamper function of a transform.
local function new(transform, aims, relay_only)
  local states = setmetatable({}, { __mode = "k" }) -- by what a flight belongs to
  local function fault(seen)
    local carrier = flight.carrier(seen)
    states[carrier] = states[carrier] or new_state(carrier.seed)
    local items = items_of(states[carrier], seen)
    return answer_of(transform(states[carrier], seen.from, items), items)
  end
  made[fault] = { transform = transform, aims = aims, relay_only = relay_only or false }
  return fault
end

---------------------------------------------------------------------------------------------------
-- Where

-- A transform that has act(item, out, state, from) put into `out` what comes of each item that is
-- meant. Once a direction is silent nothing goes there any more.
local function at_items(about, act)
  return function(state, from, items)
    local out = {}
    for _, item in ipairs(items) do
      if state.silent[from] then -- luacheck: ignore 542
        -- it was sent, and goes nowhere
      elseif not flight.is_action(item) and aim.meets(about, state, from, item) then
        act(item, out, state, from)
      else
        out[#out + 1] = item
      end
    end
    return out
  end
end

-- A fault's options, checked, and what it is about.
local function check(name, given)
  local api = "tls.faults." .. name
  local checked = arguments.check(api, options.faults[name], given)
  return checked, aim.new(api, checked)
end

---------------------------------------------------------------------------------------------------
-- Faults

--- tls.faults.drop { at =, from =, nth = }: the record with this message does not arrive; what
--- follows it does.
---@param given table
---@return function tamper
function faults.drop(given)
  local _, about = check("drop", given)
  return new(at_items(about, function() end), { about })
end

-- Marsaglia's xorshift: the same everywhere. A number below `below`.
local function draw(state, seed, below)
  local x = state.random or (seed or state.seed or 1) * 2654435761 % 0xffffffff + 1
  x = x ~ x << 13 & 0xffffffff
  x = x ~ x >> 17
  x = x ~ x << 5 & 0xffffffff
  state.random = x
  return x % below
end

local RECORD_HEADER = 5

--- tls.faults.flip { at =, from =, nth =, byte =, bit =, seed = }: one bit of the record with this
--- message is changed: of which byte (from 1, or from the end if negative; its header is five) and
--- which bit (0 to 7) is chosen by the seed where it is not said.
---@param given table
---@return function tamper
function faults.flip(given)
  local checked, about = check("flip", given)
  if checked.byte == 0 then
    strict.raise "tls.faults.flip: byte: counts from 1, or from -1 at the end; there is no byte 0"
  end
  return new(at_items(about, function(item, out, state)
    local length = #item.bytes
    local first = length > RECORD_HEADER and RECORD_HEADER or 0
    local byte = checked.byte or first + 1 + draw(state, checked.seed, length - first)
    byte = byte < 0 and length + 1 + byte or byte
    local bit = checked.bit or draw(state, checked.seed, 8)
    if byte < 1 or byte > length then
      strict.raise(("tls.faults.flip: there is no byte %d in a record of %d bytes"):format(
        checked.byte, length))
    end
    local flipped = string.char(item.bytes:byte(byte) ~ 1 << bit)
    out[#out + 1] = { bytes = item.bytes:sub(1, byte - 1) .. flipped .. item.bytes:sub(byte + 1) }
  end), { about })
end

--- tls.faults.cut { at =, after =, from =, nth = }: of the record with this message so many bytes
--- arrive (its header is five), and nothing that its sender sends later.
---@param given table
---@return function tamper
function faults.cut(given)
  local checked, about = check("cut", given)
  return new(at_items(about, function(item, out, state, from)
    state.silent[from] = true
    out[#out + 1] = checked.after > 0 and { bytes = item.bytes:sub(1, checked.after) } or nil
  end), { about })
end

--- tls.faults.split { size =, at =, from =, nth = }: what is sent arrives in pieces of this size,
--- or only the record with this message does.
---@param given table
---@return function tamper
function faults.split(given)
  local checked, about = check("split", given)
  return new(at_items(about, function(item, out)
    for first = 1, #item.bytes, checked.size do
      out[#out + 1] = { bytes = item.bytes:sub(first, first + checked.size - 1) }
    end
  end), { about })
end

--- tls.faults.reorder { at =, from =, nth = }: the record with this message arrives behind the next
--- one of its sender; where there is none, not at all.
---@param given table
---@return function tamper
function faults.reorder(given)
  local _, about = check("reorder", given)
  return new(function(state, from, items)
    local out = {}
    for _, item in ipairs(items) do
      if flight.is_action(item) then
        out[#out + 1] = item
      elseif aim.meets(about, state, from, item) then
        state.held[from] = item
      else
        out[#out + 1] = item
        out[#out + 1] = state.held[from]
        state.held[from] = nil
      end
    end
    return out
  end, { about })
end

--- tls.faults.delay { seconds =, at =, from =, nth = }: every record arrives so much later, or only
--- the one with this message, and what its sender sends behind it. For relays.
---@param given table
---@return function tamper
function faults.delay(given)
  local checked, about = check("delay", given)
  return new(at_items(about, function(item, out)
    out[#out + 1] = flight.action("delay", checked.seconds)
    out[#out + 1] = item
  end), { about }, true)
end

--- tls.faults.stop { at =, from =, nth = }: the record with this message does not arrive, nor
--- anything that its sender sends later; the connection stays open.
---@param given table
---@return function tamper
function faults.stop(given)
  local _, about = check("stop", given)
  return new(at_items(about, function(_, _, state, from)
    state.silent[from] = true
  end), { about })
end

local function ending(kind, given)
  local _, about = check(kind, given)
  return new(at_items(about, function(_, out, state)
    state.silent = { client = true, server = true }
    out[#out + 1] = flight.action(kind)
  end), { about }, true)
end

--- tls.faults.close { at =, from =, nth = }: instead of the record with this message both ends see
--- the connection's end (FIN). For relays.
---@param given table
---@return function tamper
function faults.close(given)
  return ending("close", given)
end

--- tls.faults.reset { at =, from =, nth = }: instead of the record with this message both ends see
--- the connection reset (RST). For relays.
---@param given table
---@return function tamper
function faults.reset(given)
  return ending("reset", given)
end

--- tls.faults.chain { fault, fault, ... }: one after the other. What one has changed or cut has no
--- message any more by which a later one would know it.
---@param list function[]
---@return function tamper
function faults.chain(list)
  local api = "tls.faults.chain"
  if type(list) ~= "table" or not strict.is_list(list) or #list == 0 then
    strict.raise(("%s: wants a list of faults, got %s"):format(api, arguments.describe(list)))
  end
  local parts, aims, relay_only = {}, {}, false
  for index, fault in ipairs(list) do
    parts[index] = made[fault]
    if not parts[index] then
      strict.raise(("%s: item %d: wants what a function of tls.faults returned, got %s"):format(
        api, index, arguments.describe(fault)))
    end
    table.move(parts[index].aims, 1, #parts[index].aims, #aims + 1, aims)
    relay_only = relay_only or parts[index].relay_only
  end
  return new(function(state, from, items)
    state.parts = state.parts or {}
    for index, part in ipairs(parts) do
      state.parts[index] = state.parts[index] or new_state(state.seed)
      items = part.transform(state.parts[index], from, items)
    end
    return items
  end, aims, relay_only)
end

---------------------------------------------------------------------------------------------------

--- The module that scripts see.
faults.module = strict.module("tls.faults", {
  drop = faults.drop, flip = faults.flip, cut = faults.cut, split = faults.split,
  reorder = faults.reorder, delay = faults.delay, stop = faults.stop, close = faults.close,
  reset = faults.reset, chain = faults.chain,
})

--- Raises for a fault that needs a relay.
---@param api string
---@param f function a tamper function, of whoever
function faults.check_for_link(api, f)
  if made[f] and made[f].relay_only then
    strict.raise(api .. ": this fault is for relays: between the ends of a link there is no "
                 .. "connection to end, and no time")
  end
end

--- Raises for a fault about what no relay can see.
---@param api string
---@param f function a tamper function, of whoever
function faults.check_for_relay(api, f)
  for _, about in ipairs(made[f] and made[f].aims or {}) do
    aim.check_for_relay(about, api)
  end
end

--- What a fault is as a script writes it, and why it (of a chain: a part of it) has not struck.
---@param f any
---@return string|nil text nil: it is no fault
---@return string|nil missed nil: it has struck
function faults.told(f)
  local texts, missed = {}, nil
  for index, about in ipairs(made[f] and made[f].aims or {}) do
    texts[index] = aim.text(about)
    missed = missed or aim.missed(about)
  end
  return #texts > 0 and table.concat(texts, ", ") or nil, missed
end

return faults
