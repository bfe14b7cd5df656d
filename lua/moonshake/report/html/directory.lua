-- SPDX-License-Identifier: MIT
-- The directory of a report: index.html, cases/, and a list of what was written, so that the next
-- report in its place removes that and nothing else.
local files = require "moonshake.io.files"
local replacement = require "moonshake.io.replacement"

local directory = {}

local LIST = "moonshake-report.txt"
local FIRST_LINE = "Moonshake report 1: these files are removed when another one takes its place."

-- The only names of ours that a list can have removed, whoever wrote it.
local CASE = "^cases/[a-z0-9-]+%.html$"

local Directory = {}
Directory.__index = Directory

-- What an earlier report left; nil where the list is none of ours.
local function listed(path)
  local text = files.read(path .. "/" .. LIST)
  if not text or text:match "^[^\n]*" ~= FIRST_LINE then
    return nil
  end
  local names = {}
  for name in text:gmatch "\n([^\n]+)" do
    names[#names + 1] = name:find(CASE) and name or nil
  end
  return names
end

-- Nobody misses one, and one for captures may have been made just now.
local function is_empty_directory(path)
  local names = files.kind(path) == "directory" and files.names(path)
  return names and #names == 0
end

-- Whether a report may be written here: nil, or why not.
local function refusal(path)
  local kind = files.kind(path)
  if kind == nil or kind == "directory" and listed(path) then
    return nil
  elseif kind ~= "directory" then
    return path .. ": is no directory"
  end
  local names, problem = files.names(path)
  for _, name in ipairs(names or {}) do
    if not is_empty_directory(path .. "/" .. name) then
      return ("%s: holds something else than a report (%s); name another directory"):format(path,
                                                                                            name)
    end
  end
  return problem
end

-- Keeps the first problem; a report tells it when it ends.
function Directory:check(done, problem)
  if not done then
    self.problem = self.problem or problem
  end
  return done
end

--- Removes what the earlier report left, and begins the list of this one.
function Directory:begin()
  for _, name in ipairs(listed(self.path) or {}) do
    self:check(files.remove_tree(self.path .. "/" .. name))
  end
  local list = self:check(replacement.open(self.path .. "/" .. LIST))
  if list then
    list:write(FIRST_LINE, "\n")
    self:check(list:commit())
  end
  local message
  self.list, message = io.open(self.path .. "/" .. LIST, "ab")
  self:check(self.list, message)
end

--- Writes a file whole, or not at all. `name` is "index.html", or matches CASE and is listed first.
---@param name string
---@param ... string|fun(file: table) the text, or what writes it
function Directory:write(name, ...)
  if self.list and name:find(CASE) then
    self:check(self.list:write(name, "\n"))
    self:check(self.list:flush())
  end
  local file = self:check(replacement.open(self.path .. "/" .. name))
  if file then
    for _, piece in ipairs { ... } do
      if type(piece) == "function" then
        piece(file)
      else
        file:write(piece)
      end
    end
    self:check(file:commit())
  end
end

--- Ends it.
---@return true|nil
---@return string|nil problem
function Directory:close()
  if self.list then
    self:check(self.list:close())
  end
  return not self.problem or nil, self.problem
end

--- Leaves it as it was before open().
function Directory:abandon()
  os.remove(self.path .. "/cases") -- if nothing is in it
  if self.is_new then
    os.remove(self.path)
  end
end

--- Makes the directory ready, or tells why no report can be written there. Nothing that is in it
--- changes.
---@param path string
---@return table|nil
---@return string|nil problem
function directory.open(path)
  path = #path > 1 and path:gsub("/+$", "") or path
  local problem = refusal(path)
  if problem then
    return nil, problem
  end
  local self = setmetatable({ path = path, is_new = not files.kind(path) }, Directory)
  local made
  made, problem = files.make_directory(path .. "/cases")
  if made then
    local probe
    probe, problem = replacement.open(path .. "/index.html")
    if probe then
      probe:abandon()
      return self
    end
  end
  self:abandon()
  return nil, problem
end

return directory
