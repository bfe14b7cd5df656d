-- SPDX-License-Identifier: MIT
-- What is told of a case's links when it is shown: plain tables and texts, because the worker that
-- has the links is another process than the one that tells.
local json = require "dkjson"
local diagram = require "moonshake.views.diagram"
local escape = require "moonshake.escape"
local explain = require "moonshake.views.explain"
local plain = require "moonshake.plain"
local state_text = require "moonshake.views.state_text"

local narrative = {}

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

-- What f() gives; where it raises, what `otherwise` makes of the message. (No bug of a view costs a
-- case its result.)
local function try(f, otherwise)
  local done, value = pcall(f)
  if done then
    return value
  end
  return otherwise("this could not be told: " .. tostring(value))
end

local function line(text)
  return { escape.line(text) }
end

-- A picture of nothing but a note.
local function empty(text)
  return { left_out = 0, ends = { client = "", server = "" },
           steps = { { kind = "note", text = escape.utf8(text) } } }
end

--- Everything about the links.
---@param links table[]
---@param notes string[] what the script said
---@param places table<integer, { link: table, after: integer }> by index of a note: where
---@param how { width: integer, ends: boolean? } columns of texts; whether to give the snapshots too
---@return { links: table[], notes: string[] } of each link `model` (see steps.lua), `state` and
---  `explanation` (lines), and `ends` (JSON); notes: those that stand nowhere
function narrative.of(links, notes, places, how)
  local told = { links = {}, notes = select(2, narrative.notes_of(nil, notes, places)) }
  for index, link in ipairs(links) do
    told.links[index] = {
      model = try(function()
        return diagram.model(link, (narrative.notes_of(link, notes, places)))
      end, empty),
      state = try(function() return state_text.text(link, how.width) end, line),
      explanation = try(function()
        return explain.told(link.findings, { width = how.width - 2 })
      end, line),
      ends = how.ends and json.encode(plain.ends(link)) or nil,
    }
  end
  return told
end

return narrative
