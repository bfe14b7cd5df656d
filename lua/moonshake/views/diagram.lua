-- SPDX-License-Identifier: MIT
-- A link as a sequence diagram: text for a terminal, Mermaid, SVG. A pure function of its log.
local steps = require "moonshake.views.steps"

local diagram = {}

--- The forms that a diagram can have.
diagram.FORMATS = { "text", "mermaid", "svg" }

--- What there is to draw (see steps.lua): plain tables that can travel as JSON.
---@param link table
---@param notes? table[]
---@return table
function diagram.model(link, notes)
  return steps.of(link, notes)
end

--- A model in one of the forms.
---@param model table
---@param format string
---@param how? table see diagram_text.lua (a width of 80 if not said), or diagram_svg.lua
---@return string
function diagram.draw(model, format, how)
  if format == "text" then
    how = how or {}
    local lines = require "moonshake.views.diagram_text" (model, {
      width = how.width or 80, unicode = how.unicode, paint = how.paint,
    })
    return table.concat(lines, "\n")
  end
  return format == "svg" and (require("moonshake.views.diagram_svg").draw(model, how))
    or require "moonshake.views.diagram_mermaid" (model)
end

return diagram
