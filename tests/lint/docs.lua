-- SPDX-License-Identifier: MIT
-- Every public function is documented: in C what a header declares, in Lua what a module's table or
-- a class of it has. In C a comment may serve several declarations that follow each other without
-- an empty line, above them or behind one.
local sources = require "sources"

-- Whether there is a comment in the paragraph of line `number`.
local function has_comment(lines, number)
  local first, last = number, number
  while first > 1 and lines[first - 1]:find "%S" do
    first = first - 1
  end
  while last < #lines and lines[last + 1]:find "%S" do
    last = last + 1
  end
  return table.concat(lines, "\n", first, last):find("*/", 1, true) ~= nil
end

local function check_header(path)
  local lines = sources.lines(path)
  for number, line in ipairs(lines) do
    local name = line:match "^[%a_][%w_ %*]-%f[%w_](ms_[%w_]+)%("
    if name and not has_comment(lines, number) then
      sources.complain(path, number, "%s has no comment", name)
    end
  end
  if not (lines[2] or ""):find "^/%*" then
    sources.complain(path, 2, "the header does not say what it is for")
  end
end

-- Files whose classes scripts hold in their hands: all methods there are public.
local CLASSES = { certificates = true, pki = true, endpoint = true, link = true, expect = true,
                  foreign = true }

-- The name of the function that a line of Lua defines in a table, and the table's.
local function defined(line)
  local name = line:match "^function%s+([%w_]+[.:][%w_.:]+)%s*%("
    or line:match "^([%w_]+%.[%w_.]+)%s*=%s*function"
  if name and not name:find "[.:]_" then
    return name, name:match "^[%w_]+"
  end
end

local function check_module(path)
  local lines = sources.lines(path)
  local returned = table.concat(lines, "\n"):match "\nreturn ([%w_]+)%s*$"
  local all = CLASSES[path:match "([%w_]+)%.lua$"]
  for number, line in ipairs(lines) do
    local name, receiver = defined(line)
    if name and (all or receiver == returned) and not lines[number - 1]:find "^%-%-" then
      sources.complain(path, number, "%s has no comment above it", name)
    end
  end
  if not (lines[2] or ""):find "^%-%-" then
    sources.complain(path, 2, "the file does not say what it is for")
  end
end

for _, path in ipairs(sources.list({ "core", "lua" }, { ".h" })) do
  check_header(path)
end
for _, path in ipairs(sources.list({ "lua/moonshake" }, { ".lua" })) do
  check_module(path)
end
sources.finish "docs"
