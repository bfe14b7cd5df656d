-- SPDX-License-Identifier: MIT
-- A program that is run to its end, with what it printed. No shell reads its arguments.
local uv = require "luv"
local loop = require "moonshake.io.loop"

local command = {}

-- Reads a pipe to its end; past `most` bytes full() is told instead.
local function collect(pipe, most, full)
  local pieces, length = {}, 0
  pipe:read_start(loop.guard(function(_, piece)
    if not piece then
      pipe:close()
    elseif length <= most then
      length = length + #piece
      pieces[#pieces + 1] = piece
      if length > most then
        full()
      end
    end
  end))
  return function()
    return table.concat(pieces)
  end
end

--- Runs a program, whose input is empty.
---@param program string its path
---@param arguments string[]
---@param most integer bytes of output that are kept; a program that prints more is ended
---@return { output: string, errors: string, status: integer, signal: integer, full: boolean }|nil
---@return string|nil problem
function command.run(program, arguments, most)
  local output, errors = uv.new_pipe(false), uv.new_pipe(false)
  local told, handle = { full = false }, nil
  local started, problem = uv.spawn(program, {
    args = arguments, stdio = { nil, output, errors },
  }, loop.guard(function(status, signal)
    told.status, told.signal = status, signal
    handle:close()
  end))
  handle = started
  if not handle then
    output:close()
    errors:close()
    loop.settle()
    return nil, ("cannot start %s: %s"):format(program, problem)
  end
  local function full()
    told.full = true
    handle:kill "sigkill"
  end
  local printed, complained = collect(output, most, full), collect(errors, most, full)
  loop.run()
  told.output, told.errors = printed(), complained()
  return told
end

return command
