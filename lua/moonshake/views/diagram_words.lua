-- SPDX-License-Identifier: MIT
-- What every form of a diagram says in the same words: names with the marks of RFC 8446 for what
-- protects a message, what became of it, what the marks mean.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"

local words = {}

local OPEN = { none = "", handshake = "{", application = "[" }
local CLOSE = { none = "", handshake = "}", application = "]" }

local LONGEST_ADDRESS = 45 -- columns: any of IPv6 with its port

local FATES = {
  changed = "changed on the way", lost = "lost on the way", unread = "not read",
  unsent = "never sent", strange = "not sent so",
}

--- The name of what crossed the wire: "{Finished}", "[Alert: fatal certificate_required (116)]".
---@param step table
---@return string
function words.name(step)
  local name = escape.line(step.name)
  if step.kind == "alert" then
    name = ("Alert: %s%s"):format(step.fatal and "fatal " or "", name)
  end
  name = OPEN[step.level] .. name .. CLOSE[step.level]
  return step.count and ("%s x %d"):format(name, step.count) or name
end

--- The name of an end: where it is not ours, with its address.
---@param model table see steps.lua
---@param role "client"|"server"
---@return string
function words.title(model, role)
  local far = model.far
  return far and far.role == role and ("%s %s"):format(role, words.address(model)) or role
end

--- The address of the far end as it can be shown.
---@param model table see steps.lua
---@return string
function words.address(model)
  return columns.cut(escape.line(model.far.address), LONGEST_ADDRESS)
end

--- What an end came to, in a word.
---@param model table see steps.lua
---@param role "client"|"server"
---@return string
function words.ending(model, role)
  local far = model.far
  return far and far.role == role and "not ours" or model.ends[role]
end

--- What became of it, where that is worth a word.
---@param step table
---@return string|nil
function words.fate(step)
  return FATES[step.fate]
end

-- A text of somebody else's, which may be as long as he likes: of two lines at most.
local function short(text, room)
  return columns.cut(escape.line(text), 2 * room - 2)
end

--- What a step says, in lines.
---@param step table
---@param room integer columns
---@param separator string between two facts on a line
---@return string[]
function words.block(step, room, separator)
  local facts = {}
  for index, fact in ipairs(step.facts) do
    facts[index] = short(fact, room)
  end
  local block = columns.fold(facts, room, separator)
  for _, line in ipairs(step.lines) do
    for index, part in ipairs(columns.wrap(short(line, room - 2), room - 2)) do
      block[#block + 1] = (index > 1 and "  " or "") .. part
    end
  end
  return block
end

--- What an end came to, in lines.
---@param step table
---@param room integer columns
---@return string[]
function words.mark(step, room)
  return columns.wrap(short(step.text, room), room)
end

--- What a script said, in lines.
---@param step table
---@param room integer columns
---@return string[]
function words.note(step, room)
  local lines = {}
  for _, text in ipairs(escape.lines(step.text)) do
    local wrapped = columns.wrap(text, room)
    table.move(wrapped, 1, #wrapped, #lines + 1, lines)
  end
  return lines
end

--- How a step is drawn: "bad", "good", "plain", or by what protects it "none", "handshake",
--- "application".
---@param step table
---@return string
function words.style(step)
  if step.kind == "mark" then
    return step.bad and "bad" or step.what == "completed" and "good" or "plain"
  elseif step.kind == "alert" then
    return step.fatal and "bad" or step.level
  end
  return step.level
end

--- How the last word about an end is drawn.
---@param phase string
---@return string
function words.phase_style(phase)
  return (phase == "failed" or phase == "stalled") and "bad" or phase == "established" and "good"
    or "plain"
end

--- What has to be explained of a diagram's signs.
---@param model table see steps.lua
---@return string[]
function words.legend(model)
  local used = {}
  for _, step in ipairs(model.steps) do
    used[step.level or "none"] = true
    used.handed = used.handed or step.fate == "handed"
  end
  local parts = {}
  if used.handshake then
    parts[1] = "{ } under handshake keys"
  end
  if used.application then
    parts[#parts + 1] = used.handshake and "[ ] under application keys" or "[ ] encrypted"
  end
  if used.handed then
    parts[#parts + 1] = "an arrow that ends early: sent, and whether it arrived is not known"
  end
  if model.left_out > 0 then
    parts[#parts + 1] = "ChangeCipherSpec left out: TLS1.3 sends it for middleboxes only"
  end
  return parts
end

return words
