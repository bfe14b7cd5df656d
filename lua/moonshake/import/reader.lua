-- SPDX-License-Identifier: MIT
-- A place in bytes that somebody else wrote: numbers and vectors as RFC 8446 section 3 has them.
-- What is too short raises, and reader.protect() gives nil for it.
local reader = {}
reader.__index = reader

local SHORT = {}

--- Begins at the first byte.
---@param text string
function reader.new(text)
  return setmetatable({ text = text, at = 1 }, reader)
end

--- How many bytes are left.
---@return integer
function reader:left()
  return #self.text - self.at + 1
end

--- So many bytes.
---@param count integer
---@return string
function reader:bytes(count)
  if self:left() < count then
    error(SHORT)
  end
  self.at = self.at + count
  return self.text:sub(self.at - count, self.at - 1)
end

--- A number of so many bytes.
---@param size integer
---@return integer
function reader:number(size)
  return (string.unpack(">I" .. size, self:bytes(size)))
end

--- A vector whose length is a number of so many bytes, to be read.
---@param size integer
---@return table reader
function reader:vector(size)
  return reader.new(self:bytes(self:number(size)))
end

--- All numbers of so many bytes that are left.
---@param size integer
---@return integer[]
function reader:numbers(size)
  local list = {}
  while self:left() > 0 do
    list[#list + 1] = self:number(size)
  end
  return list
end

--- What f() gives; nil where bytes were missing.
---@param f function
function reader.protect(f, ...)
  local done, made = pcall(f, ...)
  if not done and made ~= SHORT then
    error(made, 0) -- a mistake of ours
  end
  return done and made or nil
end

return reader
