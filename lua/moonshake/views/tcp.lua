-- SPDX-License-Identifier: MIT
-- The TCP connection that a link in memory never had: frames of Ethernet, IPv4 and TCP with correct
-- numbers and checksums round what its ends wrote.
local tcp = {}

local FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
local OTHER = { client = "server", server = "client" }

-- A frame's length is told in 16 bits.
local MOST_PAYLOAD = 60000

-- Initial sequence numbers; viewers count from them.
local FIRST = { client = 1000000, server = 2000000 }

-- The largest segment there is, and a window that is never full: 65535 << 14 bytes.
local SYN_OPTIONS = "\2\4\xFF\xD7" .. "\1" .. "\3\3\14"
local WINDOW = 65535

-- Of these addresses it is seen that they are made up: locally administered ones, and those of
-- documentation (RFC 5737).
local MAC = { client = "\2\0\0\0\0\1", server = "\2\0\0\0\0\2" }
local CLIENT_ADDRESS, SERVER_NETWORK = "\192\0\2\1", "\198\51\100"

local SERVER_PORT = 4433 -- no protocol is expected within TLS there
local FIRST_CLIENT_PORT, CLIENT_PORTS = 49152, 16384

-- The ones' complement sum of 16-bit words (RFC 1071). It is the same modulo 65535 whatever the
-- words' size, so it goes by larger ones.
local function checksum(bytes)
  bytes = bytes .. ("\0"):rep(-#bytes % 4)
  local sum, at, unpack = 0, 1, string.unpack
  while at + 31 <= #bytes do
    local a, b, c, d, e, f, g, h = unpack(">I4I4I4I4I4I4I4I4", bytes, at)
    sum = sum + a + b + c + d + e + f + g + h
    at = at + 32
  end
  while at <= #bytes do
    sum = sum + unpack(">I4", bytes, at)
    at = at + 4
  end
  while sum > 0xFFFF do
    sum = (sum & 0xFFFF) + (sum >> 16)
  end
  return ~sum & 0xFFFF
end

-- `text` with the checksum of `covered` where that has two bytes of zero.
local function sealed(text, at, covered)
  return text:sub(1, at - 1) .. (">I2"):pack(checksum(covered or text)) .. text:sub(at + 2)
end

local Connection = {}
Connection.__index = Connection

-- A segment from one end, which has seen all that the other has sent.
function Connection:frame(role, flags, payload, options)
  local from, to = self[role], self[OTHER[role]]
  options = options or ""
  local acknowledged = flags & ACK ~= 0 and to.sequence or 0
  local segment = (">I2I2I4I4BBI2I2I2"):pack(
    from.port, to.port, from.sequence, acknowledged, (20 + #options) // 4 << 4, flags, WINDOW, 0, 0)
    .. options .. payload
  local pseudo_header = (">c4c4I2I2"):pack(from.address, to.address, 6, #segment)
  segment = sealed(segment, 17, pseudo_header .. segment)
  self.packets = self.packets + 1
  local header = (">BBI2I2I2BBI2c4c4"):pack(0x45, 0, 20 + #segment, self.packets & 0xFFFF, 0x4000,
                                            64, 6, 0, from.address, to.address)
  local counted = #payload + (flags & (SYN | FIN) ~= 0 and 1 or 0)
  from.sequence = from.sequence + counted & 0xFFFFFFFF
  return MAC[OTHER[role]] .. MAC[role] .. "\8\0" .. sealed(header, 11) .. segment
end

--- The frames that open the connection.
---@return string[]
function Connection:open()
  return {
    self:frame("client", SYN, "", SYN_OPTIONS),
    self:frame("server", SYN | ACK, "", SYN_OPTIONS),
    self:frame("client", ACK, ""),
  }
end

--- The frames of an attempt that led to no connection.
---@param is_refused boolean whether somebody said so
---@return string[]
function Connection:attempt(is_refused)
  self.server.sequence = 0 -- as RFC 9293 section 3.10.7.1 has it
  return { self:frame("client", SYN, "", SYN_OPTIONS),
           is_refused and self:frame("server", RST | ACK, "") or nil }
end

--- The frames that carry what one end wrote at once: one, unless it is longer than a frame may be.
---@param role string
---@param bytes string
---@return string[]
function Connection:data(role, bytes)
  local frames = {}
  for at = 1, #bytes, MOST_PAYLOAD do
    frames[#frames + 1] = self:frame(role, PSH | ACK, bytes:sub(at, at + MOST_PAYLOAD - 1))
  end
  return frames
end

--- One end wrote so many bytes that nobody has: the next that it writes come behind them.
---@param role string
---@param length integer
function Connection:skip(role, length)
  self[role].sequence = self[role].sequence + length & 0xFFFFFFFF
end

--- One end says that it sends no more.
---@param role string
---@return string frame
function Connection:finish(role)
  return self:frame(role, FIN | ACK, "")
end

--- One end confirms what it got.
---@param role string
---@return string frame
function Connection:acknowledge(role)
  return self:frame(role, ACK, "")
end

--- One end breaks the connection off.
---@param role string
---@return string frame
function Connection:reset(role)
  return self:frame(role, RST | ACK, "")
end

--- The address of the server number `host`, of as many as there are.
---@param host integer from 1
---@return string four bytes
function tcp.server_address(host)
  return SERVER_NETWORK .. string.char((host - 1) % 254 + 1)
end

--- The address of every client.
tcp.client_address = CLIENT_ADDRESS

--- A connection of which nothing has been sent. The client's port is told by the number: viewers
--- take two connections with the same ports for one.
---@param number integer from 1
---@param host integer see server_address()
---@return table connection
function tcp.connection(number, host)
  return setmetatable({
    packets = 0,
    client = { address = CLIENT_ADDRESS, sequence = FIRST.client,
               port = FIRST_CLIENT_PORT + (number - 1) % CLIENT_PORTS },
    server = { address = tcp.server_address(host), sequence = FIRST.server, port = SERVER_PORT },
  }, Connection)
end

return tcp
