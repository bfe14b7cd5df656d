-- SPDX-License-Identifier: MIT
-- Reads a README.md: its fenced blocks, and the rows of its tables by section.
local markdown = {}

--- The lines of a text.
function markdown.lines(text)
  local lines = {}
  for line in (text:gsub("\n$", "") .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- The text of a file; raises where it cannot be read.
function markdown.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

--- The fenced blocks of a file, in order: `info` (what stands after the fence), `first` and `last`
--- (the numbers of the lines between the fences), `text` (those lines).
function markdown.blocks(lines)
  local blocks, open = {}, nil
  for number, line in ipairs(lines) do
    local info = line:match "^```(.*)$"
    if info and not open then
      open = { info = info, first = number + 1 }
    elseif info then
      open.last = number - 1
      open.text = table.concat(lines, "\n", open.first, open.last)
      blocks[#blocks + 1], open = open, nil
    end
  end
  assert(not open, "a fenced block is not closed")
  return blocks
end

--- What stands in `code` marks in a text: a list.
function markdown.code(text)
  local found = {}
  for code in text:gmatch "`([^`]+)`" do
    found[#found + 1] = code
  end
  return found
end

--- The rows of the tables below a heading, up to the next heading: each has the `first` cell and
--- the whole `line`. nil where there is no such heading.
function markdown.rows(lines, heading)
  local rows, fenced, here = nil, false, false
  for _, line in ipairs(lines) do
    fenced = fenced ~= (line:find "^```" ~= nil)
    local title = not fenced and line:match "^#+%s+(.-)%s*$"
    if title then
      here = title:gsub("`", "") == heading
      rows = rows or (here and {} or nil)
    elseif here and not fenced and line:find "^|" and not line:find "^|%s*%-" then
      rows[#rows + 1] = { first = line:match "^|%s*(.-)%s*|", line = line }
    end
  end
  return rows
end

return markdown
