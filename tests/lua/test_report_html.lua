-- SPDX-License-Identifier: MIT
-- The report as web pages: what is in them, and what becomes of the directory.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local samples = dofile(here .. "report_samples.lua")
local files = require "moonshake.io.files"
local html = require "moonshake.report.html"
local several = require "moonshake.report.several"
local sha256 = require "moonshake.report.html.sha256"
local test, equal, contains = unit.test, unit.equal, unit.contains

local directory = assert(files.temporary_directory())
local LIST = "moonshake-report.txt"

local function at(name)
  return directory .. "/" .. name
end

local function open(name)
  return assert(html.open(at(name), { program = "moonshake" }))
end

-- Tells a report in that directory; what finish() returned.
local function tell(name, ...)
  return samples.tell(open(name), ...)
end

local function lacks(text, part)
  equal(text:find(part, 1, true), nil, part)
end

local function index_of(name)
  return assert(files.read(at(name .. "/index.html")))
end

-- The pages of cases to which an index refers: paths and texts, in its order.
local function pages_of(name)
  local pages = {}
  for path in index_of(name):gmatch 'href="(cases/[^"]*)"' do
    pages[#pages + 1] = { path = path, text = assert(files.read(at(name .. "/" .. path))) }
  end
  return pages
end

-- The page of the only case.
local function page_of(result, plan)
  assert(files.remove_tree(at "one"))
  assert(tell("one", plan or samples.plan { count = 1 }, { result }, samples.summary()))
  return pages_of("one")[1].text
end

local function shown(word)
  return word .. "\\x1B[31m\\u{202E}\\u{9B}#\\|`&lt;b&gt;&amp;]]&gt;&quot;&#39;%0A"
end

test("every case has its row and its page, and nothing hostile gets through", function()
  assert(tell "hostile")
  local all = index_of "hostile"
  local pages = pages_of "hostile"
  equal(#pages, 10)
  for _, page in ipairs(pages) do
    all = all .. page.text
  end
  equal(all:find "[%z\1-\9\11-\31\127]", nil)
  lacks(all, "\u{202E}")
  lacks(all, "`<b>")
  equal(utf8.len(all) ~= nil, true)
  for _, word in ipairs {
    "message", "file", "source", "found", "wanted", "path", "one", "two", "remark", "trace",
    "event", "failed", "skip", "bug", "expected", "passed", "narration", "printed", "lost",
    "interrupted", "problem", "unmatched", "gnutls", "0.1.0", "tag", "value", "rfc",
  } do
    contains(all, shown(word))
  end
end)

test("pictures tell all that is in them, and nothing hostile gets through", function()
  local result = samples.result("failed", samples.case("a.lua", "x"),
                                { failures = { samples.failure() }, pictures = samples.pictures() })
  local page = page_of(result)
  for _, word in ipairs { "cell", "indented", "heading", "row", "initial", "subject", "name",
                          "more", "when", "what", "why", "told", "clause", "next", "trouble" } do
    contains(page, shown(word))
  end
  for _, word in ipairs { "step", "fact", "line", "phase", "mark", "renegotiation", "said" } do
    contains(page, word .. "\\x1B[31m\\u{202E}")
  end
  lacks(page, "`<b>")
  contains(page, '<svg class="ms-diagram"')
  contains(page, "Link 2 of 2")
  contains(page, "Not all of them are told.")
end)

test("a picture that is none is said to be none, and the rest of the page is there", function()
  for _, text in ipairs {
    "no JSON", "3", '"x"', "[]", '{"links":3}', '{"links":[3,"x",[]],"problems":[{},3]}',
    '{"links":[{"model":3,"state":[1],"findings":"x"}]}',
    '{"links":[{"model":{"steps":[{"kind":"evil"}],"ends":{}},"state":{"epochs":[3]}}]}',
    ("["):rep(100000),
  } do
    local page = page_of(samples.result("passed", samples.case("a.lua", "x"), { pictures = text }))
    contains(page, "Run it again")
    if text:find '"model":' then
      contains(page, "The diagram cannot be shown: ")
      contains(page, "The certificate state cannot be shown: ")
    end
  end
end)

test("a link of which nothing is to be explained has no explanation", function()
  local page = page_of(samples.result("passed", samples.case("a.lua", "x"),
                                      { pictures = '{"links":[{"findings":[]}]}' }))
  lacks(page, "explanation")
  lacks(page, ">Why<")
end)

test("a page allows its own style and its own script, and nothing else", function()
  assert(tell "hostile")
  local index, page = index_of "hostile", pages_of("hostile")[1].text
  for text, script in pairs { [index] = true, [page] = false } do
    local policy = text:match 'content="(default[^"]*)"':gsub("&#39;", "'")
    contains(policy, "default-src 'none'; style-src 'sha256-"
                     .. sha256(text:match "<style>(.-)</style>") .. "'; ")
    equal(policy:find("script-src", 1, true) ~= nil, script)
    if script then
      contains(policy, "script-src 'sha256-" .. sha256(text:match "<script>(.-)</script>") .. "'; ")
    end
    contains(policy, "base-uri 'none'; form-action 'none'")
    equal(text:find "<[^>]* style=", nil)
    equal(text:find "<[^>]* on%a+=", nil)
    equal(text:find "src=", nil)
    equal(text:gsub("http://www%.w3%.org/%d+/%a+", ""):find "https?:", nil)
  end
  lacks(page, "<script")
end)

test("the index tells how the run went, and has its cases in the order of their places", function()
  local results = {}
  for _, place in ipairs { { "b.lua", 9, "z" }, { "a.lua", 30, "late" }, { "a.lua", 4, "b" },
                           { "b.lua", 9, "a" }, { "a.lua", 4, "a" } } do
    local case = samples.case(place[1], place[3])
    case.line = place[2]
    results[#results + 1] = samples.result("passed", case)
  end
  results[#results + 1] = samples.result("passed", results[5].case, { attempt = 2 })
  assert(tell("sorted", samples.plan { count = 6, version = "0.1.0" }, results,
              { counts = { passed = 1234 }, not_run = 0, interrupted = false, seconds = 2.5,
                problems = {}, unmatched = {}, lost = {}, status = 0 }))
  local text = index_of "sorted"
  local order = {}
  for label in text:gmatch '">([^<]*)</a> <span class="tags"' do
    order[#order + 1] = label
  end
  equal(table.concat(order, ", "), "a, a (repeat 2), b, late, a, z")
  equal(select(2, text:gsub('<section class="file">', "")), 2)
  for _, part in ipairs { "<h1>1,234 passed</h1>", "2023-11-14 22:13:20 UTC", "2.500 s",
                          "<dd>42</dd>", "1 of 3", "2 times", "<dd>0.1.0</dd>",
                          'for="show-passed">passed <b>1,234</b>' } do
    contains(text, part)
  end
  lacks(text, "Beside the cases")
  lacks(text, 'id="show-failed"')
end)

test("what failed is what an index shows first", function()
  assert(tell "hostile")
  contains(index_of "hostile", '<input checked="checked" id="show-failed"')
  lacks(index_of "hostile", '<input checked="checked" id="show-all"')
  contains(index_of "hostile", "Beside the cases")
end)

test("a page tells outcome, failure, what was printed and how to run the case again", function()
  local case = samples.case("some/file.lua", "name[version=TLS1.3]")
  case.name, case.about = "name", "what it is about"
  local page = page_of(samples.result("failed", case, {
    failures = { { kind = "timeout", message = "timeout after 5 s" },
                 { kind = "expectation", message = "equals: found 1, wanted 2", found = "1",
                   wanted = "2", file = "some/file.lua", line = 3, source = "expect(1):equals(2)",
                   differences = { { path = "a.b", found = "1", wanted = "2" } } } },
    output = "one\ntwo\n", output_cut = 7, notes = { "said" }, attempt = 3,
    captures = { at "one/captures/a b.pcapng", "javascript:alert(1)" },
    explanation = { "because of that" },
  }))
  for _, part in ipairs {
    "<title>name[version=TLS1.3] (repeat 3)</title>", "</span>failed</span> name (repeat 3)</h1>",
    "what it is about", "timeout: timeout after 5 s", "What went wrong, 2 times",
    '3 | </span>expect(1):equals(2)</pre>', "<code>a.b</code>", ">one\ntwo</pre>", "7 bytes",
    ">said</pre>", "moonshake run &#39;some/file.lua::name[version=TLS1.3]&#39;", "because of that",
    '<a href="../captures/a%20b.pcapng">', 'alert%281%29">javascript:alert(1)</a>',
  } do
    contains(page, part)
  end
  lacks(page, "<dt>found</dt>") -- the message has it
  lacks(page, 'href="javascript')
end)

test("a page has the same name in each run, and names that are alike are told apart", function()
  local names = {}
  for _, label in ipairs { "Grüße / a..b [x=1]", "Grüße / a..b [x=2]", "../../etc", ("x"):rep(300),
                           "\0\n\t", "" } do
    assert(files.remove_tree(at "one"))
    assert(tell("one", nil, { samples.result("passed", samples.case("d/e.lua", label)) }))
    local path = pages_of("one")[1].path
    equal(path:find "^cases/d%-e%-[a-z0-9-]*%.html$", 1, path)
    equal(#path < 130, true)
    equal(names[path], nil)
    names[path] = true
  end
  equal(names["cases/d-e-etc-765529f880a251e9.html"] ~= nil, true, "fixed for good")
end)

test("an index is there from the beginning, and says that the run has not ended", function()
  local report = open "begun"
  report:begin(samples.plan())
  contains(index_of "begun", "It has not ended")
  contains(index_of "begun", "A run of 10 cases")
  report:case_ended(samples.results()[1])
  equal(#files.names(at "begun/cases"), 1)
  assert(report:finish(samples.summary()))
  equal(#pages_of "begun", 1)
end)

test("a new report removes the pages of the old one, and nothing else", function()
  assert(tell "again")
  local old = pages_of "again"
  assert(files.write(at "again/cases/mine.html", "mine"))
  assert(files.write(at "again/notes.txt", "mine"))
  assert(tell("again", nil, { samples.results()[9] }))
  equal(#pages_of "again", 1)
  equal(table.concat(files.names(at "again"), " "), "cases index.html " .. LIST .. " notes.txt")
  equal(#files.names(at "again/cases"), 2, "a page, and mine")
  equal(files.kind(at("again/" .. old[1].path)), nil)
end)

test("a run that was killed leaves nothing that the next report does not remove", function()
  local report = open "killed"
  report:begin(samples.plan())
  for _, result in ipairs(samples.results()) do
    report:case_ended(result)
  end
  assert(tell("killed", nil, { samples.results()[9] }))
  equal(#files.names(at "killed/cases"), 1)
end)

test("a list that somebody changed removes nothing of others", function()
  assert(tell "changed")
  local path = at("changed/" .. LIST)
  assert(files.write(at "precious", "mine"))
  assert(files.write(path, files.read(path) .. "../precious\ncases/../../precious\n/etc/passwd\n"
                           .. "index.html/../../precious\n"))
  assert(tell "changed")
  equal(files.read(at "precious"), "mine")
end)

test("a directory that holds something else is left alone, and that is said", function()
  assert(files.make_directory(at "other"))
  assert(files.write(at "other/.hidden", "mine"))
  local report, problem = html.open(at "other", { program = "moonshake" })
  equal(report, nil)
  equal(problem, at "other"
    .. ": holds something else than a report (.hidden); name another directory")
  assert(files.write(at("other/" .. LIST), "my own list\n"))
  equal((html.open(at "other", { program = "moonshake" })), nil)
  equal(table.concat(files.names(at "other"), " "), ".hidden " .. LIST)
  equal(select(2, html.open(at "other/.hidden", {})), at "other/.hidden: is no directory")
  contains(select(2, html.open(at "other/.hidden/below", {})), "cannot make directory")
end)

test("a directory that is empty, or not there with those above it, is made one", function()
  assert(files.make_directory(at "empty/for-captures"))
  assert(tell "empty")
  assert(tell "new/with/those/above/")
  equal(files.kind(at "new/with/those/above/index.html"), "file")
end)

test("what is abandoned is as it was", function()
  open("never"):abandon()
  equal(files.kind(at "never"), nil)
  assert(tell "kept")
  local before, names = index_of "kept", files.names(at "kept/cases")
  open("kept"):abandon()
  equal(index_of "kept", before)
  equal(#files.names(at "kept/cases"), #names)
end)

test("a report beside it that cannot be opened leaves the directory as it was", function()
  local opened, problem = several.open({
    { format = "html", path = at "beside" }, { format = "tap", path = at "none/x.tap" },
  }, { program = "moonshake" })
  equal(opened, nil)
  contains(problem, "cannot write")
  equal(files.kind(at "beside"), nil)
end)

test("what cannot be written is told at the end", function()
  local report = open "lost"
  report:begin(samples.plan())
  assert(files.remove_tree(at "lost/cases"))
  report:case_ended(samples.results()[1])
  local done, problem = report:finish(samples.summary())
  equal(done, nil)
  contains(problem, "cannot write " .. at "lost/cases/")
end)

test("a run of nothing has its page", function()
  assert(tell("nothing", samples.empty()))
  contains(index_of "nothing", "<h1>Nothing was selected</h1>")
end)

files.remove_tree(directory)
unit.done()
