-- SPDX-License-Identifier: MIT
-- Runs what a README.md shows, in the order in which it stands there.
--   lua5.4 examples.lua BUILD_FOLDER INTERPRETER README.md [--write]
-- Blocks are told apart by what stands after the fence:
--   lua         with a first line "-- NAME.lua": a file. If the tree has one of that name, the two
--               must be the same; else it is written, for the commands that follow.
--               Without: a part of a program. All parts of a README are one program, in which `ms`,
--               `pki`, `tls` and `expect` are known and a local of one part is seen by the next.
--   console     lines "$ COMMAND", each followed by what it prints ("..." stands for any lines).
--               Commands run at the top of the tree, as it were, with `moonshake` in PATH. Others
--               than those of RUN are not run. INTERPRETER "-" leaves out those with lua5.4.
--   lua sketch, and everything else, is not run.
-- --write puts down what is printed now: to be read before it is believed.
local here = arg[0]:match "^(.*/)" or "./"
package.path = here .. "?.lua;" .. package.path
local markdown = require "markdown"
local normalise = require "normalise"

local build, interpreter, readme, write = arg[1], arg[2], arg[3], arg[4] == "--write"
local RUN = {
  moonshake = true, ["build/moonshake"] = true, ["./build/moonshake"] = true, export = true,
  echo = true, cat = true, openssl = true, curl = true, wait = true,
  ["lua5.4"] = interpreter ~= "-",
}
local MARK = "--- end of a command, status "

local complaints = 0
local function complain(line, format, ...)
  complaints = complaints + 1
  print(("%s:%d: %s"):format(readme, line, format:format(...)))
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function shell(command)
  local pipe = assert(io.popen(command .. " 2>&1", "r"))
  local output = pipe:read "a"
  local done, _, status = pipe:close()
  return output, done and 0 or status
end

RUN.tshark = shell "command -v tshark" ~= ""

local function put(path, text)
  local folder = path:match "^(.*)/[^/]*$"
  if folder then
    shell("mkdir -p " .. quoted(folder))
  end
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- A folder that looks like the top of the tree, with a build folder, in which files may be written.
local function make_place()
  local place = shell("mktemp -d"):gsub("\n", "")
  local top = shell("pwd"):gsub("\n", "")
  for _, name in ipairs { "core", "lua", "scenarios", "tests" } do
    shell(("ln -s %s/%s %s/%s"):format(quoted(top), name, place, name))
  end
  shell(("mkdir %s/build %s/bin"):format(place, place))
  shell(("ln -s %s/moonshake %s/lua %s/build"):format(quoted(build), quoted(build), place))
  shell(("ln -s %s/moonshake %s/bin"):format(quoted(build), place))
  if interpreter ~= "-" then
    shell(('ln -s "$(command -v %s)" %s/bin/lua5.4'):format(quoted(interpreter), place))
  end
  return place
end

local function use_file(place, block, name)
  local file = io.open(name, "rb")
  if file then
    local text = file:read "a"
    file:close()
    if text:gsub("^[^\n]*SPDX[^\n]*\n", ""):gsub("\n$", "") ~= block.text:gsub("^[^\n]*\n", "") then
      complain(block.first, "this is not what %s says", name)
    end
  elseif name:find "^core/" or name:find "^lua/" or name:find "^scenarios/" then
    complain(block.first, "there is no file %s", name)
  else
    put(place .. "/" .. name, block.text .. "\n")
  end
end

---------------------------------------------------------------------------------------------------
-- Commands

-- The commands of a block, each with the lines that follow it.
local function commands_of(block)
  local commands = {}
  for number, line in ipairs(markdown.lines(block.text)) do
    local text = line:match "^%$ (.*)$"
    if text then
      commands[#commands + 1] = { text = text, at = block.first + number - 1, lines = {} }
    elseif #commands == 0 then
      complain(block.first, "the block does not begin with \"$ COMMAND\"")
      return {}
    else
      table.insert(commands[#commands].lines, line)
    end
  end
  for _, command in ipairs(commands) do
    local words = command.text:gsub("^%s*[%u_]+=%S+%s+", "")
    command.runs = RUN[words:match "^%S+"] or false
  end
  return commands
end

local function run_all(place, commands)
  local script = { ("cd %s; PATH=%s/bin:$PATH; unset NO_COLOR CLICOLOR_FORCE; exec 2>&1\n"
                    -- It warns whoever is root.
                    .. 'tshark() { command tshark "$@" 2>/dev/null; }'):format(place, place) }
  for _, command in ipairs(commands) do
    if command.runs then
      script[#script + 1] = command.text
      script[#script + 1] = ('status=$?; echo "%s$status"; (exit $status)'):format(MARK)
    end
  end
  put(place .. "/commands.sh", table.concat(script, "\n"))
  local output, number = shell(("sh %s/commands.sh"):format(place)), 1
  for text in output:gmatch("(.-)" .. MARK:gsub("%p", "%%%0") .. "%d+\n") do
    while not commands[number].runs do
      number = number + 1
    end
    commands[number].printed = text == "" and {} or markdown.lines(text)
    number = number + 1
  end
end

-- Whether the lines printed are those wanted, in which "..." stands for any number of lines.
local function fits(printed, wanted, from, at)
  from, at = from or 1, at or 1
  while wanted[at] do
    if wanted[at] == "..." then
      for next_line = from, #printed + 1 do
        if fits(printed, wanted, next_line, at + 1) then
          return true
        end
      end
      return false
    elseif not printed[from] or normalise(printed[from]) ~= normalise(wanted[at]) then
      return false
    end
    from, at = from + 1, at + 1
  end
  return printed[from] == nil
end

local function use_commands(place, block)
  local commands = commands_of(block)
  run_all(place, commands)
  local shown = {}
  for _, command in ipairs(commands) do
    local lines = command.lines
    if command.runs and not command.printed then
      complain(command.at, "`%s` did not come to its end", command.text)
    elseif command.runs and not fits(command.printed, lines) then
      complain(command.at, "`%s` prints\n%s", command.text, table.concat(command.printed, "\n"))
      lines = command.printed
    end
    shown[#shown + 1] = "$ " .. command.text
    table.move(lines, 1, #lines, #shown + 1, shown)
  end
  block.shown = shown
end

---------------------------------------------------------------------------------------------------
-- Parts of a program

local BEGINNING = [[
local ms = require "moonshake"
local known = { ms = ms, pki = ms.pki, tls = ms.tls, expect = ms.expect }
setmetatable(known, { __index = _G })
local function part(line, text)
  assert(load(("\n"):rep(line - 1) .. text, "@%s", "t", known))()
end
]]

-- A local of a part is to be seen by the next, so it becomes a global of the program.
local function opened(text)
  return (("\n" .. text):gsub("\nlocal function ", "\nfunction "):gsub("\nlocal ([^\n]-=)", "\n%1")
          :sub(2))
end

local function use_parts(place, parts)
  local program = { (BEGINNING:gsub("%%s", readme)) }
  for _, block in ipairs(parts) do
    program[#program + 1] = ("part(%d, %q)"):format(block.first, opened(block.text))
  end
  put(place .. "/parts.lua", table.concat(program, "\n"))
  local output, status = shell(("cd %s && bin/moonshake lua parts.lua"):format(place))
  if status ~= 0 then
    complain(parts[1].first, "the parts of a program end with status %d\n%s", status, output)
  end
end

---------------------------------------------------------------------------------------------------

local lines = markdown.lines(markdown.read(readme))
local blocks = markdown.blocks(lines)
local place = make_place()
local parts = {}
for _, block in ipairs(blocks) do
  local name = block.text:match "^%-%- (%S+%.lua)\n"
  if block.info == "lua" and name then
    use_file(place, block, name)
  elseif block.info == "lua" then
    parts[#parts + 1] = block
  elseif block.info == "console" then
    use_commands(place, block)
  end
end
if #parts > 0 then
  use_parts(place, parts)
end
shell("rm -r " .. place)

if write then
  for index = #blocks, 1, -1 do
    local block = blocks[index]
    if block.shown then
      table.move(lines, block.last + 1, #lines, block.first + #block.shown, lines)
      table.move(block.shown, 1, #block.shown, block.first, lines)
      for number = #lines, #lines - (block.last - block.first + 1 - #block.shown) + 1, -1 do
        lines[number] = nil
      end
    end
  end
  put(readme, table.concat(lines, "\n") .. "\n")
end
print(("%s: %s"):format(readme, complaints == 0 and "as shown" or complaints .. " complaints"))
os.exit(complaints == 0 and 0 or 1)
