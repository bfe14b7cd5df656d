-- SPDX-License-Identifier: MIT
-- What went wrong in a case, on its page. (expect.lua says what a failure is.)
local failure_text = require "moonshake.report.failure_text"
local h = require "moonshake.report.html.markup"
local parts = require "moonshake.report.html.parts"

local failures = {}

local function place(made)
  return made.file and {
    h.p { class = "soft", h.code { ("%s:%s"):format(made.file, made.line) } },
    made.source and parts.scrolling("Source", h.pre {
      class = "code", h.span { class = "soft", made.line, " | " }, made.source,
    }) or false,
  } or false
end

local function values(made)
  local function row(name, value)
    return value and { h.dt { name }, h.dd { h.pre { class = "wrap", value } } } or false
  end
  return not failure_text.says_values(made)
    and h.dl { class = "values", row("found", made.found), row("wanted", made.wanted) }
end

local function differences(list)
  return list and #list > 0 and parts.scrolling("Differences", h.table {
    h.thead { h.tr { h.each({ "path", "found", "wanted" }, function(name)
      return h.th { scope = "col", name }
    end) } },
    h.tbody { h.each(list, function(one)
      return h.tr { h.th { scope = "row", h.code { one.path } },
                    h.td { h.code { one.found or "" } }, h.td { h.code { one.wanted or "" } } }
    end) },
  }) or false
end

local function notes(list)
  return list and #list > 0 and h.ul { h.each(list, function(note)
    return h.li { h.pre { class = "wrap", note } }
  end) } or false
end

local function lines(title, list, is_open)
  return list and #list > 0
    and parts.folded(title, parts.code(title, table.concat(list, "\n")), is_open) or false
end

local function failure(made, shows_events)
  return h.div {
    class = "card bad",
    h.p { class = "message", failure_text.is_error(made) and (made.kind or "error") .. ": " or "",
          made.message or made.kind or "failed" },
    place(made), values(made), differences(made.differences), notes(made.notes),
    lines("Called from", made.trace and { table.unpack(made.trace, 2) }),
    lines("Last events", made.events, shows_events),
  }
end

--- The section of a result's failures; false where there are none.
---@param result table
---@param shows_events boolean whether events stand open: no diagram shows them
---@return table|false node
function failures.section(result, shows_events)
  local list = result.failures or {}
  return #list > 0 and parts.section("failures", #list == 1 and "What went wrong"
                                       or ("What went wrong, %d times"):format(#list),
                                     h.each(list, function(made)
      return failure(made, shows_events)
    end))
end

return failures
