-- SPDX-License-Identifier: MIT
-- Flights: what a tamper function sees of bytes in transit, and what it may answer.
local arguments = require "moonshake.arguments"
local native = require "moonshake.native"
local strict = require "moonshake.strict"

local flight = {}

-- What a dissector tells of a record.
local RECORD = strict.schema("record", native.fields "dissected")

--- The fields of a flight.
flight.schema = strict.schema("flight", {
  { name = "from", about = "\"client\" or \"server\": who sent it" },
  { name = "bytes", about = "what is in transit" },
  { name = "messages", about = "HandshakeTypes of the messages that end in it, as far as they can "
      .. "be told" },
  { name = "records", about = "the records that it consists of" },
  { name = "connection", about = "of a relay: which connection, from 1; nil of a link" },
})
flight.record_schema = RECORD

local CARRIER = {} -- what a flight belongs to, for functions that remember something of it

--- A flight of these records, as native dissectors tell of them. What they say is no record is in
--- its bytes alone.
---@param from "client"|"server"
---@param found table[] taken
---@param carrier table the same one for all flights of a connection; its `seed`, if there is one,
---  is what chance begins with
---@param connection? integer
function flight.new(from, found, carrier, connection)
  local bytes, messages, records = {}, {}, {}
  for index, record in ipairs(found) do
    bytes[index] = record.bytes
    table.move(record.messages, 1, #record.messages, #messages + 1, messages)
    records[#records + 1] = record.type and strict.record(RECORD, record)
  end
  local made = strict.record(flight.schema, {
    from = from, bytes = table.concat(bytes), messages = messages, records = records,
    connection = connection,
  })
  return rawset(made, CARRIER, carrier)
end

--- What a flight belongs to.
---@param made table
---@return table
function flight.carrier(made)
  return rawget(made, CARRIER)
end

---------------------------------------------------------------------------------------------------
-- Answers

local Action = { __name = "moonshake.action" }

function Action:__tostring()
  return "faults." .. self.kind
end

--- What stands among pieces for something that is no bytes, which only a relay can do.
---@param kind "delay"|"close"|"reset"
---@param seconds? number
function flight.action(kind, seconds)
  return setmetatable({ kind = kind, seconds = seconds }, Action)
end

--- Whether an item of an answer is such a thing.
function flight.is_action(item)
  return getmetatable(item) == Action
end

local function refuse(api, answer)
  strict.raise(("%s: the function must return bytes, a list of pieces, false to drop the flight, "
                .. "or nil to leave it as it is; got %s"):format(api, arguments.describe(answer)))
end

--- The pieces that a tamper function's answer stands for, in order.
---@param api string who complains: "link:tamper"
---@param made table the flight that it was asked about
---@param answer any
---@param acts boolean whether actions may be among them
---@return table
function flight.pieces(api, made, answer, acts)
  if answer == nil then
    return { made.bytes }
  elseif answer == false then
    return {}
  elseif type(answer) == "string" then
    return { answer }
  elseif type(answer) ~= "table" or not strict.is_list(answer) then
    refuse(api, answer)
  end
  for index = 1, #answer do
    local piece = answer[index]
    if flight.is_action(piece) and not acts then
      strict.raise(("%s: %s is for relays: between the ends of a link there is no connection, and "
                    .. "no time"):format(api, tostring(piece)))
    elseif type(piece) ~= "string" and not flight.is_action(piece) then
      strict.raise(("%s: piece %d of a list: wants bytes, got %s"):format(
        api, index, arguments.describe(piece)))
    end
  end
  return answer
end

return flight
