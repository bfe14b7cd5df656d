-- SPDX-License-Identifier: MIT
-- For a step of GitHub's workflows: the report for people in its log, where nothing that it quotes
-- is taken for a command; annotations of the lines that failed; and a summary of the step.
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"
local files = require "moonshake.io.files"
local github_summary = require "moonshake.report.github_summary"
local pretty = require "moonshake.report.pretty"
local random = require "moonshake.io.random"

local MOST_ANNOTATIONS = 9 -- of a kind: GitHub shows ten of a step, the last one says how many more
local LONG_TITLE = 300 -- characters
local LONG_MESSAGE = 4000

local function without_dots(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return "/" .. table.concat(parts, "/")
end

-- A path (absolute, or relative to the working directory) as it is seen from the top of the
-- repository. What does not lie there stays as it is.
local function in_repository(path)
  local top = os.getenv "GITHUB_WORKSPACE"
  top = top and files.real_path(top)
  local here = files.real_path "."
  if not (top and here) then
    return path
  end
  local whole = without_dots(path:sub(1, 1) == "/" and path or here .. "/" .. path)
  return whole:sub(1, #top + 1) == top .. "/" and whole:sub(#top + 2) or path
end

-- `::error file=F,line=N,title=T::MESSAGE`
local function annotation(level, told)
  local properties = {}
  for _, pair in ipairs {
    { "file", told.file and in_repository(told.file) }, { "line", told.file and told.line },
    { "title", github_summary.cut(escape.line(told.title), LONG_TITLE) },
  } do
    if pair[2] then
      local value = escape.line(tostring(pair[2]))
      properties[#properties + 1] = pair[1] .. "=" .. escape.github_property(value)
    end
  end
  local message = table.concat(escape.lines(told.message), "\n")
  return ("::%s %s::%s\n"):format(level, table.concat(properties, ","),
                                  escape.github(github_summary.cut(message, LONG_MESSAGE)))
end

-- `count`: how many there are; the list may have fewer.
local function annotations(level, list, count)
  local out = {}
  for index = 1, math.min(#list, MOST_ANNOTATIONS) do
    out[index] = annotation(level, list[index])
  end
  if count > #out then
    out[#out + 1] = annotation(level, {
      title = "moonshake", message = ("and %d more: see the log of this step"):format(count - #out),
    })
  end
  return table.concat(out)
end

local Github = {}
Github.__index = Github

function Github:begin(plan)
  self.plan = plan
  self.token = random.word()
  self.stream:write("::stop-commands::", self.token, "\n")
  self.log:begin(plan)
end

function Github:case_begins(case, attempt)
  self.log:case_begins(case, attempt)
end

-- Counts a case that failed, and keeps it if it is among the first.
function Github:keep_failed(result)
  self.failures = self.failures + 1
  if #self.failed == github_summary.MOST_ROWS then
    return
  end
  local case, first = result.case, result.failures[1] or {}
  local said = failure_text.message(first)
  if #result.failures > 1 then
    said[#said + 1] = ("and %d more in this case"):format(#result.failures - 1)
  end
  local explanation = failure_text.explanation(result)
  table.move(explanation, 1, #explanation, #said + 1, said)
  local rerun = failure_text.rerun(result, self.program)
  local text = table.concat(said, "\n")
  for _, line in ipairs(failure_text.captures(result)) do
    said[#said + 1] = line
  end
  said[#said + 1] = "rerun: " .. rerun
  self.failed[#self.failed + 1] = {
    title = escape.line(case.id) .. failure_text.attempt(result),
    file = first.file or case.file,
    line = first.file and first.line or case.line,
    said = text,
    message = table.concat(said, "\n"),
    rerun = rerun,
  }
end

function Github:keep_reason(what, text)
  local key = what .. "\n" .. text
  local reason = self.reasons[key]
  if not reason then
    reason = { what = what, text = text, count = 0 }
    self.reasons[key] = reason
    self.reasons[#self.reasons + 1] = reason
  end
  reason.count = reason.count + 1
end

-- (An annotation calls for something to be done; an expected failure does not.)
function Github:case_ended(result)
  self.log:case_ended(result)
  if result.outcome == "failed" then
    self:keep_failed(result)
  elseif result.outcome == "skipped" then
    self:keep_reason("skipped", result.reason or "")
  elseif result.outcome == "expected_failure" then
    self:keep_reason("failed as expected", result.reason or "")
  end
end

function Github:annotate(summary)
  local errors, warnings = {}, {}
  if summary.interrupted then
    local where = type(summary.interrupted) == "string" and summary.interrupted or "the run"
    errors[1] = { title = "interrupted", message = where }
  end
  for _, line in ipairs(summary.lost or {}) do
    errors[#errors + 1] = { title = "worker lost", message = line }
  end
  local count = #errors + self.failures
  table.move(self.failed, 1, #self.failed, #errors + 1, errors)
  for _, text in ipairs(summary.problems) do
    local file, line, message = text:match "^(.-):(%d+): (.*)$"
    warnings[#warnings + 1] = {
      title = "not loaded", file = file, line = line, message = message or text,
    }
  end
  for _, line in ipairs(summary.unmatched or {}) do
    warnings[#warnings + 1] = { title = "nothing selected", message = line }
  end
  self.stream:write(annotations("error", errors, count),
                    annotations("warning", warnings, #warnings))
end

-- Adds the summary to those of the step's other programs.
function Github:append_summary(summary)
  local path = os.getenv "GITHUB_STEP_SUMMARY"
  if not path or path == "" then
    return true
  end
  local file, problem = io.open(path, "a")
  local done = file
  if file then
    local closed, close_problem
    done, problem = file:write(github_summary.text(self, summary))
    closed, close_problem = file:close()
    done, problem = done and closed, problem or close_problem
  end
  if not done then
    return nil, "the step's summary: " .. problem
  end
  return true
end

function Github:finish(summary)
  self.log:finish(summary)
  self.stream:write("::", self.token, "::\n")
  self:annotate(summary)
  local flushed, problem = self.stream:flush()
  if not flushed then
    return nil, problem
  end
  return self:append_summary(summary)
end

local github = {}

--- A report (see several.lua) for a step of a workflow.
---@param stream file* the step's standard output
---@param context { program: string }
function github.new(stream, context)
  return setmetatable({
    stream = stream,
    program = context.program,
    log = pretty.new(stream, { program = context.program, terminal = false }),
    failures = 0,
    failed = {}, -- the first of them
    reasons = {}, -- of skips and expected failures, each once
  }, Github)
end

return github
