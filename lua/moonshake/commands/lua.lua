-- SPDX-License-Identifier: MIT
-- moonshake lua: runs a Lua program with the module at hand. Scenarios that it defines run when it
-- is at its end, with TAP on standard output.
local complain = require "moonshake.report.complain"
local escape = require "moonshake.escape"
local loader = require "moonshake.runner.loader"
local serial = require "moonshake.runner.serial"
local STATUS = require("moonshake.runner.tally").STATUS

-- As a stock interpreter would: the message, then where it came from.
local function tell(problem, failure)
  complain(problem)
  for _, frame in ipairs(failure and failure.trace or {}) do
    io.stderr:write("\t", escape.line(frame), "\n")
  end
end

--- Runs the command.
---@param options table as the command line was parsed
---@param program string what it was called as
---@return integer status 1 when the program raised, 2 when it could not be loaded
return function(options, program)
  _G.arg = { [-2] = program, [-1] = "lua", [0] = options.file, table.unpack(options.arguments) }
  local file, problem, failure = loader.load(options.file,
                                             { arguments = options.arguments, program = true })
  if not file then
    tell(problem, failure)
    return failure and STATUS.failed or STATUS.unusable
  elseif #file.cases == 0 then
    return 0
  end
  return serial.run(file.cases, {}, require("moonshake.report.tap").new(io.stdout))
end
