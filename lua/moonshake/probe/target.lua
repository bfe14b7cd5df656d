-- SPDX-License-Identifier: MIT
-- What is probed, as it stands on the command line: HOST:PORT, [ADDRESS]:PORT, HOST, unix:PATH.
local socket = require "moonshake.io.socket"

local target = {}

local PORT = 443

-- Where the service is when a protocol's own port is not named. STARTTLS goes over the plain ones.
local PORTS = { ftp = 21, imap = 143, ldap = 389, pop3 = 110, postgres = 5432, smtp = 25,
                xmpp = 5222 }

--- Whether a host is an address, which has no place in SNI.
---@param host string
---@return boolean
function target.is_address(host)
  return host:find(":", 1, true) ~= nil or host:find "^%d+%.%d+%.%d+%.%d+$" ~= nil
end

--- How it is named to people: as it stands on the command line.
---@param place table
---@return string
function target.show(place)
  return (place.path and "unix:" or "") .. socket.show(place)
end

local function port_of(text)
  local port = text:find "^%d+$" and math.tointeger(tonumber(text))
  return port and port >= 1 and port <= 65535 and port or nil
end

--- Reads it.
---@param text string
---@param protocol? string of --starttls, for a port that is not named
---@return { host: string?, port: integer?, path: string? }|nil place
---@return string|nil problem
function target.parse(text, protocol)
  local path = text:match "^unix:(.*)$"
  if path == "" then
    return nil, "a path wanted behind unix:"
  elseif path then
    return { path = path }
  end
  local default = PORTS[protocol] or PORT
  local host, port = text:match "^%[([%x:.]+)%]:(.*)$"
  if not host then
    host = text:match "^%[([%x:.]+)%]$"
  end
  if not host and select(2, text:gsub(":", "")) > 1 then
    host = text:match "^[%x:.]+$" -- a bare IPv6 address
  elseif not host then
    host, port = text:match "^([^:]+):(.*)$"
    host = host or text:match "^[^:]+$"
  end
  if not host or host:find "[%s/%c]" then
    return nil, ("HOST:PORT, [ADDRESS]:PORT, HOST or unix:PATH wanted, got '%s'"):format(text)
  elseif port and not port_of(port) then
    return nil, ("a port from 1 to 65535 wanted behind the colon, got '%s'"):format(port)
  end
  return { host = host, port = port and port_of(port) or default }
end

return target
