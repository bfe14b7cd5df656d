-- SPDX-License-Identifier: MIT
-- JUnit's XML, valid for the strictest reader there is, the schema of Jenkins' xUnit plugin: a
-- suite for each file, in the order in which the files had their first result, and one more for
-- what went wrong outside of cases. Counts stand in front, so everything is written at the end.
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"

local OWN_SUITE = "moonshake"

-- Jenkins and GitLab attach the file that such a line names; no text of others may name one.
local function disarmed(text)
  return (text:gsub("%[%[ATTACHMENT|", "[ [ATTACHMENT|"))
end

-- Lines of text in which everything can be seen.
local function shown(text)
  return disarmed(table.concat(escape.lines(text), "\n"))
end

-- `attributes`: pairs of a name and a value; a pair without value is left out. `content` is XML; an
-- element without it is empty.
local function element(name, attributes, content)
  local tag = { name }
  for _, pair in ipairs(attributes) do
    if pair[2] ~= nil then
      tag[#tag + 1] = ('%s="%s"'):format(pair[1], escape.xml_attribute(shown(tostring(pair[2]))))
    end
  end
  local opened = table.concat(tag, " ")
  return content and ("<%s>%s</%s>"):format(opened, content, name) or ("<%s/>"):format(opened)
end

-- The text of an element, from lines that are escaped for a terminal already.
local function text_of(lines)
  return #lines > 0 and escape.xml(disarmed(table.concat(lines, "\n"))) or nil
end

-- Whole milliseconds: readers take three digits, and a point whatever the locale.
local function seconds_text(seconds)
  local milliseconds = math.floor((seconds or 0) * 1000 + 0.5)
  return ("%d.%03d"):format(milliseconds // 1000, milliseconds % 1000)
end

-- ISO 8601 in UTC, without a zone; nil for a time that is none.
local function timestamp(epoch)
  local done, text = pcall(function()
    return os.date("!%Y-%m-%dT%H:%M:%S", math.floor(epoch))
  end)
  return done and text or nil
end

local Junit = {}
Junit.__index = Junit

-- The suite of this name; a new one stands behind those that are there.
function Junit:suite(name)
  local suite = self.suites[name]
  if not suite then
    suite = { name = name, tests = 0, failures = 0, errors = 0, skipped = 0, seconds = 0 }
    self.suites[name] = suite
    self.suites[#self.suites + 1] = suite
  end
  return suite
end

-- Adds a case to a suite, as XML: whole results would fill the memory. `counted` is what it counts
-- as beside "tests", or nil.
function Junit:add(suite_name, counted, attributes, seconds, children)
  local suite = self:suite(suite_name)
  suite.tests = suite.tests + 1
  suite.seconds = suite.seconds + (seconds or 0)
  if counted then
    suite[counted] = suite[counted] + 1
  end
  table.insert(attributes, 2, { "classname", suite_name })
  table.insert(attributes, 3, { "time", seconds_text(seconds) })
  local content = #children > 0
    and "\n      " .. table.concat(children, "\n      ") .. "\n    " or nil
  suite[#suite + 1] = "    " .. element("testcase", attributes, content) .. "\n"
end

-- Notes, what the case printed, and the files to attach.
local function printed(result)
  local lines = {}
  for _, note in ipairs(result.notes or {}) do
    local lead = "note: "
    for _, line in ipairs(escape.lines(note)) do
      lines[#lines + 1] = lead .. line
      lead = "      "
    end
  end
  if result.output and result.output ~= "" then
    lines[#lines + 1] = failure_text.printed_heading(result) .. ":"
    local output = escape.lines((result.output:gsub("\r?\n$", "")))
    table.move(output, 1, #output, #lines + 1, lines)
  end
  local text = text_of(lines)
  for _, path in ipairs(result.captures or {}) do
    text = (text and text .. "\n" or "")
      .. ("[[ATTACHMENT|%s]]"):format(escape.xml(disarmed(escape.line(path))))
  end
  return text
end

local function skipped(result)
  local lines = {}
  for index, made in ipairs(result.failures or {}) do -- of an expected failure
    local more = failure_text.failure(made, index == 1 and result.explanation or nil)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return element("skipped", { { "type", result.outcome }, { "message", result.reason } },
                 text_of(lines))
end

-- The children of a test case, and what it counts as: an error, if there is one among its failures.
local function verdict(result, program)
  if result.outcome == "skipped" or result.outcome == "expected_failure" then
    return { skipped(result) }, "skipped"
  end
  local children, counted = {}, nil
  local failures = result.failures or {}
  if result.outcome == "failed" then
    counted = "failures"
    failures = #failures > 0 and failures or { {} } -- it must not look like one that passed
  end
  for index, made in ipairs(failures) do
    local is_error = failure_text.is_error(made)
    counted = is_error and "errors" or counted
    local lines = failure_text.failure(made, index == 1 and result.explanation or nil)
    lines[#lines + 1] = "  rerun: " .. failure_text.rerun(result, program)
    children[#children + 1] = element(is_error and "error" or "failure",
                                      { { "type", made.kind }, { "message", made.message } },
                                      text_of(lines))
  end
  return children, counted
end

function Junit:begin(plan)
  self.plan = plan
  self.suites = {}
end

function Junit.case_begins()
end

function Junit:case_ended(result)
  local case = result.case
  local attributes = { { "name", case.label .. failure_text.attempt(result) } }
  if self.extras then
    table.move({ { "file", case.file }, { "line", case.line } }, 1, 2, 2, attributes)
  end
  local children, counted = verdict(result, self.program)
  local output = printed(result)
  if output then
    children[#children + 1] = element("system-out", {}, output)
  end
  self:add(case.file, counted, attributes, result.seconds, children)
end

-- Errors that are no case's. Their names are told apart, for readers take only the first of two
-- equal ones.
function Junit:add_errors(kind, heading, texts)
  for _, text in ipairs(texts or {}) do
    local lines = escape.lines(text)
    local name = ("%s: %s"):format(heading, lines[1])
    local times = (self.names[name] or 0) + 1
    self.names[name] = times
    self:add(OWN_SUITE, "errors", { { "name", times > 1 and name .. " " .. times or name } }, 0,
             { element("error", { { "type", kind }, { "message", lines[1] } },
                       #lines > 1 and text_of(lines) or nil) })
  end
end

local function interruption(summary)
  local where = type(summary.interrupted) == "string" and summary.interrupted or "the run"
  return ("%s (cases not run: %d)"):format(where, summary.not_run or 0)
end

function Junit:properties()
  local plan, list = self.plan, {}
  for _, pair in ipairs {
    { "version", plan.version }, { "stack", plan.stack }, { "seed", plan.seed },
    { "shard", plan.shard and ("%s/%s"):format(plan.shard.index, plan.shard.total) },
  } do
    if pair[2] then
      list[#list + 1] = element("property", { { "name", pair[1] }, { "value", pair[2] } })
    end
  end
  return element("properties", {}, table.concat(list))
end

function Junit:document(summary)
  local properties, started = self:properties(), timestamp(self.plan.started)
  local all = { tests = 0, failures = 0, errors = 0 }
  local suites = {}
  for index, suite in ipairs(self.suites) do
    for name in pairs(all) do
      all[name] = all[name] + suite[name]
    end
    suites[index] = "  " .. element("testsuite", {
      { "name", suite.name }, { "tests", suite.tests }, { "failures", suite.failures },
      { "errors", suite.errors }, { "skipped", suite.skipped },
      { "time", seconds_text(suite.seconds) }, { "timestamp", started },
    }, ("\n    %s\n%s  "):format(properties, table.concat(suite)))
  end
  return '<?xml version="1.0" encoding="UTF-8"?>\n' .. element("testsuites", {
    { "name", OWN_SUITE }, { "tests", all.tests }, { "failures", all.failures },
    { "errors", all.errors }, { "time", seconds_text(summary.seconds) },
  }, #suites > 0 and ("\n%s\n"):format(table.concat(suites, "\n")) or nil) .. "\n"
end

function Junit:finish(summary)
  self.names = {}
  self:add_errors("not_loaded", "not loaded", summary.problems)
  self:add_errors("unmatched", "nothing selected", summary.unmatched)
  self:add_errors("lost", "worker lost", summary.lost)
  if summary.interrupted then
    self:add_errors("interrupted", "interrupted", { interruption(summary) })
  end
  local _, problem = self.stream:write(self:document(summary))
  if problem then -- flush() knows nothing of what was too large for the buffer
    return nil, problem
  end
  return self.stream:flush()
end

local junit = {}

--- A report (see several.lua) that writes JUnit's XML to `stream` when the run is over.
---@param stream file*
---@param context { program: string, extras: boolean } extras: attributes `file` and `line` of a
---   test case, which GitLab and CircleCI read and Jenkins' schema refuses
function junit.new(stream, context)
  return setmetatable({ stream = stream, program = context.program, extras = context.extras },
                      Junit)
end

return junit
