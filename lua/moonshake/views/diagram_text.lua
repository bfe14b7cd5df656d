-- SPDX-License-Identifier: MIT
-- A sequence diagram (see steps.lua) for a terminal: two life lines, a line a message with its name
-- at the side of its sender, below it what it says.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local words = require "moonshake.views.diagram_words"

local NARROWEST = 60
local WIDEST = 120 -- longer arrows are no easier to follow
local MARGIN = 3   -- columns beside a life line: half of "client"
local GAP = 8      -- before the life line that an arrow does not reach
local INDENT = 5   -- of what a message says, from the life line of its sender

local ASCII = {
  line = "|", dash = "-", dots = ".", rule = "=", right = ">", left = "<", stop = "x",
  separator = "; ",
  completed = "*", judged = "o", failed = "X", told = "X", stalled = "?", altered = "!",
  closed = "-", reset = "X",
}
local UNICODE = {
  line = "│", dash = "─", dots = "╌", rule = "═", right = "►", left = "◄", stop = "×",
  separator = " · ",
  completed = "●", judged = "○", failed = "■", told = "■", stalled = "?", altered = "!",
  closed = "┴", reset = "■",
}

-- Fates of what is not known to have reached the other life line.
local NEVER_THERE = { lost = true, unsent = true, handed = true }

local Picture = {}
Picture.__index = Picture

---------------------------------------------------------------------------------------------------
-- Lines: made of pieces { text, style }, so that widths are those of what is seen

local function width_of(pieces)
  local width = 0
  for _, piece in ipairs(pieces) do
    width = width + columns.width(piece[1])
  end
  return width
end

function Picture:add(pieces)
  local texts = {}
  for index, piece in ipairs(pieces) do
    texts[index] = piece[2] and piece[1] ~= "" and self.paint(piece[1], piece[2]) or piece[1]
  end
  self.lines[#self.lines + 1] = (table.concat(texts):gsub("%s+$", ""))
end

-- A line between the life lines. `left` and `right` stand in place of these.
function Picture:inside(pieces, left, right)
  local line = { { (" "):rep(MARGIN) }, left or { self.set.line, "dim" } }
  table.move(pieces, 1, #pieces, #line + 1, line)
  line[#line + 1] = { (" "):rep(self.inner - width_of(pieces)) }
  line[#line + 1] = right or { self.set.line, "dim" }
  self:add(line)
end

-- The same, its pieces at the other end.
function Picture:inside_right(pieces, right)
  table.insert(pieces, 1, { (" "):rep(self.inner - width_of(pieces)) })
  self:inside(pieces, nil, right)
end

-- A text at the side of an end.
function Picture:beside(role, text, style, symbol)
  if role == "client" then
    self:inside({ { " " }, { text, style } }, symbol)
  else
    self:inside_right({ { text, style }, { " " } }, symbol)
  end
end

---------------------------------------------------------------------------------------------------
-- Steps

local function gap_of(step)
  return NEVER_THERE[step.fate] and GAP or 0
end

-- The pieces of an arrow from left to right, `fate` being a word at its tip.
local function arrow(self, step, name, fate)
  local set = self.set
  local dash = step.fate == "unsent" and set.dots or set.dash
  local head = (step.fate == "unread" or step.fate == "lost") and set.stop
    or step.fate == "unsent" and "" or (step.from == "client" and set.right or set.left)
  local gap = gap_of(step)
  local tail = { { dash:rep(2), "dim" }, { " " }, { name, words.style(step) }, { " " } }
  local tip = fate and { { " " }, { fate, "bad" }, { " " }, { dash:rep(2), "dim" } } or {}
  tip[#tip + 1] = { head, words.fate(step) and "bad" or "dim" }
  local left = self.inner - width_of(tail) - width_of(tip) - gap
  local pieces = table.move(tail, 1, #tail, 1, {})
  pieces[#pieces + 1] = { dash:rep(math.max(left, 0)), "dim" }
  table.move(tip, 1, #tip, #pieces + 1, pieces)
  pieces[#pieces + 1] = { (" "):rep(gap) }
  return pieces
end

local function reversed(pieces)
  local turned = {}
  for index, piece in ipairs(pieces) do
    turned[#pieces + 1 - index] = piece
  end
  return turned
end

-- What a message says, and what became of it if its arrow has no room for that, in a block at the
-- side of its sender.
function Picture:facts(step, fate)
  local block = words.block(step, self.inner - INDENT - 3, self.set.separator)
  if fate then
    table.insert(block, 1, fate)
  end
  local width = 0
  for _, line in ipairs(block) do
    width = math.max(width, columns.width(line))
  end
  local indent = step.from == "client" and INDENT or self.inner - INDENT - width
  for _, line in ipairs(block) do
    self:inside { { (" "):rep(indent) }, { line, "dim" } }
  end
end

local draw = {}

local function draw_wire(self, step)
  if self.from and self.from ~= step.from then
    self:inside {}
  end
  self.from = step.from
  local room, fate = self.inner - gap_of(step) - 6, words.fate(step) -- 6: what an arrow needs
  local name = columns.cut(words.name(step), room)
  local fits = not fate or columns.width(name) + #fate + 4 <= room
  local pieces = arrow(self, step, name, fits and fate or nil)
  self:inside(step.from == "client" and pieces or reversed(pieces))
  self:facts(step, not fits and fate or nil)
end

draw.message, draw.alert, draw.data, draw.change_cipher_spec =
  draw_wire, draw_wire, draw_wire, draw_wire

function draw.mark(self, step)
  local style = words.style(step)
  for index, line in ipairs(words.mark(step, self.inner - 4)) do
    self:beside(step.at, line, style, index == 1 and { self.set[step.what], style } or nil)
  end
  self.used[step.what] = true
end

function draw.epoch(self, step)
  local name = (" %s "):format(columns.cut(escape.line(step.name), self.inner - 8))
  local before = (self.inner - columns.width(name)) // 2
  self:inside {}
  self:inside { { self.set.rule:rep(before), "dim" }, { name, "name" },
                { self.set.rule:rep(self.inner - before - columns.width(name)), "dim" } }
  self:inside {}
  self.from = nil
end

function draw.note(self, step)
  for index, line in ipairs(words.note(step, self.inner - 6)) do
    self:inside { { index == 1 and "  # " or "    ", "note" }, { line, "note" } }
  end
end

---------------------------------------------------------------------------------------------------

-- Both ends' names, or what became of them.
function Picture:both(client, server, style)
  client, server = escape.line(client), escape.line(server)
  local left, right = style and style(client), style and style(server)
  local room = MARGIN + self.inner + 2 + MARGIN - columns.width(client .. server)
  self:add { { client, left or "name" }, { (" "):rep(room) }, { server, right or "name" } }
end

function Picture:legend(model)
  local set, used = self.set, self.used
  local parts = words.legend(model)
  if used.completed then
    parts[#parts + 1] = set.completed .. " handshake complete"
  end
  if used.failed or used.told then
    parts[#parts + 1] = set.failed .. " learned of the failure"
  end
  for _, line in ipairs(columns.fold(parts, 2 * MARGIN + self.inner + 2, "   ")) do
    self:add { { line, "dim" } }
  end
end

--- The lines of a diagram.
---@param model table see steps.lua
---@param how { width: integer, unicode: boolean?, paint: (fun(text: string, style: string):
---  string)? } columns, at least 60; box drawing characters instead of ASCII; colours (styles are
---  those of diagram_words.lua, and "dim")
---@return string[]
return function(model, how)
  local self = setmetatable({
    set = how.unicode and UNICODE or ASCII,
    paint = how.paint or function(text) return text end,
    inner = math.max(NARROWEST, math.min(how.width, WIDEST)) - 2 * MARGIN - 2,
    lines = {}, used = {},
  }, Picture)
  self:both(words.title(model, "client"), words.title(model, "server"))
  for _, step in ipairs(model.steps) do
    draw[step.kind](self, step)
  end
  if #model.steps == 0 then
    self:inside { { "  " }, { "nothing has happened yet", "dim" } }
  end
  self:inside {}
  self:both(words.ending(model, "client"), words.ending(model, "server"), words.phase_style)
  self:legend(model)
  return self.lines
end
