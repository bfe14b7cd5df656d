-- SPDX-License-Identifier: MIT
-- What went wrong in a case, as lines for people: each is escaped for a terminal, none has colour.
-- What a failure is stands at the top of expect.lua.
local escape = require "moonshake.escape"

local failure_text = {}

local INDENT = "      "
local MOST_PRINTED = 40 -- lines of what a case printed

local EXPECTATION = { expectation = true, no_expectation = true, unexpected_pass = true }

--- Whether something broke (an error, a deadline, a crash), and not only an expectation.
---@param made table a failure
---@return boolean
function failure_text.is_error(made)
  return not EXPECTATION[made.kind]
end

--- What tells the runs of a case apart: "" for its first one.
---@param result table
---@return string
function failure_text.attempt(result)
  local attempt = result.attempt or 1
  return attempt > 1 and (" (repeat %s)"):format(attempt) or ""
end

--- The command that runs the case again.
---@param result table
---@param program string what rerun lines begin with
---@return string
function failure_text.rerun(result, program)
  return ("%s run %s"):format(escape.line(escape.shell(program)),
                              escape.line(escape.shell(result.case.id)))
end

--- Where the case's captures are.
---@param result table
---@return string[] lines
function failure_text.captures(result)
  local lines = {}
  for index, path in ipairs(result.captures or {}) do
    lines[index] = "capture: " .. escape.line(path)
  end
  return lines
end

-- Lines below a heading, each escaped and indented.
local function add_lines(out, indent, texts)
  for _, text in ipairs(texts or {}) do
    for _, line in ipairs(escape.lines(text)) do
      out[#out + 1] = indent .. line
    end
  end
end

local function add_section(out, indent, heading, texts)
  if texts and #texts > 0 then
    out[#out + 1] = indent .. heading
    add_lines(out, indent .. "  ", texts)
  end
end

-- "found: value", the following lines of a value below its first one.
local function add_value(out, indent, label, value)
  if value ~= nil then
    local lead = ("%s%-7s "):format(indent, label .. ":")
    for _, line in ipairs(escape.lines(value)) do
      out[#out + 1] = lead .. line
      lead = (" "):rep(#lead)
    end
  end
end

local function add_differences(out, indent, list)
  if list and #list > 0 then
    out[#out + 1] = indent .. "differences"
    for _, difference in ipairs(list) do
      out[#out + 1] = indent .. "  " .. escape.line(difference.path)
      for _, side in ipairs { "found", "wanted" } do
        if difference[side] then
          out[#out + 1] = ("%s    %-7s %s"):format(indent, side .. ":",
                                                   escape.line(difference[side]))
        end
      end
    end
  end
end

-- Whether a failure's message has the value already.
local function is_said(message, value)
  return value == nil or message:find(value, 1, true) ~= nil
end

--- Whether a failure's message has the values found and wanted already.
---@param made table a failure
---@return boolean
function failure_text.says_values(made)
  local message = made.message or made.kind or "failed"
  return is_said(message, made.found) and is_said(message, made.wanted)
end

-- The message, and the values that it does not have.
local function add_message(out, indent, made)
  local message = made.message or made.kind or "failed"
  add_lines(out, indent, { (made.kind == "error" and "error: " or "") .. message })
  if not failure_text.says_values(made) then
    add_value(out, indent, "found", made.found)
    add_value(out, indent, "wanted", made.wanted)
  end
  add_differences(out, indent, made.differences)
end

-- All that a failure tells, its place first, where editors make a link of it; `explanation`, if
-- given, before the events that it is about.
local function add_failure(out, made, explanation)
  if made.file then
    out[#out + 1] = "  --> " .. escape.line(("%s:%s"):format(made.file, made.line))
  end
  if made.source then
    out[#out + 1] = ("%5s | %s"):format(made.line, escape.line(made.source))
  end
  add_message(out, INDENT, made)
  add_lines(out, INDENT, made.notes)
  if made.trace and #made.trace > 1 then
    add_section(out, INDENT, "called from", { table.unpack(made.trace, 2) })
  end
  add_section(out, INDENT, "explanation", explanation)
  add_section(out, INDENT, "last events", made.events)
end

--- What a case printed, escaped: its first and its last lines where there are many, as a crash
--- tells its reason last. Empty where it printed nothing.
---@param result table
---@return string[] lines
function failure_text.printed(result)
  local lines = escape.lines(((result.output or ""):gsub("\r?\n$", "")))
  if lines[1] == "" and #lines == 1 then
    return {}
  end
  local left_out = #lines - MOST_PRINTED
  if left_out <= 0 then
    return lines
  end
  local kept = table.move(lines, 1, MOST_PRINTED // 2, 1, {})
  kept[#kept + 1] = ("... %d lines are left out ..."):format(left_out)
  return table.move(lines, #lines - MOST_PRINTED // 2 + 1, #lines, #kept + 1, kept)
end

--- How what a case printed is headed: of a flood only the ends were kept.
---@param result table
---@return string
function failure_text.printed_heading(result)
  local cut = result.output_cut or 0
  return cut > 0 and ("printed (%s bytes in its middle were not kept)"):format(cut) or "printed"
end

--- A failure's message, the values found and wanted and every difference, without its place.
---@param made table a failure
---@return string[] lines
function failure_text.message(made)
  local out = {}
  add_message(out, "", made)
  return out
end

--- All that a failure tells.
---@param made table a failure
---@param explanation? string[] what happened on the case's link: for one failure of a case
---@return string[] lines
function failure_text.failure(made, explanation)
  local out = {}
  add_failure(out, made, explanation)
  return out
end

--- What happened on the link of a case, at most three lines, escaped; empty where nothing is known.
---@param result table
---@return string[] lines
function failure_text.explanation(result)
  local out = {}
  add_lines(out, "", result.explanation)
  return out
end

--- All that a failed case tells, and how to run it again.
---@param result table
---@param program string what rerun lines begin with
---@return string[] lines
function failure_text.case(result, program)
  local out = {}
  for index, made in ipairs(result.failures) do
    add_failure(out, made, index == 1 and result.explanation or nil)
  end
  add_section(out, INDENT, "notes", result.notes)
  local printed = failure_text.printed(result)
  if #printed > 0 then
    out[#out + 1] = INDENT .. failure_text.printed_heading(result)
    for _, line in ipairs(printed) do
      out[#out + 1] = INDENT .. "  " .. line
    end
  end
  add_lines(out, "  ", failure_text.captures(result))
  out[#out + 1] = "  rerun: " .. failure_text.rerun(result, program)
  return out
end

return failure_text
