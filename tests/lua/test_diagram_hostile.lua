-- SPDX-License-Identifier: MIT
-- Names that a peer chose neither break nor drive what is drawn, in whatever place they stand.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local hostile_link = dofile(here .. "hostile_link.lua")
local columns = require "moonshake.views.columns"
local diagram = require "moonshake.views.diagram"
local escape = require "moonshake.escape"
local facts = require "moonshake.views.facts"
local ms = require "moonshake"
local test, equal = unit.test, unit.equal

-- Calls f(text, its model) for each.
local function each(f)
  for _, text in ipairs(hostile_link.TEXTS) do
    f(text, diagram.model(hostile_link.make(text)))
  end
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

local function shown(text)
  return escape.line(text:sub(1, 40))
end

test("a model is valid UTF-8 as far as what it came from is", function()
  each(function(text, model)
    for _, step in ipairs(model.steps) do
      for _, fact in ipairs(utf8.len(text) and step.facts or {}) do
        equal(utf8.len(fact) ~= nil, true, shown(text))
      end
    end
  end)
end)

test("on a terminal nothing acts, and every line fits", function()
  each(function(text, model)
    for _, width in ipairs { 60, 80, 132 } do
      for _, line in ipairs(lines_of(diagram.draw(model, "text", { width = width }))) do
        equal(escape.line(line), line, shown(text))
        equal(columns.width(line) <= width, true, shown(text) .. ": " .. line)
      end
    end
  end)
end)

test("a certificate that cannot be read is drawn as one", function()
  local ca = ms.pki.authority { cn = "Root" }
  local link = ms.tls.link {
    server = { identity = ca:authority { cn = "Sub" }:issue { dns = "server.example" } },
    client = { trust = ca, server_name = "server.example" }, versions = "TLS1.2",
  }
  -- The tag of the leaf: behind the headers of record and message, and two lengths of three bytes.
  link:tamper(ms.tls.faults.flip { at = "Certificate", byte = 5 + 4 + 3 + 3 + 1, bit = 0 })
  equal(link:handshake(), false)
  local certificates
  for _, event in ipairs(link.events) do
    certificates = event.direction == "received" and event.certificates or certificates
  end
  local told = facts.of_message({ type = "Certificate", certificates = certificates }, {})
  equal(#told, 0)
  local _, lines = facts.of_message({ type = "Certificate", certificates = certificates }, {})
  equal(table.concat(lines, "; "), "a certificate that cannot be read; CN=Sub, issued by CN=Root")
  for _, format in ipairs(diagram.FORMATS) do
    equal(link:diagram { format = format }:find("Certificate", 1, true) ~= nil, true)
  end
end)

test("a long name does not make a long picture", function()
  each(function(text)
    local model = diagram.model((hostile_link.make(text)))
    equal(#lines_of(diagram.draw(model, "text", { width = 80 })) < 120, true, shown(text))
  end)
end)

-- What a line of ours may be, between the labels.
local STATEMENTS = {
  "^sequenceDiagram$", "^  participant %l+$", "^  rect rgba%(128, 128, 128, 0%.1%)$", "^  end$",
  "^$",
  "^ +client%-%-?[x>]+server: (.*)$", "^ +server%-%-?[x>]+client: (.*)$",
  "^ +Note %l+ ?o?f? client: (.*)$", "^ +Note %l+ ?o?f? server: (.*)$",
  "^ +Note over client,server: (.*)$",
}

local function label_of(line)
  for _, statement in ipairs(STATEMENTS) do
    local label = line:match(statement)
    if label then
      return label
    end
  end
end

test("in Mermaid each line is a statement of ours, and its label has no meaning", function()
  each(function(text, model)
    for _, line in ipairs(lines_of(diagram.draw(model, "mermaid"))) do
      local label = label_of(line)
      equal(label ~= nil, true, shown(text) .. ": " .. line)
      local rest = label:gsub("<br/>", ""):gsub("#%d+;", "")
      equal(rest:find "[#;%%<>&\"'`\\$*~^|!?@+]", nil, shown(text) .. ": " .. line)
      equal(escape.line(rest), rest, shown(text))
      equal(label:find "^ *n?o?wrap *:", nil, shown(text) .. ": " .. line)
    end
  end)
end)

-- The elements that are drawn, and which attributes they may have.
local ELEMENTS = { svg = true, style = true, rect = true, text = true, path = true, circle = true }
local ATTRIBUTES = {}
for word in ([[xmlns class viewBox width height role aria-label x y text-anchor font-size
               font-family font-weight fill stroke stroke-width stroke-dasharray d cx cy r
               rx]]):gmatch "%S+" do
  ATTRIBUTES[word] = true
end

test("in SVG there are our elements with our attributes, each closed", function()
  each(function(text, model)
    local svg, open = diagram.draw(model, "svg"), {}
    for closing, name, attributes, single in svg:gmatch "<(/?)([%w!?%[-]+)([^>]-)(/?)>" do
      equal(ELEMENTS[name], true, shown(text) .. ": " .. name)
      for attribute in attributes:gsub('"[^"]*"', ""):gmatch "[^%s=]+" do
        equal(ATTRIBUTES[attribute], true, shown(text) .. ": " .. attribute)
      end
      if closing == "/" then
        equal(table.remove(open), name, shown(text))
      elseif single == "" then
        open[#open + 1] = name
      end
    end
    equal(#open, 0, shown(text))
    equal(svg:find "[\0-\8\11-\31]", nil, shown(text))
    equal(utf8.len(svg) ~= nil, true, shown(text))
  end)
end)

test("a style sheet is the same whatever is drawn", function()
  local first
  each(function(_, model)
    local style = diagram.draw(model, "svg"):match "<style>.-</style>"
    first = first or style
    equal(style, first)
  end)
end)

unit.done()
