-- SPDX-License-Identifier: MIT
-- How cases that are shown are called, and whether two have room beside each other. (Whoever runs
-- them must know that as well: some texts are made where the links are.)
local escape = require "moonshake.escape"

local show_layout = {}

local LEAST = 64 -- columns in which a diagram is still easy to read

--- Columns between two cases.
show_layout.BETWEEN = 4

--- The columns that each of so many cases gets: all of them, where they stand one below the other.
---@param count integer
---@param width integer
---@return integer
function show_layout.of_each(count, width)
  local each = (width - (count - 1) * show_layout.BETWEEN) // count
  return each >= LEAST and each or width
end

--- The values of a case's matrix, by which it differs from the others of its scenario: "" for the
--- only one.
---@param case table
---@return string
function show_layout.values(case)
  return escape.line(case.label:sub(#case.name + 1))
end

--- What a case is called.
---@param case table
---@return string
function show_layout.title(case)
  local values = show_layout.values(case)
  return escape.line(case.name) .. (values == "" and "" or " " .. values)
end

--- The number of a link among those that the case made; of many only the last ones are told.
---@param story table
---@param index integer
---@return string "link 2 of 3"
function show_layout.number(story, index)
  return ("link %d of %d"):format(story.made - #story.links + index, story.made)
end

return show_layout
