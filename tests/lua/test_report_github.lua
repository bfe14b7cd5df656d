-- SPDX-License-Identifier: MIT
-- For GitHub's workflows: no text of others is a command or Markdown; where a line is; the limits.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local samples = dofile(here .. "report_samples.lua")
local files = require "moonshake.io.files"
local github = require "moonshake.report.github"
local test, equal, contains = unit.test, unit.equal, unit.contains
local result, case, failure = samples.result, samples.case, samples.failure

-- What a run writes to the log and to the step's summary in such an environment.
local function told(plan, results, summary, environment)
  local directory = files.temporary_directory()
  local path = directory .. "/summary"
  files.write(path, "before\n")
  local getenv = os.getenv
  os.getenv = function(name) -- luacheck: ignore 122
    if name == "GITHUB_STEP_SUMMARY" then
      return path
    end
    return (environment or {})[name]
  end
  local to = samples.stream()
  local done, problem = samples.tell(github.new(to, { program = "moonshake" }), plan, results,
                                     summary)
  os.getenv = getenv -- luacheck: ignore 122
  local page = files.read(path)
  files.remove_tree(directory)
  equal(problem, nil)
  equal(done, true)
  equal(page:sub(1, 7), "before\n")
  return to.text(), page:sub(8)
end

local function quiet(more)
  local summary = samples.summary { counts = { failed = 1 }, not_run = 0, interrupted = false,
                                    problems = {}, unmatched = {}, lost = {} }
  for name, value in pairs(more or {}) do
    summary[name] = value
  end
  return summary
end

-- The log and the commands behind it.
local function split(text)
  local token, log, commands = text:match "^::stop%-commands::(%x+)\n(.*)\n::%1::\n(.*)$"
  equal(#(token or ""), 32)
  return log, commands
end

local function lines_of(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

test("the log is the report for people, in which nothing is a command", function()
  local text = told()
  local log, commands = split(text)
  contains(log, "\n FAIL   0.250s (  2/10) second.lua::crashes\n")
  contains(log, "6 failed, 2 passed")
  contains(log, "\n      ::error::x\n")
  equal(commands:find("FAIL", 1, true), nil)
  local token = "^::stop%-commands::(%x+)"
  equal(text:match(token) ~= told():match(token), true, "the token is another one each time")
end)

test("behind it each line is a command of ours", function()
  local _, commands = split(told())
  for _, line in ipairs(lines_of(commands)) do
    local level, properties, message = line:match "^::(%a+) ([^:]*)::(.*)$"
    equal(level == "error" or level == "warning", true, line)
    for property in properties:gmatch "[^,]+" do
      equal(property:find "^file=." or property:find "^line=%d+$" or property:find "^title=.", 1)
    end
    equal(message:gsub("%%25", ""):gsub("%%0A", ""):find("%%", 1, true), nil, line)
  end
  equal(commands:find "[\0-\9\11-\31\127]", nil)
  equal(utf8.len(commands) ~= nil, true)
end)

test("a failure is an error at its line, or else at that of its case", function()
  local _, commands = split(told(nil, {
    result("failed", case("a.lua", "one, two: three"), { failures = {
      { kind = "expectation", message = "equals: 50% of\nit", file = "b.lua", line = 3,
        found = "1", wanted = "2" },
      { kind = "error", message = "more" },
    } }),
    result("failed", case("a.lua", "x"), { attempt = 2, captures = { "d/x.pcapng" }, failures = {
      { kind = "crashed", message = "signal 11" },
    }, explanation = { "the server refuses", "next: this" } }),
    result("expected_failure", case("a.lua", "y"), { reason = "bug", failures = { failure() } }),
    result("skipped", case("a.lua", "z"), { reason = "no tshark" }),
  }, quiet()))
  equal(commands, "::error file=b.lua,line=3,title=a.lua%3A%3Aone%2C two%3A three::"
    .. "equals: 50%25 of%0Ait%0Afound:  1%0Awanted: 2%0Aand 1 more in this case%0A"
    .. "rerun: moonshake run 'a.lua::one, two: three'\n"
    .. "::error file=a.lua,line=7,title=a.lua%3A%3Ax (repeat 2)::"
    .. "signal 11%0Athe server refuses%0Anext: this%0Acapture: d/x.pcapng%0A"
    .. "rerun: moonshake run a.lua::x\n")
end)

test("files not loaded and targets that mean nothing are warnings", function()
  local _, commands = split(told(nil, {}, quiet {
    problems = { "a.lua:4: wrong: so", "b.lua cannot be read" }, unmatched = { "nowhere" },
  }))
  equal(commands, "::warning file=a.lua,line=4,title=not loaded::wrong: so\n"
    .. "::warning title=not loaded::b.lua cannot be read\n"
    .. "::warning title=nothing selected::nowhere\n")
end)

test("lost workers and an interruption are errors", function()
  local _, commands = split(told(nil, {}, quiet {
    lost = { "signal 9" }, interrupted = "a.lua::x",
  }))
  equal(commands, "::error title=interrupted::a.lua::x\n::error title=worker lost::signal 9\n")
end)

-- As many failing cases.
local function failing(count, message)
  local results = {}
  for number = 1, count do
    results[number] = result("failed", case("a.lua", "case " .. number), {
      failures = { { kind = "error", message = message or "m" } },
    })
  end
  return results
end

test("there are at most ten annotations of a kind, the last says how many more", function()
  local _, commands = split(told(nil, failing(9), quiet()))
  equal(#lines_of(commands), 9)
  local text, page = told(nil, failing(80), quiet {
    problems = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k" },
  })
  equal(select(2, page:gsub("\nmoonshake run ", "")), 50)
  _, commands = split(text)
  local lines = lines_of(commands)
  equal(#lines, 20)
  contains(lines[9], "case 9")
  equal(lines[10], "::error title=moonshake::and 71 more: see the log of this step")
  equal(lines[20], "::warning title=moonshake::and 2 more: see the log of this step")
end)

test("paths are those of the repository", function()
  local current = files.real_path "."
  local above, name = current:match "^(.+)/([^/]+)$"
  local function path_of(file, workspace)
    local _, commands = split(told(nil, {
      result("failed", case("x.lua", "x"), { failures = {
        { kind = "error", message = "m", file = file, line = 1 },
      } }),
    }, quiet(), { GITHUB_WORKSPACE = workspace }))
    return commands:match "file=([^,]*),"
  end
  equal(path_of("a/b.lua", above), name .. "/a/b.lua")
  equal(path_of("./a/../b.lua", above .. "/"), name .. "/b.lua")
  equal(path_of("../b.lua", above), "b.lua")
  equal(path_of(current .. "/b.lua", above), name .. "/b.lua")
  equal(path_of("a/b.lua", current), "a/b.lua")
  equal(path_of("../../../../../../../../b.lua", current), "../../../../../../../../b.lua")
  equal(path_of("/elsewhere/b.lua", current), "/elsewhere/b.lua")
  equal(path_of("a/b.lua", nil), "a/b.lua")
  equal(path_of("a/b.lua", "/there/is/no/such/place"), "a/b.lua")
end)

test("the summary has counts, failures with place and message, commands and reasons", function()
  local _, page = told(samples.plan { version = "0.1.0", stack = "gnutls" }, {
    result("failed", case("a.lua", "x"), { failures = {
      { kind = "error", message = "one | two\nthree", file = "a.lua", line = 9 },
    } }),
    result("skipped", case("a.lua", "y"), { reason = "no tshark" }),
    result("skipped", case("a.lua", "z"), { reason = "no tshark" }),
    result("expected_failure", case("a.lua", "w"), { reason = "bug 7" }),
  }, quiet { problems = { "b.lua:1: wrong" }, lost = { "signal 9" }, unmatched = { "nowhere" },
             interrupted = true })
  equal(page, [[
## moonshake: 1 failed, 1 not loaded, 1 lost in 2.50 s

moonshake 0.1.0, gnutls, seed 42, shard 1/3

**interrupted**

| failed | at | message |
| --- | --- | --- |
| a.lua::x | a.lua:9 | error: one &#124; two<br>three |

```sh
moonshake run a.lua::x
```

| not loaded |
| --- |
| b.lua:1: wrong |

| worker lost |
| --- |
| signal 9 |

| nothing selected |
| --- |
| nowhere |

|  | reason | cases |
| --- | --- | --- |
| skipped | no tshark | 2 |
| failed as expected | bug 7 | 1 |

]])
end)

test("nothing hostile is Markdown, and each row is one line with its cells", function()
  local _, page = told()
  equal(page:find "[\0-\9\11-\31\127]", nil)
  equal(utf8.len(page) ~= nil, true)
  for _, wrong in ipairs { "\u{202E}", "\u{9B}", "\n::error", "\n##[error" } do
    equal(page:find(wrong, 1, true), nil, wrong)
  end
  local in_code, cells = false, nil
  for _, line in ipairs(lines_of(page)) do
    if line:find "^```" then
      in_code = not in_code
    elseif in_code then
      equal(line:find "^moonshake run ", 1)
    elseif line:find "^|" then
      local bars = select(2, line:gsub("|", ""))
      cells = cells or bars
      equal(bars, cells, line)
      equal(line:gsub("<br>", ""):gsub("&#%d+;", ""):find "[][<>&`\\*#$@]", nil, line)
    else
      cells = nil
    end
  end
  equal(in_code, false)
end)

test("the summary stays below GitHub's limit, whatever is in it", function()
  local text = ("|"):rep(1000)
  local results, long = failing(60, text), {}
  for number = 1, 60 do
    results[number].case.id = text .. number
    results[number].failures[1].file = text
    results[number].failures[1].line = 1
    results[#results + 1] = result("skipped", case("a.lua", "x"), { reason = text .. number })
    long[number] = text
  end
  local _, page = told(nil, results, quiet { problems = long, lost = long, unmatched = long })
  equal(#page < 500 * 1024, true, #page .. " bytes")
  contains(page, "\n... and 10 more\n")
end)

test("a log or a summary that cannot be written is told of, without the variable there is none",
function()
  local done, problem = samples.tell(github.new(samples.stream "no room", { program = "x" }))
  equal(done, nil)
  equal(problem, "no room")
  local getenv = os.getenv
  local path
  os.getenv = function(name) -- luacheck: ignore 122
    return name == "GITHUB_STEP_SUMMARY" and path or nil
  end
  local to = samples.stream()
  equal(samples.tell(github.new(to, { program = "x" })), true)
  path = "/there/is/no/such/place"
  done, problem = samples.tell(github.new(to, { program = "x" }))
  os.getenv = getenv -- luacheck: ignore 122
  equal(done, nil)
  contains(problem, "the step's summary: /there/is/no/such/place: ")
end)

unit.done()
