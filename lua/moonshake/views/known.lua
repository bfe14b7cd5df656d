-- SPDX-License-Identifier: MIT
-- The snapshots of an end as views look at them: of an end that is somewhere else they have what is
-- known, and lack what only its own stack could tell. What is not known must be taken for neither
-- true nor false.
local inside = require "moonshake.link.state"
local marks = require "moonshake.marks"

local known = {}

-- The fields of a record that are known.
local function known_of(record)
  local fields = {}
  for name, value in pairs(record) do
    if value ~= marks.unknown then
      fields[name] = value
    end
  end
  return fields
end

--- The far end of a link: its `role`, its `address`, the `first_bytes` that came from it and how
--- many it `sent`. Nil where both ends are here.
known.far = inside.far

--- One snapshot for each epoch, the current one last.
---@param link table
---@param role "client"|"server"
---@return table[]
function known.history(link, role)
  local history, far = link[role].history, known.far(link)
  if not far or far.role ~= role then
    return history
  end
  local list = {}
  for index, snapshot in ipairs(history) do
    list[index] = known_of(snapshot)
    list[index].wire = known_of(snapshot.wire)
  end
  return list
end

return known
