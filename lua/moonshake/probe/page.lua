-- SPDX-License-Identifier: MIT
-- The page that a probe prints: headings, and rows with a label.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"

local LABEL = 10 -- columns

local Page = {}
Page.__index = Page

--- A text that goes on a little to the right.
---@param text string
---@param colour string
function Page:hang(text, colour)
  for _, line in ipairs(columns.hang(escape.line(text), self.how.width)) do
    self.lines[#self.lines + 1] = self.how.paint(line, colour)
  end
end

--- A heading.
---@param text string
---@param colour? string
function Page:head(text, colour)
  self.lines[#self.lines + 1] = ""
  self:hang(text, colour or "bold")
end

--- A row; without a label it goes on with the one before.
---@param label string
---@param text string
function Page:row(label, text)
  -- paragraph.add() makes its own labels narrower
  local indent = "  " .. columns.pad(label, LABEL) .. " "
  for index, line in ipairs(columns.wrap(escape.line(text), self.how.width - #indent)) do
    self.lines[#self.lines + 1] = self.how.paint(index == 1 and indent or (" "):rep(#indent), "dim")
      .. line
  end
end

return Page
