-- SPDX-License-Identifier: MIT
-- moonshake list: the ids of cases, or all that is known of them before they run.
local complain = require "moonshake.report.complain"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local json_map = require "moonshake.json_map"
local runner = require "moonshake.runner"
local tally = require "moonshake.runner.tally"

local KEYS = { "id", "file", "line", "name", "tags", "timeout", "needs", "rfc", "params" }

-- An array, a case a line: who reads it line by line need not parse the whole for each case.
local function as_json(cases)
  local json = require "dkjson"
  local lines = {}
  for index, case in ipairs(cases) do
    local shown = {}
    for _, key in ipairs(KEYS) do
      shown[key] = case[key]
    end
    shown.params = json_map(case.params)
    lines[index] = escape.utf8(json.encode(shown, { keyorder = KEYS }))
  end
  return "[\n" .. table.concat(lines, ",\n") .. "\n]\n"
end

local function as_text(cases)
  local lines = {}
  for index, case in ipairs(cases) do
    lines[index] = case.id .. "\n"
  end
  return table.concat(lines)
end

--- Runs the command.
---@param options table as the command line was parsed
---@return integer status
return function(options)
  local resolved, status = runner.select {
    words = #options.path > 0 and options.path or { "scenarios" },
    filter = { text = options.text, tags = options.tags },
  }
  complain(table.unpack(resolved.problems))
  complain(table.unpack(resolved.unmatched))
  if tally.is_interrupted(status) then -- part of a list would look like a whole one
    complain "interrupted"
    return status
  end
  local shown = options.format == "json" and as_json or as_text
  local written, problem = files.print(shown(resolved.cases))
  if not written then
    return complain("the list could not be written: " .. problem)
  end
  return status
end
