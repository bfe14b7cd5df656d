-- SPDX-License-Identifier: MIT
-- JSON lines: what is written can be read again, and what cannot be read is told of, by its line.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local samples = dofile(here .. "report_samples.lua")
local dkjson = require "dkjson"
local json = require "moonshake.report.json"
local json_reader = require "moonshake.report.json_reader"
local test, equal, contains = unit.test, unit.equal, unit.contains
local result, case = samples.result, samples.case

local function written(plan, results, summary)
  local to = samples.stream()
  equal(samples.tell(json.new(to), plan, results, summary), to)
  return to.text()
end

-- The same run, told again from what was read.
local function told_again(found)
  local to = samples.stream()
  local report = json.new(to)
  report:begin(found.plan)
  for _, ended in ipairs(found.results) do
    report:case_begins(ended.case, ended.attempt)
    report:case_ended(ended)
  end
  report:finish(found.summary)
  return to.text()
end

-- Both sides as text, with sorted keys.
local function flat(value)
  if type(value) ~= "table" then
    return type(value) == "string" and ("%q"):format(value) or math.type(value) == "float"
      and ("%.17g"):format(value) or tostring(value)
  end
  local keys, pieces = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = key
  end
  table.sort(keys, function(one, other) return tostring(one) < tostring(other) end)
  for index, key in ipairs(keys) do
    pieces[index] = flat(key) .. "=" .. flat(value[key])
  end
  return "{" .. table.concat(pieces, ",") .. "}"
end

-- What JSON can say of the samples: text is UTF-8, lists are there.
local function as_json(value)
  if type(value) == "string" then
    return (value:gsub("\xFF", "\u{FFFD}"))
  elseif type(value) ~= "table" then
    return value
  end
  local copy = {}
  for key, item in pairs(value) do
    copy[key] = as_json(item)
  end
  if copy.kind then
    for _, list in ipairs { "differences", "notes", "events" } do
      copy[list] = copy[list] or {}
    end
  end
  return copy
end

test("a run that was written reads back equal, and is told again byte by byte", function()
  local text = written()
  local found = json_reader.read(text)
  equal(table.concat(found.problems, "\n"), "")
  equal(flat(found.plan), flat(as_json(samples.plan())))
  equal(#found.results, #samples.results())
  for index, ended in ipairs(samples.results()) do
    equal(flat(found.results[index]), flat(as_json(ended)), "result " .. index)
  end
  equal(flat(found.summary), flat(as_json(samples.summary())))
  equal(told_again(found), text)
end)

test("each line is one object of valid UTF-8 without control characters", function()
  local text = written()
  equal(text:find "[\0-\9\11-\31\127]", nil)
  equal(utf8.len(text) ~= nil, true)
  for _, wrong in ipairs { "\u{202E}", "\u{9B}" } do
    equal(text:find(wrong, 1, true), nil)
  end
  for line in text:gmatch "[^\n]+" do
    local object, behind = dkjson.decode(line)
    equal(type(object), "table")
    equal(behind, #line + 1)
    equal(object.v, 1)
  end
end)

test("events and their keys come in the order of the agreement", function()
  local text = written(samples.plan { version = "0.1.0", stack = "gnutls" }, {
    result("failed", {
      id = "a.lua::x[n=3]", file = "a.lua", line = 2, name = "x", label = "x[n=3]", tags = { "t" },
      needs = { "openssl" }, params = { n = 3 }, rfc = "RFC 1", expected_failure = "bug",
      about = "not told",
    }, {
      failures = { { kind = "error", message = "m", file = "a.lua", line = 3, trace = { "t" } } },
      notes = { "a note" }, reason = "why", output = "o", output_cut = 1, ends = "{}", attempt = 2,
      explanation = { "what", "because" },
      captures = { "a.pcapng" },
    }),
  }, samples.summary {
    counts = { failed = 1 }, interrupted = false, problems = { "p" }, unmatched = {}, lost = {},
  })
  equal(text, table.concat {
    '{"v":1,"event":"run_start","version":"0.1.0","stack":"gnutls","count":10,"jobs":2,"seed":42,',
    '"shard":{"index":1,"total":3},"repeats":2,"started":1700000000}\n',
    '{"v":1,"event":"case_start","id":"a.lua::x[n=3]","attempt":2}\n',
    '{"v":1,"event":"note","id":"a.lua::x[n=3]","attempt":2,"text":"a note"}\n',
    '{"v":1,"event":"case_end","id":"a.lua::x[n=3]","attempt":2,"file":"a.lua","line":2,',
    '"name":"x","tags":["t"],"needs":["openssl"],"params":{"n":3},"rfc":"RFC 1",',
    '"expected_failure":"bug","outcome":"failed","reason":"why","seconds":0.25,',
    '"failures":[{"kind":"error","message":"m","file":"a.lua","line":3,"differences":[],',
    '"notes":[],"trace":["t"],"events":[]}],"output":"o","output_cut":1,',
    '"explanation":["what","because"],"captures":["a.pcapng"],"ends":{}}\n',
    '{"v":1,"event":"run_end","counts":{"failed":1},"not_run":1,"interrupted":false,',
    '"seconds":2.5,"problems":["p"],"unmatched":[],"lost":[],"status":1}\n',
  })
end)

-- A run of one case that passed, with other keys in its result.
local function one(more, of_case)
  local made = case("a.lua", "x")
  for name, value in pairs(of_case or {}) do
    made[name] = value
  end
  local found = json_reader.read(written(nil, { result("passed", made, more) }))
  equal(table.concat(found.problems, "\n"), "")
  return found.results[1]
end

test("an empty list stays a list and an empty object an object", function()
  local text = written(nil, { result("passed", {
    id = "a", file = "a", line = 1, name = "a", label = "a", tags = {}, needs = {}, params = {},
  }) })
  contains(text, '"tags":[],"needs":[],"params":{},')
  contains(text, '"failures":[]}')
end)

test("a matrix value called n is no length", function()
  equal(one({}, { params = { n = 3 } }).case.params.n, 3)
  equal(math.type(one({}, { params = { n = 3.0 } }).case.params.n), "float")
end)

test("seconds are kept to the microsecond", function()
  equal(one({ seconds = 0.1234567 }).seconds, 0.123457)
  equal(one({ seconds = 1e-9 }).seconds, 0)
end)

test("the snapshots of both ends are kept as they were written, in one line", function()
  local ends = '{"client":{"z":1,"a":[],"none":null,"ends":"{\\"}"},"server":{}}'
  equal(one({ ends = ends }).ends, ends)
  for _, odd in ipairs { "{", "nothing", '{"a":1} {}', '{"a":\n1}', "" } do
    equal(one({ ends = odd }).ends, odd, odd)
  end
end)

test("numbers that JSON has no word for do not break a line", function()
  local found = one({ seconds = 0 / 0, output_cut = 1 / 0 }, { line = 2.5 })
  equal(found.seconds, 0)
  equal(found.case.line, 2)
end)

-- What is complained of after line `number` of a run was replaced.
local function complaints(number, replacement)
  local lines = {}
  for line in written():gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
  if type(replacement) == "function" then
    replacement = replacement(lines[number])
  end
  lines[number] = replacement
  return table.concat(json_reader.read(table.concat(lines, "\n") .. "\n").problems, "\n")
end

local function without(key)
  return function(line)
    local object = dkjson.decode(line)
    object[key] = nil
    return dkjson.encode(object)
  end
end

local function with(key, value)
  return function(line)
    local object = dkjson.decode(line)
    object[key] = value
    return dkjson.encode(object)
  end
end

test("malformed lines are told of by their number", function()
  equal(complaints(4, "{"), "line 4: no JSON object: unterminated object at column 1")
  equal(complaints(4, "17"), "line 4: no JSON object")
  equal(complaints(4, "[1]"), "line 4: v: is missing")
  equal(complaints(4, "{} x"), "line 4: text behind the JSON object, from column 4 on")
  equal(complaints(4, '{"a":"\xFF"}'), "line 4: not UTF-8")
  equal(complaints(4, ("["):rep(200000)), "line 4: no JSON object: it is nested too deeply")
end)

test("another version, an unknown event, missing keys and wrong types are told of", function()
  equal(complaints(4, with("v", 2)), "line 4: v: format 2, and only 1 is known here")
  equal(complaints(4, with("v", "1")), "line 4: v: an integer wanted, got a string")
  equal(complaints(4, with("event", "case_over")), 'line 4: event: unknown word "case_over"')
  equal(complaints(4, without "outcome"), "line 4: outcome: is missing")
  equal(complaints(4, with("outcome", "fine")), 'line 4: outcome: unknown word "fine"')
  equal(complaints(4, with("id", 5)), "line 4: id: a text wanted, got a number")
  equal(complaints(4, with("line", 1.5)), "line 4: line: an integer wanted, got a number")
  equal(complaints(4, with("seconds", "1")), "line 4: seconds: a number wanted, got a string")
  for _, odd in ipairs { "1e999", "1e300", "-1" } do
    equal(complaints(4, function(line)
            return (line:gsub('"seconds":[%d.]+', '"seconds":' .. odd))
          end),
          "line 4: seconds: seconds from 0 wanted, got a number")
  end
  equal(complaints(4, with("tags", "x")), "line 4: tags: a list wanted, got a string")
  equal(complaints(4, with("tags", { a = "x" })), "line 4: tags: a list wanted, got an object")
  equal(complaints(4, with("tags", { "x", 5 })), "line 4: tags: [2]: a text wanted, got a number")
  equal(complaints(4, with("params", { 1 })), "line 4: params: 1: an object wanted, got a list")
  equal(complaints(4, with("params", { a = {} })),
        "line 4: params: a: a text, a number or a boolean wanted, got a list or an object")
  equal(complaints(4, with("failures", { { kind = "error" } })),
        "line 4: failures: [1]: message: is missing")
  equal(complaints(1, with("shard", { index = 1 })), "line 1: shard: total: is missing\n"
    .. "line 2: case_start before run_start")
end)

test("what stands before the start, behind the end or is there twice is told of", function()
  local text = written()
  local first = text:match "[^\n]+\n"
  equal(table.concat(json_reader.read(text .. first).problems), "line 24: run_start behind run_end")
  equal(table.concat(json_reader.read(text .. "x").problems):sub(1, 24), "line 24: no JSON object:")
  contains(table.concat(json_reader.read(first .. text).problems), "line 2: a second run_start")
  equal(table.concat(json_reader.read(text:sub(#first + 1)).problems),
        "line 1: case_start before run_start")
end)

test("a file that was cut short has no summary, in the midst of a line neither", function()
  local text = written()
  local lines = {}
  for line in text:gmatch "[^\n]+\n" do
    lines[#lines + 1] = line
  end
  local cut = table.concat(lines, "", 1, #lines - 1)
  for _, rest in ipairs { "", lines[#lines]:sub(1, 20), "{" } do
    local found = json_reader.read(cut .. rest)
    equal(found.summary, nil)
    equal(#found.results, 10)
    equal(table.concat(found.problems), "")
  end
  local found = json_reader.read ""
  equal(found.plan, nil)
  equal(found.summary, nil)
  equal(#found.problems, 0)
end)

test("whatever is in a file, reading it raises nothing", function()
  local text = written(nil, { result("failed", case("a.lua", "x"), {
    failures = { { kind = "error", message = "m" } }, notes = { "n" }, ends = '{"client":[]}',
  }) })
  local pieces = { "{", "}", "[", "]", '"', ",", ":", "null", "\n", "\\u", "1e999", "\xFF", "//" }
  for step = 1, 150 do -- at places that are the same in every run
    local at = step * 7919 % #text
    json_reader.read(text:sub(1, at) .. pieces[step % #pieces + 1] .. text:sub(at + 1 + step % 3))
  end
end)

test("a report that cannot be written is told of", function()
  local done, problem = samples.tell(json.new(samples.stream "no room"))
  equal(done, nil)
  equal(problem, "no room")
end)

unit.done()
