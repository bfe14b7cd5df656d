-- SPDX-License-Identifier: MIT
-- Which records of an end carried which of its messages, and which of them its peer has read: what
-- tells a message that was lost on the way from one that was not looked at.

-- Messages are made first and handed over as a flight, most of them in a record each.
local carriers = {}

local Carriers = {}
Carriers.__index = Carriers

function Carriers:close_flight()
  local flight = self.flight
  for index, step in ipairs(flight.steps) do
    local one_each = #flight.records == #flight.steps
    self.carrier[step] = flight.records[one_each and index or #flight.records]
  end
  self.flight = { steps = {}, records = {} }
end

--- The end made something that records will carry.
---@param step table
function Carriers:made(step)
  if #self.flight.records > 0 then
    self:close_flight()
  end
  table.insert(self.flight.steps, step)
end

--- The end's last record carried this.
---@param step table
function Carriers:left(step)
  self.carrier[step] = self.count
  if self.flight.records[#self.flight.records] == self.count then
    table.remove(self.flight.records)
  end
end

--- The end sent a record.
---@param event table
function Carriers:sent(event)
  self.count = self.count + 1
  self.last = event
  self.number[event.bytes] = self.count
  if event.type ~= "change_cipher_spec" then
    table.insert(self.flight.records, self.count)
  end
end

--- The end's peer read a record.
---@param event table
---@return boolean known whether the end has sent it so
function Carriers:received(event)
  local number = self.number[event.bytes]
  if number then
    self.read[number] = true
    self.last_read = math.max(self.last_read, number)
  end
  return number ~= nil or self.count == 0
end

--- What became of a step that its peer did not take note of, as far as records tell.
---@param step table
---@return "unread"|"lost"|nil
function Carriers:fate(step)
  self:close_flight()
  local number = self.carrier[step]
  if not number then
    return nil
  elseif self.read[number] then
    return "unread"
  end
  return number < self.last_read and "lost" or nil
end

--- Of an end that has sent nothing yet.
function carriers.new()
  return setmetatable({
    flight = { steps = {}, records = {} },
    carrier = {}, -- by step: number of a record
    number = {},  -- by bytes: the same
    read = {},    -- by number: true
    count = 0, last_read = 0,
  }, Carriers)
end

return carriers
