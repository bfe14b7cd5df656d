-- SPDX-License-Identifier: MIT
-- What the checks of the sources share: reading files, and complaining by file and line. Run from
-- the top of the tree; LUA_PATH leads to this folder and to the library.
local files = require "moonshake.io.files"

local sources = {}

local complaints = 0

--- The files below the given folders (or the files themselves) whose names end so.
function sources.list(folders, endings)
  local found = {}
  for _, folder in ipairs(folders) do
    local list = files.kind(folder) == "directory" and assert(files.list(folder)) or { folder }
    for _, path in ipairs(list) do
      for _, ending in ipairs(endings) do
        if path:sub(-#ending) == ending then
          found[#found + 1] = path
        end
      end
    end
  end
  return found
end

--- The lines of a file.
function sources.lines(path)
  local lines = {}
  for line in (assert(files.read(path)) .. "\n"):gmatch "([^\n]*)\n" do
    lines[#lines + 1] = line
  end
  return lines
end

--- Prints what is wrong in a line of a file.
function sources.complain(path, line, message, ...)
  complaints = complaints + 1
  print(("%s:%d: %s"):format(path, line, message:format(...)))
end

--- Ends the check: exit status 1 if there was a complaint.
function sources.finish(name)
  print(("%s: %s"):format(name, complaints == 0 and "clean" or complaints .. " complaints"))
  os.exit(complaints == 0 and 0 or 1)
end

return sources
