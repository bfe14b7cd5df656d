-- SPDX-License-Identifier: MIT
-- A case that was shown, for people: what it is about, the diagram of each of its links, both ends'
-- certificate state, why it came so, and how it ended. Two cases stand beside each other where
-- there is room.
local columns = require "moonshake.views.columns"
local diagram_text = require "moonshake.views.diagram_text"
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"
local show_layout = require "moonshake.report.show_layout"

local OUTCOMES = {
  passed = { "PASS", "green" }, failed = { "FAIL", "red" }, skipped = { "SKIP", "yellow" },
  expected_failure = { "XFAIL", "yellow" },
}

-- The styles of a diagram as colours.
local STYLES = {
  dim = "dim", name = "bold", none = "bold", handshake = "magenta", application = "blue",
  good = "green", bad = "red", note = "yellow",
}

local Page = {}
Page.__index = Page

function Page:add(...)
  for _, line in ipairs { ... } do
    self.lines[#self.lines + 1] = line
  end
end

function Page:add_all(lines)
  self:add(table.unpack(lines))
end

-- A blank line between two parts, never two.
function Page:gap()
  if #self.lines > 0 and self.lines[#self.lines] ~= "" then
    self:add ""
  end
end

local function indented(lines)
  local made = {}
  for index, line in ipairs(lines) do
    made[index] = "  " .. line
  end
  return made
end

-- A text of the script's, in lines.
local function paragraph(text, width)
  local lines = {}
  for _, line in ipairs(escape.lines(text)) do
    local wrapped = columns.wrap(line, width - 2)
    table.move(wrapped, 1, #wrapped, #lines + 1, lines)
  end
  return indented(lines)
end

---------------------------------------------------------------------------------------------------
-- Parts

function Page:head(result, title)
  local case, paint = result.case, self.how.paint
  for _, line in ipairs(columns.wrap(title, self.how.width)) do
    self:add(paint(line, "bold"))
  end
  self:add(paint(escape.line(("%s:%s, %s"):format(case.file, case.line, self.how.plan.stack)),
                 "dim"))
  if case.about then
    self:add_all(paragraph(case.about, self.how.width))
  end
  if case.rfc then
    self:add_all(paragraph(case.rfc, self.how.width))
  end
end

-- The lines of a link's parts, by name: "diagram", "state", "explanation".
local function parts_of(told, how, width)
  local function paint(text, style)
    return STYLES[style] and how.paint(text, STYLES[style]) or text
  end
  local parts = {
    diagram = diagram_text(told.model, { width = width, unicode = how.unicode, paint = paint }),
    state = told.state,
    explanation = indented(told.explanation),
  }
  if #parts.explanation > 0 then
    table.insert(parts.explanation, 1, "explanation " .. ("-"):rep(width - 12))
  end
  return parts
end

local ORDER = { "diagram", "state", "explanation" }

-- Several lists of lines beside each other, each in so many columns.
function Page:beside(lists, width)
  local most = 0
  for _, list in ipairs(lists) do
    most = math.max(most, #list)
  end
  for index = 1, most do
    local line = ""
    for number, list in ipairs(lists) do
      line = line .. (" "):rep((number - 1) * (width + show_layout.BETWEEN) - self.seen(line))
        .. (list[index] or "")
    end
    self:add((line:gsub("%s+$", "")))
  end
end

-- How wide a line is without the colours in it.
function Page.seen(line)
  return columns.width((line:gsub("\27%[%d+m", "")))
end

local function links_of(result)
  return result.story and result.story.links or {}
end

-- The links of the results, those of several results beside each other.
function Page:links(results, width)
  local most = 0
  for _, result in ipairs(results) do
    most = math.max(most, #links_of(result))
  end
  for index = 1, most do
    local all = {}
    for number, result in ipairs(results) do
      local told = links_of(result)[index]
      all[number] = told and parts_of(told, self.how, width) or {}
    end
    self:gap()
    local heads = {}
    for number, result in ipairs(results) do
      local story = result.story
      heads[number] = all[number].diagram and story.made > 1
        and { self.how.paint(show_layout.number(story, index), "bold") } or {}
    end
    self:beside(heads, width)
    for _, name in ipairs(ORDER) do
      local lists = {}
      for number, parts in ipairs(all) do
        lists[number] = parts[name] or {}
      end
      self:gap()
      self:beside(lists, width)
    end
  end
end

function Page:notes(result)
  local story = result.story
  for _, text in ipairs(story and story.notes or result.notes or {}) do
    self:add_all(paragraph("# " .. text, self.how.width))
  end
end

-- A failure without what the page has told already.
local function shortened(result)
  if not result.story then
    return result
  end
  local failures = {}
  for index, failure in ipairs(result.failures) do
    failures[index] = setmetatable({ events = {} }, { __index = failure })
  end
  return setmetatable({ failures = failures, notes = {} }, { __index = result })
end

function Page:outcome(result, label)
  local word, colour = table.unpack(OUTCOMES[result.outcome])
  self:gap()
  self:add(self.how.paint(word, colour) .. label
           .. (result.reason and ": " .. escape.line(result.reason) or ""))
  if #result.failures > 0 then
    self:add_all(failure_text.case(shortened(result), self.how.program))
    return
  end
  local printed = failure_text.printed(result)
  if #printed > 0 then
    self:add("  " .. failure_text.printed_heading(result))
    self:add_all(indented(indented(printed)))
  end
end

---------------------------------------------------------------------------------------------------

local function tell_one(page, result)
  page:head(result, show_layout.title(result.case))
  page:notes(result)
  page:links({ result }, page.how.width)
  if not result.story and result.outcome == "failed" then
    page:gap()
    page:add "  (of its links nothing is known: the process that had them is gone)"
  end
  page:outcome(result, "")
end

-- What tells it from the other one.
local function values_of(result)
  local values = show_layout.values(result.case)
  return values == "" and escape.line(result.case.id) or values
end

local function tell_beside(page, results, width)
  local heads = {}
  page:head(results[1], escape.line(results[1].case.name))
  for index, result in ipairs(results) do
    heads[index] = columns.wrap(values_of(result), width)
    for at, line in ipairs(heads[index]) do
      heads[index][at] = page.how.paint(line, "bold")
    end
  end
  page:gap()
  page:beside(heads, width)
  for _, result in ipairs(results) do
    page:notes(result)
  end
  page:links(results, width)
  for _, result in ipairs(results) do
    page:outcome(result, " " .. values_of(result))
  end
end

--- The lines that tell one result, or two beside each other.
---@param results table[]
---@param how { program: string, plan: table, width: integer, unicode: boolean?, paint:
---  fun(text: string, colour: string): string }
---@return string[]
return function(results, how)
  local page = setmetatable({ lines = {}, how = how }, Page)
  local width = show_layout.of_each(#results, how.width)
  if #results > 1 and width < how.width then
    tell_beside(page, results, width)
  else
    for index, result in ipairs(results) do
      if index > 1 then
        page:add("", "")
      end
      tell_one(page, result)
    end
  end
  return page.lines
end
