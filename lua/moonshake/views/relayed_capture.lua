-- SPDX-License-Identifier: MIT
-- What a relay knows of a connection as what a capture is made of (see pcapng.lua): what each side
-- sent, and in comments what became of it. There are no keys in it: a relay has none.
local ALTERED = { changed = "changed on the way", dropped = "dropped on the way" }

-- What became of a record that did not arrive as it was sent.
local function alteration(flight)
  local what = ALTERED[flight.arrived]
  if what and flight.bytes then
    return what .. ": these bytes were sent"
  end
  return what and ("behind this a record of %d bytes, which are not kept, was %s"):format(
    flight.length, what)
end

local function add(events, item, event)
  event.time = item.at
  events[#events + 1] = event
end

local function add_flight(events, item)
  local flight = item.flight
  if flight.bytes then
    add(events, item, { kind = "record", role = flight.from, direction = "sent",
                        bytes = flight.bytes })
  else
    add(events, item, { kind = "gap", role = flight.from, length = flight.length })
  end
  local alert = flight.alert
  local remarks = { alteration(flight) }
  remarks[#remarks + 1] = alert and ("%s sent alert %s %s (%d)"):format(
    flight.from, alert.level, alert.name, alert.number)
  for _, text in ipairs(remarks) do
    add(events, item, { kind = "remark", role = flight.from, text = text })
  end
end

-- An end of a side; where the relay ends the connection, of those that have not ended.
local function add_ending(events, item, state)
  if item.who ~= "relay" then
    add(events, item, { kind = "end", role = item.who, how = item.how })
    return
  end
  add(events, item, { kind = "remark", text = "the relay "
    .. (item.how == "reset" and "resets" or "closes") .. " it" })
  for _, role in ipairs { "client", "server" } do
    if not state.ended[role] then
      add(events, item, { kind = "end", role = role, how = item.how })
    end
  end
end

-- The name that the client asked for first.
local function name_in(state)
  for _, item in ipairs(state.course) do
    local hello = item.flight and item.flight.hello
    if hello and hello.server_name then
      return hello.server_name
    end
  end
end

local function events_of(state, more)
  local events = {}
  if state.problem then
    return events -- there was no connection
  end
  add(events, state.course[1] or { at = state.began }, {
    kind = "remark", text = ("connection %d of a relay, from %s; the addresses here are made up")
      :format(state.number, state.remote),
  })
  for _, item in ipairs(state.course) do
    if item.flight then
      add_flight(events, item)
    elseif item.more then
      add(events, item, { kind = "remark", text = more })
    else
      add_ending(events, item, state)
    end
  end
  return events
end

--- What a capture of it is made of.
---@param state table what a relay knows of a connection, see relay/record.lua
---@param more string what it says of records that are not kept
---@return table
return function(state, more)
  return {
    number = state.number, events = events_of(state, more), phases = {}, secrets = {},
    server_name = name_in(state), clock_offset = function() return 0 end,
  }
end
