-- SPDX-License-Identifier: MIT
-- JSON lines: an event a line, as it happens. What each holds is told in json_format.lua.
local format = require "moonshake.report.json_format"

local Json = {}
Json.__index = Json

function Json:event(name, ...)
  self.stream:write(format.line(name, ...), "\n")
end

function Json:begin(plan)
  self:event("run_start", plan)
  self.stream:flush()
end

function Json:case_begins(case, attempt)
  self:event("case_start", { id = case.id, attempt = attempt or 1 })
  self.stream:flush()
end

-- Of a case without a failure the pages of another report may have pictures; here they would take
-- more room than all the rest.
local function without_pictures(result)
  local made = {}
  for key, value in pairs(result) do
    made[key] = key ~= "pictures" and value or nil
  end
  return made
end

function Json:case_ended(result)
  local attempt = result.attempt or 1
  for _, note in ipairs(result.notes or {}) do
    self:event("note", { id = result.case.id, attempt = attempt, text = note })
  end
  local has_failed = #(result.failures or {}) > 0
  self:event("case_end", { attempt = attempt }, has_failed and result or without_pictures(result),
             result.case)
  self.stream:flush()
end

function Json:finish(summary)
  self:event("run_end", summary)
  return self.stream:flush()
end

local json = {}

--- A report (see several.lua) that writes JSON lines to `stream`.
---@param stream file*
function json.new(stream)
  return setmetatable({ stream = stream }, Json)
end

return json
