-- SPDX-License-Identifier: MIT
-- A run in GitHub's Markdown, for the page of a workflow's run. With the limits below it stays
-- under 500 KiB, whatever is in it; GitHub takes 1 MiB.
local escape = require "moonshake.escape"
local pretty = require "moonshake.report.pretty"

local github_summary = {
  MOST_ROWS = 50, -- of a table
}

local LONG_MESSAGE = 400 -- characters
local LONG_NAME = 200

--- The first characters of text that is valid UTF-8.
---@param text string
---@param most integer
---@return string
function github_summary.cut(text, most)
  local behind = utf8.offset(text, most + 1)
  return behind and behind <= #text and text:sub(1, behind - 1) .. "..." or text
end

-- A table with a row for each item, up to the limit; `row(item)` gives its cells. Nothing for an
-- empty list. `count`: how many items there are, where the list has only the first.
local function add_table(out, heads, list, count, row)
  if count == 0 then
    return
  end
  out[#out + 1] = "| " .. table.concat(heads, " | ") .. " |"
  out[#out + 1] = "|" .. (" --- |"):rep(#heads)
  for index = 1, math.min(#list, github_summary.MOST_ROWS) do
    local cells = {}
    for number, cell in ipairs(row(list[index])) do
      cells[number] = escape.markdown(cell)
    end
    out[#out + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  out[#out + 1] = ""
  if count > github_summary.MOST_ROWS then
    out[#out + 1] = ("... and %d more\n"):format(count - github_summary.MOST_ROWS)
  end
end

-- In a block of code nothing has a meaning but a line that ends it, and no command begins so.
local function add_commands(out, failed)
  local commands = {}
  for _, told in ipairs(failed) do
    if #told.rerun <= LONG_NAME then
      commands[#commands + 1] = told.rerun
    end
  end
  if #commands > 0 then
    out[#out + 1] = "```sh\n" .. table.concat(commands, "\n") .. "\n```\n"
  end
end

local function origin(plan)
  local parts = { ("moonshake %s, %s"):format(plan.version, plan.stack) }
  parts[#parts + 1] = plan.seed and "seed " .. plan.seed
  parts[#parts + 1] = plan.shard and ("shard %s/%s"):format(plan.shard.index, plan.shard.total)
  return table.concat(parts, ", ")
end

--- The summary of a run.
---@param run table { plan, failures: how many cases failed, failed: a list of the first MOST_ROWS
---   of them ({ title, file, line, said, rerun }), reasons: a list of { what, text, count } }
---@param summary table what finish() of a report gets
---@return string
function github_summary.text(run, summary)
  local cut = github_summary.cut
  local out = {
    ("## moonshake: %s in %.2f s\n"):format(pretty.counts(summary), summary.seconds),
    escape.markdown(origin(run.plan)) .. "\n",
  }
  out[#out + 1] = summary.interrupted and "**interrupted**\n" or nil
  add_table(out, { "failed", "at", "message" }, run.failed, run.failures, function(told)
    return { cut(told.title, LONG_NAME), cut(("%s:%s"):format(told.file, told.line), LONG_NAME),
             cut(told.said, LONG_MESSAGE) }
  end)
  add_commands(out, run.failed)
  for _, group in ipairs { { "not loaded", summary.problems }, { "worker lost", summary.lost },
                           { "nothing selected", summary.unmatched } } do
    local lines = group[2] or {}
    add_table(out, { group[1] }, lines, #lines, function(line)
      return { cut(table.concat(escape.lines(line), "\n"), LONG_NAME) }
    end)
  end
  add_table(out, { "", "reason", "cases" }, run.reasons, #run.reasons, function(reason)
    return { reason.what, cut(escape.line(reason.text), LONG_NAME), tostring(reason.count) }
  end)
  return table.concat(out, "\n") .. "\n"
end

return github_summary
