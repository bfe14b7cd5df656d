-- SPDX-License-Identifier: MIT
-- Runs scenarios in workers and tells reports. This process loads none of them itself, so that
-- nothing a scenario does can reach the results of others.
local complain = require "moonshake.report.complain"
local files = require "moonshake.io.files"
local last_failed = require "moonshake.runner.last_failed"
local loop = require "moonshake.io.loop"
local native = require "moonshake.native"
local pool = require "moonshake.runner.pool"
local process = require "moonshake.io.process"
local processors = require "moonshake.io.processors"
local selection = require "moonshake.runner.selection"
local several = require "moonshake.report.several"
local shard = require "moonshake.runner.shard"
local shuffle = require "moonshake.runner.shuffle"
local tally = require "moonshake.runner.tally"

local runner = {}

local SECONDS_TO_LOAD = 60
local TICK = 0.25 -- seconds after which reports are told that time has passed
local SIGNALS = { "sigint", "sigterm", "sighup" }

---------------------------------------------------------------------------------------------------
-- A session: workers and a directory for what they leave behind, until all is done

local Session = {}
Session.__index = Session

local function open_session(options)
  local folder, problem = files.temporary_directory(options.temporary)
  if not folder then
    return nil, problem
  end
  local self = setmetatable({ folder = folder, options = options, began = loop.now() },
                            Session)
  self.pool = pool.new {
    jobs = options.jobs or processors.available(),
    program = process.own_program(),
    environment = process.environment(options.erase or {}, { TMPDIR = folder }),
    timeout = options.timeout or SECONDS_TO_LOAD,
    settings = { memory = options.memory, evidence = options.evidence, keep = options.keep },
  }
  self.unwatch = loop.on_signals(SIGNALS, function(name)
    self.signal = name
    self.unwatch() -- a second one ends us at once
    self.pool:stop()
  end)
  self.unpipe = loop.on_signals({ "sigpipe" }, function() end) -- a write says what is wrong
  return self
end

function Session:__close()
  self.pool:close()
  self.unwatch()
  self.unpipe()
  loop.settle()
  if self.options.keep then
    if not os.remove(self.folder) then -- it is not empty
      complain("the cases' directories are in " .. self.folder)
    end
  else
    local removed, problem = files.remove_tree(self.folder)
    complain(not removed and problem or nil)
  end
end

-- The selected cases, and what is wrong with the targets.
function Session:select()
  local options = self.options
  local plan = options.plan or selection.plan(options.words)
  self.listings = self.pool:list(plan.files)
  local resolved = selection.resolve(plan, self.listings)
  resolved.cases = selection.filter(resolved.cases, options.filter or {})
  function resolved.would_select(id)
    return not (options.last_failed or options.shard)
      and selection.would_select(plan, self.listings, options.filter or {}, id)
  end
  return resolved
end

-- Whether an id's file was loaded; and whether, as far as can be told, the case is no more.
function Session:knows(id)
  local path = selection.file_of(id, function(path)
    return self.listings[path] or files.kind(path) == "file"
  end) or id
  local listing = self.listings[path]
  if not (listing and listing.cases) then
    return false, not files.kind(path)
  end
  for _, case in ipairs(listing.cases) do
    if case.id == id then
      return true, false
    end
  end
  return true, true
end

-- Tells a tally of the signal that came, if one did.
function Session:tell_signal(counted, where)
  if self.signal then
    counted.interrupted = where
    counted.interrupted_status = loop.status_of(self.signal)
  end
end

---------------------------------------------------------------------------------------------------
-- Running

-- With --last-failed only those that failed; all, with a word about it, where none is known.
function Session:only_last_failed(resolved)
  local known, problem = last_failed.read()
  if not known then
    resolved.problems[#resolved.problems + 1] = problem
    return
  elseif #known == 0 then
    complain("no failure is recorded here: all cases run")
    return
  end
  local ids = {}
  for _, id in ipairs(known) do
    ids[id] = true
    local is_loaded, is_gone = self:knows(id)
    if is_loaded and is_gone then -- of other files nothing was asked
      complain(id .. ": failed last time, and is not among the cases any more")
    end
  end
  resolved.cases = selection.filter(resolved.cases, {
    accept = function(case) return ids[case.id] end,
  })
end

-- For the next --last-failed.
function Session:keep_failed(failed)
  local kept, problem = last_failed.keep(failed, function(id)
    local _, is_gone = self:knows(id)
    return is_gone
  end)
  complain(not kept and problem or nil)
end

-- Every case so many times; those of a file stay together, for a worker has one file.
local function runs_of(cases, options)
  local runs, first = {}, 1
  for index, case in ipairs(cases) do
    local after = cases[index + 1]
    if not after or after.file ~= case.file then
      for attempt = 1, options.repeats or 1 do
        for at = first, index do
          runs[#runs + 1] = {
            case = cases[at], attempt = attempt, seconds = options.timeout or cases[at].seconds,
          }
        end
      end
      first = index + 1
    end
  end
  return runs
end

-- What the pool tells while cases run.
local function told_to(report, counted, session, failed)
  local most, under_way = session.options.max_fail, {}
  return {
    begins = function(run)
      under_way[#under_way + 1] = run
      report:case_begins(run.case, run.attempt)
    end,
    ended = function(result)
      for index, run in ipairs(under_way) do
        if run.case == result.case and run.attempt == result.attempt then
          table.remove(under_way, index)
          break
        end
      end
      counted:add(result)
      local id = result.case.id
      failed[id] = failed[id] or result.outcome == "failed"
      report:case_ended(result)
      if most and counted:failed() >= most then
        session.pool:wind_down()
      end
    end,
    ended_badly = function(problem)
      counted.lost[#counted.lost + 1] = problem
    end,
  }, under_way
end

-- The ids of what a signal ended, in a line; true when nothing ran.
local function interrupted_in(under_way)
  local ids = {}
  for index, run in ipairs(under_way) do
    ids[index] = run.case.id
  end
  return #ids > 0 and table.concat(ids, ", ") or true
end

function Session:run(resolved, report, plan)
  local options = self.options
  local runs = runs_of(resolved.cases, options)
  local counted = tally.new(#runs, resolved)
  plan.count, plan.jobs = #runs, self.pool.how.jobs
  plan.repeats = options.repeats or 1
  plan.version, plan.stack, plan.started = native.version, native.stack, os.time()
  plan.would_select = resolved.would_select
  report:begin(plan)
  local failed = {}
  local ticker = loop.timer(function() report:tick() end, true)
  ticker:set(TICK, TICK)
  local told, under_way = told_to(report, counted, self, failed)
  if not self.signal then
    -- What is known of the cases stays as it is from here on; what each of them leaves is garbage,
    -- of which by default as much again would be let lie.
    collectgarbage("setpause", 120)
    collectgarbage()
    self.pool:run(runs, told)
  end
  ticker:close()
  self:tell_signal(counted, interrupted_in(under_way))
  return counted:summary(loop.now() - self.began, {
    empty_is_fine = plan.shard ~= nil and plan.shard.selected > 0,
    skip_status = options.skip_status,
  }), failed
end

--- Runs what the options say.
---@param options table
---   words        paths and ids         plan         what they mean, if that is known
---   filter       see selection.filter()
---   last_failed  only those            shard        { index, total }
---   seed         of another order      first        ids that run before the others
---   repeats      of each case          max_fail     failures after which it stops
---   jobs         cases at a time       timeout      seconds, for each case and file
---   memory       bytes of a worker     keep         whether cases' directories stay
---   temporary    where those are       erase        variables that workers do not get
---   aside        whether --last-failed is to know nothing of it
---   evidence     what is kept of cases (see evidence.lua)
---   skip_status  the exit status where every case was skipped
---   reports, context  see report/several.lua
--- All but words, reports and context may be nil.
---@return integer status the exit status
---@return table[] cases descriptions of those selected
---@return table<string, boolean> failed by id, of those that ran
function runner.run(options)
  local report, problem = several.open(options.reports, options.context)
  if not report then
    return complain(problem), {}, {}
  end
  local session <close>, why = open_session(options)
  if not session then
    report:abandon()
    return complain(why), {}, {}
  end
  local resolved = session:select()
  if options.last_failed then
    session:only_last_failed(resolved)
  end
  local plan = { seed = options.seed }
  if options.shard then
    resolved.cases, plan.shard = shard.cut(resolved.cases, options.shard)
  end
  if options.seed then
    resolved.cases = shuffle.cases(resolved.cases, options.seed)
  end
  resolved.cases = selection.with_first(resolved.cases, options.first or {})
  complain(table.unpack(resolved.problems))
  complain(table.unpack(resolved.unmatched))
  local summary, failed = session:run(resolved, report, plan)
  if not options.aside then
    session:keep_failed(failed)
  end
  local written
  written, problem = report:finish(summary)
  if not written then
    return complain("the report could not be written: " .. problem), resolved.cases, failed
  end
  return summary.status, resolved.cases, failed
end

--- Only selects.
---@param options { words: string[], filter: table?, jobs: integer? }
---@return table resolved see selection.resolve()
---@return integer status
function runner.select(options)
  local session <close>, problem = open_session(options)
  if not session then
    return { cases = {}, problems = { problem }, unmatched = {} }, tally.STATUS.unusable
  end
  local resolved = session:select()
  local counted = tally.new(#resolved.cases, resolved)
  session:tell_signal(counted, true)
  return resolved, counted:summary(0, {}).status
end

return runner
