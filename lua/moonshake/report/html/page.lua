-- SPDX-License-Identifier: MIT
-- The page of a case: what it is, what went wrong, what its links did, and how to run it again.
local json = require "dkjson"
local failure_text = require "moonshake.report.failure_text"
local failures = require "moonshake.report.html.failures"
local frame = require "moonshake.report.html.frame"
local h = require "moonshake.report.html.markup"
local link = require "moonshake.report.html.link"
local parts = require "moonshake.report.html.parts"
local style = require "moonshake.report.html.style"

local page = {}

-- The texts of what may be a list of texts.
local function texts(value)
  local list = {}
  for _, text in ipairs(type(value) == "table" and value or {}) do
    list[#list + 1] = type(text) == "string" and text or nil
  end
  return list
end

---------------------------------------------------------------------------------------------------
-- What it is

local function facts(result)
  local case = result.case
  local list = {
    { "Took", frame.seconds(result.seconds) },
    { "Stands in", h.code { ("%s:%s"):format(case.file, case.line) } },
  }
  local names = {}
  for name in pairs(case.params or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    list[#list + 1] = { name, h.code { tostring(case.params[name]) } }
  end
  list[#list + 1] = { "Shows", case.rfc or false }
  list[#list + 1] = { "Tags", case.tags and #case.tags > 0 and frame.tags(case.tags) }
  return frame.facts(list)
end

local REASONS = { skipped = "Skipped: ", expected_failure = "Must fail: " }

local function head(result)
  local case = result.case
  local reason = result.reason
  return h.header {
    h.h1 { frame.outcome(result.outcome), " ", case.name or case.label,
           failure_text.attempt(result) },
    case.about and h.p { class = "about", case.about } or false,
    reason and h.p { class = "about", REASONS[result.outcome] or "", reason } or false,
    facts(result),
  }
end

---------------------------------------------------------------------------------------------------
-- What happened

-- What was made of the case's links (see views/picture.lua), or why there is nothing.
local function links(result)
  local done, told = pcall(json.decode, result.pictures)
  told = done and type(told) == "table" and told or {}
  local list = type(told.links) == "table" and told.links or {}
  return {
    h.each(list, function(one, index)
      return type(one) == "table" and link.sections(one, index, #list)
    end),
    h.each(texts(told.problems), function(problem)
      return h.p { class = "soft", "What could not be told: ", problem }
    end),
  }, #list > 0
end

-- What a failed case tells of its link in short.
local function explanation(result)
  local lines = texts(result.explanation)
  return #lines > 0 and parts.section("explanation", "Why", h.div {
    class = "card told", h.each(lines, function(line) return h.p { line } end),
  }) or false
end

local function story(result)
  local told, has_links = links(result)
  return { failures.section(result, not has_links), not has_links and explanation(result), told }
end

local function notes(result)
  return result.notes and #result.notes > 0 and parts.section("notes", "Notes", h.div {
    class = "card", h.each(result.notes, function(note) return h.pre { class = "wrap", note } end),
  }) or false
end

local function printed(result)
  local output = (result.output or ""):gsub("\r?\n$", "")
  local is_cut = (result.output_cut or 0) > 0
  return output ~= "" and parts.section(
    "printed", "Output", is_cut and h.p { class = "soft", failure_text.printed_heading(result) },
    parts.code("Output", output))
end

local function captures(result, locate)
  local list = texts(result.captures)
  return #list > 0 and parts.section("captures", "Captures", h.ul { h.each(list, function(path)
    return h.li { h.a { href = locate(path), path } }
  end) })
end

local function rerun(result, program)
  return parts.section("rerun", "Run it again", parts.scrolling("The command", h.pre {
    class = "code all", failure_text.rerun(result, program),
  }))
end

--- The page.
---@param result table
---@param plan table of the run
---@param context { program: string, locate: fun(path: string): string } what rerun lines begin
---   with; how a page refers to a file
---@return string
function page.of(result, plan, context)
  return frame.head(result.case.label .. failure_text.attempt(result), style.case) .. h.text(
    h.a { class = "skip", href = "#main", "To the content" },
    h.nav { ["aria-label"] = "Report", h.a { href = "../index.html", "All cases" } }, head(result),
    h.main {
      id = "main", tabindex = "-1", story(result), notes(result), printed(result),
      captures(result, context.locate), rerun(result, context.program),
    }
  ) .. frame.foot(plan)
end

return page
