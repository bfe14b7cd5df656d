-- SPDX-License-Identifier: MIT
-- A sequence diagram (see steps.lua) as SVG: text that can be selected, no script, no font or image
-- of its own, light and dark as the reader likes it, light on paper.
--
-- A page that has it inline may choose the colours: --ms-ink, --ms-soft, --ms-line, --ms-paper,
-- --ms-none, --ms-handshake, --ms-application, --ms-good, --ms-bad, --ms-note.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local words = require "moonshake.views.diagram_words"

-- Measures in pixels. Facts are set in a font of even width, so that lines can be folded here.
local WIDTH, MARGIN, NARROW = 760, 80, 56 -- beyond each life line there is a margin
local SIZE, SMALL, EVEN = 13, 11.5, 7.1 -- of names, of facts, of a character of facts
local NAME, FACT, GAP = 22, 15, 8       -- heights: a name with its arrow, a fact, between steps
local INSET, HEAD = 12, 8

local COLOURS = { -- on white, on black
  ink = { "#1f2328", "#e6edf3" }, soft = { "#59636e", "#9198a1" },
  line = { "#c8d1da", "#3d444d" }, paper = { "#ffffff", "#0d1117" },
  none = { "#59636e", "#9198a1" }, handshake = { "#8250df", "#ab7df8" },
  application = { "#0969da", "#4493f8" }, good = { "#1a7f37", "#3fb950" },
  bad = { "#cf222e", "#f85149" }, note = { "#9a6700", "#d29922" },
}
local NAMES = {}
for name in pairs(COLOURS) do
  NAMES[#NAMES + 1] = name
end
table.sort(NAMES)

local svg = {}

--- The style sheet. Colours stand in the elements too, for viewers that know no variables.
---@return string
function svg.style()
  local rules = {
    ".ms-diagram text{font-family:system-ui,-apple-system,'Segoe UI',sans-serif;"
      .. "white-space:pre}",
    ".ms-diagram .ms-even{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"
      .. "'DejaVu Sans Mono',monospace}",
  }
  local function add(shade)
    for _, name in ipairs(NAMES) do
      local colour = ("var(--ms-%s,%s)"):format(name, COLOURS[name][shade])
      rules[#rules + 1] = (".ms-diagram .ms-f-%s{fill:%s}.ms-diagram .ms-s-%s{stroke:%s}"):format(
        name, colour, name, colour)
    end
  end
  add(1)
  rules[#rules + 1] = "@media screen and (prefers-color-scheme:dark){"
  add(2)
  rules[#rules + 1] = "}"
  return "<style>\n" .. table.concat(rules, "\n") .. "\n</style>"
end

local Picture = {}
Picture.__index = Picture

local function number(value)
  return (("%.1f"):format(value):gsub("%.0$", ""))
end

function Picture:add(format, ...)
  self.parts[#self.parts + 1] = format:format(...)
end

local function fill(colour)
  return ('class="ms-f-%s" fill="%s"'):format(colour, COLOURS[colour][1])
end

local function stroke(colour)
  return ('class="ms-s-%s" stroke="%s" fill="none"'):format(colour, COLOURS[colour][1])
end

-- A text at y: `anchor` "start", "middle" or "end".
function Picture:text(x, y, anchor, text, colour, how)
  how = how or {}
  local class = "ms-f-" .. colour .. (how.even and " ms-even" or "")
  local family = how.even and "monospace" or "sans-serif"
  self:add('<text x="%s" y="%s" text-anchor="%s" font-size="%s" font-family="%s"%s '
           .. 'class="%s" fill="%s">%s</text>',
           number(x), number(y), anchor, number(how.size or SIZE), family,
           how.strong and ' font-weight="600"' or "", class, COLOURS[colour][1],
           escape.xml(text))
end

function Picture:line(x1, y1, x2, y2, colour, dashes)
  self:add('<path d="M%s %sL%s %s" stroke-width="1.5" %s%s/>', number(x1), number(y1), number(x2),
           number(y2), dashes and ('stroke-dasharray="%s" '):format(dashes) or "", stroke(colour))
end

-- A picture of nothing yet, so wide: `room` is columns of what stands between the life lines.
local function picture(width, y)
  local left = width < WIDTH and NARROW or MARGIN
  local right = width - left
  return setmetatable({
    parts = {}, y = y, width = width, left = left, right = right,
    room = math.floor((right - left - 4 * INSET) / EVEN),
    side = {
      client = { x = left, towards = 1, anchor = "start" },
      server = { x = right, towards = -1, anchor = "end" },
    },
  }, Picture)
end

---------------------------------------------------------------------------------------------------
-- Steps

local function head(self, x, towards, colour)
  self:add('<path d="M%s %sl%s %sv%sz" %s/>', number(x), number(self.y), -HEAD * towards, -HEAD / 2,
           HEAD, fill(colour))
end

local function cross(self, x)
  self:add('<path d="M%s %sl8 8m0 -8l-8 8" stroke-width="1.5" %s/>', number(x - 4),
           number(self.y - 4), stroke "bad")
end

local DASHES = { unread = "6 4", unsent = "2 4", lost = "6 4" }

local function arrow(self, step, colour)
  local from, fate = self.side[step.from], step.fate
  local length = self.right - self.left
  if fate == "lost" or fate == "unsent" then
    length = length * 0.7
  elseif fate == "handed" then
    length = length * 0.85
  elseif fate == "unread" then
    length = length - 12
  end
  local tip = from.x + from.towards * length
  if fate == "lost" or fate == "unread" then
    self:line(from.x, self.y, tip - from.towards * 6, self.y, colour, DASHES[fate])
    cross(self, tip)
  elseif fate == "unsent" then
    self:line(from.x, self.y, tip, self.y, colour, DASHES.unsent)
  else
    self:line(from.x, self.y, tip - from.towards * HEAD, self.y, colour)
    head(self, tip, from.towards, colour)
  end
end

local draw = {}

local function draw_wire(self, step)
  local from, colour = self.side[step.from], words.style(step)
  local to = self.side[step.from == "client" and "server" or "client"]
  if self.from ~= step.from then
    self.y = self.y + GAP
  end
  self.from = step.from
  self.y = self.y + NAME
  self:text(from.x + from.towards * INSET, self.y - 6, from.anchor,
            columns.cut(words.name(step), math.min(56, self.room)),
            colour == "none" and "ink" or colour, { strong = true })
  local fate = words.fate(step)
  if fate then
    self:text(to.x + to.towards * INSET, self.y - 6, to.anchor, fate, "bad", { size = SMALL })
  end
  arrow(self, step, colour)
  for index, line in ipairs(words.block(step, self.room, " · ")) do
    self.y = self.y + FACT + (index == 1 and 1 or 0)
    self:text(from.x + from.towards * INSET, self.y, from.anchor, line, "soft",
              { size = SMALL, even = true })
  end
  self.y = self.y + GAP
end

draw.message, draw.alert, draw.data, draw.change_cipher_spec =
  draw_wire, draw_wire, draw_wire, draw_wire

local SIGN = {
  completed = '<circle cx="%s" cy="%s" r="5" %s/>',
  judged = '<circle cx="%s" cy="%s" r="4" stroke-width="2" %s/>',
}

-- The sign on the life line.
local function sign(self, step, colour)
  local x = self.side[step.at].x
  if step.what == "completed" then
    self:add(SIGN.completed, x, number(self.y), fill(colour))
  elseif step.what == "judged" then
    self:add('<circle cx="%s" cy="%s" r="4" %s/>', x, number(self.y), fill "paper")
    self:add(SIGN.judged, x, number(self.y), stroke(colour))
  else
    self:add('<path d="M%s %sl6 6l-6 6l-6 -6z" %s/>', x, number(self.y - 6), fill(colour))
  end
end

local MARKS = { bad = "bad", good = "good", plain = "soft" }

function draw.mark(self, step)
  local side, colour = self.side[step.at], MARKS[words.style(step)]
  for index, line in ipairs(words.mark(step, self.room)) do
    self.y = self.y + 16
    if index == 1 then
      sign(self, step, colour)
    end
    self:text(side.x + side.towards * INSET, self.y + 4, side.anchor, line, colour,
              { size = 12, strong = step.bad })
  end
  self.y = self.y + GAP + 3
end

function draw.epoch(self, step)
  self.y = self.y + 26
  self:line(self.left - 40, self.y, self.right + 40, self.y, "line")
  local name = columns.cut(escape.line(step.name), self.room)
  local width = #name * 7 + 24
  self:add('<rect x="%s" y="%s" width="%s" height="22" rx="11" stroke-width="1.5" '
           .. 'class="ms-f-paper ms-s-line" fill="%s" stroke="%s"/>',
           number((self.width - width) / 2), number(self.y - 11), number(width), COLOURS.paper[1],
           COLOURS.line[1])
  self:text(self.width / 2, self.y + 4, "middle", name, "ink", { size = 12, strong = true })
  self.y = self.y + 16
  self.from = nil
end

function draw.note(self, step)
  local lines = words.note(step, self.room)
  self.y = self.y + 4
  self:add('<path d="M%s %sv%s" stroke-width="3" %s/>', self.left + INSET + 1, number(self.y + 3),
           #lines * FACT + 2, stroke "note")
  for _, line in ipairs(lines) do
    self.y = self.y + FACT
    self:text(self.left + 2 * INSET, self.y, "start", line, "note", { size = 12 })
  end
  self.y = self.y + GAP + 4
end

---------------------------------------------------------------------------------------------------

local function box(self, role, text, colour)
  local x = self.side[role].x
  self:add('<rect x="%s" y="%s" width="104" height="26" rx="6" stroke-width="1.5" '
           .. 'class="ms-f-paper ms-s-line" fill="%s" stroke="%s"/>', x - 52, number(self.y),
           COLOURS.paper[1], COLOURS.line[1])
  self:text(x, self.y + 17.5, "middle", escape.line(text), colour, { strong = true })
end

local PHASES = { bad = "bad", good = "good", plain = "ink" }

local function legend(self, model)
  local parts = words.legend(model)
  self.y = self.y + 8
  for _, line in ipairs(columns.fold(parts, self.width // 7.6, "     ")) do
    self.y = self.y + FACT
    self:text(self.left - 52, self.y, "start", line, "soft", { size = SMALL })
  end
end

--- The width of a diagram, unless another is given.
svg.WIDTH = WIDTH

--- A whole SVG around what is drawn.
---@param width number
---@param height number
---@param content string
---@return string
function svg.frame(width, height, content)
  return table.concat {
    ('<svg xmlns="http://www.w3.org/2000/svg" class="ms-diagram" viewBox="0 0 %s %s" width="%s" '
      .. 'height="%s" role="figure" aria-label="Sequence diagram of a TLS link">\n'):format(
      number(width), number(height), number(width), number(height)),
    svg.style(), ('\n<rect width="100%%" height="100%%" %s/>\n'):format(fill "paper"), content,
    "</svg>\n",
  }
end

--- What stands above a diagram.
---@param x number
---@param y number
---@param text string
---@return string
function svg.heading(x, y, text)
  local self = picture(WIDTH, 0)
  self:text(x + self.left - 52, y + 24, "start", columns.cut(escape.line(text), 96), "ink",
            { strong = true })
  return table.concat(self.parts, "\n") .. "\n"
end

--- A diagram as SVG.
---@param model table see steps.lua
---@param how? { bare: boolean?, x: number?, y: number?, width: integer? } bare: without the style
---  sheet and without a ground, for a page that has them already (svg.style()); where it stands in
---  another SVG; how wide it is, else WIDTH
---@return string
---@return number height
function svg.draw(model, how)
  how = how or {}
  local width = how.width or WIDTH
  local self = picture(width, 10)
  box(self, "client", "client", "ink")
  box(self, "server", "server", "ink")
  self.y = self.y + 30
  local top = self.y - 4
  if model.far then
    local side = self.side[model.far.role]
    self.y = self.y + FACT
    self:text(side.x + side.towards * INSET, self.y, side.anchor, words.address(model), "soft",
              { size = SMALL, even = true })
  end
  for _, step in ipairs(model.steps) do
    draw[step.kind](self, step)
  end
  if #model.steps == 0 then
    self.y = self.y + 30
    self:text(self.width / 2, self.y, "middle", "nothing has happened yet", "soft")
  end
  self.y = self.y + 10
  local bottom = self.y
  for _, role in ipairs { "client", "server" } do
    local ending = words.ending(model, role)
    box(self, role, ending, PHASES[words.phase_style(ending)])
  end
  self.y = self.y + 26
  legend(self, model)
  local height = self.y + 14
  local below = picture(width, 0)
  for _, side in ipairs { self.side.client, self.side.server } do
    below:line(side.x, top, side.x, bottom, "line")
  end
  local content = table.concat { table.concat(below.parts, "\n"), "\n",
                                 table.concat(self.parts, "\n"), "\n" }
  if not how.bare then
    return svg.frame(width, height, content), height
  end
  return ('<svg class="ms-diagram" viewBox="0 0 %d %s" x="%s" y="%s" width="%d" height="%s">\n%s'
          .. '</svg>\n'):format(width, number(height), number(how.x or 0), number(how.y or 0),
                                width, number(height), content), height
end

return svg
