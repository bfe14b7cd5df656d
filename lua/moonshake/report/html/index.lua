-- SPDX-License-Identifier: MIT
-- The index of a report: how the run went, a filter, and every case with its outcome.
local escape = require "moonshake.escape"
local failure_text = require "moonshake.report.failure_text"
local frame = require "moonshake.report.html.frame"
local h = require "moonshake.report.html.markup"
local pretty = require "moonshake.report.pretty"
local style = require "moonshake.report.html.style"

local index = {}

local LONGEST_REASON = 300 -- bytes

-- The first line of a text, not too much of it.
local function short(text)
  local line = text:match "^[^\r\n]*"
  if #line > LONGEST_REASON then
    line = escape.utf8(line:sub(1, LONGEST_REASON)) .. "..."
  end
  return line
end

-- Why a case did not simply pass.
local function why(result)
  if result.reason then
    return short(result.reason)
  end
  local first = (result.failures or {})[1]
  return first and short(first.message or first.kind or "")
end

--- A case in the index.
---@param result table
---@param href string of its page
---@return string
function index.row(result, href)
  local reason = why(result)
  return h.text(h.li {
    class = result.outcome,
    frame.outcome(result.outcome), " ",
    h.a { href = href, result.case.label, failure_text.attempt(result) }, " ",
    h.span { class = "tags", frame.tags(result.case.tags) },
    h.span { class = "time", frame.seconds(result.seconds) },
    reason and h.span { class = "why", reason } or false,
  }) .. "\n"
end

--- Begins the cases of a file.
---@param path string
---@return string
function index.file_begins(path)
  return h.text(h.raw '<section class="file">', h.h2 { path }, h.raw "<ul>\n")
end

--- Ends them.
---@return string
function index.file_ends()
  return "</ul></section>\n"
end

local function total_of(summary)
  local total = summary.not_run or 0
  for outcome in frame.outcomes() do
    total = total + (summary.counts[outcome] or 0)
  end
  return total
end

-- Outcomes as parts of a line, in thousandths of it; none is too small to be seen.
local function bar(summary)
  local total, at, rects = total_of(summary), 0, {}
  for outcome in frame.outcomes() do
    local count = summary.counts[outcome] or 0
    if count > 0 then
      local width = math.max(5, count * 1000 // total)
      rects[#rects + 1] = h.rect { class = outcome, x = at, y = 0, width = width, height = 1 }
      at = at + width
    end
  end
  local missing = (summary.not_run or 0) * 1000 // math.max(total, 1)
  return at > 0 and h.svg {
    class = "bar", viewBox = ("0 0 %d 1"):format(at + missing), preserveAspectRatio = "none",
    ["aria-hidden"] = "true", xmlns = "http://www.w3.org/2000/svg", rects,
  } or false
end

local function facts_of(plan, summary)
  local shard = plan.shard
  return frame.facts {
    { "Began", frame.time(plan.started) or false },
    { "Took", summary and frame.seconds(summary.seconds) or false },
    { "Moonshake", plan.version },
    { "TLS library", plan.stack },
    { "Cases at a time", plan.jobs and tostring(plan.jobs) or false },
    { "Each case", (plan.repeats or 1) > 1 and ("%d times"):format(plan.repeats) },
    { "Shuffled by seed", plan.seed and tostring(plan.seed) },
    { "Shard", shard and ("%s of %s"):format(shard.index, shard.total) },
  }
end

local function trouble(summary)
  local items = {}
  local function add(heading, texts)
    for _, text in ipairs(texts or {}) do
      items[#items + 1] = h.li { h.strong { heading, " " }, h.pre { class = "wrap", text } }
    end
  end
  if summary.interrupted then
    local where = type(summary.interrupted) == "string" and summary.interrupted
    add("The run was interrupted" .. (where and " in" or ""), { where or "" })
  end
  add("A file was not loaded", summary.problems)
  add("Nothing was selected by", summary.unmatched)
  add("A worker ended badly", summary.lost)
  return #items > 0 and h.section {
    class = "trouble", ["aria-labelledby"] = "trouble",
    h.h2 { id = "trouble", "Beside the cases" }, h.ul { items },
  } or false
end

local function choice(name, word, count, checked)
  local id = "show-" .. name
  return {
    h.input { type = "radio", name = "show", id = id, value = name, checked = checked },
    h.label { ["for"] = id, word, " ", h.b { frame.number(count) } },
  }
end

-- What failed is what is shown first.
local function filter(summary)
  local failed = (summary.counts.failed or 0) > 0
  local all = total_of(summary) - (summary.not_run or 0)
  local choices = { choice("all", "all", all, not failed) }
  for outcome, word in frame.outcomes() do
    local count = summary.counts[outcome] or 0
    choices[#choices + 1] = count > 0
      and choice(outcome, word, count, outcome == "failed") or false
  end
  return h.div {
    class = "find", role = "search",
    h.fieldset { h.legend { "Show" }, choices },
    h.div {
      id = "search", hidden = true,
      h.label { ["for"] = "words", "Find" },
      h.input { type = "search", id = "words", autocomplete = "off", spellcheck = "false",
                placeholder = "words of a name, a file, a tag, a message" },
    },
    h.p { id = "told", class = "soft", role = "status" },
  }
end

--- All that stands before the cases.
---@param plan table
---@param summary table
---@return string
function index.head(plan, summary)
  local counts = pretty.counts(summary):gsub("%d+", frame.number):gsub("^%l", string.upper)
  return frame.head(counts .. " \u{2013} Moonshake", style.index, style.script) .. h.text(
    h.a { class = "skip", href = "#cases", "To the cases" },
    h.header {
      h.p { class = "brand", "Moonshake report" }, h.h1 { counts }, bar(summary),
      facts_of(plan, summary),
    },
    h.raw "\n<main>", trouble(summary), filter(summary),
    h.raw '\n<div id="cases">\n'
  )
end

--- All that stands behind them.
---@param plan table
---@return string
function index.foot(plan)
  return "</div></main>" .. frame.foot(plan, style.script)
end

--- The index while the run is under way: what is seen of one that was killed.
---@param plan table
---@return string
function index.under_way(plan)
  return frame.head("Under way \u{2013} Moonshake", style.index) .. h.text(
    h.header {
      h.p { class = "brand", "Moonshake report" },
      h.h1 { ("A run of %s cases"):format(frame.number(plan.count)) }, facts_of(plan),
    },
    h.main {
      h.p { "It has not ended: load this page again when it has. If it is not under way any more, "
            .. "it was killed, and what it did is in ", h.code { "cases/" }, "." },
    }
  ) .. frame.foot(plan)
end

return index
