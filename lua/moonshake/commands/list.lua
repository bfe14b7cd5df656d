-- SPDX-License-Identifier: MIT
-- moonshake list: the ids of cases, or all that is known of them before they run.
local escape = require "moonshake.escape"
local runner = require "moonshake.runner"
local selection = require "moonshake.selection"

local KEYS = { "id", "file", "line", "name", "tags", "timeout", "needs", "rfc", "params" }

-- What JSON has a word for stays what it is; of a table there is its text.
local function parameters(combination)
  local shown = setmetatable({}, { __jsontype = "object", __jsonorder = combination.names })
  for name, value in pairs(combination.values) do
    shown[name] = type(value) == "table" and combination.texts[name] or value
  end
  return shown
end

local function as_json(cases)
  local json = require "dkjson"
  local list = setmetatable({}, { __jsontype = "array" })
  for index, case in ipairs(cases) do
    local made = case.scenario
    list[index] = {
      id = case.id,
      file = case.file.path,
      line = made.line,
      name = made.name,
      tags = setmetatable(made.tags, { __jsontype = "array" }),
      timeout = made.timeout,
      needs = setmetatable(made.needs, { __jsontype = "array" }),
      rfc = made.rfc,
      params = parameters(case.combination),
    }
  end
  return json.encode(list, { indent = true, keyorder = KEYS })
end

--- Runs the command.
---@param options table as the command line was parsed
---@return integer status
return function(options)
  local targets = #options.path > 0 and options.path or { "scenarios" }
  local selected = selection.select(targets, {})
  for _, list in ipairs { selected.problems, selected.unmatched } do
    for _, problem in ipairs(list) do
      io.stderr:write("moonshake: ", escape.line(problem), "\n")
    end
  end
  if options.format == "json" then
    print(as_json(selected.cases))
  else
    for _, case in ipairs(selected.cases) do
      print(case.id)
    end
  end
  return runner.status_of_selection(selected)
end
