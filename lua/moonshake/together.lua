-- SPDX-License-Identifier: MIT
-- ms.together: functions side by side, until all have returned.
local arguments = require "moonshake.arguments"
local groups = require "moonshake.group"
local strict = require "moonshake.strict"

--- ms.together(f, g, ...): runs functions side by side until all have returned. A wait in one of
--- them (an accept, a handshake, a program's line) lets the others go on. The first error ends them
--- all and is raised. A wait in a coroutine that the script made itself holds up the others.
---@param ... function
---@return any ... what each of them returned first
local function together(...)
  local functions = table.pack(...)
  if functions.n == 0 then
    strict.raise "ms.together: a function is missing"
  end
  for index = 1, functions.n do
    if type(functions[index]) ~= "function" then
      strict.raise(("ms.together: argument %d: wants a function, got %s"):format(
        index, arguments.describe(functions[index])))
    end
  end
  local group <close> = groups.new()
  local tasks = {}
  for index, f in ipairs(functions) do
    tasks[index] = group:add(f)
  end
  group:run()
  local results = {}
  for index, task in ipairs(tasks) do
    results[index] = task.result
  end
  return table.unpack(results, 1, functions.n)
end

return together
