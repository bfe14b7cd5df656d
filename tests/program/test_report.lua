-- SPDX-License-Identifier: MIT
-- run --report DIR and merge --report DIR: pages as a run leaves them.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- Names that would be markup; a file that says that the case ran.
place.put("a.lua", [[
local ms = require "moonshake"
local function refused()
  local ca = ms.pki.authority { cn = "<script>alert(1)</script>" }
  local link = ms.tls.link {
    server = { identity = ca:issue { cn = "\"><img src=x onerror=alert(1)>", dns = "a.example" },
               trust = ca, client_auth = "require", alpn = "<b>" },
    client = { trust = ca, server_name = "a.example", alpn = "<b>" },
  }
  link:handshake()
  return link
end
ms.scenario "is refused <i>" { run = function() ms.expect(refused()):succeeded() end }
ms.scenario "fails as it must" { run = function() ms.expect(refused()):failed() end }
ms.scenario "crashes" { run = function() os.execute "kill -SEGV $PPID" end }
ms.scenario "is skipped" { run = function() ms.skip "no <u>reason</u>" end }]])

local function page_of(folder, word)
  local name = place.get(folder .. "/index.html"):match('href="(cases/a%-' .. word .. '[^"]*)"')
  return place.get(folder .. "/" .. name)
end

local function lacks(text, ...)
  for _, part in ipairs { ... } do
    equal(text:find(part, 1, true), nil, part)
  end
end

test("a run leaves an index and a page for each case, and tells people as before", function()
  local text, status = place.shell "moonshake run a.lua --report out"
  equal(status, 1)
  contains(text, "2 failed, 1 passed, 1 skipped")
  local index = place.get "out/index.html"
  contains(index, "<h1>2 failed, 1 passed, 1 skipped</h1>")
  equal(select(2, index:gsub('href="cases/', "")), 4)
  local page = page_of("out", "is%-refused")
  for _, part in ipairs { "What went wrong", "Why", "What happened", "Certificate state",
                          "the server requires a certificate", "{Certificate}",
                          '<svg class="ms-diagram"',
                          "script\\&gt;alert(1)", "ALPN", "RFC 8446", "a.lua:12" } do
    contains(page, part)
  end
  lacks(page .. index, "<script>alert", "<img", "ALPN <b>", "refused <i>", "<u>")
  contains(page_of("out", "fails"), '<svg class="ms-diagram"')
  contains(page_of("out", "crashes"), "SIGSEGV")
  contains(page_of("out", "is%-skipped"), "Skipped: no &lt;u&gt;reason")
end)

test("pages lead to the captures, and both can be moved together", function()
  place.shell "moonshake run a.lua --report all --pcap all/captures"
  place.shell "mkdir moved && mv all moved/there"
  local path = page_of("moved/there", "is%-refused"):match 'href="(%.%./captures/[^"]*)"'
  equal(place.get("moved/there/cases/" .. path):sub(1, 4), "\x0A\x0D\x0D\x0A")
  place.shell "moonshake run a.lua --report moved/there --pcap elsewhere"
  contains(page_of("moved/there", "is%-refused"), 'href="../../../elsewhere/')
end)

test("pages go where an engine wants what tests leave behind", function()
  place.shell 'TEST_UNDECLARED_OUTPUTS_DIR="$PWD/kept" moonshake run a.lua --report pages'
  contains(place.get "kept/pages/index.html", "2 failed")
  contains(page_of("kept/pages", "is%-refused"), 'href="../../a.lua-is-refused')
end)

test("the next run takes its place", function()
  equal(select(2, place.shell "moonshake run 'a.lua::is skipped' --report out"), 0)
  equal(place.shell "ls out/cases | wc -l", "1\n")
  contains(place.get "out/index.html", "<h1>1 skipped</h1>")
end)

test("where something else is nothing runs and nothing is changed", function()
  place.put("mine/index.html", "mine")
  place.put("b.lua", 'os.execute "touch ran"')
  local text, status = place.shell "moonshake run b.lua --report mine"
  equal(status, 2)
  equal(text, "moonshake: mine: holds something else than a report (index.html); "
              .. "name another directory\n")
  equal(place.get "ran", nil)
  equal(place.shell "ls -A mine; cat mine/index.html", "index.html\nmine")
  text, status = place.shell "moonshake run b.lua --report mine/index.html"
  equal(text, "moonshake: mine/index.html: is no directory\n")
  equal(status, 2)
  text, status = place.shell "moonshake run b.lua --report ''"
  contains(text, "--report: a directory wanted")
  equal(status, 2)
end)

test("a report that another one spoils is not begun", function()
  local _, status = place.shell "moonshake run b.lua --report new --format junit=nowhere/x.xml"
  equal(status, 2)
  equal(place.shell "ls -d new out 2>/dev/null", "out\n")
end)

test("a report that is taken away meanwhile is told at the end", function()
  place.put("c.lua", [[
local ms = require "moonshake"
ms.scenario "takes the report away" { run = function()
  os.execute "rm -r gone/cases"
  ms.expect(1):equals(1)
end }]])
  local text, status = place.shell "moonshake run c.lua --report gone"
  contains(text, "the report could not be written: cannot write gone/cases/")
  equal(status, 2)
end)

test("merge makes pages of JSON reports: of what failed they show all", function()
  place.shell "moonshake run --shard 1/2 a.lua --format json=1.json"
  place.shell "moonshake run --shard 2/2 a.lua --format json=2.json"
  local text, status = place.shell "moonshake merge 1.json 2.json --report out"
  equal(status, 1)
  contains(text, "2 failed, 1 passed, 1 skipped")
  contains(page_of("out", "is%-refused"), '<svg class="ms-diagram"')
  contains(page_of("out", "is%-refused"), "the server requires a certificate")
  lacks(page_of("out", "fails"), '<svg class="ms-diagram"')
  contains(page_of("out", "crashes"), "SIGSEGV")
  lacks(page_of("out", "is%-refused"), "<script>alert", "<img")
end)

test("the JSON of a run with pages is that of one without", function()
  place.shell "moonshake run a.lua --report out --format json=with.json"
  place.shell "moonshake run a.lua --format json=without.json"
  local size = {}
  for _, name in ipairs { "with", "without" } do
    for _, event in ipairs(place.events(name .. ".json")) do
      if event.event == "case_end" then
        size[event.id] = size[event.id] or event.pictures ~= nil
        equal(event.pictures ~= nil, size[event.id], event.id)
      end
    end
  end
  equal(size["a.lua::is refused <i>"], true)
  equal(size["a.lua::fails as it must"], false)
end)

place.remove()
unit.done()
