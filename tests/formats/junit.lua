-- SPDX-License-Identifier: MIT
-- Whether JUnit documents are valid: xmllint judges them by junit.xsd.
--   lua5.4 tests/formats/junit.lua XMLLINT
local unit = dofile "tests/lua/harness.lua"
local samples = dofile "tests/lua/report_samples.lua"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local junit = require "moonshake.report.junit"
local test, equal, contains = unit.test, unit.equal, unit.contains

local xmllint = escape.shell(arg[1] or "xmllint")

local function document(extras, ...)
  local to = samples.stream()
  samples.tell(junit.new(to, { program = "moonshake", extras = extras }), ...)
  return to.text()
end

-- Whether the document is valid, and what xmllint says.
local function judged(text)
  local directory = assert(files.temporary_directory())
  local path = directory .. "/junit.xml"
  assert(files.write(path, text))
  local pipe = assert(io.popen(("%s --noout --nonet --schema tests/formats/junit.xsd %s 2>&1")
    :format(xmllint, escape.shell(path))))
  local said = pipe:read "a"
  local valid = pipe:close() == true
  files.remove_tree(directory)
  return valid, said
end

local function valid(...)
  local is_valid, said = judged(document(false, ...))
  equal(is_valid and "" or said, "")
end

test("a run with hostile text in every place is valid", function()
  valid()
end)

test("a run in which nothing was done is valid", function()
  valid(samples.empty())
end)

test("a run without shard, seed and end is valid", function()
  local plan = samples.plan()
  plan.shard, plan.seed, plan.started = nil, nil, nil
  valid(plan, { samples.result("failed", samples.case("a.lua", "x")) },
        samples.summary { lost = { "x", "x" }, problems = { "", "" }, interrupted = true })
end)

test("each byte value, and each that XML cannot say, is valid anywhere", function()
  local bytes = {}
  for code = 0, 255 do
    bytes[#bytes + 1] = string.char(code)
  end
  local hostile = table.concat(bytes) .. "\u{FFFE}\u{FFFF}\xED\xA0\x80\xF7\xBF\xBF\xBF"
  valid(samples.plan { version = hostile }, {
    samples.result("failed", samples.case(hostile, hostile), {
      failures = { samples.failure(hostile), { kind = "error", message = hostile } },
      notes = { hostile }, output = hostile,
    }),
    samples.result("skipped", samples.case(hostile, hostile .. "2"), { reason = hostile }),
  }, samples.summary { problems = { hostile }, unmatched = { hostile }, lost = { hostile } })
end)

test("the extras are what the schema refuses, and all of it", function()
  local text = document(true)
  local is_valid, said = judged(text)
  equal(is_valid, false)
  contains(said, "The attribute 'file' is not allowed")
  contains(said, "The attribute 'line' is not allowed")
  equal(judged((text:gsub(' file="[^"]*" line="%d+"', ""))), true)
end)

test("the schema looks: at names, counts, times and order", function()
  local text = document()
  for found, put in pairs {
    ['name="crashes"'] = 'name="passes"', -- twice in a file
    ['skipped="1"'] = 'skipped="-1"',
    ['time="0.250"'] = 'time="0,25"',
    ['timestamp="2023'] = 'timestamp="23',
    ["<properties>"] = "<system-out/><properties>",
    ['type="crashed"'] = 'kind="crashed"',
    ["&amp;"] = "&",
  } do
    local from, to = text:find(found, 1, true)
    equal(judged(text:sub(1, from - 1) .. put .. text:sub(to + 1)), false, put)
  end
end)

unit.done()
