-- SPDX-License-Identifier: MIT
-- What the subjects of the bench share: what a command costs, turns, medians.
local measure = {}

-- A subject is called with BUILD [ROUNDS [SCALE]]: the build folder, how many turns, and what share
-- of the work a turn does (the tests, to which speed is nothing, do less).
local build, rounds, scale = arg[1], tonumber(arg[2] or 7), tonumber(arg[3] or 1)

--- How many turns are taken, and whether whole ones.
measure.rounds, measure.whole = rounds, scale == 1

--- The folder of the bench, and its top.
measure.here = debug.getinfo(1, "S").source:match "^@(.*/)" or "./"
measure.top = measure.here .. "../../"

--- A word for the shell.
function measure.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

--- A file of the build folder, and one of the bench, as words for the shell.
function measure.built(name)
  return measure.quote(build .. "/" .. name)
end
function measure.file(name)
  return measure.quote(measure.here .. name)
end

--- How much work to do where a whole turn does `whole`; 2 at least.
function measure.count(whole)
  return math.max(2, math.floor(whole * scale))
end

--- What a command prints. It has to succeed.
function measure.read(command)
  local pipe <close> = assert(io.popen(command))
  local text = pipe:read "a"
  local ended, _, status = pipe:close()
  assert(ended, ("%s: exit status %s\n%s"):format(command, status, text))
  return text
end

--- The number that a command prints.
function measure.number(command)
  return assert(tonumber((measure.read(command))), command)
end

--- The seconds that a command takes: `wall`, and `cpu`, its own and that of all descendants that
--- were waited for (the runner's workers). The shell knows both without a further program.
---@param command string in bash's words
---@return { wall: number, cpu: number }
function measure.cost(command)
  local script = "TIMEFORMAT='%3R %3U %3S'; time { " .. command .. "; } > /dev/null"
  local text = measure.read("LC_ALL=C bash -c " .. measure.quote(script) .. " 2>&1")
  local wall, user, system = text:match "([%d.]+) ([%d.]+) ([%d.]+)\n$"
  assert(wall, text)
  return { wall = tonumber(wall), cpu = user + system }
end

--- What one more of something costs: that of `count` less that of one, so that what is done once
--- does not count.
---@param command fun(count: integer): string
---@param count integer
---@return { wall: number, cpu: number } seconds
function measure.one_more(command, count)
  local one, all = measure.cost(command(1)), measure.cost(command(count))
  return { wall = (all.wall - one.wall) / (count - 1), cpu = (all.cpu - one.cpu) / (count - 1) }
end

--- Calls the functions in turn, round after round, there and back: neighbours in time are compared,
--- and a machine that grows slower or faster favours none.
---@param functions function[]
---@param times? integer rounds; all, if not said
---@return table[] turns of each round the results, in the order of the functions
function measure.in_turn(functions, times)
  local turns = {}
  for round = 1, times or rounds do
    local turn = {}
    for step = 1, #functions do
      local index = round % 2 == 1 and step or #functions + 1 - step
      turn[index] = functions[index]()
    end
    turns[round] = turn
  end
  return turns
end

--- The median, over the turns, of f(result of the first function, of the second, ...).
function measure.median(turns, f)
  local values = {}
  for index, turn in ipairs(turns) do
    values[index] = f(table.unpack(turn))
  end
  table.sort(values)
  local middle = #values // 2
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

--- Prints a line as string.format() makes it, at once.
function measure.print(...)
  print(string.format(...))
  io.flush()
end

--- A directory for a subject's own files, which is removed when it is closed: `path`.
function measure.directory()
  local path = measure.read("mktemp -d"):match "[^\n]+"
  return setmetatable({ path = path }, {
    __close = function()
      measure.read("rm -r " .. measure.quote(path))
    end,
  })
end

return measure
