-- SPDX-License-Identifier: MIT
-- What others wrote reaches no terminal and no TAP stream as it is; and when colours are used.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local samples = dofile(here .. "report_samples.lua")
local pretty = require "moonshake.report.pretty"
local tap = require "moonshake.report.tap"
local test, equal, contains = unit.test, unit.equal, unit.contains
local stream, result, failure = samples.stream, samples.result, samples.failure

local function new_pretty(to, more)
  return pretty.new(to, { program = more and more.program or "moonshake",
                          terminal = more and more.terminal or false })
end

-- No control character but the end of a line, no direction marks, valid UTF-8.
local function harmless(text)
  equal(text:find("[%z\1-\9\11-\31\127]"), nil)
  equal(text:find("\u{202E}", 1, true), nil)
  equal(text:find("\u{9B}", 1, true), nil)
  equal(utf8.len(text) ~= nil, true)
end

test("nothing hostile gets through the report for people", function()
  local to = stream()
  samples.tell(new_pretty(to))
  harmless(to.text())
  for _, word in ipairs {
    "message", "file", "source", "found", "wanted", "path", "one", "two", "remark", "trace",
    "event", "explanation", "failed", "skip", "bug", "expected", "passed", "narration",
    "printed", "lost",
    "interrupted", "problem", "gnutls",
  } do
    contains(to.text(), word .. "\\x1B[31m\\u{202E}\\u{9B}#\\|")
  end
end)

test("nothing hostile gets through TAP, where # and \\ have a meaning", function()
  local to = stream()
  samples.tell(tap.new(to))
  local text = to.text()
  harmless(text)
  for _, word in ipairs { "failed", "skipped", "expected", "passed", "skip", "bug", "problem",
                          "lost" } do
    contains(text, word .. "\\\\x1B[31m\\\\u{202E}\\\\u{9B}\\#\\\\|")
  end
  for _, word in ipairs { "message", "file", "source", "found", "wanted", "path", "one", "two",
                          "remark", "trace", "event" } do
    contains(text, '"' .. word .. "\\x1B[31m\\u202E\\u009B#\\\\|")
  end
  contains(text, '\n  explanation:\n    - "explanation\\x1B[31m')
  contains(text, '\n    - "printed\\\\x1B[31m')
  contains(text, '\n    - "::error::x"\n')
  contains(text, "\n# narration\\x1B")
  contains(text, "\n# ::error::x\n")
end)

test("TAP has a word for each outcome, and tells errors from failures", function()
  local to = stream()
  samples.tell(tap.new(to), nil, nil, samples.summary { interrupted = false })
  contains(to.text(), "\n1..12\n")
  contains(to.text(), "\nnot ok 1 - first")
  contains(to.text(), "\nok 7 - first")
  contains(to.text(), " # SKIP skip")
  contains(to.text(), "\nnot ok 8 - second.lua::expected")
  contains(to.text(), " # TODO bug")
  contains(to.text(), "\nok 9 - second.lua::passed")
  contains(to.text(), "y (repeat 2)\n")
  contains(to.text(), "\nnot ok 11 - broken.lua:3: problem")
  contains(to.text(), "\nnot ok 12 - lost")
  for number, severity in pairs { [2] = "error", [3] = "error", [4] = "error", [5] = "fail",
                                  [6] = "fail" } do
    equal(to.text():match(("\nnot ok %d .-severity: \"(%%a+)\""):format(number)), severity,
          "severity of " .. number)
  end
end)

test("a stream that ends early, or has nothing, says so in TAP", function()
  local to = stream()
  samples.tell(tap.new(to), samples.empty())
  contains(to.text(), "1..0 # SKIP")
  to = stream()
  samples.tell(tap.new(to))
  contains(to.text(), "\nBail out! interrupted\n")
  equal(to.text():find("\n1..", 1, true), nil)
end)

test("a report that cannot be written is told of", function()
  for _, report in ipairs { tap.new(stream "no room"), new_pretty(stream "no room") } do
    local written, problem = samples.tell(report)
    equal(written, nil)
    equal(problem, "no room")
  end
end)

-- Calls f() in such an environment.
local function within(environment, f)
  local getenv = os.getenv
  os.getenv = function(name) return environment[name] end -- luacheck: ignore 122
  f()
  os.getenv = getenv -- luacheck: ignore 122
end

-- Whether a report uses colours in such an environment.
local function coloured(is_terminal, environment)
  local to = stream()
  within(environment, function() samples.tell(new_pretty(to, { terminal = is_terminal })) end)
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

test("the report for people says what was not run, not loaded, lost and interrupted", function()
  local to = stream()
  samples.tell(new_pretty(to), samples.plan(), {}, samples.summary {
    counts = {}, not_run = 2, problems = { "a.lua: wrong" }, lost = { "b.lua: signal 9" },
    seconds = 1, interrupted = "the id",
  })
  contains(to.text(), "not loaded a.lua: wrong\n")
  contains(to.text(), "worker lost b.lua: signal 9\n")
  contains(to.text(), "interrupted in the id\n")
  contains(to.text(), "2 not run, 1 not loaded, 1 lost in 1.00 s")
end)

test("a rerun line is a shell's word", function()
  local to = stream()
  samples.tell(new_pretty(to, { program = "/a dir/moonshake" }), samples.plan(), {
    result("failed", { id = "it's::$HOME" }, { failures = { failure() } }),
  })
  contains(to.text(), "rerun: '/a dir/moonshake' run 'it'\\''s::$HOME'\n")
end)

test("a failure says where its capture is", function()
  local to = stream()
  samples.tell(new_pretty(to), samples.plan(), {
    result("failed", { id = "an id" }, { failures = { failure() },
                                         captures = { "d/\27x.pcapng" } }),
    result("passed", { id = "another" }, { captures = { "d/y.pcapng" } }),
  })
  contains(to.text(), "\n  capture: d/\\x1Bx.pcapng\n  rerun: ")
  equal(to.text():find("y.pcapng", 1, true), nil)
end)

local function printing(output, cut)
  local to = stream()
  samples.tell(new_pretty(to), samples.plan(), {
    result("failed", { id = "an id" }, { failures = { failure() }, output = output,
                                         output_cut = cut }),
  })
  return to.text()
end

test("the explanation stands before the last events of the first failure, once", function()
  local to = stream()
  local ended = result("failed", samples.case("a.lua", "b"), {
    failures = { failure(), failure() }, explanation = { "what", "because why", "next: this" },
  })
  samples.tell(new_pretty(to), nil, { ended })
  contains(to.text(), "\n      explanation\n        what\n        because why\n"
           .. "        next: this\n      last events\n")
  equal(select(2, to.text():gsub("because why", "")), 1)
end)

test("what a failed case printed is shown, of much of it both ends", function()
  contains(printing "one\n\27two\n", "\n      printed\n        one\n        \\x1Btwo\n  rerun:")
  equal(printing(""):find("\n      printed\n", 1, true), nil)
  contains(printing("x", 77), "\n      printed (77 bytes in its middle were not kept)\n        x\n")
  local lines = {}
  for number = 1, 100 do
    lines[number] = "line " .. number
  end
  local text = printing(table.concat(lines, "\n"))
  contains(text, "line 20\n        ... 60 lines are left out ...\n        line 81\n")
  contains(text, "line 1\n")
  contains(text, "line 100\n")
  equal(select(2, text:gsub("\n        line %d+", "")), 40)
end)

test("no report stumbles over what may be missing", function()
  local case = { id = "a.lua::x", file = "a.lua", line = 1, name = "x", label = "x" }
  for _, name in ipairs { "pretty", "tap", "junit", "json", "github" } do
    local to = stream()
    local report = require("moonshake.report." .. name).new(to, { program = "moonshake" })
    local written
    within({}, function()
      written = samples.tell(report, { count = 4, version = "1", stack = "2" }, {
        { case = case, outcome = "failed", failures = {}, seconds = 0 },
        { case = case, outcome = "failed", failures = { {}, { kind = "new" } }, seconds = 0 },
        { case = case, outcome = "failed", seconds = 0, failures = {
          { message = "m", source = "s", found = "f", differences = { { path = "p" } } },
        } },
        { case = case, outcome = "skipped", failures = {}, seconds = 0 },
        { case = case, outcome = "expected_failure", failures = {}, seconds = 0 },
      }, { counts = {}, problems = {}, seconds = 0 })
    end)
    equal(written ~= nil, true)
    contains(to.text(), "a.lua")
  end
end)

unit.done()
