-- SPDX-License-Identifier: MIT
-- Runs the commands of a transcript and compares what they print and return with what it says.
--   lua5.4 transcript.lua PROGRAM FILE.expected [--write]
-- A transcript has lines "$ COMMAND", each followed by the output and a line "[exit N]". Commands
-- run at the top of the tree; "moonshake" in them is PROGRAM, and scenarios can require "disaster"
-- (disaster.c, built below PROGRAM's folder). AddressSanitizer is told to leave signals alone, so
-- that a crash is what it is without. What differs from run to run (times, serial numbers,
-- versions, paths of temporary files) is written in one way; that the order of cases does not, -j1
-- sees to.
-- --write puts down what happens now: to be read before it is believed.
local program, path, write = arg[1], arg[2], arg[3] == "--write"

local LEAVE_SIGNALS = "handle_segv=0:handle_sigbus=0:handle_sigfpe=0:handle_sigill=0"

local function read(name)
  local file = assert(io.open(name, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- Commands may go elsewhere.
if program:sub(1, 1) ~= "/" then
  local pipe <close> = io.popen "pwd"
  program = pipe:read "l" .. "/" .. program
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function plain(text)
  return (text:gsub("[%^%$%(%)%%%.%[%]%*%+%-%?]", "%%%0"))
end

local function normalised(output)
  return (output:gsub(plain(program), "moonshake")
    :gsub("%d+%.%d%d%ds", "0.000s")
    :gsub("in %d+%.%d%d s\n", "in 0.00 s\n")
    :gsub("%d+ bytes", "N bytes")
    :gsub(", %d+ jobs\n", "\n")
    :gsub("duration_ms: %d+", "duration_ms: 0")
    :gsub("(%[builtin%] [%w_/.]+):%d+:", "%1:N:")
    :gsub("%d+ lines are left out", "N lines are left out")
    :gsub('output_cut": ?%d+', 'output_cut":0')
    :gsub("output_cut: %d+", "output_cut: 0")
    :gsub('"seconds":%d[%d.e-]*', '"seconds":0')
    :gsub('"started":%d+', '"started":0')
    :gsub('"version":"%d[%d.]*"', '"version":"VERSION"')
    :gsub('name="version" value="[^"]*"', 'name="version" value="VERSION"')
    :gsub(' time="%d+%.%d+"', ' time="0.000"')
    :gsub(' timestamp="[^"]*"', ' timestamp="TIME"')
    :gsub("%f[%w]gnutls %d[%d.]*", "gnutls VERSION")
    :gsub("%f[%w]moonshake %d[%d.]*", "moonshake VERSION")
    :gsub("%f[%x]%x+%f[%X]", function(word) return #word == 32 and "TOKEN" or nil end)
    :gsub("%(%x+%)", function(hex) return #hex >= 18 and "(FINGERPRINT)" or nil end)
    :gsub("/[%w/._-]*/moonshake%-%w+", "TEMPORARY"))
end

local function run(command)
  local modules = (program:match "^.*/" or "./") .. "tests/meta/?.so;"
  local line = "moonshake() { LUA_CPATH_5_4=" .. quoted(modules)
    .. '"${LUA_CPATH_5_4:-${LUA_CPATH:-;;}}" ' .. quoted(program)
    .. ' "$@"; }; unset NO_COLOR CLICOLOR_FORCE; export ASAN_OPTIONS="' .. LEAVE_SIGNALS
    .. '${ASAN_OPTIONS:+:$ASAN_OPTIONS}"; { ' .. command .. "\n} 2>&1; echo \"[exit $?]\""
  local pipe = assert(io.popen(line, "r"))
  local output = pipe:read "a"
  pipe:close()
  return normalised(output)
end

local wanted = read(path)
local pieces = {}
local position = wanted:find("$ ", 1, true)
pieces[1] = wanted:sub(1, position - 1)
for command in wanted:gmatch "%f[^\n\0]%$ ([^\n]*)\n" do
  pieces[#pieces + 1] = "$ " .. command .. "\n" .. run(command)
end
local found = table.concat(pieces)

if write then
  local file = assert(io.open(path, "wb"))
  file:write(found)
  file:close()
  os.exit(0)
elseif found == wanted then
  os.exit(0)
end
local name = os.tmpname()
local file = assert(io.open(name, "wb"))
file:write(found)
file:close()
os.execute(("diff -u %s %s"):format(quoted(path), quoted(name)))
os.remove(name)
os.exit(1)
