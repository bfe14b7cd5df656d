-- SPDX-License-Identifier: MIT
-- Build step: compiles the library's files into one C file for the program (see builtin.h).
-- Usage: lua5.4 embed.lua OUTPUT FILE...

local output = arg[1]

-- "moonshake/report/tap.lua" is module "moonshake.report.tap", "moonshake/init.lua" is "moonshake".
local function module_name(path)
  return (path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", "."))
end

local function fail(message)
  io.stderr:write(message, "\n")
  os.exit(1)
end

-- The bytes as the inside of a C array.
local function numbers(bytes)
  local list = {}
  for index = 1, #bytes do
    list[index] = bytes:byte(index) .. (index % 20 == 0 and ",\n" or ",")
  end
  return table.concat(list)
end

if _VERSION ~= "Lua 5.4" then -- the program could not read the byte code
  fail("embed.lua: Lua 5.4 wanted, this is " .. _VERSION)
end

local arrays, rows = {}, {}
for index = 2, #arg do
  local path = arg[index]
  local file = io.open(path, "rb") or fail("cannot read " .. path)
  local text = file:read("a")
  file:close()
  local chunk, message = load(text, "=[builtin] " .. path, "t")
  if not chunk then
    fail((message:gsub("^%[builtin%] ", "lua/")))
  end
  local bytes = string.dump(chunk)
  arrays[#arrays + 1] = ("static const unsigned char file%d[] = {\n%s};\n"):format(index,
                                                                                  numbers(bytes))
  rows[#rows + 1] = ("    {\"%s\", (const char *)file%d, sizeof file%d},\n"):format(
    module_name(path), index, index)
end

local file = io.open(output, "wb") or fail("cannot write " .. output)
file:write("/* Made by embed.lua from the files of lua/moonshake. */\n#include \"builtin.h\"\n\n",
           table.concat(arrays), "\nconst struct ms_builtin ms_builtins[] = {\n",
           table.concat(rows), "    {NULL, NULL, 0},\n};\n")
file:close()
