-- SPDX-License-Identifier: MIT
-- Captures, read by a small reader of our own; formats/pcapng has them read by tshark.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local read = dofile(here .. "capture_reader.lua")
local ms = require "moonshake"
local native = require "moonshake.native"
local evidence = require "moonshake.evidence"
local files = require "moonshake.io.files"
local link_of = require "moonshake.link"
local pcapng = require "moonshake.views.pcapng"
local uv = require "luv"
local pki, tls = ms.pki, ms.tls
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

ms.clock:set(1700000000)
local ca = pki.authority { cn = "Root" }
local server = ca:issue { dns = "server.example" }
local alice = ca:issue { cn = "alice" }

local NONE = {} -- takes an option away

local function new_link(version, more)
  local given = {
    server = { identity = server, trust = ca, client_auth = "require" },
    client = { trust = ca, server_name = "server.example", identity = alice },
    versions = version,
  }
  for role, options in pairs(more or {}) do
    for name, value in pairs(options) do
      given[role][name] = value
      if value == NONE then
        given[role][name] = nil
      end
    end
  end
  return tls.link(given)
end

local function capture_of(...)
  local captured = {}
  for index, link in ipairs { ... } do
    captured[index] = link_of.capture(link)
  end
  return read(pcapng.of(captured, "the case"))
end

-- What a direction of a capture carries, joined.
local function carried(capture, from)
  local pieces = {}
  for _, packet in ipairs(capture.packets) do
    pieces[#pieces + 1] = packet.from:find(from, 1, true) == 1 and packet.payload or nil
  end
  return table.concat(pieces)
end

-- Packets as "C"lient's or "S"erver's with flags, or "data".
local function flow(capture, first)
  local words = {}
  for index = first or 1, #capture.packets do
    local packet = capture.packets[index]
    local who = packet.from:find "^192" and "C " or "S "
    words[#words + 1] = who .. (packet.payload ~= "" and "data" or packet.flags)
  end
  return table.concat(words, ", ")
end

-- All comments, each behind the number of its packet.
local function comments(capture)
  local lines = {}
  for index, packet in ipairs(capture.packets) do
    for _, comment in ipairs(packet.comments) do
      lines[#lines + 1] = index .. " " .. comment
    end
  end
  return lines
end

local function written(link, role)
  local pieces = {}
  for _, event in ipairs(link.events) do
    pieces[#pieces + 1] = event.kind == "record" and event.role == role
      and event.direction == "sent" and event.bytes or nil
  end
  return table.concat(pieces)
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  test("a capture carries the records as they are in " .. version, function()
    local link = new_link(version)
    link:handshake()
    link:send { from = "client", data = "hello" }
    local capture = capture_of(link)
    equal(capture.comment, "the case")
    contains(capture.application, "moonshake " .. native.version)
    equal(carried(capture, "192.0.2.1:") == written(link, "client"), true)
    equal(carried(capture, "198.51.100.1:4433") == written(link, "server"), true)
    contains(flow(capture), "C SYN, S SYN ACK, C ACK, C data, S data")
    equal(capture.names["192.0.2.1"], "client")
    equal(capture.names["198.51.100.1"], "server.example")
    local _, lines = capture.secrets:gsub("%u[%u_%d]+ %x+ %x+\n", "")
    equal(lines, version == "TLS1.3" and 5 or 1)
    equal(capture.packets[4].payload:byte(), 22)
    contains(flow(capture, #capture.packets), "C data") -- still open
  end)

  test("a link that was closed ends with FIN in " .. version, function()
    local link = new_link(version)
    link:handshake()
    link:close { by = "server" }
    equal(flow(capture_of(link)):match "data, (S FIN.*)", "S FIN ACK, C FIN ACK, S ACK")
    local other <close> = new_link(version)
    other:handshake()
    other:close()
    equal(flow(capture_of(other)):match "data, (C FIN.*)", "C FIN ACK, S FIN ACK, C ACK")
  end)

  test("a link that failed is reset by who failed first in " .. version, function()
    local link = new_link(version, { client = { identity = NONE } })
    link:handshake()
    local capture = capture_of(link)
    contains(flow(capture), "C data, S data, S RST ACK")
    local last = #capture.packets
    local late = version == "TLS1.3"
    equal(table.concat(comments(capture), "\n"), ([[
4 epoch: initial
%d server failed during handshake: no_certificate
%d server sent alert fatal %s
%d client failed during %s: peer_alert]]):format(
      late and 13 or 10, last - 1, late and "certificate_required (116)" or "decode_error (50)",
      last - 1, late and "read" or "handshake"))
  end)
end

test("a rejected certificate is told where it was read", function()
  local link = new_link("TLS1.3", { client = { trust = pki.authority { cn = "Another" } } })
  link:handshake()
  local said = table.concat(comments(capture_of(link)), "\n")
  contains(said, "10 client rejected its peer's certificate: signer_not_found\n")
  contains(said, "client failed during handshake: certificate_rejected")
  link = new_link("TLS1.3", { client = { verify = function() return false end } })
  link:handshake()
  contains(table.concat(comments(capture_of(link)), "\n"),
           "10 client rejected its peer's certificate: by its policy\n")
end)

test("each epoch is told at its first packet", function()
  local link = new_link "TLS1.2"
  link:handshake()
  local before = #capture_of(link).packets
  link:renegotiate { by = "server" }
  local said = comments(capture_of(link))
  equal(said[1], "4 epoch: initial")
  equal(said[2], ("%d epoch: renegotiation 1"):format(before + 1))
  link = new_link("TLS1.3", { client = { post_handshake_auth = false } })
  link:handshake()
  before = #capture_of(link).packets
  link:reauthenticate()
  said = comments(capture_of(link))
  equal(said[2], before .. " epoch: reauthentication 1")
  equal(said[3], before .. " server failed during handshake: post_handshake_auth_not_offered")
end)

test("a refused renegotiation leaves the connection open", function()
  local link = new_link("TLS1.2", { server = { renegotiation = "refuse" } })
  link:handshake()
  link:renegotiate { by = "client" }
  local capture = capture_of(link)
  contains(table.concat(comments(capture), "\n"), "renegotiation_refused")
  equal(flow(capture):find "FIN", nil)
  equal(flow(capture):find "RST", nil)
end)

test("an end that waits for ever is told", function()
  local link = new_link "TLS1.3"
  link:handshake()
  local captured = link_of.capture(link)
  captured.phases = { client = "stalled", server = "established" }
  local capture = read(pcapng.of { captured })
  equal(comments(capture)[2], #capture.packets .. " client stalled")
  contains(flow(capture, #capture.packets), "data")
end)

test("before the handshake there is nothing to capture, and the file says so", function()
  local link <close> = new_link "TLS1.3"
  local capture = capture_of(link)
  equal(#capture.packets, 0)
  equal(capture.secrets, nil)
  equal(capture.names["198.51.100.1"], "server.example")
end)

test("a handshake that ends before its first record is a connection that failed", function()
  local captured = link_of.capture(new_link "TLS1.3")
  captured.events = {
    { kind = "error", role = "client", during = "handshake", problem = "library_error", time = 1,
      epoch = "initial" },
  }
  captured.phases.client, captured.failed_first = "failed", "client"
  local capture = read(pcapng.of({ captured }))
  equal(flow(capture), "C SYN, S SYN ACK, C ACK, C RST ACK")
  equal(table.concat(comments(capture), "\n"),
        "3 epoch: initial\n3 client failed during handshake: library_error")
end)

test("a link whose sessions are gone is captured all the same", function()
  local kept
  do
    local link <close> = new_link "TLS1.3"
    link:handshake()
    kept = link
  end
  equal(carried(capture_of(kept), "192.0.2.1:") == written(kept, "client"), true)
end)

test("links are connections of their own, and servers have their names", function()
  local one, two = new_link "TLS1.3", new_link "TLS1.3"
  local other = new_link("TLS1.3", { client = { server_name = "other.example" } })
  for _, link in ipairs { one, two, other } do
    link:handshake()
  end
  local capture = capture_of(one, two, other)
  local ports, servers = {}, {}
  for _, packet in ipairs(capture.packets) do
    if packet.flags == "SYN" then
      ports[#ports + 1] = packet.from
      servers[#servers + 1] = packet.to
    end
  end
  equal(#ports, 3)
  equal(ports[1] ~= ports[2] and ports[2] ~= ports[3], true)
  equal(table.concat(servers, " "), "198.51.100.1:4433 198.51.100.1:4433 198.51.100.2:4433")
  equal(capture.names["198.51.100.2"], "other.example")
  local _, lines = capture.secrets:gsub("\n", "")
  equal(lines, 3 * 5)
end)

test("time is the case's clock, and moves on between packets", function()
  ms.clock:set(1700000000)
  local link = new_link("TLS1.3", { client = { clock_offset = -50 } })
  link:handshake()
  ms.clock:advance(1000)
  link:send { from = "client", data = "later" }
  local packets = capture_of(link).packets
  for index, packet in ipairs(packets) do
    local wanted = index < #packets and 1700000000 or 1700001000
    equal(packet.time, wanted * 1000000000 + index * 1000, "packet " .. index)
  end
  ms.clock:set(1700000000)
end)

test("a second that begins meanwhile is no gap", function()
  local captured = link_of.capture(new_link "TLS1.3")
  captured.events = {}
  for index, time in ipairs { 10, 11, 11, 12, 20, 5 } do
    captured.events[index] = { kind = "record", role = "client", direction = "sent", bytes = "x",
                               time = time, epoch = "initial" }
  end
  local times = {}
  for index, packet in ipairs(read(pcapng.of { captured }).packets) do
    times[index] = packet.time // 1000000000
  end
  equal(table.concat(times, " "), "10 10 10 10 10 10 10 18 3")
end)

test("what is longer than a frame is split", function()
  local bytes = "\23\3\3" .. ("x"):rep(60002)
  local captured = link_of.capture(new_link "TLS1.3")
  captured.events = {
    { kind = "record", role = "client", direction = "sent", bytes = bytes, time = 1,
      epoch = "initial" },
  }
  captured.phases.client = "established"
  local capture = read(pcapng.of({ captured }))
  equal(capture.comment, nil)
  equal(#capture.packets, 5)
  equal(#capture.packets[4].payload, 60000)
  equal(capture.packets[4].payload .. capture.packets[5].payload == bytes, true)
  equal(capture.packets[4].comments[1], "epoch: initial")
end)

test("sequence numbers and checksums hold over much data", function()
  local link = new_link "TLS1.2"
  link:handshake()
  for size = 1, 40 do
    link:send { from = size % 2 == 0 and "client" or "server", data = ("\xFF"):rep(size * 997) }
  end
  equal(carried(capture_of(link), "192.0.2.1:") == written(link, "client"), true)
end)

test("hostile names stay on their line, are valid UTF-8 and not without end", function()
  local name = "a\n\27[31m\xFF\u{202E}" .. ("\u{E9}"):rep(2000)
  local captured = link_of.capture(new_link "TLS1.3")
  captured.server_name = name
  captured.events = {
    { kind = "record", role = "client", direction = "sent", bytes = "\22\3\1\0\0", time = 1,
      epoch = name },
    { kind = "error", role = "client", during = "handshake", problem = name, time = 1,
      epoch = name },
  }
  local capture = read(pcapng.of({ captured }, name .. "\0"))
  local texts = { capture.comment, capture.names["198.51.100.1"], table.unpack(comments(capture)) }
  equal(#texts, 4)
  for _, text in ipairs(texts) do
    equal(utf8.len(text) ~= nil, true)
    equal(text:find "[%z\1-\31\127]", nil)
    equal(#text < 1100, true)
    contains(text, [[a\x0A\x1B[31m]] .. "\u{FFFD}" .. [[\u{202E}]] .. "\u{E9}")
  end
end)

test("link:pcapng writes a file that is this user's alone", function()
  local directory = assert(files.temporary_directory())
  local path = directory .. "/link.pcapng"
  local link = new_link "TLS1.3"
  link:handshake()
  assert(files.write(path, "of before"))
  assert(uv.fs_chmod(path, tonumber("644", 8)))
  equal(link:pcapng(path), path)
  equal(assert(uv.fs_stat(path)).mode & 511, tonumber("600", 8))
  local capture = read(assert(files.read(path)))
  equal(carried(capture, "192.0.2.1:") == written(link, "client"), true)
  equal(capture.comment, nil) -- there is no case
  equal(#files.list(directory), 1)
  raises("link:pcapng: cannot write " .. directory .. "/absent/file", function()
    link:pcapng(directory .. "/absent/file")
  end)
  raises("link:pcapng: path: ", function() link:pcapng() end)
  raises("link:pcapng: to be called with a colon", function() link.pcapng(path) end)
  equal(files.remove_tree(directory), true)
end)

test("a capture that cannot be made costs no result", function()
  local notes = {}
  local case = {
    id = "a.lua::x", failures = {}, scenario = {},
    tellers = { function() return {} end }, -- no link at all
    num_links = function() return 1 end,
    note = function(_, text) notes[#notes + 1] = text end,
  }
  local made = evidence.of(case, { captures = { folder = "/nowhere" } }, 1)
  equal(made.captures, nil)
  equal(#notes, 1)
  contains(notes[1], "there is no capture: ")
end)

test("a function that the link runs cannot capture it", function()
  local link
  link = new_link("TLS1.3", { client = { identity = function()
    return link:pcapng "/nowhere/at/all"
  end } })
  raises("link:pcapng: the link is in use", function() link:handshake() end)
end)

unit.done()
