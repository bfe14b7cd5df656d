-- SPDX-License-Identifier: MIT
-- Files and directories. Every function that can fail returns nil and one sentence that names the
-- path. (Only files below io/ load luv.)

local uv = require "luv"

local files = {}

local EPIPE = 32 -- on every system

-- luv says "ENOENT: no such file or directory: path": the middle is for people.
local function reason(message)
  return (message:match("^%u+: ([^:]+)") or message)
end

local function failed(verb, path, message)
  return nil, ("cannot %s %s: %s"):format(verb, path, reason(message))
end

--- "file", "directory", "other", or nil when there is nothing (or nothing to see) at `path`.
function files.kind(path)
  local stat = uv.fs_stat(path)
  if not stat then
    return nil
  end
  return (stat.type == "file" or stat.type == "directory") and stat.type or "other"
end

--- The whole content of a file.
function files.read(path)
  local handle, message = uv.fs_open(path, "r", 0)
  if not handle then
    return failed("read", path, message)
  end
  local pieces = {}
  repeat
    local piece
    piece, message = uv.fs_read(handle, 65536, -1)
    pieces[#pieces + 1] = piece
  until not piece or piece == ""
  uv.fs_close(handle)
  if message then
    return failed("read", path, message)
  end
  return table.concat(pieces)
end

--- Writes a file anew; true on success. `mode` (0x180 is 0600) is what the file then has, even if
--- it was there before; without it a new file gets what the umask leaves of 0666.
function files.write(path, text, mode)
  local handle, message = uv.fs_open(path, "w", mode or 438)
  if not handle then
    return failed("write", path, message)
  end
  local done = true
  if mode then
    done, message = uv.fs_fchmod(handle, mode)
  end
  local at = 1
  while done and at <= #text do
    done, message = uv.fs_write(handle, text:sub(at), -1)
    at = at + (done or 0)
  end
  local closed, close_message = uv.fs_close(handle)
  if not (done and closed) then
    return failed("write", path, message or close_message)
  end
  return true
end

--- Writes to standard output, all of it and now; true on success.
---@param text string
---@return true|nil
---@return string|nil problem
---@return boolean|nil left whether there was a reader, and is none any more
function files.print(text)
  local written, problem, number = io.stdout:write(text)
  if written then
    written, problem, number = io.stdout:flush()
  end
  return written and true, problem, number == EPIPE
end

--- Adds to the end of a file, which is made with `mode` if it is not there; true on success. What
--- other processes add at the same time stays apart.
function files.append(path, text, mode)
  local handle, message = uv.fs_open(path, "a", mode)
  if not handle then
    return failed("write", path, message)
  end
  local written
  written, message = uv.fs_write(handle, text, -1)
  uv.fs_close(handle)
  if written ~= #text then
    return failed("write", path, message or "it is full")
  end
  return true
end

--- Makes a directory and those above it; true on success, and when it is there already.
function files.make_directory(path)
  if files.kind(path) == "directory" then
    return true
  end
  local above = path:match("^(.*[^/])/+[^/]+/*$")
  if above then
    local made, message = files.make_directory(above)
    if not made then
      return nil, message
    end
  end
  local made, message, name = uv.fs_mkdir(path, 511)
  if not made and not (name == "EEXIST" and files.kind(path) == "directory") then
    return failed("make directory", path, message)
  end
  return true
end

--- The names in a directory, sorted, hidden ones too.
function files.names(path)
  local request, message = uv.fs_scandir(path)
  if not request then
    return failed("list", path, message)
  end
  local list = {}
  for name in uv.fs_scandir_next, request do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

-- Adds what is of a kind, "file" or "directory".
local function add_below(path, wanted, list)
  local names, message = files.names(path)
  if not names then
    return nil, message
  end
  for _, name in ipairs(names) do
    local below = path:gsub("/*$", "/") .. name
    local kind = name:sub(1, 1) ~= "." and files.kind(below)
    if kind == "directory" and uv.fs_lstat(below).type == "link" then -- may lead round in a circle
      kind = nil
    end
    if kind == wanted then
      list[#list + 1] = below
    end
    if kind == "directory" then
      local done
      done, message = add_below(below, wanted, list)
      if not done then
        return nil, message
      end
    end
  end
  return list
end

--- The files below a directory, in directories of any depth, sorted; hidden ones are left out.
function files.list(path)
  return add_below(path, "file", {})
end

--- The directories below one, in the same way.
function files.folders(path)
  return add_below(path, "directory", {})
end

--- Makes an empty directory, for this user alone, where temporary files live (or in `folder`);
--- returns its path.
function files.temporary_directory(folder)
  local template = (folder or uv.os_tmpdir()):gsub("/*$", "/") .. "moonshake-XXXXXX"
  local path, message = uv.fs_mkdtemp(template)
  if not path then
    return failed("make directory", template, message)
  end
  return path
end

--- Removes a file, or a directory with everything below it (links are removed, not followed); true
--- on success, and when there is nothing.
function files.remove_tree(path)
  local stat = uv.fs_lstat(path)
  if not stat then
    return true
  end
  local done, message
  if stat.type == "directory" then
    local names
    names, message = files.names(path)
    if not names then
      return nil, message
    end
    for _, name in ipairs(names) do
      done, message = files.remove_tree(path .. "/" .. name)
      if not done then
        return nil, message
      end
    end
    done, message = uv.fs_rmdir(path)
  else
    done, message = uv.fs_unlink(path)
  end
  if not done then
    return failed("remove", path, message)
  end
  return true
end

--- The path without links and dots.
function files.real_path(path)
  local real, message = uv.fs_realpath(path)
  if not real then
    return failed("find", path, message)
  end
  return real
end

-- The parts of a path from the root on, without ".", ".." and "//" as far as the text alone tells.
local function parts_of(path)
  local parts = {}
  for part in (path:sub(1, 1) == "/" and path or uv.cwd() .. "/" .. path):gmatch "[^/]+" do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return parts
end

--- How a path is named from a directory: "../x" from "a" for "x".
---@param path string
---@param from string
---@return string
function files.relative(path, from)
  local target, base, same = parts_of(path), parts_of(from), 0
  while target[same + 1] and target[same + 1] == base[same + 1] do
    same = same + 1
  end
  local steps = {}
  for _ = same + 1, #base do
    steps[#steps + 1] = ".."
  end
  table.move(target, same + 1, #target, #steps + 1, steps)
  return #steps > 0 and table.concat(steps, "/") or "."
end

--- The process's working directory; nil if that is no more.
function files.working_directory()
  return (uv.cwd())
end

--- Makes it another one; whether that could be done.
function files.set_working_directory(path)
  return path ~= nil and uv.chdir(path) ~= nil
end

--- Whether a file descriptor (1 is standard output) is a terminal.
function files.is_terminal(descriptor)
  return uv.guess_handle(descriptor) == "tty"
end

--- How many columns the terminal at standard output has; 80 where that cannot be known.
---@return integer
function files.terminal_width()
  local terminal = uv.guess_handle(1) == "tty" and uv.new_tty(1, false)
  local width = terminal and terminal:get_winsize()
  if terminal then
    terminal:close()
  end
  return width and width > 0 and width or 80
end

--- The path of a program that PATH leads to, or nil.
function files.find_program(name)
  for directory in (os.getenv("PATH") or ""):gmatch("[^:]+") do
    local path = directory .. "/" .. name
    if files.kind(path) == "file" and uv.fs_access(path, "X") then
      return path
    end
  end
  return nil
end

return files
