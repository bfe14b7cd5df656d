-- SPDX-License-Identifier: MIT
-- What is wrong, said to whoever started the program: on standard error, where no report goes.
local escape = require "moonshake.escape"
local tally = require "moonshake.runner.tally"

--- Says each of these sentences; nil is none. The lines of a long one stand below its first.
---@param ... string|nil
---@return integer status what a command ends with that can do no more than complain
return function(...)
  for index = 1, select("#", ...) do
    local sentence = select(index, ...)
    if sentence then
      io.stderr:write("moonshake: ", table.concat(escape.lines(sentence), "\n  "), "\n")
    end
  end
  return tally.STATUS.unusable
end
