-- SPDX-License-Identifier: MIT
-- Joins what the JSON reports of several machines tell into what one machine would have told. Only
-- where they are all there and whole: a result that lacks a shard looks like a good one.
local shard = require "moonshake.runner.shard"
local tally = require "moonshake.runner.tally"

local join = {}

-- More complaints of one kind help nobody.
local MOST = 5

local Joining = {}
Joining.__index = Joining

function Joining:complain(...)
  self.problems[#self.problems + 1] = string.format(...)
end

function Joining:complain_all(list)
  table.move(list, 1, math.min(#list, MOST), #self.problems + 1, self.problems)
  if #list > MOST then
    self:complain("... and %d more like it", #list - MOST)
  end
end

-- Whether a file is whole.
function Joining:check_file(file)
  local path, found = file.path, file.found
  local complaints = {}
  for index, problem in ipairs(found.problems) do
    complaints[index] = ("%s: %s"):format(path, problem)
  end
  if not found.plan then
    self:complain("%s: no JSON report of a run%s", path,
                  complaints[1] and " (" .. found.problems[1] .. ")" or "")
  elseif #complaints > 0 then
    self:complain_all(complaints)
  elseif found.plan.shard
    and (found.plan.shard.index < 1 or found.plan.shard.index > found.plan.shard.total)
  then
    self:complain("%s: there is no shard %d of %d", path, found.plan.shard.index,
                  found.plan.shard.total)
  elseif not found.summary then
    self:complain("%s: was cut short: the end of the run is not in it", path)
  elseif found.plan.count ~= #found.results + found.summary.not_run then
    self:complain("%s: is not whole: %d cases were to run, %d did and %d did not", path,
                  found.plan.count, #found.results, found.summary.not_run)
  end
end

-- Whether two shards are of one run. (Other programs that write such files need no digest.)
function Joining:check_pair(one, other)
  local a, b = one.found.plan.shard, other.found.plan.shard
  if (a == nil) ~= (b == nil) then
    self:complain("%s is a shard and %s is not: they are not of one run",
                  a and one.path or other.path, a and other.path or one.path)
  elseif a and a.total ~= b.total then
    self:complain("%s is one of %d shards, %s one of %d: they are not of one run", one.path,
                  a.total, other.path, b.total)
  elseif a and a.selected ~= b.selected then
    self:complain("%s is a shard of %s cases, %s of %s: the machines did not select the same",
                  one.path, a.selected, other.path, b.selected)
  elseif a and a.digest ~= b.digest then
    self:complain("%s and %s are shards of other cases: the machines did not select the same",
                  one.path, other.path)
  else
    return true
  end
end

-- Whether each shard is there, once.
function Joining:check_shards(files)
  local first, at = files[1], {}
  for _, file in ipairs(files) do
    if not self:check_pair(first, file) then
      return
    elseif file.found.plan.shard then
      local index, total = file.found.plan.shard.index, file.found.plan.shard.total
      if at[index] then
        self:complain("shard %d/%d is there twice: %s and %s", index, total, at[index], file.path)
      end
      at[index] = at[index] or file.path
    end
  end
  local missing, index, total = {}, 1, first.found.plan.shard and first.found.plan.shard.total or 0
  while index <= total and #missing <= MOST do
    if not at[index] then
      missing[#missing + 1] = ("shard %d/%d is missing"):format(index, total)
    end
    index = index + 1
  end
  self:complain_all(missing)
end

-- Whether each case is there, once: its attempts are in one file.
function Joining:check_cases(files)
  local owner, cases, twice, not_run = {}, {}, {}, 0
  for _, file in ipairs(files) do
    for _, result in ipairs(file.found.results) do
      local id = result.case.id
      if not owner[id] then
        owner[id] = file
        cases[#cases + 1] = result.case
      elseif owner[id] ~= file then
        twice[#twice + 1] = ("%s: is in %s and in %s"):format(id, owner[id].path, file.path)
      end
    end
    not_run = not_run + file.found.summary.not_run
  end
  self:complain_all(twice)
  local said = files[1].found.plan.shard
  if said and said.digest and not_run == 0 and said.digest ~= shard.digest(cases) then
    self:complain("%d cases were selected, and the shards together have %d, or others",
                  said.selected, #cases)
  end
end

local function by_shard(files)
  local sorted = table.move(files, 1, #files, 1, {})
  if files[1].found.plan.shard then
    table.sort(sorted, function(one, other)
      return one.found.plan.shard.index < other.found.plan.shard.index
    end)
  end
  return sorted
end

-- What the files say under a key of their plans, if all say the same. Else a remark.
local function common(files, key, remarks)
  local seen, texts = {}, {}
  for _, file in ipairs(files) do
    local value = file.found.plan[key]
    local text = value == nil and "none" or tostring(value)
    if not seen[text] then
      seen[text] = true
      texts[#texts + 1] = text
    end
  end
  if #texts == 1 then
    return files[1].found.plan[key]
  end
  remarks[#remarks + 1] = ("the shards differ in their %s: %s"):format(key,
                                                                       table.concat(texts, ", "))
  return nil, table.concat(texts, ", ")
end

-- The lines that the files have under a key of their summaries; those that each machine says of all
-- files once.
local function lines_of(files, key, once)
  local lines, seen = {}, {}
  for _, file in ipairs(files) do
    for _, line in ipairs(file.found.summary[key]) do
      if not (once and seen[line]) then
        lines[#lines + 1] = line
      end
      seen[line] = true
    end
  end
  return lines
end

local function plan_of(files, remarks)
  local plan = { count = 0, jobs = 0, repeats = 1, started = math.huge }
  for _, key in ipairs { "version", "stack" } do
    local same, all = common(files, key, remarks)
    plan[key] = same or all
  end
  plan.seed = common(files, "seed", remarks)
  common(files, "repeats", remarks)
  for _, file in ipairs(files) do
    local said = file.found.plan
    plan.count = plan.count + said.count
    plan.jobs = plan.jobs + said.jobs
    plan.repeats = math.max(plan.repeats, said.repeats)
    plan.started = math.min(plan.started, said.started)
  end
  return plan
end

local function summary_of(files, plan, results)
  local counted = tally.new(plan.count, {
    problems = lines_of(files, "problems", true), unmatched = lines_of(files, "unmatched", true),
  })
  for _, result in ipairs(results) do
    counted:add(result)
  end
  counted.lost = lines_of(files, "lost", false)
  local seconds = 0
  for _, file in ipairs(files) do
    local said = file.found.summary
    seconds = math.max(seconds, said.seconds)
    if said.interrupted and not counted.interrupted then
      counted.interrupted, counted.interrupted_status = said.interrupted, said.status
    end
  end
  return counted:summary(seconds, {})
end

---@class moonshake.joined
---@field plan table as a report's begin() takes it, without a shard
---@field results table[] shard after shard, as case_ended() takes them
---@field summary table as finish() takes it; it took as long as the slowest shard
---@field remarks string[] in what the shards differ though they may

--- Joins reports.
---@param files { path: string, found: table }[] found: what json_reader.read() returned
---@return moonshake.joined|nil
---@return string[]|nil problems
function join.files(files)
  local self = setmetatable({ problems = {} }, Joining)
  local begun = {}
  for _, file in ipairs(files) do
    self:check_file(file)
    begun[#begun + 1] = file.found.plan and file or nil
  end
  if #begun > 0 then
    self:check_shards(begun)
  end
  if #self.problems == 0 then
    self:check_cases(files)
  end
  if #self.problems > 0 then
    return nil, self.problems
  end
  local sorted, results, remarks = by_shard(files), {}, {}
  for _, file in ipairs(sorted) do
    table.move(file.found.results, 1, #file.found.results, #results + 1, results)
  end
  local plan = plan_of(sorted, remarks)
  return {
    plan = plan, results = results, summary = summary_of(sorted, plan, results), remarks = remarks,
  }
end

return join
