-- SPDX-License-Identifier: MIT
-- What a page shows of links: it travels as JSON, and no view that fails costs a case its result.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local json = require "dkjson"
local ms = require "moonshake"
local picture = require "moonshake.views.picture"
local test, equal, contains = unit.test, unit.equal, unit.contains

local ca = ms.pki.authority { cn = "Root" }

local function refused_link()
  local link = ms.tls.link {
    server = { identity = ca:issue { dns = "server.example" }, trust = ca,
               client_auth = "require" },
    client = { trust = ca, server_name = "server.example" },
  }
  link:handshake()
  return link
end

local function travelled(value)
  return assert(json.decode(assert(json.encode(value))))
end

test("of each link there is a diagram, the state and the findings", function()
  local link = refused_link()
  local made = travelled(picture.of({ link, link }, { "said" }, { { link = link, after = 3 } }))
  equal(#made.problems, 0, made.problems[1])
  equal(#made.links, 2)
  local one = made.links[2]
  equal(one.model.ends.client, "failed")
  local said = false
  for _, step in ipairs(one.model.steps) do
    said = said or step.kind == "note" and step.text == "said"
  end
  equal(said, true)
  equal(one.state.epochs[1].name, "initial")
  contains(one.state.certificates[1].title, "CN=server.example")
  local found = one.findings[1]
  equal(found.kind, "failure")
  equal(found.side, "server")
  contains(found.what, "certificate")
  contains(found.rfc, "RFC 8446")
  equal(type(found.why[1]), "string")
  equal(type(found.told.client), "string")
end)

test("of very many steps the first and the last are kept", function()
  local link = ms.tls.link {
    server = { identity = ca:issue { dns = "server.example" } },
    client = { trust = ca, server_name = "server.example" },
  }
  link:handshake()
  for index = 1, 300 do
    link:send { from = index % 2 == 0 and "client" or "server", data = "x" }
    link:update_keys { by = "client" }
  end
  local steps = picture.of({ link }, {}, {}).links[1].model.steps
  equal(#steps, 401)
  equal(steps[1].name, "ClientHello")
  contains(steps[201].text, "steps are left out")
end)

test("a view that fails leaves the others, and is told", function()
  local link = refused_link()
  local broken = setmetatable({}, { __index = function(_, name)
    if name == "findings" then
      error "the view broke"
    end
    return link[name]
  end })
  local made = travelled(picture.of({ broken, link }, {}, {}))
  equal(made.links[1].findings, nil)
  equal(made.links[1].model ~= nil, true)
  equal(made.links[2].findings[1].kind, "failure")
  contains(table.concat(made.problems, "\n"), "link 1: explanation: ")
  contains(table.concat(made.problems, "\n"), "the view broke")
end)

test("without a link there is nothing", function()
  equal(#travelled(picture.of({}, {}, {})).links, 0)
end)

unit.done()
