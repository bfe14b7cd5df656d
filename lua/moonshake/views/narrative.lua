-- SPDX-License-Identifier: MIT
-- What is told of a case's links when it is shown: plain tables and texts, because the worker that
-- has the links is another process than the one that tells.
local diagram = require "moonshake.views.diagram"

local narrative = {}

-- What stands below a link's diagram: a name, the view that makes its lines, and the call.
local SECTIONS = {
  { "state", "moonshake.views.state_text", function(view, link, how)
    return view.text(link, how.width)
  end },
  { "explanation", "moonshake.views.explain", function(view, link)
    return view.lines(link)
  end },
}

-- A view that another version of the library has: nil where it is not there.
local function view_of(module)
  if package.preload[module] or package.loaded[module]
    or package.searchpath(module, package.path) then
    return require(module)
  end
end

--- The notes of a link, and those that stand nowhere.
---@param link table|nil
---@param notes string[]
---@param places table<integer, { link: table, after: integer }> by index of a note
---@return { text: string, after: integer }[]
---@return string[]
function narrative.notes_of(link, notes, places)
  local here, nowhere = {}, {}
  for index, text in ipairs(notes) do
    local place = places[index]
    if not place then
      nowhere[#nowhere + 1] = text
    elseif rawequal(place.link, link) then
      here[#here + 1] = { text = text, after = place.after }
    end
  end
  return here, nowhere
end

--- Everything about the links.
---@param links table[]
---@param notes string[] what the script said
---@param places table<integer, { link: table, after: integer }> by index of a note: where
---@param how { width: integer, ends: boolean? } columns of texts; whether to give the snapshots too
---@return { links: table[], notes: string[] } of each link `model` (see steps.lua), lists of lines
---  by section, and `ends`, JSON; notes: those that stand nowhere
function narrative.of(links, notes, places, how)
  local told = { links = {}, notes = select(2, narrative.notes_of(nil, notes, places)) }
  for index, link in ipairs(links) do
    local one = { model = diagram.model(link, (narrative.notes_of(link, notes, places))) }
    for _, section in ipairs(SECTIONS) do
      local name, module, call = table.unpack(section)
      local view = view_of(module)
      one[name] = view and call(view, link, how)
    end
    if how.ends then
      one.ends = require("dkjson").encode(require("moonshake.plain").ends(link))
    end
    told.links[index] = one
  end
  return told
end

return narrative
