-- SPDX-License-Identifier: MIT
-- Whether the pages of a report are well-formed: xmllint reads them as XML, and as HTML.
--   lua5.4 tests/formats/html.lua XMLLINT
local unit = dofile "tests/lua/harness.lua"
local samples = dofile "tests/lua/report_samples.lua"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local html = require "moonshake.report.html"
local test, equal, contains = unit.test, unit.equal, unit.contains

local xmllint = escape.shell(arg[1] or "xmllint")
local directory = assert(files.temporary_directory())

-- Every page of a run in which one case shows its links.
local function write_pages()
  local results = samples.results()
  results[1].pictures = samples.pictures()
  local report = assert(html.open(directory .. "/report", { program = "moonshake" }))
  assert(samples.tell(report, nil, results))
  local paths = { directory .. "/report/index.html" }
  for _, name in ipairs(files.names(directory .. "/report/cases")) do
    paths[#paths + 1] = directory .. "/report/cases/" .. name
  end
  return paths
end

-- Whether the document is well-formed, and what xmllint says.
local function judged(path, options)
  local pipe = assert(io.popen(("%s --nonet --noout %s %s 2>&1"):format(xmllint, options,
                                                                        escape.shell(path))))
  local said = pipe:read "a"
  return pipe:close() == true, said
end

local paths = write_pages()

test("every page is well-formed XML", function()
  equal(#paths, 11)
  for _, path in ipairs(paths) do
    local is_fine, said = judged(path, "")
    equal(is_fine, true, path .. ": " .. said)
    equal(said, "")
  end
end)

-- libxml2's HTML is that of 1999; it does not know the elements that came later.
test("as HTML they have no error but elements that are too new for xmllint", function()
  for _, path in ipairs(paths) do
    local _, said = judged(path, "--html")
    for line in said:gmatch "error : ([^\n]*)" do
      equal(line:match "^Tag (%a+) invalid$" ~= nil, true, path .. ": " .. line)
    end
  end
end)

test("xmllint looks", function()
  local path = directory .. "/broken.html"
  assert(files.write(path, (assert(files.read(paths[1])):gsub("</main>", "<p>", 1))))
  local is_fine, said = judged(path, "")
  equal(is_fine, false)
  contains(said, "mismatch")
end)

files.remove_tree(directory)
unit.done()
