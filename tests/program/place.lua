-- SPDX-License-Identifier: MIT
-- A directory of its own for a test that runs the program: lua5.4 tests/program/test_X.lua PROGRAM
local place = {}

local json = require "dkjson"

local program = assert(arg[1], "usage: test PROGRAM")

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
place.quoted = quoted

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  return text
end

-- The program may be named relative to where the test began.
program = program:sub(1, 1) == "/" and program or output_of("pwd"):gsub("\n", "/") .. program
place.directory = output_of("mktemp -d"):gsub("\n", "")

--- Writes a file below the directory.
function place.put(name, text)
  local folder = name:match "^(.*)/"
  if folder then
    os.execute(("mkdir -p %s/%s"):format(quoted(place.directory), quoted(folder)))
  end
  local file <close> = assert(io.open(place.directory .. "/" .. name, "wb"))
  assert(file:write(text))
end

--- The text of a file below the directory; nil where there is none.
function place.get(name)
  local file <close> = io.open(place.directory .. "/" .. name, "rb")
  return file and file:read "a"
end

--- The names in the directory, hidden ones too, in a line.
function place.names()
  return (output_of(("ls -A %s"):format(quoted(place.directory))):gsub("\n", " "))
end

-- Should the test be killed because the program hangs, what it started does not go on for ever.
local limited = output_of("command -v timeout") ~= "" and "timeout -k 9 1200 " or ""

--- A shell command, in the directory, with `moonshake` for the program. Returns what it printed,
--- errors too, and its exit status.
function place.shell(command)
  local line = ("cd %s || exit; moonshake() { %s \"$@\"; }; unset NO_COLOR CLICOLOR_FORCE; "
                .. "{ %s\n} 2>&1; echo \"[exit $?]\""):format(
    quoted(place.directory), quoted(program), command)
  local text, status = output_of(limited .. "sh -c " .. quoted(line)):match "^(.*)%[exit (%d+)%]\n$"
  return text, math.tointeger(tonumber(status))
end

--- The events of a JSON report below the directory.
function place.events(name)
  local events = {}
  for line in assert(place.get(name), name .. " is not there"):gmatch "[^\n]+" do
    events[#events + 1] = assert(json.decode(line), line)
  end
  return events
end

--- Removes what is below the directory by that name, or the directory.
function place.remove(name)
  os.execute("rm -rf " .. quoted(place.directory .. "/" .. (name or "")))
end

place.program = program

return place
