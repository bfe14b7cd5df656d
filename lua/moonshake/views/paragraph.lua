-- SPDX-License-Identifier: MIT
-- A text in lines behind a label.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"

local paragraph = {}

local LABEL = 7 -- columns
local LEAST = 20 -- columns of a text, however narrow the terminal is

--- Adds a text behind a label, which stands on the first line; what follows hangs by two.
---@param out string[]
---@param how { width: integer, paint: fun(text: string, colour: string): string }
---@param label string
---@param text string
---@param size? integer how wide the label is
function paragraph.add(out, how, label, text, size)
  local inner = size and "    " or "  "
  local indent = inner .. columns.pad(label, size or LABEL) .. " "
  local room = math.max(LEAST, how.width - #indent - 2)
  for index, line in ipairs(columns.wrap(escape.line(text), room)) do
    local lead = index == 1 and indent or (" "):rep(#indent + 2)
    out[#out + 1] = how.paint(lead, "dim") .. line
  end
end

return paragraph
