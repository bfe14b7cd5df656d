-- SPDX-License-Identifier: MIT
-- A record: every case's state as JSON that is the same in each run, to be kept and compared with
-- (compare.lua). What it holds of a case is made in its worker, see views/record.lua.
local escape = require "moonshake.escape"
local json = require "dkjson"

local record = { VERSION = 1, FORMAT = "moonshake record" }

local INDENT = "    "

local Record = {}
Record.__index = Record

function Record:begin(plan)
  self.plan = plan
end

function Record.case_begins()
end

-- Of a case that runs several times, the first run.
function Record:case_ended(result)
  if (result.attempt or 1) > 1 then
    return
  end
  local id = escape.utf8(result.case.id)
  local state = result.record and (',\n%s  "state": %s'):format(INDENT, result.record) or ""
  self.ids[#self.ids + 1] = id
  self.cases[id] = ('{\n%s  "outcome": %s%s\n%s}'):format(
    INDENT, json.quotestring(result.outcome), state, INDENT)
end

-- Why a run is not to be kept: half a record, or an empty one, would pass for a whole one later.
local function reason_against(summary, count)
  if count == 0 then
    return "no case ran"
  elseif summary.interrupted then
    return "the run was interrupted"
  elseif summary.not_run > 0 then
    return ("%d cases did not run"):format(summary.not_run)
  elseif #summary.problems > 0 then
    return "not every file could be loaded"
  end
end

function Record:finish(summary)
  local reason = reason_against(summary, #self.ids)
  if reason then
    return false, "nothing was recorded: " .. reason
  end
  self.stream:write(('{\n  "format": %s,\n  "v": %d,\n  "moonshake": %s,\n  "stack": %s,\n')
    :format(json.quotestring(record.FORMAT), record.VERSION,
            json.quotestring(escape.utf8(self.plan.version)),
            json.quotestring(escape.utf8(self.plan.stack))), '  "cases": {\n')
  table.sort(self.ids)
  for index, id in ipairs(self.ids) do
    self.stream:write(INDENT, json.quotestring(id), ": ", self.cases[id],
                      index < #self.ids and ",\n" or "\n")
  end
  self.stream:write "  }\n}\n"
  return self.stream:flush()
end

--- A report (see several.lua) that keeps a record.
---@param stream file*
function record.new(stream)
  return setmetatable({ stream = stream, ids = {}, cases = {} }, Record)
end

---------------------------------------------------------------------------------------------------
-- Reading

---@class moonshake.recorded
---@field moonshake string version of the program
---@field stack string
---@field cases table<string, { outcome: string, state: table? }> by id

-- What is wrong with what was decoded; nil where nothing is.
local function wrong(found)
  if type(found) ~= "table" or found.format ~= record.FORMAT then
    return "no record of a run"
  elseif found.v ~= record.VERSION then
    return ("a record of format %s, and only %d is known here"):format(tostring(found.v),
                                                                      record.VERSION)
  elseif type(found.moonshake) ~= "string" or type(found.stack) ~= "string"
    or type(found.cases) ~= "table"
  then
    return "a record without its versions or cases"
  end
  for id, case in pairs(found.cases) do
    if type(id) ~= "string" or type(case) ~= "table" or type(case.outcome) ~= "string"
      or not (case.state == nil or type(case.state) == "table")
    then
      return ("a record in which %s is no case"):format(tostring(id))
    end
  end
end

--- Reads a record.
---@param text string
---@return moonshake.recorded|nil
---@return string|nil problem
function record.read(text)
  local done, found, behind, problem = pcall(json.decode, text, 1, nil, nil, nil)
  if not done then
    return nil, "no record of a run: it is nested too deeply"
  elseif problem or not utf8.len(text) then
    return nil, "no record of a run: " .. (problem or "not UTF-8")
  elseif text:find("%S", behind) then
    return nil, "no record of a run: there is text behind it"
  end
  problem = wrong(found)
  return not problem and found or nil, problem
end

return record
