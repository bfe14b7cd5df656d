-- SPDX-License-Identifier: MIT
-- What a scenario file does under a stock interpreter (`lua5.4 FILE`). Nothing calls us when the
-- file is at its end, and a finaliser would be too late: no collector, no deadline. So the first
-- scenario of the file loads the whole file anew, as `moonshake run` does, runs it, and ends the
-- process. What stands above the first scenario is thereby executed twice.
local strict = require "moonshake.strict"

local standalone = {}

-- The file that the interpreter was started with: the outermost chunk that came from a file.
local function main_file()
  local found
  local level = 2
  while true do
    local info = debug.getinfo(level, "S")
    if not info then
      return found
    end
    if info.what == "main" then
      found = info.source:match "^@(.*)" or found
    end
    level = level + 1
  end
end

--- Runs the file's scenarios with TAP on standard output and ends the process with the exit status
--- of `moonshake run`.
function standalone.run()
  local path = main_file()
  if not path then
    strict.raise "ms.scenario: only a file can be run: moonshake run FILE, or lua5.4 FILE"
  end
  local loader = require "moonshake.runner.loader"
  local serial = require "moonshake.runner.serial"
  local selection = require "moonshake.runner.selection"
  local escape = require "moonshake.escape"
  local tap = require "moonshake.report.tap"
  local file, problem = loader.load(selection.id_path(path), { arguments = arg })
  if problem then
    io.stderr:write(escape.line(problem), "\n")
  end
  os.exit(serial.run(file and file.cases or {}, { problem }, tap.new(io.stdout)), true)
end

return standalone
