-- SPDX-License-Identifier: MIT
-- Whether xmllint takes our SVG, with hostile text in every place.
--   lua5.4 tests/formats/svg.lua XMLLINT
local unit = dofile "tests/lua/harness.lua"
local hostile_link = dofile "tests/lua/hostile_link.lua"
local diagram_page = require "moonshake.views.diagram_page"
local diagram = require "moonshake.views.diagram"
local escape = require "moonshake.escape"
local test, equal = unit.test, unit.equal

-- What xmllint says about a text; "" where it is well-formed.
local function complaints(svg)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(svg)
  file:close()
  local pipe = assert(io.popen(("%s --noout --nonet %s 2>&1"):format(escape.shell(arg[1]),
                                                                     escape.shell(path))))
  local said = pipe:read "a"
  pipe:close()
  os.remove(path)
  return said
end

test("an SVG is well-formed, whatever names are in it", function()
  for _, text in ipairs(hostile_link.TEXTS) do
    equal(complaints(diagram.draw(diagram.model(hostile_link.make(text)), "svg")), "")
  end
end)

test("several diagrams are one well-formed SVG", function()
  local lists = {}
  for index, text in ipairs(hostile_link.TEXTS) do
    lists[index % 2 + 1] = lists[index % 2 + 1] or {}
    table.insert(lists[index % 2 + 1], { heading = text,
                                         model = diagram.model(hostile_link.make(text)) })
  end
  equal(complaints(diagram_page(lists)), "")
end)

unit.done()
