-- SPDX-License-Identifier: MIT
-- Captures of connections: what was received here is what the far end wrote.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local live = dofile(here .. "live_pairs.lua")
local read = dofile(here .. "capture_reader.lua")
local ms = require "moonshake"
local link_of = require "moonshake.link"
local pcapng = require "moonshake.views.pcapng"
local test, equal, contains = unit.test, unit.equal, unit.contains

local function capture_of(link)
  return read(pcapng.of { link_of.capture(link) })
end

-- What each role wrote, and the packets as words: "C data, S FIN ACK".
local function told(capture)
  local made, words, comments = { client = "", server = "" }, {}, {}
  for index, packet in ipairs(capture.packets) do
    local role = packet.from:find "^192" and "client" or "server"
    made[role] = made[role] .. packet.payload
    words[index] = role:sub(1, 1):upper() .. " "
      .. (packet.payload ~= "" and "data" or packet.flags)
    table.move(packet.comments, 1, #packet.comments, #comments + 1, comments)
  end
  made.flow, made.comments = table.concat(words, ", "), table.concat(comments, "\n")
  return made
end

-- What crossed the wire by the log of the end that is here.
local function logged(connection)
  local made = { client = "", server = "" }
  local far = link_of.far(connection).role
  for _, event in ipairs(connection.events) do
    local from = event.direction == "sent" and event.role or far
    made[from] = made[from] .. (event.kind == "record" and event.bytes or "")
  end
  return made
end

for _, version in ipairs(live.VERSIONS) do
  test("both ends' captures of one connection have the same in " .. version, function()
    local client, server = live.pair(version, { identity = live.alice },
                                     { client_auth = "require" })
    local both = {}
    for index, one in ipairs { client, server } do
      local found, wanted = told(capture_of(one)), logged(one)
      equal(found.client == wanted.client and found.server == wanted.server, true)
      contains(found.flow, "C SYN, S SYN ACK, C ACK, C data, S data")
      contains(found.comments, ("the %s is not ours: %s; the addresses here are made up"):format(
        link_of.far(one).role, one.remote))
      contains(found.comments, "client sent alert warning close_notify (0)")
      contains(found.comments, "server sent alert warning close_notify (0)")
      contains(found.flow, "C FIN ACK")
      contains(found.flow, "S FIN ACK")
      both[index] = found
    end
    equal(both[1].client == both[2].client, true)
    equal(both[1].server == both[2].server, true)
  end)
end

test("how the far end left is how its connection ends", function()
  local gone = told(capture_of(live.client_of(function(raw) raw:read(10) end)))
  contains(gone.flow, "C data, S FIN ACK, C RST ACK")
  contains(gone.comments, "client failed during handshake: closed_early")
  local reset = told(capture_of(live.client_of(function(raw)
    raw:read(10)
    raw:close(true)
  end)))
  contains(reset.flow, "C data, S RST ACK")
end)

test("where there was no connection there is none", function()
  local nobody = told(capture_of(live.client_of_nobody()))
  equal(nobody.flow, "C SYN, S RST ACK")
  contains(nobody.comments, "client failed during handshake: connection_refused")
  local nowhere = ms.tls.connect { path = "/nowhere/at/all.sock", client = {} }
  equal(#capture_of(nowhere).packets, 0)
  nowhere:handshake()
  equal(#capture_of(nowhere).packets, 0)
end)

test("what is no TLS is there as it came", function()
  local found = told(capture_of(live.client_of(live.says "SSH-2.0-OpenSSH_9.2\r\n")))
  equal(found.server, "SSH-2.0-OpenSSH_9.2\r\n")
  contains(found.comments, "no record of TLS: the first bytes that came")
  found = told(capture_of(live.server_of(live.says "GET / HTTP/1.1\r\n\r\n")))
  equal(found.client, "GET / HTTP/1.1\r\n\r\n")
end)

unit.done()
