-- SPDX-License-Identifier: MIT
-- Peers that speak no TLS, or speak without end: a clear word in time, in bounded memory.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local ms = require "moonshake"
local test, equal, contains = unit.test, unit.equal, unit.contains

local MIB = 1 << 20
local ALERT, HANDSHAKE, DATA = 21, 22, 23

-- The memory of this process, in MiB; 0 where nobody tells.
local function resident()
  for line in (io.open "/proc/self/status" or io.tmpfile()):lines() do
    local kilobytes = line:match "^VmRSS:%s+(%d+)"
    if kilobytes then
      return tonumber(kilobytes) // 1024
    end
  end
  return 0
end

-- A peer that answers with `first` and then sends `again` for as long as somebody listens.
local function endless(first, again)
  return function(socket, connection)
    socket:read(10)
    local sent = #first
    socket:write(first, 10)
    while again and sent < 1024 * MIB and world.problem_of(connection) == nil do
      if not socket:write(again, 10) then
        break
      end
      sent = sent + #again
    end
    while socket:read(10) do end
  end
end

local function record(kind, bytes)
  return world.record(kind, bytes)
end

-- pairs() in the order of names.
local function sorted(list)
  local names, index = {}, 0
  for name in pairs(list) do
    names[#names + 1] = name
  end
  table.sort(names)
  return function()
    index = index + 1
    return names[index], list[names[index]]
  end
end

local HTTP = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nspeak plain HTTP here"

-- What a client and a server say of each. What ends with the word "timeout" would be a hang.
for name, peer in sorted {
  garbage = { first = ("\xa7garbage"):rep(1000), again = ("\xa7garbage"):rep(1000),
              word = "protocol_violation" },
  ["plain HTTP"] = { first = HTTP, word = "protocol_violation" },
  ["zeroes"] = { first = ("\0"):rep(1000), again = ("\0"):rep(1000), word = "protocol_violation" },
  ["warnings without end"] = { first = "", again = record(ALERT, "\1\x5a"):rep(1000),
                               word = "protocol_violation" },
  ["empty records without end"] = { first = "", again = record(HANDSHAKE, ""):rep(1000),
                                    word = "protocol_violation" },
  ["empty data without end"] = { first = "", again = record(DATA, ""):rep(1000),
                                 word = "protocol_violation" },
  ["HelloRequests without end"] = { first = "", word = "protocol_violation",
                                    again = record(HANDSHAKE, "\0\0\0\0"):rep(1000) },
  ["ServerHellos without end"] = { first = "", word = "protocol_violation",
                                   again = record(HANDSHAKE, world.server_hello):rep(100) },
  ["tickets without end"] = { first = record(HANDSHAKE, world.server_hello),
                              word = "protocol_violation",
                              again = record(HANDSHAKE, world.message(4, ("t"):rep(500))):rep(20) },
  ["a certificate of 16 MiB"] = {
    first = record(HANDSHAKE, world.server_hello) .. record(HANDSHAKE, "\11\xff\xff\xf0"),
    again = record(HANDSHAKE, ("x"):rep(1 << 14)), word = "message_too_large",
  },
} do
  test("a client and " .. name, function()
    local before = resident()
    local client, content = world.against(endless(peer.first, peer.again),
                                          { versions = "TLS1.2" }, { timeout = 60 })
    equal(content, false)
    equal(world.problem_of(client), peer.word)
    equal(client.client.phase, "failed")
    equal(client.server.error, ms.tls.unknown)
    collectgarbage()
    collectgarbage()
    local grown = resident() - before
    equal(grown < 500, true, grown .. " MiB") -- the sanitizer keeps what was freed
  end)
end

for name, peer in sorted {
  -- GnuTLS takes it for a ClientHello of SSL 2 and waits for all of that.
  garbage = { ("\xa7garbage"):rep(2000), "protocol_violation" },
  ["plain HTTP"] = { "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "protocol_violation" },
  ["SSH"] = { "SSH-2.0-OpenSSH_9.2\r\n", "protocol_violation" },
  ["a warning, of which GnuTLS says that it is fatal"] = { record(ALERT, "\1\x5a"), "peer_alert" },
  ["a fatal alert"] = { record(ALERT, "\2\x2e"), "peer_alert" },
  ["a goodbye"] = { record(ALERT, "\1\0"), "closed_early" },
  ["a message of 16 MiB"] = { record(HANDSHAKE, "\1\xff\xff\xf0")
                              .. record(HANDSHAKE, ("x"):rep(1 << 14)):rep(1100),
                              "message_too_large" },
} do
  test("a server and " .. name, function()
    local server, content = world.served(function(socket)
      socket:write(peer[1], 10)
      while socket:read(10) do end
    end, {}, { timeout = 60 })
    equal(content, false)
    equal(world.problem_of(server), peer[2])
  end)
end

test("a peer that is slow to be wrong has the time that it takes", function()
  -- Nothing is decided before the header of the record is there.
  local client = world.against(function(socket)
    socket:read(10)
    for byte in HTTP:gmatch "." do
      if not socket:write(byte, 10) then
        return
      end
    end
    while socket:read(10) do end
  end, {}, { timeout = 60 })
  equal(world.problem_of(client), "protocol_violation")
  contains(client:explain(), "HTTP")
end)

test("key updates without end end a connection, since GnuTLS takes eight a second", function()
  local client, server = world.pair { versions = "TLS1.3" }
  local why = ms.together(function()
    return select(2, client:receive { timeout = 60 })
  end, function()
    for _ = 1, 1000 do
      if not server:update_keys() then
        return
      end
    end
  end)
  equal(why, "protocol_violation")
  equal(#client.events < 10000, true)
end)

test("tickets without end are borne as long as they are not too many", function()
  local client, server = world.pair({ versions = "TLS1.3" }, { tickets = 16 })
  server:close()
  equal(select(2, client:receive()), "closed")
  equal(client.client.tickets_received, 16)
end)

test("messages without end and without data are not", function()
  local most = require("moonshake.link.carrying").most
  local before = most.events
  most.events = 20
  local _ <close> = setmetatable({}, { __close = function() most.events = before end })
  local client = world.pair({ versions = "TLS1.3" }, { tickets = 16 })
  equal(select(2, client:receive()), "protocol_violation")
  contains(client.client.error.message, "messages without end")
end)

unit.done()
