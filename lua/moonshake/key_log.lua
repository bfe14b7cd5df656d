-- SPDX-License-Identifier: MIT
-- Key logs, by which other programs decrypt what they recorded: secrets as lines, and the file that
-- the variable SSLKEYLOGFILE asks for. GnuTLS would write that one itself, each secret for each of
-- our two ends; since the log takes the secrets it does not, and this is who writes.
local key_log = {}

local PRIVATE = 384 -- 0600

local path = os.getenv "SSLKEYLOGFILE"
if path == "" then
  path = nil
end

--- Whether the environment asks for one.
key_log.wanted = path ~= nil

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

--- Secrets as lines: LABEL, the random of the client, the secret.
---@param secrets { label: string, client_random: string, secret: string }[]
---@param first? integer of the first one wanted; 1 if not said
---@return string text each line with its end
function key_log.text(secrets, first)
  local lines = {}
  for index = first or 1, #secrets do
    local one = secrets[index]
    lines[#lines + 1] = ("%s %s %s\n"):format(one.label, hexadecimal(one.client_random),
                                              hexadecimal(one.secret))
  end
  return table.concat(lines)
end

--- Adds secrets to the file, in whole lines though other processes may do the same.
---@param secrets table[] see text(); of none it only sees whether the file can be written
---@param first? integer
---@return true|nil
---@return string|nil problem
function key_log.add(secrets, first)
  local files = require "moonshake.io.files" -- few need luv
  local done, problem = files.append(path, key_log.text(secrets, first), PRIVATE)
  return done, problem and "SSLKEYLOGFILE: " .. problem
end

return key_log
