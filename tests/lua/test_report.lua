-- SPDX-License-Identifier: MIT
-- What others wrote reaches no terminal and no TAP stream as it is; and when colours are used.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local pretty = require "moonshake.report.pretty"
local tap = require "moonshake.report.tap"
local test, equal, contains = unit.test, unit.equal, unit.contains

local HOSTILE = "\27[31m\u{202E}#\\x"

-- A stream that keeps what is written; `flush` says what the disk says.
local function stream(problem)
  local pieces = {}
  return {
    write = function(_, ...)
      for _, piece in ipairs { ... } do
        pieces[#pieces + 1] = piece
      end
    end,
    flush = function(self)
      return not problem and self or nil, problem
    end,
    text = function()
      return table.concat(pieces)
    end,
  }
end

local function hostile(place)
  return place .. HOSTILE
end

local function failure()
  return {
    kind = "expectation", message = hostile "message", file = hostile "file", line = 3,
    source = hostile "source", found = hostile "found", wanted = hostile "wanted",
    differences = { { path = hostile "path", found = hostile "one", wanted = hostile "two" } },
    notes = { hostile "note" }, trace = { "here", hostile "trace" }, events = { hostile "event" },
  }
end

local function result(outcome, more)
  local made = { case = { id = hostile(outcome) }, outcome = outcome, failures = {}, notes = {},
                 seconds = 0 }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function report_all(report, summary)
  report:begin(4)
  for _, ended in ipairs {
    result("failed", { failures = { failure(), failure() }, notes = { hostile "narration" } }),
    result("skipped", { reason = hostile "skip" }),
    result("expected_failure", { reason = hostile "expected", failures = { failure() } }),
    result "passed",
  } do
    report:case_begins(ended.case)
    report:case_ended(ended)
  end
  return report:finish(summary or {
    counts = { failed = 1, skipped = 1, expected_failure = 1, passed = 1 }, not_run = 0,
    problems = { hostile "problem" }, unmatched = {}, seconds = 0,
  })
end

-- What is written has each of these words, nothing of what is hostile, and no other control
-- character than the end of a line.
local function harmless(text, words)
  equal(text:find("[%z\1-\9\11-\31\127]"), nil)
  equal(text:find("\u{202E}", 1, true), nil)
  for _, word in ipairs(words) do
    contains(text, word .. "\\x1B")
  end
end

test("nothing hostile gets through the report for people", function()
  local to = stream()
  report_all(pretty.new(to, false, "moonshake"))
  harmless(to.text(), { "message", "file", "source", "found", "wanted", "path", "one", "two",
                        "note", "trace", "event", "failed", "skip", "expected", "passed",
                        "narration", "problem" })
end)

test("nothing hostile gets through TAP, where # and \\ have a meaning", function()
  local to = stream()
  report_all(tap.new(to))
  local text = to.text()
  for _, word in ipairs { "failed", "skipped", "expected_failure", "passed", "skip", "expected",
                          "problem" } do
    contains(text, word .. "\\\\x1B[31m\\\\u{202E}\\#\\\\x")
  end
  equal(text:find("[%z\1-\9\11-\31\127]"), nil)
  equal(text:find("\u{202E}", 1, true), nil)
  for _, word in ipairs { "message", "file", "source", "found", "wanted", "path", "one", "two",
                          "note", "trace", "event" } do
    contains(text, '"' .. word .. "\\x1B[31m\\u202E#\\\\x")
  end
  contains(text, "\n# narration\\x1B")
  contains(text, "\n1..5\n")
end)

test("a skip and an expected failure are what TAP has words for", function()
  local to = stream()
  report_all(tap.new(to))
  contains(to.text(), "\nnot ok 1 - failed")
  contains(to.text(), "\nok 2 - skipped")
  contains(to.text(), " # SKIP skip")
  contains(to.text(), "\nnot ok 3 - expected_failure")
  contains(to.text(), " # TODO expected")
  contains(to.text(), "\nok 4 - passed")
  contains(to.text(), "\nnot ok 5 - problem")
end)

test("a stream that ends early, or has nothing, says so in TAP", function()
  local to = stream()
  tap.new(to):begin()
  local report = tap.new(stream())
  report:begin()
  report:finish { problems = {} }
  contains(report.stream.text(), "1..0 # SKIP")
  report = tap.new(stream())
  report:begin()
  report:finish { problems = {}, interrupted = true }
  contains(report.stream.text(), "Bail out!")
  equal(report.stream.text():find("1..", 1, true), nil)
end)

test("a report that cannot be written is told of", function()
  local written, problem = report_all(tap.new(stream "no room"))
  equal(written, nil)
  equal(problem, "no room")
  written, problem = report_all(pretty.new(stream "no room", false, "moonshake"))
  equal(written, nil)
  equal(problem, "no room")
end)

-- Whether a report uses colours in such an environment.
local function coloured(is_terminal, environment)
  local getenv = os.getenv
  os.getenv = function(name) return environment[name] end -- luacheck: ignore 122
  local to = stream()
  report_all(pretty.new(to, is_terminal, "moonshake"))
  os.getenv = getenv -- luacheck: ignore 122
  return to.text():find("\27[31mFAIL\27[0m", 1, true) ~= nil
end

test("colours are for terminals, unless the environment says otherwise", function()
  equal(coloured(true, {}), true)
  equal(coloured(false, {}), false)
  equal(coloured(true, { NO_COLOR = "1" }), false)
  equal(coloured(true, { NO_COLOR = "" }), true)
  equal(coloured(true, { CLICOLOR = "0" }), false)
  equal(coloured(true, { TERM = "dumb" }), false)
  equal(coloured(false, { CLICOLOR_FORCE = "1" }), true)
  equal(coloured(false, { CLICOLOR_FORCE = "0" }), false)
  equal(coloured(false, { CLICOLOR_FORCE = "1", NO_COLOR = "1" }), false)
end)

test("the report for people says what was not run, not loaded and interrupted", function()
  local to = stream()
  local report = pretty.new(to, false, "moonshake")
  report:begin(3)
  report:finish { counts = {}, not_run = 2, problems = { "a.lua: wrong" }, unmatched = {},
                  seconds = 1, interrupted = "the id" }
  contains(to.text(), "not loaded a.lua: wrong\n")
  contains(to.text(), "interrupted in the id\n")
  contains(to.text(), "2 not run, 1 not loaded in 1.00 s\n")
end)

test("a rerun line is a shell's word", function()
  local to = stream()
  local report = pretty.new(to, false, "/a dir/moonshake")
  report:begin(1)
  report:case_ended(result("failed", { case = { id = "it's::$HOME" }, failures = { failure() } }))
  contains(to.text(), "rerun: '/a dir/moonshake' run 'it'\\''s::$HOME'\n")
end)

unit.done()
