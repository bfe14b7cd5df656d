-- SPDX-License-Identifier: MIT
-- A sequence diagram (see steps.lua) in Mermaid, as GitHub and GitLab draw it.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local words = require "moonshake.views.diagram_words"

local ROOM = 64 -- columns of a label: it is as wide as its longest line
local OTHER = { client = "server", server = "client" }
local INNER = { client = "right of client", server = "left of server" }

-- In our own words brackets and colons do no harm, and the source is easier to read with them.
local OURS = { ["#58;"] = ":", ["#91;"] = "[", ["#93;"] = "]", ["#123;"] = "{", ["#125;"] = "}" }

local function ours(text)
  return (escape.mermaid(text):gsub("#%d+;", OURS))
end

-- Lines of one label. `write`: ours, or what escapes all.
local function label(lines, write)
  local escaped = {}
  for index, line in ipairs(lines) do
    escaped[index] = write(line)
  end
  return table.concat(escaped, "<br/>")
end

local draw = {}

local function arrow(step)
  if step.fate == "unsent" or step.fate == "lost" or step.fate == "unread" then
    return "-x"
  elseif step.fate == "handed" then
    return step.fatal and "--)" or "-)"
  end
  return step.fatal and "--x" or "->>"
end

local function draw_wire(step)
  local fate = words.fate(step)
  local lines = words.block(step, ROOM, ", ")
  local text = ours(columns.cut(words.name(step), ROOM)) .. (fate and " (" .. fate .. ")" or "")
  if #lines > 0 then
    text = text .. "<br/>" .. label(lines, escape.mermaid)
  end
  return ("%s%s%s: %s"):format(step.from, arrow(step), OTHER[step.from], text)
end

draw.message, draw.alert, draw.data, draw.change_cipher_spec =
  draw_wire, draw_wire, draw_wire, draw_wire

function draw.mark(step)
  return ("Note %s: %s"):format(INNER[step.at],
                                label(words.mark(step, ROOM), ours))
end

function draw.note(step)
  return "Note over client,server: " .. label(words.note(step, ROOM), escape.mermaid)
end

--- A diagram in Mermaid.
---@param model table see steps.lua
---@return string
return function(model)
  local out, indent, boxed = { "sequenceDiagram" }, "  ", false
  for _, role in ipairs { "client", "server" } do
    local title = words.title(model, role)
    out[#out + 1] = "  participant " .. role
      .. (title ~= role and " as " .. escape.mermaid(title) or "")
  end
  local function add(line)
    out[#out + 1] = indent .. line
  end
  for _, step in ipairs(model.steps) do
    if step.kind ~= "epoch" then
      add(draw[step.kind](step))
    else
      if boxed then
        out[#out + 1] = "  end"
      end
      out[#out + 1] = "  rect rgba(128, 128, 128, 0.1)"
      indent, boxed = "    ", true
      add("Note over client,server: " .. ours(columns.cut(escape.line(step.name), ROOM)))
    end
  end
  indent = "  "
  if boxed then
    add "end"
  end
  add("Note over client: " .. ours(words.ending(model, "client")))
  add("Note over server: " .. ours(words.ending(model, "server")))
  local legend = words.legend(model)
  if #legend > 0 then
    add("Note over client,server: " .. label(legend, ours))
  end
  return table.concat(out, "\n") .. "\n"
end
