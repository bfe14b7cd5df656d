-- SPDX-License-Identifier: MIT
-- What a process prints, in parts: one ends where the process prints a mark. Of each part its
-- beginning and its end are kept.

local bounded = require "moonshake.io.bounded"

local captured = {}

local HALF = 32768 -- bytes that are kept of the beginning, and of the end

local Captured = {}
Captured.__index = Captured

--- Takes what was read.
---@param piece string
function Captured:add(piece)
  local text, from = self.held .. piece, 1
  local first, last = text:find(self.mark, 1, true)
  while first do
    self.part:add(text:sub(from, first - 1))
    self.ended[#self.ended + 1] = self.part
    self.part, from = bounded.new(HALF), last + 1
    first, last = text:find(self.mark, from, true)
  end
  local held = math.min(#text - from + 1, #self.mark - 1) -- may be the beginning of a mark
  self.part:add(text:sub(from, #text - held))
  self.held = text:sub(#text - held + 1)
end

--- The first part that has ended and was not taken; where there is none, what there is of the one
--- that has not.
---@return string|nil text nil if nothing was printed
---@return integer|nil cut how many bytes were left out in the middle
function Captured:take()
  local part = table.remove(self.ended, 1)
  if not part then
    part = self.part
    part:add(self.held)
    self.part, self.held = bounded.new(HALF), ""
  end
  local beginning, ending, cut = part:parts()
  local text = beginning .. ending
  return text ~= "" and text or nil, cut > 0 and cut or nil
end

--- Nothing yet.
---@param mark string
function captured.new(mark)
  return setmetatable({ mark = mark, held = "", part = bounded.new(HALF), ended = {} }, Captured)
end

return captured
