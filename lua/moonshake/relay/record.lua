-- SPDX-License-Identifier: MIT
-- What a relay knows of one of its connections: what went by, within bounds, and how it ended.
local native = require "moonshake.native"
local strict = require "moonshake.strict"

local record = {}

local MOST_FLIGHTS = 1000 -- of one connection; later ones are counted
local MOST_CONNECTIONS = 1000 -- of a relay; of later ones every flight is counted alone

local fields = native.fields "dissected"
table.insert(fields, 1, { name = "from", about = "\"client\" or \"server\": who sent it" })
fields[#fields + 1] = { name = "arrived", about = "\"as_sent\", \"changed\" or \"dropped\"" }

--- What is kept of what went by: a record, or bytes that are none.
record.flight_schema = strict.schema("flight", fields)

--- The fields of a relay's connection.
record.schema = strict.schema("connection", {
  { name = "number", about = "which of the relay's connections it is, from 1" },
  { name = "remote", about = "the address of who connected: \"127.0.0.1:43210\"" },
  { name = "flights", about = "what went by, a record each" },
  { name = "unrecorded", about = "how many flights more there were" },
  { name = "ended", about = "how each side ended",
    fields = { { name = "client", about = "\"closed\", \"reset\" or nil: it did not" },
               { name = "server", about = "likewise" } } },
  { name = "over", about = "whether both sides are done" },
  { name = "problem", about = "nil, or why the relay could not connect: a word, as an end's" },
})

local STATE = {}

local Connection = { __name = "moonshake.relayed", __schema = record.schema }
local methods = {}

---------------------------------------------------------------------------------------------------
-- As text

local FATE = { changed = " (changed)", dropped = " (dropped)" }

-- What a flight is called in a text.
local function word_of(flight)
  if not flight.type then
    return ("%d bytes that are no record"):format(flight.length)
  elseif flight.alert then
    return ("alert %s %s"):format(flight.alert.level, flight.alert.name)
  elseif #flight.messages > 0 then
    return table.concat(flight.messages, "+")
  end
  return flight.encrypted and "encrypted " .. flight.type or flight.type
end

local ENDS = { closed = "closes", reset = "resets" }

local function text(state)
  local lines = { ("connection %d from %s"):format(state.number, state.remote) }
  local from, words, counts
  local function flush()
    for index, word in ipairs(words or {}) do
      words[index] = counts[index] > 1 and ("%d %s"):format(counts[index], word) or word
    end
    lines[#lines + 1] = words and ("%s  %s"):format(from, table.concat(words, ", "))
  end
  for _, flight in ipairs(state.flights) do
    local word = word_of(flight) .. (FATE[flight.arrived] or "")
    if flight.from ~= from then
      flush()
      from, words, counts = flight.from, {}, {}
    end
    if words[#words] == word and #flight.messages == 0 then
      counts[#words] = counts[#words] + 1
    else
      words[#words + 1], counts[#words + 1] = word, 1
    end
  end
  flush()
  if state.unrecorded > 0 then
    lines[#lines + 1] = ("and %d record%s more"):format(state.unrecorded,
                                                        state.unrecorded == 1 and "" or "s")
  end
  for _, role in ipairs { "client", "server" } do
    local how = state.ended[role]
    lines[#lines + 1] = how and ("%s  %s"):format(role, ENDS[how])
  end
  lines[#lines + 1] = state.problem and "problem  " .. state.problem
  return table.concat(lines, "\n")
end

--- connection:text(): who sent which messages, a line for each turn.
---@return string
function methods:text()
  if type(self) ~= "table" or getmetatable(self) ~= Connection then
    strict.raise "connection:text: to be called with a colon, on a connection of a relay"
  end
  return text(rawget(self, STATE))
end

---------------------------------------------------------------------------------------------------

function Connection:__index(name)
  local state = rawget(self, STATE)
  if methods[name] then
    return methods[name]
  elseif name == "flights" then
    return strict.wrap(table.move(state.flights, 1, #state.flights, 1, {}), nil, true)
  elseif name == "ended" then
    return strict.record(record.schema.by_name.ended.schema,
                         { client = state.ended.client, server = state.ended.server })
  elseif not record.schema.by_name[name] then
    strict.no_field(record.schema, name, methods)
  end
  return state[name]
end

function Connection.__newindex()
  strict.raise "a connection of a relay: is read-only"
end

Connection.__pairs = strict.each

function Connection:__tostring()
  local state = rawget(self, STATE)
  return ("connection %d (%s)"):format(state.number, state.over and "over" or "open")
end

---------------------------------------------------------------------------------------------------
-- For the relay

--- What is known of a connection that has just been taken.
---@param number integer
---@param remote string
---@param keep integer how many bytes of what goes by are kept
---@return table state its fields may be changed
function record.new(number, remote, keep)
  local state = { number = number, remote = remote, flights = {}, unrecorded = 0, ended = {},
                  over = false, room = keep }
  state.view = setmetatable({ [STATE] = state }, Connection)
  return state
end

--- Keeps what went by.
---@param state table
---@param from "client"|"server"
---@param found table what the dissector told of it
---@param arrived "as_sent"|"changed"|"dropped"
function record.add(state, from, found, arrived)
  if #state.flights >= MOST_FLIGHTS or state.number > MOST_CONNECTIONS then
    state.unrecorded = state.unrecorded + 1
    return
  end
  local kept = { from = from, arrived = arrived }
  for name, value in pairs(found) do
    kept[name] = value
  end
  if found.length > state.room then
    kept.bytes = nil
  else
    state.room = state.room - found.length
  end
  state.flights[#state.flights + 1] = strict.record(record.flight_schema, kept)
end

return record
