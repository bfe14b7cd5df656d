-- SPDX-License-Identifier: MIT
-- What a worker tells of its cases is what its parent reads.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local json = require "dkjson"
local listing = require "moonshake.runner.listing"
local test, equal = unit.test, unit.equal

local function description(name, text, params)
  return {
    id = "a.lua::" .. name .. text, file = "a.lua", line = 3, name = name, label = name .. text,
    tags = { "x" }, needs = {}, seconds = 60, about = "a | b", params = params,
  }
end

local ORDER = { "id", "file", "line", "name", "label", "tags", "needs", "seconds", "about" }

-- All but the values.
local function text_of(made)
  local copy = {}
  for _, name in ipairs(ORDER) do
    copy[name] = made[name]
  end
  return json.encode(copy, { keyorder = ORDER })
end

local function sent(descriptions)
  return listing.unpack(json.decode(json.encode(listing.pack(descriptions))))
end

local function same(descriptions)
  local found = sent(descriptions)
  equal(#found, #descriptions)
  for index, wanted in ipairs(descriptions) do
    local params = found[index].params
    equal(text_of(found[index]), text_of(wanted))
    for name, value in pairs(wanted.params) do
      equal(params[name], value, name)
      equal(math.type(params[name]), math.type(value), name)
    end
  end
end

test("cases without a matrix", function()
  same { description("one", "", {}), description("two", "", {}) }
  equal(#sent {}, 0)
end)

test("values of every kind", function()
  same {
    description("one", "[a=1,b=x]", { a = 1, b = "x", c = true }),
    description("one", "[a=2,b=y]", { a = 2.5, b = "", c = false }),
    description("two", "[f=2.0]", { f = 2.0 }),
    description("two", "[f=0.1]", { f = 0.1 }),
  }
end)

test("texts with the signs that part them", function()
  same {
    description("a|b", "[a=|,b=\\]", { a = "|", b = "\\" }),
    description("a|b", "[a=\\p,b=|||]", { a = "\\p", b = "|||" }),
  }
end)

test("an empty list is still one", function()
  local needs = sent({ description("one", "", {}) })[1].needs
  equal(json.encode(needs), "[]")
end)

unit.done()
