-- SPDX-License-Identifier: MIT
-- Reports of shards joined into one; and what is said where one is missing, twice, or not whole.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local join = require "moonshake.report.join"
local shard = require "moonshake.runner.shard"
local test, equal, contains = unit.test, unit.equal, unit.contains

local ALL = {}
for number = 1, 12 do
  ALL[number] = { id = ("some/file.lua::case %d"):format(number) }
end

-- A file as the reader gives it: the cases of `cases` that passed, with what differs from that.
local function file(path, cases, plan, summary)
  local results = {}
  for index, case in ipairs(cases) do
    results[index] = { case = case, attempt = 1, outcome = "passed", failures = {}, seconds = 0.5 }
  end
  local found = {
    plan = { version = "1.0", stack = "gnutls 3.8", count = #cases, jobs = 2, repeats = 1,
             started = 100 },
    results = results,
    summary = { counts = { passed = #cases }, not_run = 0, interrupted = false, seconds = 1,
                problems = {}, unmatched = {}, lost = {}, status = 0 },
    problems = {},
  }
  for into, changes in pairs { plan = plan or {}, summary = summary or {} } do
    for key, value in pairs(changes) do
      found[into][key] = value
    end
  end
  return { path = path, found = found }
end

-- The shards of all cases, without digests as other programs may write them.
local function shards(total)
  local files = {}
  for index = 1, total do
    local kept = shard.cut(ALL, { index = index, total = total })
    files[index] = file("s" .. index, kept, { shard = { index = index, total = total } })
  end
  return files
end

-- The same, with what tells that the machines selected the same.
local function digested(total, cases)
  local files = {}
  for index = 1, total do
    local kept, said = shard.cut(cases or ALL, { index = index, total = total })
    files[index] = file("s" .. index, kept, { shard = said })
  end
  return files
end

local function joined(files)
  local made, problems = join.files(files)
  if not made then
    error("refused: " .. table.concat(problems, "; "), 2)
  end
  return made
end

local function refused(files, ...)
  local made, problems = join.files(files)
  equal(made, nil)
  equal(table.concat(problems, "\n"), table.concat({ ... }, "\n"))
end

test("shards make the whole, shard after shard, in whatever order they come", function()
  for _, files in ipairs { shards(3), digested(3) } do
    files[1], files[2], files[3] = files[3], files[1], files[2]
    local made = joined(files)
    equal(made.plan.count, #ALL)
    equal(#made.results, #ALL)
    equal(made.plan.shard, nil)
    equal(made.summary.counts.passed, #ALL)
    equal(made.summary.not_run, 0)
    equal(made.summary.interrupted, false)
    equal(made.summary.status, 0)
    equal(#made.remarks, 0)
    local last = 0
    for _, result in ipairs(made.results) do
      local index = shard.of(result.case.id, 3)
      equal(index >= last, true)
      last = index
    end
  end
end)

test("what machines do at the same time is added where it adds up", function()
  local files = shards(2)
  files[1].found.plan.started, files[1].found.summary.seconds = 90, 3
  files[2].found.plan.jobs, files[2].found.summary.seconds = 5, 2
  local made = joined(files)
  equal(made.plan.started, 90)
  equal(made.plan.jobs, 7)
  equal(made.plan.repeats, 1)
  equal(made.plan.version, "1.0")
  equal(made.plan.stack, "gnutls 3.8")
  equal(made.summary.seconds, 3)
end)

test("a shard may be empty", function()
  local files = digested(2, { ALL[1] })
  equal(#files[1].found.results + #files[2].found.results, 1)
  equal(joined(files).summary.status, 0)
end)

test("one report is its own whole", function()
  local made = joined { file("all", ALL) }
  equal(#made.results, #ALL)
  equal(joined(digested(1)).plan.count, #ALL)
end)

test("runs of different cases go together without shards", function()
  local made = joined { file("a", { ALL[2] }), file("b", { ALL[1] }) }
  equal(made.results[1].case.id, ALL[2].id)
  equal(made.results[2].case.id, ALL[1].id)
end)

test("a missing shard is named", function()
  local files = shards(3)
  refused({ files[1], files[3] }, "shard 2/3 is missing")
  refused({ files[2] }, "shard 1/3 is missing", "shard 3/3 is missing")
end)

test("of many missing shards the first are named", function()
  refused({ file("a", {}, { shard = { index = 2, total = 999999999 } }) },
          "shard 1/999999999 is missing", "shard 3/999999999 is missing",
          "shard 4/999999999 is missing", "shard 5/999999999 is missing",
          "shard 6/999999999 is missing", "... and 1 more like it")
end)

test("a shard that is there twice is named with its files", function()
  local files = shards(3)
  files[4] = file("again", {}, { shard = { index = 2, total = 3 } })
  refused(files, "shard 2/3 is there twice: s2 and again")
  refused({ files[1], files[2], files[4] }, "shard 2/3 is there twice: s2 and again",
          "shard 3/3 is missing")
end)

test("shards of other totals, and what is no shard, are not of one run", function()
  local files = shards(2)
  files[2].found.plan.shard = { index = 2, total = 3 }
  refused(files, "s1 is one of 2 shards, s2 one of 3: they are not of one run")
  files[2].found.plan.shard = nil
  refused(files, "s1 is a shard and s2 is not: they are not of one run")
  refused({ files[2], files[1] }, "s1 is a shard and s2 is not: they are not of one run")
end)

test("machines that did not select the same are told", function()
  local files = digested(2)
  files[2].found.plan.shard.selected = 13
  refused(files, "s1 is a shard of 12 cases, s2 of 13: the machines did not select the same")
  files[2].found.plan.shard.selected = 12
  files[2].found.plan.shard.digest = "0123456789abcdef"
  refused(files, "s1 and s2 are shards of other cases: the machines did not select the same")
end)

test("the cases of all shards are those that were selected", function()
  local files = digested(2)
  local results = files[1].found.results
  results[#results].case = { id = "some/file.lua::another" }
  refused(files, "12 cases were selected, and the shards together have 12, or others")
end)

test("a run that stopped early lacks the cases that it did not run", function()
  local files = digested(2)
  files[1].found.results[1].outcome = "failed"
  table.remove(files[1].found.results)
  files[1].found.summary.not_run = 1
  local made = joined(files)
  equal(made.summary.not_run, 1)
  equal(made.plan.count, #ALL)
  equal(made.summary.status, 1)
end)

test("a file that is not whole is told", function()
  local files = shards(2)
  files[1].found.summary = nil
  refused(files, "s1: was cut short: the end of the run is not in it")
  files = shards(2)
  table.remove(files[2].found.results)
  local count = files[2].found.plan.count
  refused(files, ("s2: is not whole: %d cases were to run, %d did and 0 did not"):format(
    count, count - 1))
end)

test("a shard beyond the last is none", function()
  local files = shards(2)
  files[3] = file("s3", {}, { shard = { index = 3, total = 2 } })
  refused(files, "s3: there is no shard 3 of 2")
  files[3].found.plan.shard.index = 0
  refused(files, "s3: there is no shard 0 of 2")
end)

test("what is no report is told, and what else is wrong", function()
  local files = shards(3)
  files[2].found = { results = {}, problems = {} }
  refused(files, "s2: no JSON report of a run", "shard 2/3 is missing")
  files[2].found.problems = { "line 1: a", "line 2: b", "line 3: c", "line 4: d", "line 5: e",
                              "line 6: f", "line 7: g" }
  refused(files, "s2: no JSON report of a run (line 1: a)", "shard 2/3 is missing")
  files = shards(1)
  files[1].found.problems = { "line 1: a", "line 2: b", "line 3: c", "line 4: d", "line 5: e",
                              "line 6: f", "line 7: g" }
  refused(files, "s1: line 1: a", "s1: line 2: b", "s1: line 3: c", "s1: line 4: d",
          "s1: line 5: e", "... and 2 more like it")
end)

test("a case is in one file, its attempts together", function()
  refused({ file("a", { ALL[1], ALL[2] }), file("b", { ALL[2] }) },
          ALL[2].id .. ": is in a and in b")
  local twice = file("a", { ALL[1], ALL[1] }, { repeats = 2 })
  twice.found.results[2].attempt = 2
  equal(#joined({ twice }).results, 2)
end)

test("the exit status is that of a run of the whole", function()
  local function status(changes, outcome)
    local files = shards(2)
    files[1].found.results[1].outcome = outcome or "passed"
    for key, value in pairs(changes) do
      files[2].found.summary[key] = value
    end
    return joined(files).summary.status
  end
  equal(status({}), 0)
  equal(status({}, "skipped"), 0)
  equal(status({}, "expected_failure"), 0)
  equal(status({}, "failed"), 1)
  equal(status({ lost = { "a worker ended badly" } }), 1)
  equal(status({ problems = { "x.lua:1: no" }, status = 2 }, "failed"), 2)
  equal(status({ unmatched = { "x: there is no such case" }, status = 5 }), 5)
  equal(status({ unmatched = { "x: there is no such case" }, status = 5 }, "failed"), 1)
  equal(status({ interrupted = true, status = 130 }, "failed"), 130)
  equal(status({ interrupted = true, status = 143 }), 143)
end)

test("of several that were interrupted the first shard's word counts", function()
  local files = shards(3)
  files[2].found.summary.interrupted, files[2].found.summary.status = "an id", 143
  files[3].found.summary.interrupted, files[3].found.summary.status = true, 130
  local made = joined(files).summary
  equal(made.interrupted, "an id")
  equal(made.status, 143)
end)

test("a whole of nothing is nothing selected", function()
  equal(joined(digested(2, {})).summary.status, 5)
end)

test("what every machine says of the files is told once, what each lost each time", function()
  local files = shards(2)
  for _, one in ipairs(files) do
    one.found.summary.problems = { "x.lua:1: no" }
    one.found.summary.unmatched = { "y: no" }
    one.found.summary.lost = { "signal 9" }
  end
  files[2].found.summary.problems[2] = "z.lua:1: no"
  local made = joined(files).summary
  equal(table.concat(made.problems, "; "), "x.lua:1: no; z.lua:1: no")
  equal(table.concat(made.unmatched, "; "), "y: no")
  equal(table.concat(made.lost, "; "), "signal 9; signal 9")
end)

test("in what the shards differ is said", function()
  local files = shards(3)
  files[1].found.plan.seed, files[2].found.plan.seed = 7, 8
  files[2].found.plan.stack = "gnutls 3.7.9"
  files[3].found.plan.version = "1.1"
  files[3].found.plan.repeats = 2
  local made = joined(files)
  equal(made.plan.seed, nil)
  equal(made.plan.stack, "gnutls 3.8, gnutls 3.7.9")
  equal(made.plan.version, "1.0, 1.1")
  equal(made.plan.repeats, 2)
  equal(#made.remarks, 4)
  local all = table.concat(made.remarks, "\n")
  contains(all, "the shards differ in their version: 1.0, 1.1")
  contains(all, "the shards differ in their stack: gnutls 3.8, gnutls 3.7.9")
  contains(all, "the shards differ in their seed: 7, 8, none")
  contains(all, "the shards differ in their repeats: 1, 2")
end)

test("a seed that all shards have is kept", function()
  local files = shards(2)
  files[1].found.plan.seed, files[2].found.plan.seed = 7, 7
  local made = joined(files)
  equal(made.plan.seed, 7)
  equal(#made.remarks, 0)
end)

unit.done()
