-- SPDX-License-Identifier: MIT
-- moonshake run: selects cases, runs them, reports.
local escape = require "moonshake.escape"
local runner = require "moonshake.runner"
local selection = require "moonshake.selection"

local function new_report(format, program)
  if format == "tap" then
    return require("moonshake.report.tap").new(io.stdout)
  end
  local files = require "moonshake.io.files"
  return require("moonshake.report.pretty").new(io.stdout, files.is_terminal(1), program)
end

--- Runs the command.
---@param options table as the command line was parsed
---@param program string what it was called as, for rerun lines
---@return integer status
return function(options, program)
  local targets = #options.path > 0 and options.path or { "scenarios" }
  local selected = selection.select(targets, {
    text = options.text, tags = options.tags, timeout = options.timeout,
  })
  for _, list in ipairs { selected.problems, selected.unmatched } do
    for _, problem in ipairs(list) do
      io.stderr:write("moonshake: ", escape.line(problem), "\n")
    end
  end
  return runner.run(selected, { timeout = options.timeout, fail_fast = options.fail_fast },
                    new_report(options.format, program))
end
