-- SPDX-License-Identifier: MIT
-- A case that was shown, as one object of JSON on a line, "v":1.
local json = require "dkjson"
local escape = require "moonshake.escape"
local json_map = require "moonshake.json_map"

local KEYS = {
  "v", "id", "file", "line", "name", "about", "rfc", "tags", "params", "outcome", "reason", "stack",
  "failures", "notes", "links",
  -- of a link
  "version", "ends", "far", "role", "address", "left_out", "steps", "snapshots", "explanation",
  -- of a step
  "kind", "from", "at", "epoch", "level", "fate", "fatal", "what", "bad", "text", "count", "facts",
  "lines", "sent", "received", "index", "client", "server",
}

-- Valid UTF-8 in every text; tables that are empty are lists here.
local function clean(value)
  if type(value) == "string" then
    return escape.utf8(value)
  elseif type(value) ~= "table" then
    return value
  end
  local made = setmetatable({}, getmetatable(value)
                            or { __jsontype = (next(value) == nil or #value > 0) and "array" })
  for key, item in pairs(value) do
    made[key] = clean(item)
  end
  return made
end

local function link_of(told)
  local model = told.model
  return {
    version = model.version, ends = model.ends, far = model.far, left_out = model.left_out,
    steps = model.steps, explanation = told.explanation,
    snapshots = told.ends and setmetatable({}, { __tojson = function() return told.ends end }),
  }
end

--- The object.
---@param result table
---@param plan table
---@return string
return function(result, plan)
  local case, links = result.case, {}
  for index, told in ipairs(result.story and result.story.links or {}) do
    links[index] = link_of(told)
  end
  local made = {
    v = 1, id = case.id, file = case.file, line = case.line, name = case.name, about = case.about,
    rfc = case.rfc, tags = case.tags, params = json_map(case.params), outcome = result.outcome,
    reason = result.reason, stack = plan.stack, failures = result.failures, notes = result.notes,
    links = links,
  }
  return json.encode(clean(made), { keyorder = KEYS })
end
