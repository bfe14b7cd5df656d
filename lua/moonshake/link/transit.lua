-- SPDX-License-Identifier: MIT
-- What is in transit between the ends of a link, as its log tells it: the records of a flight, and
-- which messages are in them, also where they are encrypted.
local flight = require "moonshake.flight"
local native = require "moonshake.native"
local strict = require "moonshake.strict"

local transit = {}

local natives = native.link_methods

local FRAGMENT = 16384 -- the most that a record carries (RFC 8446 section 5.1)

-- Of a link: the next event to be read, and of each end what it made that no record has carried,
-- and the records that nobody has taken.
local function new()
  return {
    next_event = 1, dissector = native.dissector(),
    client = { made = {}, records = {} }, server = { made = {}, records = {} },
  }
end

-- Messages and data are logged before the records that carry them, an alert after its own.
local READ = {}

function READ.message(side, event)
  table.insert(side.made, { name = event.type, length = event.length + 4 })
end

function READ.data(side, event)
  table.insert(side.made, { length = event.length })
end

function READ.alert(side, event)
  local record = side.records[#side.records]
  if record then
    record.alert = { level = event.level, name = event.name, number = event.number }
  end
end

function READ.record(side, event, dissector)
  local found = strict.check("link:tamper", dissector:feed(event.role, event.bytes))
  table.move(found, 1, #found, #side.records + 1, side.records)
end

local function read_log(self, state)
  local events = strict.check("link:tamper", natives.events(state.native, self.next_event))
  for _, event in ipairs(events) do
    if event.direction == "sent" and READ[event.kind] then
      READ[event.kind](self[event.role], event, self.dissector)
    end
  end
  self.next_event = self.next_event + #events
end

-- Says which messages are in encrypted records. Each begins a record of its own.
local function name_messages(side)
  local carriers = {}
  for _, record in ipairs(side.records) do
    if record.encrypted and not record.alert and record.type ~= "change_cipher_spec" then
      carriers[#carriers + 1] = record
    end
    for _ = 1, #record.messages do
      table.remove(side.made, 1) -- one in clear, which the dissector has named
    end
  end
  local one_each = #carriers == #side.made
  local number = 0
  while #side.made > 0 and number < #carriers do
    local made = table.remove(side.made, 1)
    local records = one_each and 1 or math.max(1, (made.length + FRAGMENT - 1) // FRAGMENT)
    number = math.min(number + records, #carriers)
    table.insert(carriers[number].messages, made.name)
  end
end

--- The flight that an end wrote, taken from it.
---@param state table a link's inside
---@param role "client"|"server"
---@return table flight
function transit.take(state, role)
  local bytes = strict.check("link:tamper", natives.take(state.native, role))
  local self = state.transit or new()
  state.transit = self
  read_log(self, state)
  local side = self[role]
  name_messages(side)
  local first, length = #side.records + 1, 0
  while first > 1 and length < #bytes do -- earlier ones went while nobody tampered
    first = first - 1
    length = length + side.records[first].length
  end
  local records = table.move(side.records, first, #side.records, 1, {})
  side.records = {}
  return flight.new(role, records, self)
end

return transit
