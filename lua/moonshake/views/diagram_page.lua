-- SPDX-License-Identifier: MIT
-- Several diagrams as one SVG: those of a case below each other, those of two cases beside each
-- other.
local diagram_svg = require "moonshake.views.diagram_svg"

local HEADING = 34 -- height of one

-- One diagram at a place, and how far down it comes.
local function place(parts, x, y, one)
  parts[#parts + 1] = diagram_svg.heading(x, y, one.heading)
  local text, height = diagram_svg.draw(one.model, { bare = true, x = x, y = y + HEADING })
  parts[#parts + 1] = text
  return y + HEADING + height
end

--- The diagrams as one.
---@param lists { heading: string, model: table }[][] a list stands in a column
---@return string
return function(lists)
  if #lists == 1 and #lists[1] == 1 then
    return (diagram_svg.draw(lists[1][1].model))
  end
  local parts, height = {}, 0
  for number, list in ipairs(lists) do
    local y = 0
    for _, one in ipairs(list) do
      y = place(parts, (number - 1) * diagram_svg.WIDTH, y, one)
    end
    height = math.max(height, y)
  end
  return diagram_svg.frame(#lists * diagram_svg.WIDTH, height, table.concat(parts))
end
