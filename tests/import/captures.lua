-- SPDX-License-Identifier: MIT
-- Captures for tests of moonshake import, and what the program makes of them.
local files = require "moonshake.io.files"

local captures = {}

local program = assert(arg[1], "usage: test PROGRAM")
program = program:sub(1, 1) == "/" and program or files.working_directory() .. "/" .. program

captures.directory = assert(files.temporary_directory())

--- The path of a file below the directory.
function captures.path(name)
  return captures.directory .. "/" .. name
end

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end
captures.quoted = quoted

--- Runs a command line of the program in the directory: what it printed, errors too, and its
--- status.
---@param line string
function captures.run(line)
  local pipe = assert(io.popen(("cd %s && { %s %s; } 2>&1; echo \"[exit $?]\""):format(
    quoted(captures.directory), quoted(program), line)))
  local text, status = pipe:read("a"):match "^(.*)%[exit (%d+)%]\n$"
  pipe:close()
  return text, math.tointeger(tonumber(status))
end

-- The blocks of a pcapng file: type and bytes.
local function blocks_of(text)
  local at, list = 1, {}
  while at <= #text do
    local kind, length = string.unpack("<I4I4", text, at)
    list[#list + 1] = { kind, text:sub(at, at + length - 1) }
    at = at + length
  end
  return list
end

local SECRETS = 0x0000000A -- a Decryption Secrets Block

--- A capture without its secrets, and those as a key log.
---@param path string
---@return string capture its text
---@return string key_log
function captures.without_secrets(path)
  local pieces, logs = {}, {}
  for _, block in ipairs(blocks_of(assert(files.read(path)))) do
    if block[1] == SECRETS then
      local length = string.unpack("<I4", block[2], 13)
      logs[#logs + 1] = block[2]:sub(17, 16 + length)
    else
      pieces[#pieces + 1] = block[2]
    end
  end
  return table.concat(pieces), table.concat(logs)
end

local PACKET = 0x00000006 -- an Enhanced Packet Block

--- A capture of which each packet was kept up to so many bytes, as tcpdump -s does.
---@param path string
---@param most integer
---@return string capture its text
function captures.cut_short(path, most)
  local pieces = {}
  for _, block in ipairs(blocks_of(assert(files.read(path)))) do
    local kept = block[1] == PACKET and string.unpack("<I4", block[2], 21)
    if kept and kept > most then
      local body = block[2]:sub(9, 20) .. string.pack("<I4", most) .. block[2]:sub(25, 28 + most)
        .. ("\0"):rep(-most % 4)
      local length = string.pack("<I4", #body + 12)
      pieces[#pieces + 1] = string.pack("<I4", PACKET) .. length .. body .. length
    else
      pieces[#pieces + 1] = block[2]
    end
  end
  return table.concat(pieces)
end

--- Removes the directory.
function captures.remove()
  assert(files.remove_tree(captures.directory))
end

return captures
