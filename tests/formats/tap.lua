-- SPDX-License-Identifier: MIT
-- Whether Debian's prove takes our TAP, with hostile text in every place.
--   lua5.4 tests/formats/tap.lua PROVE INTERPRETER
-- prove runs this file again, with one word, to have a stream printed.
local samples = dofile "tests/lua/report_samples.lua"
local tap = require "moonshake.report.tap"

local function is_fine(result)
  return result.outcome ~= "failed"
end

if arg[1] == "all" or arg[1] == "fine" then
  local results = {}
  for _, result in ipairs(samples.results()) do
    if arg[1] == "all" or is_fine(result) then
      results[#results + 1] = result
    end
  end
  results[1].output = (results[1].output or "") .. ("\u{9B}"):rep(40000)
  local more = arg[1] == "fine" and { problems = {}, lost = {} } or {}
  more.interrupted = false
  samples.tell(tap.new(io.stdout), samples.plan(), results, samples.summary(more))
  os.exit(true)
end

local unit = dofile "tests/lua/harness.lua"
local escape = require "moonshake.escape"
local test, equal, contains = unit.test, unit.equal, unit.contains

local function prove(word)
  local pipe = assert(io.popen(("%s -v -e %s tests/formats/tap.lua :: %s 2>&1"):format(
    escape.shell(arg[1]), escape.shell(arg[2]), word)))
  local said = pipe:read "a"
  return pipe:close() == true, said
end

test("a stream in which nothing failed passes", function()
  local passed, said = prove "fine"
  equal(said:find("Parse errors", 1, true), nil)
  contains(said, "All tests successful.")
  contains(said, "Tests=4,")
  equal(passed, true)
end)

test("a stream of failures is understood as a whole", function()
  local passed, said = prove "all"
  equal(said:find("Parse errors", 1, true), nil)
  contains(said, "Failed tests:  1-6, 11-12\n")
  contains(said, "Tests=12,")
  equal(passed, false)
end)

unit.done()
