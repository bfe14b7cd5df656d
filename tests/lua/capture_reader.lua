-- SPDX-License-Identifier: MIT
-- Reads our captures without the library, and complains of whatever a viewer might: lengths,
-- padding, checksums, sequence and acknowledgement numbers.
--   local capture = dofile(".../capture_reader.lua")(bytes, has_gaps)
-- has comment, application, secrets (text), names (by address "192.0.2.1") and packets, each with
-- time (nanoseconds), comments, from, to ("address:port"), flags ("SYN ACK"), sequence,
-- acknowledged (both from 0 on) and payload. has_gaps: between packets bytes may be missing, which
-- are acknowledged then.

-- The ones' complement sum, as RFC 1071 has it: of whole, sound data it is 0xFFFF.
local function sum_of(bytes)
  bytes = bytes .. ("\0"):rep(#bytes % 2)
  local sum = 0
  for at = 1, #bytes, 2 do
    sum = sum + (">I2"):unpack(bytes, at)
  end
  while sum > 0xFFFF do
    sum = (sum & 0xFFFF) + (sum >> 16)
  end
  return sum
end

-- Cuts padded values of { code, value } off `body`; there must be an end if there is anything.
local function values_of(body)
  local list, at = {}, 1
  while at <= #body do
    local code, length
    code, length, at = ("<I2I2"):unpack(body, at)
    if code == 0 then
      assert(length == 0 and at == #body + 1, "something stands behind the end of options")
      return list
    end
    local after = at + length + -length % 4
    assert(not body:sub(at + length, after - 1):find "[^\0]", "padding that is not zero")
    list[#list + 1] = { code, body:sub(at, at + length - 1) }
    assert(#list[#list][2] == length, "an option is cut")
    at = after
  end
  assert(#list == 0, "options have no end")
  return list
end

local function dotted(address)
  return ("%d.%d.%d.%d"):format(address:byte(1, 4))
end

local FLAGS = { "FIN", "SYN", "RST", "PSH", "ACK" }

local function flags_of(bits)
  local words = {}
  for index, word in ipairs(FLAGS) do
    words[#words + 1] = bits >> (index - 1) & 1 == 1 and word or nil
  end
  return table.concat(words, " ")
end

local function frame_of(bytes)
  assert(bytes:sub(13, 14) == "\8\0", "no IPv4 in Ethernet")
  local ip = bytes:sub(15)
  assert(ip:byte(1) == 0x45 and (">I2"):unpack(ip, 3) == #ip, "IPv4's length is wrong")
  assert(ip:byte(10) == 6 and sum_of(ip:sub(1, 20)) == 0xFFFF, "IPv4's checksum is wrong")
  local segment = ip:sub(21)
  assert(sum_of(ip:sub(13, 20) .. (">I2I2"):pack(6, #segment) .. segment) == 0xFFFF,
         "TCP's checksum is wrong")
  local from, to, sequence, acknowledged, offset, flags = (">I2I2I4I4BB"):unpack(segment)
  return {
    from = dotted(ip:sub(13, 16)) .. ":" .. from, to = dotted(ip:sub(17, 20)) .. ":" .. to,
    flags = flags_of(flags), sequence = sequence, acknowledged = acknowledged,
    payload = segment:sub((offset >> 4) * 4 + 1),
  }
end

-- Makes numbers relative and compares them with what was sent before.
local function follow(streams, packet, has_gaps)
  local one, other = packet.from .. packet.to, packet.to .. packet.from
  if packet.flags == "SYN" then
    assert(not streams[one], "the same ports again")
  end
  if packet.flags:find "SYN" then
    streams[one] = { first = packet.sequence, next = packet.sequence }
  end
  if packet.flags == "RST ACK" and not streams[one] then -- in answer to a SYN
    assert(packet.sequence == 0)
    streams[one] = { first = 0, next = 0 }
  end
  local own, peer = streams[one], streams[other]
  if has_gaps and peer then
    own.next = math.max(own.next, packet.sequence)
    peer.next = math.max(peer.next, packet.acknowledged)
  end
  assert(packet.sequence == own.next, "not the next sequence number")
  own.next = own.next + #packet.payload + (packet.flags:find "[SF][YI]N" and 1 or 0)
  packet.sequence = packet.sequence - own.first
  if packet.flags:find "ACK" then
    assert(packet.acknowledged == peer.next, "not all that was sent is acknowledged")
    packet.acknowledged = packet.acknowledged - peer.first
  else
    assert(packet.acknowledged == 0)
  end
end

local READ = {}

READ[0x0A0D0D0A] = function(capture, body)
  assert(not capture.section, "two sections")
  assert(("<I4I2I2i8"):pack(0x1A2B3C4D, 1, 0, -1) == body:sub(1, 16), "no section header")
  capture.section = true
  for _, option in ipairs(values_of(body:sub(17))) do
    capture[assert(({ "comment", nil, nil, "application" })[option[1]])] = option[2]
  end
end

READ[10] = function(capture, body)
  assert(capture.interface, "no interface before the secrets: editcap knows no encapsulation then")
  assert(#capture.packets == 0, "secrets behind packets")
  local kind, length = ("<I4I4"):unpack(body)
  assert(kind == 0x544C534B and #body == 8 + length + -length % 4)
  capture.secrets = body:sub(9, 8 + length)
end

READ[1] = function(capture, body)
  assert(("<I2I2I4"):pack(1, 0, 0) == body:sub(1, 8), "not Ethernet")
  capture.interface = true
  local seen = {}
  for _, option in ipairs(values_of(body:sub(9))) do
    seen[option[1]] = option[2]
  end
  assert(seen[9] == "\9", "not nanoseconds")
end

READ[4] = function(capture, body)
  assert(#capture.packets == 0)
  for _, record in ipairs(values_of(body)) do
    assert(record[1] == 1 and record[2]:sub(-1) == "\0" and not record[2]:sub(5, -2):find "\0")
    capture.names[dotted(record[2])] = record[2]:sub(5, -2)
  end
end

READ[6] = function(capture, body)
  assert(capture.interface, "a packet before its interface")
  local interface, high, low, length, original = ("<I4I4I4I4I4"):unpack(body)
  assert(interface == 0 and length == original)
  local packet = frame_of(body:sub(21, 20 + length))
  packet.time, packet.comments = high << 32 | low, {}
  local after = 20 + length + -length % 4
  assert(not body:sub(21 + length, after):find "[^\0]", "padding that is not zero")
  for index, option in ipairs(values_of(body:sub(after + 1))) do
    assert(option[1] == 1)
    packet.comments[index] = option[2]
  end
  follow(capture.streams, packet, capture.has_gaps)
  table.insert(capture.packets, packet)
end

return function(bytes, has_gaps)
  local capture, at = { packets = {}, names = {}, streams = {}, has_gaps = has_gaps }, 1
  while at <= #bytes do
    local kind, length = ("<I4I4"):unpack(bytes, at)
    assert(length % 4 == 0 and at + length <= #bytes + 1, "a block's length is wrong")
    assert(("<I4"):unpack(bytes, at + length - 4) == length, "a block has two lengths")
    assert(capture.section or kind == 0x0A0D0D0A, "it begins without a section")
    READ[kind](capture, bytes:sub(at + 8, at + length - 5))
    at = at + length
  end
  return capture
end
