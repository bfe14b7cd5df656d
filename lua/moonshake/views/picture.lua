-- SPDX-License-Identifier: MIT
-- What a page shows of a case's links (report/html/): plain tables that travel as JSON.
--   { links = { { model (steps.lua), state (state_rows.lua), findings }, ... },
--     problems = { what could not be made, and why } }
-- findings: what explain.lua found, without certificates. (No bug of a view costs a case its
-- result.)
local diagram = require "moonshake.views.diagram"
local narrative = require "moonshake.views.narrative"
local state_rows = require "moonshake.views.state_rows"

local picture = {}

local MOST_STEPS = 400 -- of a diagram

local FINDING = { "kind", "epoch", "side", "what", "rfc", "next" }

-- The first and the last steps of very many.
local function cut(model)
  local steps = model.steps
  local left_out = #steps - MOST_STEPS
  if left_out > 0 then
    local kept = table.move(steps, 1, MOST_STEPS // 2, 1, {})
    kept[#kept + 1] = { kind = "note", text = ("... %d steps are left out ..."):format(left_out) }
    model.steps = table.move(steps, #steps - MOST_STEPS // 2 + 1, #steps, #kept + 1, kept)
  end
  return model
end

local function findings_of(link)
  local list = {}
  for index, found in ipairs(link.findings or {}) do
    local one = { why = { table.unpack(found.why) },
                  told = { client = found.told.client, server = found.told.server } }
    for _, name in ipairs(FINDING) do
      one[name] = found[name]
    end
    list[index] = one
  end
  return list
end

--- The picture.
---@param links table[]
---@param notes string[] what the script said
---@param places table<integer, table> by index of a note: where (see narrative.lua)
---@return table
function picture.of(links, notes, places)
  local made = { links = {}, problems = {} }
  for index, link in ipairs(links) do
    local function try(what, f, ...)
      local done, value = pcall(f, ...)
      if not done then
        table.insert(made.problems, ("link %d: %s: %s"):format(index, what, tostring(value)))
      end
      return done and value or nil
    end
    made.links[index] = {
      model = try("diagram", function()
        return cut(diagram.model(link, (narrative.notes_of(link, notes, places))))
      end),
      state = try("state", state_rows.of, link),
      findings = try("explanation", findings_of, link),
    }
  end
  return made
end

return picture
