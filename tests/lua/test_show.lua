-- SPDX-License-Identifier: MIT
-- What `moonshake show` tells, without running anything.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local drawn = dofile(here .. "drawn_links.lua")
local hostile_link = dofile(here .. "hostile_link.lua")
local columns = require "moonshake.views.columns"
local diagram = require "moonshake.views.diagram"
local escape = require "moonshake.escape"
local show = require "moonshake.report.show"
local show_layout = require "moonshake.report.show_layout"
local show_text = require "moonshake.report.show_text"
local test, equal, contains = unit.test, unit.equal, unit.contains

local PLAN = { stack = "gnutls 3.7.9", version = "0.1.0" }

-- A result with links; `more` has fields of the case.
local function result(links, more)
  local told = {}
  for index, link in ipairs(links) do
    told[index] = { model = diagram.model(link), state = { "the state" },
                    explanation = { "the explanation of what happened" } }
  end
  local case = { id = "a.lua::it works[version=TLS1.2]", file = "a.lua", line = 7,
                 name = "it works", label = "it works[version=TLS1.2]", tags = {}, params = {} }
  for name, value in pairs(more or {}) do
    case[name] = value
  end
  return { case = case, outcome = "passed", failures = {}, notes = {},
           story = { links = told, notes = { "a note" }, made = #told } }
end

local function told(results, width, how)
  how = how or {}
  return show_text(results, {
    program = "moonshake", plan = PLAN, width = width, unicode = how.unicode,
    paint = how.paint or function(text) return text end,
  })
end

local one, two = drawn.by_name["TLS 1.2"](), drawn.by_name["TLS 1.3"]()

test("the parts of a case stand in their order", function()
  local results = { result({ one }, { about = "About.", rfc = "RFC 1" }) }
  local text = table.concat(told(results, 80), "\n")
  local at = 1
  for _, part in ipairs { "it works [version=TLS1.2]\na.lua:7, gnutls 3.7.9", "  About.", "  RFC 1",
                          "  # a note", "client  ", "established", "the state",
                          "  the explanation", "PASS" } do
    local found = text:find(part, at, true)
    equal(found ~= nil, true, part)
    at = found
  end
  equal(text:find("link 1 of", 1, true), nil)
  equal(text:find("\n\n\n", 1, true), nil, "no two blank lines")
end)

test("where there is room, two cases stand beside each other", function()
  local results = { result { one }, result({ two }, { label = "it works[version=TLS1.3]" }) }
  local lines = told(results, 132)
  local text = table.concat(lines, "\n")
  contains(text, "[version=TLS1.2]" .. (" "):rep(52) .. "[version=TLS1.3]")
  contains(text, "the state" .. (" "):rep(59) .. "the state")
  contains(text, "PASS [version=TLS1.2]")
  local heads = 0
  for _, line in ipairs(lines) do
    heads = heads + (line:find "^client +server +client +server$" and 1 or 0)
    equal(columns.width(line) <= 132, true, line)
  end
  equal(heads, 1)
  equal(select(2, table.concat(told(results, 131), "\n"):gsub("client +server", "")), 2)
  equal(table.concat(told(results, 131), "\n"):find("server +client"), nil)
end)

test("two cases with unlike numbers of links stand beside each other", function()
  local text = table.concat(told({ result { one, two }, result { two } }, 140), "\n")
  contains(text, "link 1 of 2")
  contains(text, "link 2 of 2")
end)

test("no line is wider than the terminal, whatever the names", function()
  for _, text in ipairs(hostile_link.TEXTS) do
    local link = hostile_link.make(text)
    local plain = utf8.len(text) and not text:find "%c" and text ~= "" and text:sub(1, 60) or "x"
    local results = { result({ link }, { about = text, rfc = text, name = plain, label = plain }),
                      result({ link }, { name = plain, label = plain .. "[version=TLS1.3]" }) }
    for _, width in ipairs { 60, 80, 132, 200 } do
      for _, line in ipairs(told(results, width)) do
        equal(columns.width(line) <= width, true, line)
        equal(escape.line(line), line)
      end
    end
  end
end)

test("colours take no room", function()
  local function paint(text) return "\27[1m" .. text .. "\27[0m" end
  local results = { result { one }, result({ two }, { label = "it works[version=TLS1.3]" }) }
  local painted = table.concat(told(results, 140, { paint = paint, unicode = true }), "\n")
  local plain = table.concat(told(results, 140, { unicode = true }), "\n")
  equal(painted:gsub("\27%[%d+m", ""):gsub(" +\n", "\n"), plain)
end)

test("two cases have room from 132 columns on", function()
  equal(show_layout.of_each(1, 80), 80)
  equal(show_layout.of_each(2, 131), 131)
  equal(show_layout.of_each(2, 132), 64)
  equal(show_layout.of_each(2, 200), 98)
end)

test("what a failure says of its links is not told again", function()
  local failed = result { one }
  failed.outcome = "failed"
  failed.failures = { { kind = "expectation", message = "wrong", events = { "an event" } } }
  failed.notes = { "a note" }
  local text = table.concat(told({ failed }, 80), "\n")
  contains(text, "FAIL\n      wrong\n  rerun: moonshake run 'a.lua::it works[version=TLS1.2]'")
  equal(text:find("an event", 1, true), nil)
  failed.story = nil
  text = table.concat(told({ failed }, 80), "\n")
  contains(text, "an event")
  contains(text, "nothing is known")
end)

-- What a report of this form writes.
local function written(form, results)
  local parts = {}
  local stream = {
    write = function(_, ...) parts[#parts + 1] = table.concat { ... } return true end,
    flush = function() return true end,
  }
  local report = show.new(stream, { program = "moonshake", terminal = false, form = form,
                                    width = function() return 80 end })
  report:begin(PLAN)
  for _, each in ipairs(results) do
    report:case_begins(each.case, 1)
    report:case_ended(each)
  end
  return table.concat(parts), report:finish {}, table.concat(parts)
end

test("JSON is one valid object a case, hostile names or not", function()
  local json = require "dkjson"
  for _, text in ipairs(hostile_link.TEXTS) do
    local link = hostile_link.make(text)
    local _, done, made = written("json", { result({ link }, { about = text }), result { one } })
    equal(done, true)
    equal(utf8.len(made) ~= nil, true)
    equal(select(2, made:gsub("\n", "")), 2, "a line each")
    local object = json.decode(made:match "[^\n]*")
    equal(object.about, escape.utf8(text))
    equal(object.links[1].steps[1].name, "ClientHello")
  end
end)

test("several diagrams in Mermaid are a document, one is a diagram", function()
  local _, _, single = written("mermaid", { result { one } })
  equal(single, diagram.draw(diagram.model(one), "mermaid"))
  local _, _, several = written("mermaid", { result { one, two } })
  contains(several, "## it works &#91;version=TLS1.2&#93;, link 2 of 2\n\n```mermaid\n")
  local _, done = written("mermaid", { result {} })
  equal(done, nil, "nothing to draw")
end)

test("several diagrams in SVG are one picture", function()
  local _, _, single = written("svg", { result { one } })
  equal(single, (diagram.draw(diagram.model(one), "svg")))
  local _, _, several = written("svg", { result { one, two }, result { one } })
  contains(several, 'viewBox="0 0 1520 ')
  equal(select(2, several:gsub("<svg ", "")), 4)
  equal(select(2, several:gsub("<style>", "")), 1)
  contains(several, "it works [version=TLS1.2], link 2 of 2</text>")
end)

unit.done()
