-- SPDX-License-Identifier: MIT
-- The report of `moonshake show`: tells a case, or two beside each other, once they have run. What
-- a case's `story` is stands in views/narrative.lua.
local escape = require "moonshake.escape"
local show_layout = require "moonshake.report.show_layout"

local show = {}

local Show = {}
Show.__index = Show

function Show:begin(plan)
  self.plan = plan
end

function Show.case_begins() end

function Show:case_ended(result)
  self.results[#self.results + 1] = result
end

-- What it is called where there is more than one: the case's values, and which link of how many.
local function heading(result, index)
  local story, title = result.story, show_layout.title(result.case)
  return story.made > 1 and title .. ", " .. show_layout.number(story, index) or title
end

-- The diagrams of the results: { heading =, model = }, a list for each.
local function diagrams_of(results)
  local lists = {}
  for _, result in ipairs(results) do
    local list = {}
    for index, link in ipairs(result.story and result.story.links or {}) do
      list[index] = { heading = heading(result, index), model = link.model }
    end
    lists[#lists + 1] = list
  end
  return lists
end

local write = {}

function write.text(self)
  local lines = require "moonshake.report.show_text" (self.results, {
    program = self.context.program, paint = self.paint, plan = self.plan,
    width = self.context.width(), unicode = self.context.unicode,
  })
  return table.concat(lines, "\n") .. "\n"
end

function write.svg(self)
  return require "moonshake.views.diagram_page" (diagrams_of(self.results))
end

-- Mermaid draws one diagram; several are a document of Markdown.
function write.mermaid(self)
  local draw = require("moonshake.views.diagram").draw
  local all, parts = {}, {}
  for _, list in ipairs(diagrams_of(self.results)) do
    table.move(list, 1, #list, #all + 1, all)
  end
  if #all == 1 then
    return draw(all[1].model, "mermaid")
  end
  for index, one in ipairs(all) do
    parts[index] = ("## %s\n\n```mermaid\n%s```\n"):format(escape.markdown(one.heading),
                                                           draw(one.model, "mermaid"))
  end
  return table.concat(parts, "\n")
end

function write.json(self)
  local parts = {}
  for index, result in ipairs(self.results) do
    parts[index] = require "moonshake.report.show_json" (result, self.plan) .. "\n"
  end
  return table.concat(parts)
end

-- Nothing can be drawn of cases that made no link.
local DRAWN = { svg = true, mermaid = true }

local function has_links(results)
  for _, list in ipairs(diagrams_of(results)) do
    if #list > 0 then
      return true
    end
  end
  return false
end

function Show:finish()
  local form = self.context.form
  if DRAWN[form] and #self.results > 0 and not has_links(self.results) then
    return nil, "no link was made, so there is nothing to draw"
  end
  local written, problem = true, nil
  if #self.results > 0 then
    written, problem = self.stream:write(write[form](self)) -- flush() does not tell of it again
  end
  if written then
    written, problem = self.stream:flush()
  end
  return written and true, problem
end

--- A report (see several.lua).
---@param stream file*
---@param context { program: string, terminal: boolean, form: string, unicode: boolean,
---  width: fun(): integer } form: "text", "svg", "mermaid" or "json"
function show.new(stream, context)
  return setmetatable({
    stream = stream, context = context, results = {},
    paint = require("moonshake.report.colours").painter(context.terminal),
  }, Show)
end

return show
