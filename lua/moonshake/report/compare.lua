-- SPDX-License-Identifier: MIT
-- What changed against a record (record.lua): cases that are new or gone, and in which paths the
-- state of the others differs. A difference makes the run fail.
local diff = require "moonshake.diff"
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"
local json = require "dkjson"

local compare = {}

local MOST = 12       -- differing paths of a case that are shown
local MOST_LINES = 12 -- of a value
local FAILED = 1

local Compare = {}
Compare.__index = Compare

function Compare:begin(plan)
  self.would_select = plan.would_select
end

function Compare.case_begins()
end

---------------------------------------------------------------------------------------------------
-- One case

-- Takes two lists down to where they differ; nil where they do not. One event more would else be a
-- difference in every one that follows.
local function middle(now, before)
  local first, last = 1, 0
  while now[first] ~= nil and now[first] == before[first] do
    first = first + 1
  end
  while last <= math.min(#now, #before) - first and now[#now - last] == before[#before - last] do
    last = last + 1
  end
  local one, other = table.move(now, first, #now - last, 1, {}),
                     table.move(before, first, #before - last, 1, {})
  return (#one > 0 or #other > 0) and one or nil, other, first
end

-- A copy of a case without the events of its links, and those. What was read need not be what we
-- would have written.
local function apart(case)
  local copy, events = { outcome = case.outcome }, {}
  for name, value in pairs(case.state) do
    copy[name] = value
  end
  if type(copy.links) ~= "table" then
    return copy, events
  end
  copy.links = table.move(copy.links, 1, #copy.links, 1, {})
  for index, link in ipairs(copy.links) do
    if type(link) == "table" and type(link.events) == "table" then
      copy.links[index], events[index] = {}, link.events
      for name, value in pairs(link) do
        copy.links[index][name] = value
      end
      copy.links[index].events = nil
    end
  end
  return copy, events
end

-- Every path in which two cases differ. Of one that came to nothing there is no state.
local function differences_of(now, before)
  if not (now.state and before.state) then
    local function told(case)
      return { outcome = case.outcome, state = case.state and "there is one" or nil }
    end
    return diff.compare(told(now), told(before))
  end
  local ours, our_events = apart(now)
  local theirs, their_events = apart(before)
  local list = diff.compare(ours, theirs)
  for index, events in pairs(our_events) do
    local one, other, at = middle(events, their_events[index] or {})
    if one then
      list[#list + 1] = { path = ("links[%d].events from %d on"):format(index, at),
                          found = diff.show(one), wanted = diff.show(other) }
    end
  end
  return list
end

function Compare:case_ended(result)
  local id = escape.utf8(result.case.id)
  local before = self.recorded.cases[id]
  self.seen[id] = true
  if not before then
    self.new[#self.new + 1] = id
    return
  end
  local list = differences_of({
    outcome = result.outcome,
    state = result.record and json.decode(result.record, 1, nil, nil, nil),
  }, before)
  if #list > 0 then
    table.insert(self.changed, { id = id .. failure_text.attempt(result), differences = list })
  else
    self.same = self.same + 1
  end
end

---------------------------------------------------------------------------------------------------
-- The end

-- Recorded cases that would have run if they were there.
local function gone(self)
  local ids, others = {}, 0
  for id in pairs(self.recorded.cases) do
    if not self.seen[id] then
      local is_gone = self.would_select and self.would_select(id)
      ids[#ids + 1] = is_gone and id or nil
      others = others + (is_gone and 0 or 1)
    end
  end
  table.sort(ids)
  return ids, others
end

--- Makes a run fail in which something differs.
---@param summary table
function Compare:judge(summary)
  self.gone, self.not_run = {}, 0
  if not summary.interrupted and summary.not_run == 0 then
    self.gone, self.not_run = gone(self)
  end
  if summary.status == 0 and #self.changed + #self.new + #self.gone > 0 then
    summary.status = FAILED
  end
end

function Compare:write_value(label, text)
  local lead, lines = ("      %-9s "):format(label), escape.lines(text)
  for index = 1, math.min(#lines, MOST_LINES) do
    self.stream:write(lead, lines[index], "\n")
    lead = (" "):rep(#lead)
  end
  if #lines > MOST_LINES then
    self.stream:write(lead, ("... %d lines more\n"):format(#lines - MOST_LINES))
  end
end

function Compare:write_changed(case)
  self.stream:write("CHANGED ", escape.line(case.id), "\n")
  for index = 1, math.min(#case.differences, MOST) do
    local difference = case.differences[index]
    self.stream:write("    ", escape.line(difference.path), "\n")
    self:write_value("now:", difference.found)
    self:write_value("recorded:", difference.wanted)
  end
  if #case.differences > MOST then
    self.stream:write(("    and %d more\n"):format(#case.differences - MOST))
  end
end

function Compare:finish()
  local recorded = self.recorded
  self.stream:write(("\ncompared with %s (moonshake %s, %s)\n"):format(
    escape.line(self.path), escape.line(recorded.moonshake), escape.line(recorded.stack)))
  table.sort(self.changed, function(one, other) return one.id < other.id end)
  for _, case in ipairs(self.changed) do
    self:write_changed(case)
  end
  table.sort(self.new)
  for _, list in ipairs { { "NEW", self.new }, { "GONE", self.gone } } do
    for _, id in ipairs(list[2]) do
      self.stream:write(("%-8s"):format(list[1]), escape.line(id), "\n")
    end
  end
  self.stream:write(("%d changed, %d new, %d gone, %d the same%s\n"):format(
    #self.changed, #self.new, #self.gone, self.same,
    self.not_run > 0 and (", %d not run"):format(self.not_run) or ""))
  return self.stream:flush()
end

--- A report (see several.lua) of what changed.
---@param stream file*
---@param context { compare: { path: string, recorded: moonshake.recorded } }
function compare.new(stream, context)
  return setmetatable({
    stream = stream, path = context.compare.path, recorded = context.compare.recorded,
    seen = {}, changed = {}, new = {}, same = 0,
  }, Compare)
end

return compare
