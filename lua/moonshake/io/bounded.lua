-- SPDX-License-Identifier: MIT
-- A text that grows without end and takes a bounded place: its beginning and its end are kept.

local bounded = {}

local Bounded = {}
Bounded.__index = Bounded

--- An empty one.
---@param half integer bytes that are kept of the beginning, and of the end
---@return table
function bounded.new(half)
  return setmetatable({ half = half, head = {}, head_length = 0, tail = {}, tail_length = 0,
                        first = 1, cut = 0 }, Bounded)
end

--- Adds what comes next.
---@param text string
function Bounded:add(text)
  local room = self.half - self.head_length
  if room > 0 then
    self.head[#self.head + 1] = text:sub(1, room)
    self.head_length = self.head_length + math.min(room, #text)
    text = text:sub(room + 1)
  end
  if text == "" then
    return
  end
  self.tail[#self.tail + 1] = text
  self.tail_length = self.tail_length + #text
  while self.tail_length - #self.tail[self.first] >= self.half do
    local gone = #self.tail[self.first]
    self.tail[self.first] = ""
    self.first, self.tail_length = self.first + 1, self.tail_length - gone
    self.cut = self.cut + gone
  end
  if self.first > #self.tail // 2 + 1 then -- (each piece is moved a few times at the most)
    self.tail = table.move(self.tail, self.first, #self.tail, 1, {})
    self.first = 1
  end
end

--- The beginning and the end, and how many bytes between them are left out.
---@return string beginning
---@return string ending
---@return integer cut
function Bounded:parts()
  local tail = table.concat(self.tail, "", self.first)
  local over = math.max(0, #tail - self.half)
  return table.concat(self.head), tail:sub(over + 1), self.cut + over
end

return bounded
