-- SPDX-License-Identifier: MIT
-- The report for people: failures as they happen, how far it is on a terminal and else a line a
-- case, and a summary.
local colours = require "moonshake.report.colours"
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"
local live = require "moonshake.report.live"

local WORDS = {
  passed = { "PASS", "green" },
  failed = { "FAIL", "red" },
  skipped = { "SKIP", "yellow" },
  expected_failure = { "XFAIL", "yellow" },
}

local MOST_TITLES = 10 -- of cases with the same reason

local pretty = {}

--- How a run went, in one line: "1 failed, 2 passed".
---@param summary table
---@param paint? fun(text: string, colour: string): string
---@return string
function pretty.counts(summary, paint)
  local counts, parts = summary.counts, {}
  local function part(count, text, colour)
    if count and count > 0 then
      local told = ("%d %s"):format(count, text)
      parts[#parts + 1] = paint and paint(told, colour) or told
    end
  end
  part(counts.failed, "failed", "red")
  part(counts.passed, "passed", "green")
  part(counts.expected_failure, "failed as expected", "yellow")
  part(counts.skipped, "skipped", "yellow")
  part(summary.not_run, "not run", "yellow")
  part(#summary.problems, "not loaded", "red")
  part(#(summary.lost or {}), "lost", "red")
  local nothing = summary.status == 0 and "nothing is in this shard" or "nothing was selected"
  return #parts > 0 and table.concat(parts, ", ") or nothing
end

local Pretty = {}
Pretty.__index = Pretty

function Pretty:write(...)
  if self.live then
    self.live:erase()
  end
  self.stream:write(...)
end

-- What is special about this run.
local function particulars(plan)
  local parts = { ("%d case%s"):format(plan.count, plan.count == 1 and "" or "s") }
  if (plan.repeats or 1) > 1 then
    parts[1] = ("%d runs, each case %d times"):format(plan.count, plan.repeats)
  end
  if plan.shard then
    parts[#parts + 1] = ("shard %d of %d"):format(plan.shard.index, plan.shard.total)
  end
  if plan.seed then
    parts[#parts + 1] = ("shuffled by seed %d"):format(plan.seed)
  end
  if (plan.jobs or 1) > 1 then
    parts[#parts + 1] = ("%d jobs"):format(plan.jobs)
  end
  return table.concat(parts, ", ")
end

function Pretty:begin(plan)
  self.total = plan.count
  self.done = 0
  self.reasons = {}
  self.failed = {}
  self.durations = {}
  self.seed = plan.seed
  if plan.count > 0 then
    self:write(("moonshake %s, %s: %s\n"):format(escape.line(plan.version),
                                                 escape.line(plan.stack), particulars(plan)))
    self.live = self.terminal and live.new(self.stream, plan.count, self.width)
  end
end

function Pretty:case_begins(case, attempt)
  if self.live then
    self.live:begins(case, attempt)
  end
end

function Pretty:tick()
  if self.live then
    self.live:show()
  end
end

function Pretty:case_ended(result)
  local title = escape.line(result.case.id) .. failure_text.attempt(result)
  self.done = self.done + 1
  if self.live then
    self.live:ended(result)
  end
  if self.num_durations then
    self.durations[#self.durations + 1] = { title = title, seconds = result.seconds }
  end
  if result.outcome == "failed" then
    self.failed[#self.failed + 1] = title
  elseif result.reason then
    self:keep_reason(result, title)
  end
  if not self.terminal or result.outcome == "failed" then
    local word, colour = table.unpack(WORDS[result.outcome])
    self:write(self.paint(("%5s"):format(word), colour),
               (" %7.3fs (%3d/%d) "):format(result.seconds, self.done, self.total),
               title, "\n")
    if result.outcome == "failed" then
      self:write(table.concat(failure_text.case(result, self.program), "\n"), "\n\n")
    end
  end
  self.ends_blank = result.outcome == "failed"
  self.stream:flush()
end

function Pretty:keep_reason(result, title)
  local key = result.outcome .. " " .. result.reason
  local group = self.reasons[key]
  if not group then
    group = { outcome = result.outcome, reason = result.reason }
    self.reasons[key] = group
    self.reasons[#self.reasons + 1] = group
  end
  group[#group + 1] = title
end

-- Why cases were skipped or were expected to fail, each reason once. On a terminal nothing was said
-- of them before.
function Pretty:tell_reasons()
  table.sort(self.reasons, function(a, b)
    return (a.reason .. a.outcome) < (b.reason .. b.outcome)
  end)
  for _, group in ipairs(self.reasons) do
    self:write(self.paint(WORDS[group.outcome][1], "yellow"), (" %d: "):format(#group),
               escape.line(group.reason), "\n")
    for index = 1, self.terminal and math.min(#group, MOST_TITLES) or 0 do
      self:write("  ", group[index], "\n")
    end
    if self.terminal and #group > MOST_TITLES then
      self:write(("  and %d more\n"):format(#group - MOST_TITLES))
    end
  end
end

-- The slowest cases, the slowest first.
function Pretty:slowest()
  local list = self.durations
  table.sort(list, function(a, b)
    if a.seconds ~= b.seconds then
      return a.seconds > b.seconds
    end
    return a.title < b.title
  end)
  local most = self.num_durations == 0 and #list or math.min(self.num_durations, #list)
  if most > 0 then
    self:write("slowest cases\n")
  end
  for index = 1, most do
    self:write((" %7.3fs %s\n"):format(list[index].seconds, list[index].title))
  end
end

function Pretty:complaints(heading, texts)
  for _, text in ipairs(texts or {}) do
    self:write(self.paint(heading, "red"), " ",
               table.concat(escape.lines(text), "\n  "), "\n")
  end
end

function Pretty:finish(summary)
  if self.total > 0 and not self.ends_blank then
    self:write "\n"
  end
  if self.num_durations then
    self:slowest()
  end
  self:tell_reasons()
  for _, title in ipairs(self.failed) do
    self:write(self.paint("FAIL", "red"), " ", title, "\n")
  end
  if self.total > 0 then
    self:complaints("not loaded", summary.problems)
  end
  self:complaints("worker lost", summary.lost)
  if summary.interrupted then
    local where = summary.interrupted ~= true and " in " .. escape.line(summary.interrupted) or ""
    self:write(self.paint("interrupted", "red"), where, "\n")
  end
  local counts = pretty.counts(summary, self.paint)
  local seed = self.seed and (", shuffled by seed %d"):format(self.seed) or ""
  self:write(counts, (" in %.2f s%s\n"):format(summary.seconds, seed))
  return self.stream:flush()
end

--- A report (see several.lua) for people.
---@param stream file*
---@param context { program: string, terminal: boolean, width: (fun(): integer)?,
---  durations: integer? } whether `stream` is a terminal, and how wide; how many of the slowest
---  cases are told at the end, 0 for all
function pretty.new(stream, context)
  return setmetatable({
    stream = stream,
    terminal = context.terminal and os.getenv "TERM" ~= "dumb",
    paint = colours.painter(context.terminal),
    program = context.program,
    width = context.width or function() return 80 end,
    num_durations = context.durations,
  }, Pretty)
end

return pretty
