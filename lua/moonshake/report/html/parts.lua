-- SPDX-License-Identifier: MIT
-- Parts of which the pages of cases are made.
local h = require "moonshake.report.html.markup"

local parts = {}

--- What may be wider than the page: it moves in a box of its own, by keyboard, too.
---@param label string what it is
---@param content any
---@return table node
function parts.scrolling(label, content)
  return h.div {
    class = "scroll", tabindex = "0", role = "region", ["aria-label"] = label, content,
  }
end

--- Text as it is, line for line.
---@param label string
---@param text string
---@return table node
function parts.code(label, text)
  return parts.scrolling(label, h.pre { class = "code", text })
end

--- What is seen when it is asked for.
---@param summary string
---@param content any
---@param is_open? boolean
---@return table node
function parts.folded(summary, content, is_open)
  return h.details { open = is_open, h.summary { summary }, content }
end

--- A section with a heading.
---@param id string
---@param heading string
---@param ... any
---@return table node
function parts.section(id, heading, ...)
  return h.section { ["aria-labelledby"] = id, h.h2 { id = id, heading }, ... }
end

return parts
