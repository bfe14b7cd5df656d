-- SPDX-License-Identifier: MIT
-- The pages of a report in a real browser: nothing that a peer wrote does anything there, they can
-- be used by mouse, by keyboard and without scripts, and on a narrow screen.
--   lua5.4 tests/browser/report.lua CHROMIUM PROGRAM
package.path = "tests/browser/?.lua;" .. package.path
local chromium = require "chromium"
local unit = dofile "tests/lua/harness.lua"
local samples = dofile "tests/lua/report_samples.lua"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local html = require "moonshake.report.html"
local test, equal, contains = unit.test, unit.equal, unit.contains

-- Whoever lets it through has a script run, an element made, or a request sent.
samples.HOSTILE = [["'><script>window.attacked=1</script><img src=http://x.example/ ]]
  .. [[onerror="window.attacked=1"></style><style>*{display:none}</style></title></pre></svg>]]
  .. [[<svg onload=window.attacked=1><a href="javascript:window.attacked=1">x</a>]]
  .. "<!-- ]]>\u{202E}&lt;b&gt;\0\27[31m" .. ("much longer than a line "):rep(20)

local LONG = ("a_name_without_a_place_to_break_it"):rep(20)
local NUM_LARGE = 1000

local directory = assert(files.temporary_directory())

---------------------------------------------------------------------------------------------------
-- Reports

local function write_hostile()
  local results = samples.results()
  results[1].pictures = samples.pictures()
  results[1].captures = { "javascript:window.attacked=1", "//x.example/" .. samples.HOSTILE }
  results[1].explanation = { samples.HOSTILE }
  results[2].case.name, results[2].case.label = LONG, LONG
  results[2].failures[1].message = LONG
  local report = assert(html.open(directory .. "/hostile", { program = samples.HOSTILE }))
  assert(samples.tell(report, samples.plan { version = samples.HOSTILE }, results))
end

local SCENARIO = [[
local ms = require "moonshake"
local hostile = %q
ms.scenario "is refused" { tags = { "client-auth" }, about = hostile, run = function()
  local ca = ms.pki.authority { cn = hostile:sub(1, 60) }
  local link = ms.tls.link {
    server = { identity = ca:issue { cn = hostile:sub(1, 60), uri = "x:" .. hostile:sub(1, 40) },
               trust = ca, client_auth = "require", alpn = hostile:sub(1, 30) },
    client = { trust = ca, verify = false, alpn = hostile:sub(1, 30) },
    versions = "TLS1.2",
  }
  ms.note(hostile)
  print(hostile)
  link:handshake()
  ms.expect(link):succeeded()
end }
ms.scenario "renegotiates" { run = function()
  local ca = ms.pki.authority { cn = "Root" }
  local link = ms.tls.link {
    server = { identity = ca:issue { dns = "a.example" } },
    client = { trust = ca, server_name = "a.example" }, versions = "TLS1.2",
  }
  link:handshake()
  link:renegotiate { by = "client" }
  ms.expect(link):succeeded()
end }]]

local function write_real(program)
  local path = directory .. "/real.lua"
  assert(files.write(path, SCENARIO:format((samples.HOSTILE:gsub("[\0\27]", "")))))
  local _, _, status = os.execute(("%s run --report %s %s >%s"):format(
    escape.shell(program), escape.shell(directory .. "/real"), escape.shell(path),
    escape.shell(directory .. "/said")))
  assert(status == 1, files.read(directory .. "/said"))
end

-- A run of many cases, each with the picture of a small link.
local function write_large()
  local report = assert(html.open(directory .. "/large", { program = "moonshake" }))
  report:begin(samples.plan { count = NUM_LARGE, version = "0.1.0", stack = "gnutls" })
  for number = 1, NUM_LARGE do
    local case = samples.case(("scenarios/topic/file%02d.lua"):format(number // 40),
                              ("a case with a name of usual length[number=%d]"):format(number))
    case.tags = { "topic", number % 2 == 0 and "even" or "odd" }
    local failed = number % 250 == 0
    report:case_ended(samples.result(failed and "failed" or "passed", case, {
      failures = { failed and { kind = "error", message = "it broke" } or nil },
    }))
  end
  assert(report:finish(samples.summary {
    counts = { passed = NUM_LARGE - 4, failed = 4 }, not_run = 0, interrupted = false,
    problems = {}, unmatched = {}, lost = {},
  }))
end

local function url_of(path)
  return "file://" .. escape.url_path(directory .. "/" .. path)
end

-- The addresses of all pages of a report.
local function urls_of(report)
  local urls = { url_of(report .. "/index.html") }
  for _, name in ipairs(assert(files.names(directory .. "/" .. report .. "/cases"))) do
    urls[#urls + 1] = url_of(report .. "/cases/" .. name)
  end
  return urls
end

---------------------------------------------------------------------------------------------------

local browser, problem = chromium.start(arg[1])
if not browser then
  print("skipped: this browser does not start here: " .. problem:gsub("%s+", " "))
  os.exit(true)
end
write_hostile()
write_real(arg[2])
write_large()

local DESKTOP, TELEPHONE = { width = 1280 }, { width = 390, height = 844 }

local function open(url, how)
  browser:show(how or DESKTOP)
  browser:open(url)
end

local function is_quiet(url)
  equal(browser:complaints(), "", url)
end

-- How many rows of the index can be seen.
local SEEN = "Array.from(document.querySelectorAll('.file li')).filter(row => "
  .. "row.checkVisibility()).length"

test("nothing hostile does anything: no script, no element, no request, no complaint", function()
  for _, report in ipairs { "hostile", "real" } do
    for _, url in ipairs(urls_of(report)) do
      open(url)
      is_quiet(url)
      equal(browser:evaluate "window.attacked === undefined", true, url)
      equal(browser:evaluate "document.querySelectorAll('img, iframe, object, base').length", 0)
      equal(browser:evaluate "document.querySelectorAll('script').length",
            url:find "/index.html$" and 1 or 0, url)
      equal(browser:evaluate "document.querySelectorAll('style').length", 1, url)
      equal(browser:evaluate [[Array.from(document.querySelectorAll('*')).filter(element =>
        Array.from(element.attributes).some(one => one.name.startsWith('on'))).length]], 0, url)
      equal(browser:evaluate [[Array.from(document.links).every(link =>
        link.protocol === 'file:')]], true, url)
      if report == "hostile" or url:find("refused", 1, true) then
        contains(browser:evaluate "document.body.textContent", "<script>window.attacked=1")
      end
    end
  end
end)

test("no page is wider than a telephone, and none has lost its text", function()
  for _, report in ipairs { "hostile", "real" } do
    for _, url in ipairs(urls_of(report)) do
      open(url, TELEPHONE)
      equal(browser:evaluate "document.documentElement.scrollWidth", 390, url)
      equal(browser:evaluate "document.querySelector('h1').checkVisibility()", true)
    end
  end
end)

test("the index leads to every page, and every page back", function()
  open(url_of "real/index.html")
  equal(browser:evaluate "document.querySelectorAll('.file a').length", 2)
  browser:follow "document.querySelector('.file a').click()"
  equal(browser:evaluate "document.querySelectorAll('.ms-diagram').length", 1)
  browser:follow "document.querySelector('nav a').click()"
  equal(browser:evaluate "document.querySelectorAll('.file a').length", 2)
end)

test("without scripts the outcome chooses what is seen", function()
  browser:call("Emulation.setScriptExecutionDisabled", { value = true })
  open(url_of "large/index.html")
  equal(browser:evaluate "document.getElementById('search').checkVisibility()", false)
  equal(browser:evaluate(SEEN), 4, "what failed, first")
  for name, wanted in pairs { passed = NUM_LARGE - 4, failed = 4, all = NUM_LARGE } do
    browser:click("label[for=show-" .. name .. "]")
    equal(browser:evaluate(SEEN), wanted, name)
  end
  browser:call("Emulation.setScriptExecutionDisabled", { value = false })
  is_quiet()
end)

test("words find cases by name, file, tag and message, among those that are shown", function()
  open(url_of "large/index.html")
  equal(browser:evaluate "document.getElementById('told').textContent", "4 of 1,000 are shown")
  browser:click "#words"
  browser:type "FILE07 even"
  equal(browser:evaluate(SEEN), 0)
  browser:click "label[for=show-all]"
  equal(browser:evaluate(SEEN), 20)
  equal(browser:evaluate "document.getElementById('told').textContent", "20 of 1,000 are shown")
  equal(browser:evaluate "document.querySelectorAll('.file:not([hidden])').length", 1)
  browser:evaluate "document.getElementById('words').select()"
  browser:type "number=500] broke"
  equal(browser:evaluate(SEEN), 1)
  is_quiet()
end)

test("a thousand cases are a small page", function()
  open(url_of "large/index.html")
  local size = #assert(files.read(directory .. "/large/index.html"))
  local elements = browser:evaluate "document.querySelectorAll('*').length"
  print(("# %d bytes, %d elements; loaded after %d ms, the browser busy for %d ms"):format(
    size, elements, browser:evaluate [[Math.round(performance.timing.loadEventEnd
      - performance.timing.navigationStart)]], browser:busy()))
  equal(size < 450 * NUM_LARGE, true, size)
  equal(elements < 12 * NUM_LARGE, true, elements)
end)

test("the keyboard reaches everything, and shows where it is", function()
  open(url_of "real/index.html")
  browser:press "Tab"
  equal(browser:evaluate "document.activeElement.className", "skip")
  equal(browser:evaluate "document.activeElement.getBoundingClientRect().top >= 0", true)
  browser:press "Tab"
  equal(browser:evaluate "document.activeElement.id", "show-failed")
  equal(browser:evaluate [[getComputedStyle(document.querySelector('[for=show-failed]'))
    .outlineStyle]], "solid")
  browser:press "ArrowRight"
  equal(browser:evaluate "document.querySelector('fieldset input:checked').id", "show-passed")
  equal(browser:evaluate(SEEN), 1)
  browser:press "Tab"
  equal(browser:evaluate "document.activeElement.id", "words")
  browser:press "Tab"
  equal(browser:evaluate "document.activeElement.textContent", "renegotiates")
  equal(browser:evaluate "getComputedStyle(document.activeElement).outlineStyle", "solid")
end)

-- What is wrong with a page for somebody who hears it.
local OUTLINE = [[
  (() => {
    const wrong = [];
    const all = selector => Array.from(document.querySelectorAll(selector));
    for (const name of ['main', 'h1', 'body > header', 'body > footer'])
      if (all(name).length !== 1) wrong.push(all(name).length + ' of ' + name);
    let level = 0;
    for (const heading of all('h1, h2, h3, h4')) {
      const now = Number(heading.tagName[1]);
      if (now > level + 1) wrong.push('h' + now + ' behind h' + level);
      level = now;
    }
    for (const input of all('input'))
      if (!input.labels.length) wrong.push('an input without a label');
    for (const one of all('[aria-labelledby]'))
      if (!document.getElementById(one.getAttribute('aria-labelledby'))?.textContent)
        wrong.push('a name that is not there');
    for (const one of all('.scroll'))
      if (one.tabIndex !== 0 || !one.getAttribute('aria-label')) wrong.push('a box without a key');
    const ids = all('[id]').map(one => one.id);
    if (new Set(ids).size !== ids.length) wrong.push('an id twice');
    if (!document.title) wrong.push('no title');
    if (document.documentElement.lang !== 'en') wrong.push('no tongue');
    return wrong.join(', ');
  })()]]

test("pages have landmarks, headings in order, and names for what can be used", function()
  for _, report in ipairs { "hostile", "real" } do
    for _, url in ipairs(urls_of(report)) do
      open(url)
      equal(browser:evaluate(OUTLINE), "", url)
    end
  end
end)

test("pages are light or dark as the reader likes it, and light on paper", function()
  local function ground(how)
    open(url_of "real/index.html", how)
    return browser:evaluate "getComputedStyle(document.body).backgroundColor"
  end
  equal(ground { width = 1280 }, "rgb(246, 246, 244)")
  equal(ground { width = 1280, dark = true }, "rgb(19, 20, 26)")
  equal(ground { width = 800, dark = true, print = true }, "rgb(255, 255, 255)")
  equal(browser:evaluate "document.querySelector('.find').checkVisibility()", false)
end)

browser:close()
files.remove_tree(directory)
unit.done()
