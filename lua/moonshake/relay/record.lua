-- SPDX-License-Identifier: MIT
-- What a relay knows of one of its connections: what went by, within bounds, and how it ended.
local arguments = require "moonshake.arguments"
local native = require "moonshake.native"
local options = require "moonshake.options"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local wait = require "moonshake.io.wait"

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
  { name = "ended", about = "who ended it, and how",
    fields = { { name = "client", about = "\"closed\", \"reset\" or nil: it did not" },
               { name = "server", about = "likewise" },
               { name = "relay", about = "likewise, where it was not one of these" } } },
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

--- Of records that are not kept, in words.
---@param state table
---@return string
function record.told_of_more(state)
  local altered = state.unrecorded_altered
  return ("and %d record%s more%s"):format(
    state.unrecorded, state.unrecorded == 1 and "" or "s",
    altered > 0 and (", %d of them changed or dropped"):format(altered) or "")
end

local ENDS = { closed = "closes", reset = "resets" }

-- Lines of text, one for each turn.
local Turns = {}
Turns.__index = Turns

function Turns:flush()
  for index, word in ipairs(self.words) do
    self.words[index] = self.counts[index] > 1 and ("%d %s"):format(self.counts[index], word)
      or word
  end
  if #self.words > 0 then
    self.lines[#self.lines + 1] = ("%s  %s"):format(self.from, table.concat(self.words, ", "))
  end
  self.words, self.counts = {}, {}
end

function Turns:add(flight)
  local word = word_of(flight) .. (FATE[flight.arrived] or "")
  if flight.from ~= self.from then
    self:flush()
    self.from = flight.from
  end
  if self.words[#self.words] == word and #flight.messages == 0 then
    self.counts[#self.counts] = self.counts[#self.counts] + 1
  else
    self.words[#self.words + 1], self.counts[#self.counts + 1] = word, 1
  end
end

local function text(state)
  local turns = setmetatable({ lines = {}, words = {}, counts = {} }, Turns)
  local lines = turns.lines
  lines[1] = ("connection %d from %s"):format(state.number, state.remote)
  lines[2] = state.problem and "problem  " .. state.problem
  for _, item in ipairs(state.course) do
    if item.flight then
      turns:add(item.flight)
    else
      turns:flush()
      lines[#lines + 1] = item.who and ("%s  %s"):format(item.who, ENDS[item.how])
        or record.told_of_more(state)
    end
  end
  turns:flush()
  return table.concat(lines, "\n")
end

local function check(self, api)
  strict.called_on(api, self, Connection, "a connection of a relay")
  return rawget(self, STATE)
end

--- connection:text(): who sent which messages, a line for each turn.
---@return string
function methods:text()
  return text(check(self, "connection:text"))
end

--- connection:diagram { format =, width = }: the same as a sequence diagram, as of a link.
---@param given? table
---@return string
function methods:diagram(given)
  local api = "connection:diagram"
  local state = check(self, api)
  local checked = arguments.check(api, options.diagram, given)
  local model = require "moonshake.views.relayed" (state, record.told_of_more(state))
  return require("moonshake.views.diagram").draw(model, checked.format or "text",
                                                 { width = checked.width })
end

--- connection:pcapng(path): writes what both sides sent to a file that Wireshark opens, as a link
--- does; no keys are in it.
---@param path string
---@return string path
function methods:pcapng(path)
  local api = "connection:pcapng"
  local state = check(self, api)
  arguments.check_one(api, { name = "path", type = "name" }, path)
  local capture = require "moonshake.views.relayed_capture" (state, record.told_of_more(state))
  local case = scenario.current()
  strict.check(api, require("moonshake.views.pcapng").write(path, { capture }, case and case.id))
  return path
end

---------------------------------------------------------------------------------------------------

function Connection:__index(name)
  local state = rawget(self, STATE)
  if methods[name] then
    return methods[name]
  elseif name == "flights" then
    local flights = {}
    for _, item in ipairs(state.course) do
      flights[#flights + 1] = item.flight
    end
    return strict.wrap(flights, nil, true)
  elseif name == "ended" then
    return strict.record(record.schema.by_name.ended.schema,
                         { client = state.ended.client, server = state.ended.server,
                           relay = state.ended.relay })
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
  local state = {
    number = number, remote = remote, over = false, room = keep,
    -- In order, each with its time `at`: { flight = }, { who =, how = } who ended, { more = true },
    -- behind which none is kept.
    course = {}, began = os.time(), began_at = wait.now(),
    num_flights = 0, unrecorded = 0, unrecorded_altered = 0, ended = {},
    left_out = {}, -- a set of the sides of which a record was not kept whole
  }
  state.view = setmetatable({ [STATE] = state }, Connection)
  return state
end

local function add(state, item)
  item.at = state.began + wait.now() - state.began_at
  table.insert(state.course, item)
end

--- Keeps what went by.
---@param state table
---@param from "client"|"server"
---@param found table what the dissector told of it
---@param arrived "as_sent"|"changed"|"dropped"
function record.add(state, from, found, arrived)
  if state.num_flights >= MOST_FLIGHTS or state.number > MOST_CONNECTIONS then
    if state.unrecorded == 0 then
      add(state, { more = true })
    end
    state.unrecorded = state.unrecorded + 1
    state.unrecorded_altered = state.unrecorded_altered + (arrived == "as_sent" and 0 or 1)
    return
  end
  local kept = { from = from, arrived = arrived }
  for name, value in pairs(found) do
    kept[name] = value
  end
  if found.length > state.room then
    kept.bytes, state.left_out[from] = nil, true
  else
    state.room = state.room - found.length
  end
  if state.left_out[from] then -- what ends in a short record may be long
    kept.hello, kept.certificates, kept.issuers = nil, nil, nil
  end
  state.num_flights = state.num_flights + 1
  add(state, { flight = strict.record(record.flight_schema, kept) })
end

--- One side has ended, or the relay ends the connection.
---@param state table
---@param who "client"|"server"|"relay"
---@param how "closed"|"reset"
function record.ends(state, who, how)
  state.ended[who] = how
  add(state, { who = who, how = how })
end

return record
