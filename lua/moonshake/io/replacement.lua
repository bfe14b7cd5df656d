-- SPDX-License-Identifier: MIT
-- A file that is written beside the one it is to replace, and takes its place at once when it is
-- whole: a reader never sees half of it, and a run that dies leaves the old one.

local uv = require "luv"

local replacement = {}

local Replacement = {}
Replacement.__index = Replacement

--- Writes; what goes wrong is told by commit().
function Replacement:write(...)
  self.problem = self.problem or select(2, self.file:write(...))
end

--- As a stream's.
function Replacement:flush()
  self.problem = self.problem or select(2, self.file:flush())
  return not self.problem or nil, self.problem
end

--- Puts the file into its place.
---@return true|nil
---@return string|nil problem
function Replacement:commit()
  self:flush()
  local closed, message = self.file:close()
  local problem = self.problem or (not closed and message) or nil
  if not problem and self.beside then
    problem = select(2, os.rename(self.beside, self.target))
  end
  if problem and self.beside then
    os.remove(self.beside)
  end
  if problem then
    return nil, ("cannot write %s: %s"):format(self.path, (problem:gsub("^.*: ", "")))
  end
  return true
end

--- Leaves everything as it was.
function Replacement:abandon()
  self.file:close()
  if self.beside then
    os.remove(self.beside)
  end
end

--- The path, without links, of the file that is to be replaced; nil for what is no regular file (a
--- pipe, /dev/null), which is written to as it is.
---@param path string
---@return string|nil
function replacement.target(path)
  local stat = uv.fs_stat(path)
  if stat then
    return stat.type == "file" and uv.fs_realpath(path) or nil
  end
  local folder, name = path:match "^(.*/)([^/]*)$"
  local real = uv.fs_realpath(folder or ".")
  return real and real:gsub("/*$", "/") .. (name or path) or path
end

-- Makes an empty file with a mode; what goes wrong is told by who opens it.
local function make_private(path, mode)
  os.remove(path) -- of a process that died
  local handle = uv.fs_open(path, "wx", mode)
  if handle then
    uv.fs_close(handle)
  end
end

--- Begins one.
---@param path string
---@param mode? integer what a regular file then has (384 is 0600); what the umask leaves of 0666
---@return table|nil
---@return string|nil problem
function replacement.open(path, mode)
  local stat = uv.fs_stat(path)
  if stat and stat.type == "directory" then
    return nil, ("cannot write %s: it is a directory"):format(path)
  end
  local target, beside = replacement.target(path), nil
  if target then
    beside = target:gsub("[^/]*$", function(name)
      return (".%s.%d"):format(name, uv.os_getpid())
    end)
  end
  if beside and mode then
    make_private(beside, mode)
  end
  local file, message = io.open(beside or path, "wb")
  if not file then
    return nil, ("cannot write %s: %s"):format(path, (message:gsub("^.*: ", "")))
  end
  return setmetatable({ path = path, target = target, beside = beside, file = file }, Replacement)
end

return replacement
