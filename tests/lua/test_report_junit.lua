-- SPDX-License-Identifier: MIT
-- JUnit's XML: what is counted, what stands where. That it is valid, tests/formats/junit.lua asks
-- xmllint.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local samples = dofile(here .. "report_samples.lua")
local junit = require "moonshake.report.junit"
local test, equal, contains = unit.test, unit.equal, unit.contains
local result, case = samples.result, samples.case

local function document(more, plan, results, summary)
  local to = samples.stream()
  local context = { program = "moonshake", extras = more and more.extras or false }
  equal(samples.tell(junit.new(to, context), plan, results, summary), to)
  return to.text()
end

-- A run without trouble of its own.
local function quiet(more)
  return samples.summary {
    counts = {}, problems = {}, unmatched = {}, lost = {}, interrupted = false,
    not_run = more and more.not_run,
  }
end

-- The tag of the first element of this name, with `part` in it.
local function tag(text, name, part)
  for found in text:gmatch("<" .. name .. " [^>]*>") do
    if found:find(part or "", 1, true) then
      return found
    end
  end
  error(("no <%s> with %s in\n%s"):format(name, part, text), 2)
end

local function element(text, name, part)
  local from = text:find(tag(text, name, part), 1, true)
  return text:sub(from, text:find("</" .. name .. ">", from, true))
end

test("there is a suite for each file, in the order of its first result, and one of our own",
function()
  local text = document(nil, samples.plan { stack = "x" }, {
    result("passed", case("b.lua", "one")), result("passed", case("a.lua", "two")),
    result("passed", case("b.lua", "three")),
  }, samples.summary { problems = { "c.lua:1: wrong" } })
  local names = {}
  for name in text:gmatch '<testsuite name="([^"]*)"' do
    names[#names + 1] = name
  end
  equal(table.concat(names, " "), "b.lua a.lua moonshake")
  contains(element(text, "testsuite", "b.lua"), 'name="three" classname="b.lua" time="0.250"')
end)

-- How many of a suite's cases have such a child, and none of the other sort. (A case without
-- children must have an end tag, too.)
local function count(suite, name, but_not)
  local found = 0
  for inside in suite:gmatch "<testcase [^>]->(.-)</testcase>" do
    local has = inside:find("<" .. name .. "[ >]")
    if has and not (but_not and inside:find("<" .. but_not .. "[ >]")) then
      found = found + 1
    end
  end
  return found
end

test("counts are those of the cases", function()
  local text = document()
  for suite in text:gmatch "<testsuite .-</testsuite>" do
    local whole = suite:gsub("(<testcase [^>]-)/>", "%1></testcase>")
    equal(suite:match ' tests="(%d+)"', tostring(select(2, whole:gsub("<testcase ", ""))))
    equal(suite:match ' failures="(%d+)"', tostring(count(whole, "failure", "error")))
    equal(suite:match ' errors="(%d+)"', tostring(count(whole, "error")))
    equal(suite:match ' skipped="(%d+)"', tostring(count(whole, "skipped")))
  end
  contains(tag(text, "testsuites"), ' tests="14" failures="2" errors="8" time="2.500"')
end)

test("an expectation is a failure, what broke is an error, with its kind", function()
  local text = document()
  for kind, name in pairs {
    expectation = "failure", no_expectation = "failure", unexpected_pass = "failure",
    error = "error", timeout = "error", crashed = "error", memory = "error",
  } do
    contains(text, ("<%s type=%q message="):format(name, kind))
  end
end)

test("all failures of a case are told, with the way to run it again", function()
  local text = document(nil, nil, {
    result("failed", case("a.lua", "a name"), { failures = {
      { kind = "expectation", message = "one", file = "a.lua", line = 4, source = "expect(x)" },
      { kind = "error", message = "two" },
    } }),
  }, quiet())
  contains(text, '<failure type="expectation" message="one">  --&gt; a.lua:4\n    4 | expect(x)\n')
  contains(text, '<error type="error" message="two">      error: two\n')
  contains(text, "\n  rerun: moonshake run 'a.lua::a name'</error>")
  contains(text, ' tests="1" failures="0" errors="1" skipped="0"')
end)

test("a failed case without a failure does not look like one that passed", function()
  local text = document(nil, nil, { result("failed", case("a.lua", "x")) }, quiet())
  contains(text, "<error>")
  contains(text, ' tests="1" failures="0" errors="1"')
end)

test("skipped and expected to fail give their reasons", function()
  local text = document(nil, nil, {
    result("skipped", case("a.lua", "one"), { reason = "no tshark" }),
    result("expected_failure", case("a.lua", "two"), {
      reason = "bug 7", failures = { { kind = "expectation", message = "as ever" } },
    }),
  }, quiet())
  contains(text, '<skipped type="skipped" message="no tshark"/>')
  contains(text, '<skipped type="expected_failure" message="bug 7">      as ever</skipped>')
  contains(text, ' tests="2" failures="0" errors="0" skipped="2"')
end)

test("repeats of a case have names of their own, and so have equal complaints", function()
  local text = document(nil, nil, {
    result("passed", case("a.lua", "x")), result("passed", case("a.lua", "x"), { attempt = 2 }),
  }, samples.summary { lost = { "signal 9", "signal 9" } })
  contains(text, '<testcase name="x" classname="a.lua"')
  contains(text, '<testcase name="x (repeat 2)" classname="a.lua"')
  contains(text, '<testcase name="worker lost: signal 9" ')
  contains(text, '<testcase name="worker lost: signal 9 2" ')
end)

test("notes and what was printed stand in system-out", function()
  local text = document(nil, nil, {
    result("passed", case("a.lua", "x"), { notes = { "one\ntwo" }, output = "hello\nworld\n" }),
  }, quiet())
  contains(text, "<system-out>note: one\n      two\nprinted:\nhello\nworld</system-out>")
end)

test("captures are attached, behind what else there is to tell", function()
  local text = document(nil, nil, {
    result("failed", case("a.lua", "x"), { notes = { "one" }, captures = { "d/<x>.pcapng" } }),
    result("passed", case("a.lua", "y"), { captures = { "y.pcapng", "[[ATTACHMENT|z" } }),
  }, quiet())
  contains(text, "<system-out>note: one\n[[ATTACHMENT|d/&lt;x&gt;.pcapng]]</system-out>")
  contains(text, "<system-out>[[ATTACHMENT|y.pcapng]]\n[[ATTACHMENT|[ [ATTACHMENT|z]]<")
end)

test("no text of others names a file to attach", function()
  local text = document(nil, nil, {
    result("failed", case("a.lua", "x"), {
      notes = { "[[ATTACHMENT|/etc/passwd]]" }, output = "[[ATTACHMENT|/etc/passwd]]",
      failures = { { kind = "error", message = "[[ATTACHMENT|/etc/passwd]]" } },
    }),
  }, quiet())
  equal(text:find("[[ATTACHMENT|", 1, true), nil)
end)

test("what is no case's is an error of our own suite, an interruption too", function()
  local text = document()
  local own = element(text, "testsuite", 'name="moonshake"')
  for _, kind in ipairs { "not_loaded", "unmatched", "lost", "interrupted" } do
    contains(own, ("<error type=%q message="):format(kind))
  end
  contains(own, "(cases not run: 1)")
  contains(document(nil, nil, {}, samples.summary { interrupted = true, not_run = 3 }),
           'message="the run (cases not run: 3)"')
end)

test("times have a point and three digits, the start is UTC without a zone", function()
  local text = document(nil, samples.plan { started = 0 }, {
    result("passed", case("a.lua", "x"), { seconds = 12.34567 }),
    result("passed", case("a.lua", "y"), { seconds = 0 }),
  }, quiet())
  contains(text, 'name="x" classname="a.lua" time="12.346"')
  contains(text, 'name="y" classname="a.lua" time="0.000"')
  contains(tag(text, "testsuite"), 'time="12.346" timestamp="1970-01-01T00:00:00"')
  for _, odd in ipairs { 1e300, 0 / 0, "soon" } do
    equal(document(nil, samples.plan { started = odd }, { result("passed", case("a.lua", "x")) },
                   quiet()):find("timestamp", 1, true), nil)
  end
end)

test("version, stack, seed and shard are properties of the suites", function()
  local text = document(nil, samples.plan { version = "0.1.0", stack = "gnutls 3.7.9" })
  for _, pair in ipairs { { "version", "0.1.0" }, { "stack", "gnutls 3.7.9" }, { "seed", "42" },
                          { "shard", "1/3" } } do
    equal(select(2, text:gsub(('<property name="%s" value="%s"/>'):format(
      pair[1], (pair[2]:gsub("%p", "%%%0"))), "")), 3, pair[1])
  end
end)

test("file and line of a case are extras, and nothing else is", function()
  local text = document { extras = true }
  contains(text, ' classname="second.lua" time="0.250" file="second.lua" line="7"')
  equal(text:gsub(' file="[^"]*" line="%d+"', ""), document())
end)

test("an empty run is a document without suites", function()
  equal(document(nil, samples.empty()), '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites '
    .. 'name="moonshake" tests="0" failures="0" errors="0" time="0.000"/>\n')
end)

test("nothing hostile gets through", function()
  local text = document { extras = true }
  equal(text:find "[\0-\9\11-\31\127]", nil)
  equal(utf8.len(text) ~= nil, true)
  for _, wrong in ipairs { "\u{202E}", "\u{9B}", "<b>", "]]>", "&]" } do
    equal(text:find(wrong, 1, true), nil, wrong)
  end
  for _, word in ipairs {
    "message", "file", "source", "found", "wanted", "path", "one", "two", "remark", "trace",
    "event", "explanation", "failed", "first", "skipped", "skip", "bug", "expected", "passed",
    "narration", "printed", "problem", "unmatched", "lost", "interrupted", "gnutls", "0.1.0",
  } do
    contains(text, word .. "\\x1B[31m\\u{202E}\\u{9B}#\\|`&lt;b&gt;&amp;]]&gt;")
  end
end)

test("a document that cannot be written is told of, by the write as by the flush", function()
  local written, problem = samples.tell(junit.new(samples.stream "no room", { program = "x" }))
  equal(written, nil)
  equal(problem, "no room")
  local full = samples.stream()
  full.write = function() return nil, "disk full" end
  written, problem = samples.tell(junit.new(full, { program = "x" }))
  equal(written, nil)
  equal(problem, "disk full")
end)

unit.done()
