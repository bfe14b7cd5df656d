-- SPDX-License-Identifier: MIT
-- Workers, each with a file, as many at a time as there are jobs: first they list what their files
-- have, then they run what was selected. A worker that listed a file waits to run it, so that a
-- file is loaded once; a file of many cases is divided when a job has nothing else to do.
local loop = require "moonshake.io.loop"
local remote = require "moonshake.runner.remote"

local pool = {}

local MOST_WAITING = 64 -- workers that keep a listed file
local AHEAD = 2 -- cases that a worker is given at a time, so that it never waits for us
-- A process more is worth it for so many cases, or for two where the first took so long.
local WORTH_CASES, WORTH_SECONDS = 16, 1

local Pool = {}
Pool.__index = Pool

---------------------------------------------------------------------------------------------------
-- Units: runs of one file, in order. `at` is the next one to be given.

local function left_of(unit)
  return #unit - unit.at + 1
end

local function cut(unit, from, to)
  local part = { path = unit.path, at = 1, since = loop.now() }
  return table.move(unit, from, to, 1, part)
end

-- The second half of the unit that has most left, for a job that has nothing to do.
function Pool:divide()
  local largest
  for worker in pairs(self.active) do
    local unit = worker.unit
    if unit and left_of(unit) >= 2 and (not largest or left_of(unit) > left_of(largest))
      and (left_of(unit) >= WORTH_CASES or loop.now() - unit.since >= WORTH_SECONDS) then
      largest = unit
    end
  end
  if not largest then
    return nil
  end
  local middle = largest.at + left_of(largest) // 2
  local part = cut(largest, middle, #largest)
  for index = #largest, middle, -1 do
    largest[index] = nil
  end
  return part
end

---------------------------------------------------------------------------------------------------
-- Giving work

function Pool:start(path)
  local worker, problem = remote.start(self, path, self.how)
  if not worker then -- this machine cannot start processes, or no more of them
    return nil, problem
  end
  self.living[worker] = true
  self.alive = self.alive + 1
  self:occupy(worker)
  return worker
end

function Pool:occupy(worker)
  if not self.active[worker] then
    self.active[worker] = true
    self.busy = self.busy + 1
  end
end

function Pool:release(worker)
  if self.active[worker] then
    self.active[worker] = nil
    self.busy = self.busy - 1
  end
end

-- Keeps a worker supplied; once there is nothing more for it, it is let go.
function Pool:feed(worker)
  local unit = worker.unit
  while #worker.given < AHEAD and unit.at <= #unit do
    local run = unit[unit.at]
    unit.at = unit.at + 1
    worker:give(run)
    if #worker.given == 1 then
      self.told.begins(run)
    end
  end
  if #worker.given == 0 then
    worker:finish()
    self:release(worker)
  end
end

function Pool:take_up(unit)
  local worker = table.remove(self.waiting[unit.path] or {})
  if worker then
    worker.unit = unit
    self.num_waiting = self.num_waiting - 1
    self:occupy(worker)
    self:feed(worker)
  else
    local problem
    worker, problem = self:start(unit.path)
    if worker then
      worker.unit = unit
    else
      self:lose_unit(unit, problem)
    end
  end
end

function Pool:next_job()
  if self.paths[1] then
    local path = table.remove(self.paths, 1)
    local started, problem = self:start(path)
    if not started then
      self.listings[path] = { problem = ("%s: %s"):format(path, problem) }
    end
    return true
  end
  local unit = table.remove(self.units, 1) or self:divide()
  if unit then
    self:take_up(unit)
  end
  return unit ~= nil
end

function Pool:go_on()
  while self.busy < self.how.jobs and self:next_job() do -- luacheck: ignore 542
  end
  if self.busy == 0 and #self.units == 0 and self.alive == self.num_waiting then
    loop.stop() -- all that live wait for work, or none does
  end
end

---------------------------------------------------------------------------------------------------
-- What workers tell (see remote.lua)

-- A file that was listed and is now another one, or none. Its cases did not run: none of them has
-- failed as it was expected to.
function Pool:lose_unit(unit, problem)
  for index = unit.at, #unit do
    local run = unit[index]
    self.told.begins(run)
    self.told.ended {
      case = run.case, attempt = run.attempt, outcome = "failed", notes = {}, seconds = 0,
      failures = { {
        kind = "error", message = problem, file = run.case.file, line = run.case.line,
      } },
    }
  end
end

local function is_same(unit, descriptions)
  for index = unit.at, #unit do
    local case = unit[index].case
    if not descriptions[case.index] or descriptions[case.index].id ~= case.id then
      return false
    end
  end
  return true
end

function Pool:loaded(worker, descriptions, problem) -- luacheck: ignore 212
  local unit = worker.unit
  if not unit then
    self.listings[worker.path] = { cases = descriptions, problem = problem }
    self:release(worker)
    if descriptions and #descriptions > 0 and self.num_waiting < MOST_WAITING then
      self.waiting[worker.path] = { worker }
      self.num_waiting = self.num_waiting + 1
    elseif not worker.gone then
      worker:finish()
    end
  elseif descriptions and is_same(unit, descriptions) then
    self:feed(worker)
  else
    worker.unit = nil
    self:lose_unit(unit, problem and problem:match "[^\n]*"
                         or worker.path .. ": it is not the file any more that was listed")
    self:release(worker)
    if not worker.gone then
      worker:finish()
    end
  end
  self:go_on()
end

function Pool:ended(worker, result)
  self.told.ended(result)
  if self.stopping then
    worker:dismiss()
  elseif not worker.retired then
    if worker.given[1] then
      self.told.begins(worker.given[1])
    end
    self:feed(worker)
  end
  self:go_on()
end

function Pool:lost(worker, run, failure, seconds)
  local expected = run.case.expected_failure
  local output, output_cut = worker:take_output()
  self.told.ended {
    case = run.case, attempt = run.attempt, failures = { failure }, notes = {},
    outcome = expected and "expected_failure" or "failed", reason = expected,
    seconds = seconds, output = output, output_cut = output_cut,
  }
end

-- Before cases run there is nobody yet to be told.
function Pool:ended_badly(_, problem)
  if self.told then
    self.told.ended_badly(problem)
  else
    table.insert(self.early, problem)
  end
end

function Pool:gone(worker)
  self.living[worker] = nil
  self.alive = self.alive - 1
  self:release(worker)
  for _, waiting in pairs(self.waiting) do
    if waiting[1] == worker then
      waiting[1] = nil
      self.num_waiting = self.num_waiting - 1
    end
  end
  local unit = worker.unit
  if unit and not self.stopping then
    local rest = table.move(worker.given, 1, #worker.given, 1, { path = unit.path, at = 1 })
    table.move(unit, unit.at, #unit, #rest + 1, rest)
    if #rest > 0 then
      rest.since = loop.now()
      table.insert(self.units, 1, rest)
    end
  end
  self:go_on()
end

---------------------------------------------------------------------------------------------------
-- For the runner

local function each_waiting(self, f)
  local all = {}
  for _, waiting in pairs(self.waiting) do
    all[#all + 1] = waiting[1]
  end
  for _, worker in ipairs(all) do
    f(worker)
  end
end

--- Has each file loaded by a worker of its own.
---@param paths string[]
---@return table<string, { cases: table[]?, problem: string? }> listings by path; of a file there is
--- nothing when the pool was stopped before
function Pool:list(paths)
  self.paths = { table.unpack(paths) }
  if #paths > 0 then
    self:go_on()
    loop.run()
  end
  return self.listings
end

--- Runs cases. `told` has the functions begins(run), ended(result) and ended_badly(problem), see
--- remote.lua.
---@param runs table[] { case = description, attempt = integer, seconds = deadline }, those of one
--- file in a row
---@param told table
function Pool:run(runs, told)
  self.told = told
  for _, problem in ipairs(self.early) do
    told.ended_badly(problem)
  end
  local wanted = {}
  for _, run in ipairs(runs) do
    local unit = self.units[#self.units]
    if not unit or unit.path ~= run.case.file then
      unit = { path = run.case.file, at = 1, since = loop.now() }
      self.units[#self.units + 1] = unit
    end
    unit[#unit + 1] = run
    wanted[unit.path] = true
  end
  each_waiting(self, function(worker)
    if not wanted[worker.path] then
      self.waiting[worker.path] = nil
      self.num_waiting = self.num_waiting - 1
      worker:finish()
    end
  end)
  if self.alive > 0 or #self.units > 0 then
    self:go_on()
    loop.run()
  end
end

--- Lets the cases that are under way end, and begins no other.
function Pool:wind_down()
  self.stopping = true
  self.units, self.paths = {}, {}
  each_waiting(self, function(worker) worker:dismiss() end)
  for worker in pairs(self.active) do
    if not worker.given[1] then
      worker:dismiss()
    end
  end
end

--- Ends everything at once, also what is about to end by itself.
function Pool:stop()
  self:wind_down()
  for worker in pairs(self.living) do
    worker:dismiss()
  end
end

--- Ends what is left, and waits for it.
function Pool:close()
  self:stop()
  while self.alive > 0 and loop.run() do -- luacheck: ignore 542
  end
end

--- A pool without a worker.
---@param how { jobs: integer, program: string, environment: string[], timeout: number,
---  settings: table } timeout: the seconds that a file may take to load; settings: for worker.lua
function pool.new(how)
  return setmetatable({
    how = how, paths = {}, units = {}, listings = {}, waiting = {}, active = {}, living = {},
    early = {}, busy = 0, num_waiting = 0, alive = 0,
  }, Pool)
end

return pool
