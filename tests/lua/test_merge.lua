-- SPDX-License-Identifier: MIT
-- moonshake merge: files of JSON lines in, any report out.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local json_report = require "moonshake.report.json"
local json_reader = require "moonshake.report.json_reader"
local merge = require "moonshake.commands.merge"
local shard = require "moonshake.runner.shard"
local test, equal, contains = unit.test, unit.equal, unit.contains

local directory = assert(files.temporary_directory())

local function at(name)
  return directory .. "/" .. name
end

local CASES = {}
for number = 1, 9 do
  local label = ("case %d of \u{1F319}[n=%d]"):format(number, number)
  CASES[number] = {
    id = "some/file.lua::" .. label, file = "some/file.lua", line = 10 * number,
    name = ("case %d of \u{1F319}"):format(number), label = label, tags = { "new" }, needs = {},
    params = { n = number },
  }
end

local FAILURE = {
  kind = "expectation", message = "equals: they differ", file = "some/file.lua", line = 11,
  source = "expect(x):equals(2)", found = "1", wanted = "2", differences = {}, notes = {},
  events = { "1 client sent ClientHello" },
}

-- What one machine tells of its cases: case 1 fails, case 2 is skipped.
local function write_report(name, cases, plan, summary)
  local pieces = {}
  local report = json_report.new({
    write = function(_, ...) table.move({ ... }, 1, select("#", ...), #pieces + 1, pieces) end,
    flush = function() return true end,
  }, {})
  local told = { count = #cases, jobs = 1, repeats = 1, version = "0.1.0", stack = "gnutls 3.8",
                 started = 1000 }
  local counts = {}
  for key, value in pairs(plan or {}) do
    told[key] = value
  end
  report:begin(told)
  for _, case in ipairs(cases) do
    local fails, skips = case == CASES[1], case == CASES[2]
    local outcome = fails and "failed" or skips and "skipped" or "passed"
    counts[outcome] = (counts[outcome] or 0) + 1
    report:case_begins(case, 1)
    report:case_ended {
      case = case, attempt = 1, outcome = outcome, reason = skips and "no such stack" or nil,
      failures = { fails and FAILURE or nil }, notes = { "of " .. case.name }, seconds = 0.25,
      output = fails and "printed\n" or nil, ends = fails and '{"b":1,"a":[]}' or nil,
      explanation = fails and { "what", "because" } or nil,
    }
  end
  local closing = { counts = counts, not_run = 0, interrupted = false, seconds = 1, problems = {},
                    unmatched = {}, lost = {}, status = counts.failed and 1 or 0 }
  for key, value in pairs(summary or {}) do
    closing[key] = value
  end
  report:finish(closing)
  assert(files.write(at(name), table.concat(pieces)))
  return at(name)
end

local function write_shards(total, cases)
  local paths = {}
  for index = 1, total do
    local kept, said = shard.cut(cases or CASES, { index = index, total = total })
    paths[index] = write_report(("%d-of-%d.json"):format(index, total), kept, { shard = said })
  end
  return paths
end

-- The exit status, and what was said on standard error and on standard output.
local function run(paths, formats)
  local said, told, stderr, stdout = {}, {}, io.stderr, io.stdout
  local function into(list)
    return {
      write = function(_, ...) list[#list + 1] = table.concat { ... } end,
      flush = function() return true end,
    }
  end
  -- luacheck: push ignore 122
  io.stderr, io.stdout = into(said), into(told)
  local done, status = pcall(merge, { file = paths, formats = formats or {} }, "moonshake")
  io.stderr, io.stdout = stderr, stdout
  -- luacheck: pop
  assert(done, status)
  return status, table.concat(said), table.concat(told)
end

local function merged(paths, format)
  local status, said = run(paths, { { format = format, path = at "out" } })
  equal(said, "")
  return assert(files.read(at "out")), status
end

test("the JSON of the whole has every case once, and all that was told of it", function()
  local text, status = merged(write_shards(3), "json")
  equal(status, 1)
  local found = json_reader.read(text)
  equal(#found.problems, 0)
  equal(found.plan.count, #CASES)
  equal(select(2, text:gsub('"event":"case_start"', "")), #CASES)
  equal(found.plan.shard, nil)
  equal(found.plan.started, 1000)
  equal(found.summary.status, 1)
  equal(found.summary.counts.failed, 1)
  equal(found.summary.counts.skipped, 1)
  equal(found.summary.counts.passed, #CASES - 2)
  local by_id = {}
  for _, result in ipairs(found.results) do
    equal(by_id[result.case.id], nil)
    by_id[result.case.id] = result
  end
  for _, case in ipairs(CASES) do
    local result = by_id[case.id]
    equal(result.case.line, case.line)
    equal(result.case.params.n, case.params.n)
    equal(result.notes[1], "of " .. case.name)
    equal(result.seconds, 0.25)
  end
  local failed = by_id[CASES[1].id]
  equal(failed.outcome, "failed")
  equal(failed.failures[1].source, FAILURE.source)
  equal(failed.failures[1].events[1], FAILURE.events[1])
  equal(failed.output, "printed\n")
  equal(failed.ends, '{"b":1,"a":[]}')
  equal(table.concat(failed.explanation, "|"), "what|because")
  equal(by_id[CASES[2].id].reason, "no such stack")
end)

test("a whole can be merged again, and is the same", function()
  local once = merged(write_shards(3), "json")
  assert(files.write(at "whole.json", once))
  local twice = merged({ at "whole.json" }, "json")
  equal(twice, once)
end)

test("the whole is told as one machine would have told it", function()
  local whole = write_report("unsharded.json", CASES)
  for _, format in ipairs { "tap", "junit", "pretty" } do
    local alone = merged({ whole }, format)
    local ordered = merged(write_shards(1), format)
    equal(ordered, alone, format)
    equal(#alone > 100, true, format)
  end
  contains(merged(write_shards(3), "tap"), ("\n1..%d\n"):format(#CASES))
end)

test("several reports are written at once", function()
  local status = run(write_shards(2), { { format = "tap", path = at "a.tap" },
                                        { format = "junit", path = at "a.xml" } })
  equal(status, 1)
  contains(assert(files.read(at "a.tap")), "TAP version 13")
  contains(assert(files.read(at "a.xml")), "<testsuite")
end)

test("people are told where no format goes to standard output", function()
  local _, _, told = run(write_shards(2), { { format = "tap", path = at "a.tap" } })
  contains(told, "1 failed, 7 passed, 1 skipped")
  _, _, told = run(write_shards(2), { { format = "tap" } })
  equal(told:sub(1, 14), "TAP version 13")
end)

test("without a failure the exit status is 0", function()
  local cases = { table.unpack(CASES, 2) }
  local _, status = merged(write_shards(3, cases), "tap")
  equal(status, 0)
end)

local function refused(paths, ...)
  assert(files.write(at "untouched", "as it was"))
  local status, said = run(paths, { { format = "tap", path = at "untouched" } })
  equal(status, 2)
  for _, part in ipairs { ... } do
    contains(said, part)
  end
  equal(files.read(at "untouched"), "as it was")
end

test("without all shards nothing is written", function()
  local paths = write_shards(3)
  refused({ paths[1], paths[3] }, "moonshake: shard 2/3 is missing\n")
  refused({ paths[1], paths[2], paths[2], paths[3] }, "shard 2/3 is there twice: " .. paths[2])
  refused({ paths[1], write_shards(2)[2] }, "is one of 3 shards")
end)

test("machines that did not select the same are told", function()
  local paths = write_shards(2)
  local kept, said = shard.cut({ table.unpack(CASES, 2) }, { index = 2, total = 2 })
  refused({ paths[1], write_report("other.json", kept, { shard = said }) },
          "the machines did not select the same")
end)

test("a file that was cut short is told, wherever the cut is", function()
  local paths = write_shards(2)
  local text = assert(files.read(paths[2]))
  for _, length in ipairs { #text - 2, #text // 2, 40 } do
    assert(files.write(paths[2], text:sub(1, length)))
    refused(paths, paths[2] .. ": ")
  end
  assert(files.write(paths[2], ""))
  refused(paths, paths[2] .. ": no JSON report of a run", "shard 2/2 is missing")
  local lines = {}
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = not line:find '"case_end"' and line or nil
  end
  assert(files.write(paths[2], table.concat(lines, "\n") .. "\n"))
  refused(paths, "is not whole")
end)

test("a case in two files is told", function()
  local one = write_report("one.json", { CASES[3], CASES[4] })
  local two = write_report("two.json", { CASES[4], CASES[5] })
  refused({ one, two }, CASES[4].id .. ": is in " .. one .. " and in " .. two)
end)

test("what is no report is told, and what is not there", function()
  assert(files.write(at "notes.txt", "no JSON\n"))
  refused({ at "notes.txt" }, at "notes.txt" .. ": no JSON report of a run (line 1: no JSON object")
  refused({ at "absent.json", at "gone.json" },
          "cannot read " .. at "absent.json" .. ": no such file or directory",
          "cannot read " .. at "gone.json")
end)

test("in what the shards differ is said, and goes on", function()
  local one = write_report("one.json", { CASES[3] }, { seed = 4 })
  local two = write_report("two.json", { CASES[4] }, { stack = "gnutls 3.7.9" })
  local status, said = run({ one, two }, { { format = "tap", path = at "out" } })
  equal(status, 0)
  contains(said, "moonshake: the shards differ in their stack: gnutls 3.8, gnutls 3.7.9\n")
  contains(said, "moonshake: the shards differ in their seed: 4, none\n")
end)

test("a report that cannot be written is told", function()
  local paths = write_shards(2)
  local status, said = run(paths, { { format = "tap", path = at "no/such/folder/out" } })
  equal(status, 2)
  contains(said, "cannot write")
  status, said = run(paths, { { format = "tap", path = "/dev/full" } })
  equal(status, 2)
  contains(said, "the report could not be written: ")
end)

test("text of other machines cannot reach the terminal", function()
  assert(files.write(at "evil.json", '{"v":1,"event":"\27[31m"}\n'))
  local _, said = run({ at "evil.json", at "\27[31m.json" })
  contains(said, "[31m.json")
  equal(said:find "\27", nil)
  _, said = run({ at "evil.json" })
  equal(said:find "\27", nil)
end)

files.remove_tree(directory)
unit.done()
