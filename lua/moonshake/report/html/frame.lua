-- SPDX-License-Identifier: MIT
-- What all pages of a report share: head, policy, foot; and how numbers and times are told. A page
-- allows nothing but its own style and its own script: whatever else got into it does nothing.
local h = require "moonshake.report.html.markup"

local frame = {}

local function hash(part)
  return ("'sha256-%s'"):format(part[2])
end

-- `script` may be nil.
local function policy(style, script)
  local rules = { "default-src 'none'", "style-src " .. hash(style) }
  rules[#rules + 1] = script and "script-src " .. hash(script) or nil
  rules[#rules + 1] = "base-uri 'none'"
  rules[#rules + 1] = "form-action 'none'"
  return table.concat(rules, "; ")
end

--- The beginning of a page, its body begun.
---@param title string
---@param style { [1]: string, [2]: string } see style.lua
---@param script? { [1]: string, [2]: string }
---@return string
function frame.head(title, style, script)
  return "<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">"
    .. h.text(h.head {
      h.meta { charset = "utf-8" },
      h.meta { ["http-equiv"] = "Content-Security-Policy", content = policy(style, script) },
      h.meta { name = "viewport", content = "width=device-width, initial-scale=1" },
      h.meta { name = "referrer", content = "no-referrer" },
      h.title { title },
      h.style { h.raw(style[1]) },
    }) .. "\n<body>\n"
end

--- The end of one.
---@param plan table of the run
---@param script? { [1]: string, [2]: string }
---@return string
function frame.foot(plan, script)
  return h.text("\n", h.footer { h.p { ("Moonshake %s, %s"):format(plan.version, plan.stack) } },
                script and h.script { h.raw(script[1]) }) .. "\n</body></html>\n"
end

--- 12345 as "12,345".
---@param number integer
---@return string
function frame.number(number)
  local text = tostring(number):reverse():gsub("(%d%d%d)", "%1,"):reverse()
  return (text:gsub("^,", ""))
end

--- "0.012 s"
---@param seconds number|nil
---@return string
function frame.seconds(seconds)
  seconds = seconds or 0
  return (seconds < 100 and "%.3f s" or "%.0f s"):format(seconds)
end

--- "2026-01-31 12:00:00 UTC"; nil for a time that is none.
---@param epoch number
---@return string|nil
function frame.time(epoch)
  local done, text = pcall(function()
    return os.date("!%Y-%m-%d %H:%M:%S UTC", math.floor(epoch))
  end)
  return done and text or nil
end

local OUTCOMES = {
  { "failed", "\u{2717}", "failed" }, { "passed", "\u{2713}", "passed" },
  { "expected_failure", "\u{2248}", "failed as expected" }, { "skipped", "\u{2013}", "skipped" },
}

--- Each outcome, in the order in which they are told: its name, and the word for it.
---@return fun(): string, string
function frame.outcomes()
  local index = 0
  return function()
    index = index + 1
    if OUTCOMES[index] then
      return OUTCOMES[index][1], OUTCOMES[index][3]
    end
  end
end

--- An outcome as it is shown: a sign and a word.
---@param name string
---@return table node
function frame.outcome(name)
  for _, row in ipairs(OUTCOMES) do
    if row[1] == name then
      return h.span { class = "outcome " .. name,
                      h.span { ["aria-hidden"] = "true", row[2] .. " " }, row[3] }
    end
  end
  return h.span { class = "outcome", name }
end

--- Tags as a list of marks.
---@param tags string[]|nil
---@return any
function frame.tags(tags)
  return h.each(tags, function(tag)
    return { h.span { class = "tag", tag }, " " }
  end)
end

--- Names with their values; a pair without a value is left out.
---@param list { [1]: string, [2]: any }[]
---@return table node
function frame.facts(list)
  return h.dl {
    class = "facts",
    h.each(list, function(pair)
      return pair[2] and h.div { h.dt { pair[1] }, h.dd { pair[2] } }
    end),
  }
end

return frame
