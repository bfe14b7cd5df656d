-- SPDX-License-Identifier: MIT
-- A report as web pages: an index, and a page for each case. Pages are written as cases end; of
-- each only its row in the index is kept, in a temporary file, until the run is over.
local directory = require "moonshake.report.html.directory"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local hash = require "moonshake.hash"
local index = require "moonshake.report.html.index"
local page = require "moonshake.report.html.page"

local html = {}

local LONGEST_WORDS = 80

local Html = {}
Html.__index = Html

-- The name of a case's page: the same in each run, so that a link to it stays one.
local function page_name(result)
  local id = result.case.id
  local words = id:lower():gsub("%.lua::", "-"):gsub("[^a-z0-9]+", "-"):sub(1, LONGEST_WORDS)
  local attempt = result.attempt or 1
  return ("cases/%s-%016x%s.html"):format(words:gsub("^-", ""):gsub("-$", ""), hash(id),
                                         attempt > 1 and "-" .. attempt or "")
end

function Html:begin(plan)
  self.plan = plan
  self.directory:begin()
  self.directory:write("index.html", index.under_way(plan))
  local problem
  self.rows, problem = io.tmpfile()
  self.directory:check(self.rows, problem)
end

function Html.case_begins()
end

-- By which rows are sorted. (What comes from elsewhere has neither of the separators.)
local function sort_key(result)
  local case = result.case
  local file, label = case.file:gsub("%c", " "), case.label:gsub("%c", " ")
  return ("%s\0%08d\0%s\0%08d\t"):format(file, math.tointeger(case.line) or 0, label,
                                        result.attempt or 1)
end

function Html:case_ended(result)
  local name = page_name(result)
  self.directory:write(name, page.of(result, self.plan, self))
  if self.rows then
    local row = index.row(result, name):gsub("\n", " ")
    self.directory:check(self.rows:write(sort_key(result), row, "\n"))
  end
end

-- Writes the rows into the index, file by file.
function Html:write_rows(to)
  local rows = {}
  self.rows:seek "set"
  for line in self.rows:lines() do
    rows[#rows + 1] = line
  end
  table.sort(rows)
  local file
  for _, line in ipairs(rows) do
    local path, row = line:match "^([^\0]*)\0[^\t]*\t(.*)$"
    if path ~= file then
      to:write(file and index.file_ends() or "", index.file_begins(path))
      file = path
    end
    to:write(row, "\n")
  end
  to:write(file and index.file_ends() or "")
end

function Html:finish(summary)
  self.directory:write("index.html", index.head(self.plan, summary), function(to)
    if self.rows then
      self:write_rows(to)
    end
  end, index.foot(self.plan))
  if self.rows then
    self.rows:close()
  end
  return self.directory:close()
end

--- Leaves the directory as it was.
function Html:abandon()
  self.directory:abandon()
end

--- A report (see several.lua) in a directory.
---@param path string
---@param context { program: string } what rerun lines begin with
---@return table|nil
---@return string|nil problem why there can be no report there
function html.open(path, context)
  local opened, problem = directory.open(path)
  if not opened then
    return nil, problem
  end
  local self = setmetatable({ directory = opened, program = context.program }, Html)
  function self.locate(file)
    return escape.url_path(files.relative(file, path .. "/cases"))
  end
  return self
end

return html
