-- SPDX-License-Identifier: MIT
-- What is shown of a relay's connection: its diagram and its capture.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local read_capture = dofile(here .. "capture_reader.lua")
local files = require "moonshake.io.files"
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"
local tls = ms.tls
local faults = tls.faults
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local LOCAL = "127.0.0.1"
local LONG = 10 -- seconds

-- A connection between sockets, of which the relay is closed again, after `talk` with a function
-- say(from, bytes, arrived) that waits until so many bytes (if not said, all of them) are there.
local function talk(given, f)
  local target = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  given.to = { port = target.port }
  local relay = tls.relay(given)
  local near = assert(sockets.connect({ host = LOCAL, port = relay.port }, LONG))
  local far = assert(target:accept(LONG))
  target:close()
  f(near, far, function(from, bytes, arrived)
    local to, count = from == near and far or near, 0
    assert(from:write(bytes, LONG))
    while count < (arrived or #bytes) do
      count = count + #assert(to:read(LONG))
    end
    equal(count, arrived or #bytes)
  end)
  relay:close()
  return relay.connections[1]
end

local CLIENT_HELLO = "\22\3\1\0\4\1\0\0\0"
local SERVER_HELLO = "\22\3\3\0\8\2\0\0\0\14\0\0\0"
local DATA, ALERT = "\23\3\3\0\5xxxxx", "\21\3\3\0\2\2\50"

---------------------------------------------------------------------------------------------------
-- Diagrams

test("a connection is drawn as a link is", function()
  local one = talk({
    tamper = faults.chain { faults.drop { at = "encrypted" },
                            faults.flip { at = "ServerHello", byte = -1 } },
  }, function(near, far, say)
    say(near, "STARTTLS\r\n")
    say(near, CLIENT_HELLO)
    say(far, SERVER_HELLO)
    say(near, DATA:rep(3) .. "\23\3\3\0\4xxxx", 29)
    say(far, ALERT)
    near:shutdown()
    equal(select(2, far:read(LONG)), "closed")
  end)
  equal(one:diagram { width = 60 }, [[
client                                                server
   |-- no TLS ----------------------------------------->|
   |     10 bytes                                       |
   |-- ClientHello ------------------------------------>|
   |                                                    |
   |<-- changed on the way -------------- ServerHello --|
   |<-- changed on the way ---------- ServerHelloDone --|
   |                                                    |
   |-- [application_data] -- lost on the way --x        |
   |     10 bytes                                       |
   |-- [application_data] x 3 ------------------------->|
   |     29 bytes                                       |
   |                                                    |
   |<----------------- Alert: fatal decode_error (50) --|
   - closes the connection                              |
   |  # the relay closes the connection                 |
   |                                                    |
closed                                            was closed
[ ] encrypted]])
  contains(one:diagram { format = "mermaid" },
           "server->>client: ServerHelloDone (changed on the way)")
  contains(one:diagram { format = "svg" }, "changed on the way")
  raises("connection:diagram: width: wants an integer from 60", function()
    one:diagram { width = 5 }
  end)
  raises("connection:diagram: to be called with a colon, on a connection of a relay", function()
    one.diagram {}
  end)
end)

---------------------------------------------------------------------------------------------------
-- Captures

-- The capture of a connection, read again.
local function capture_of(connection, has_gaps)
  local directory = assert(files.temporary_directory())
  local path = directory .. "/relayed.pcapng"
  equal(connection:pcapng(path), path)
  local file <close> = assert(io.open(path, "rb"))
  local capture = read_capture(file:read "a", has_gaps)
  assert(files.remove_tree(directory))
  local words, comments = {}, {}
  for index, packet in ipairs(capture.packets) do
    words[index] = (packet.from:find "^192" and "C " or "S ")
      .. (packet.payload ~= "" and #packet.payload or packet.flags)
    table.move(packet.comments, 1, #packet.comments, #comments + 1, comments)
  end
  return table.concat(words, ", "), table.concat(comments, "\n"), capture
end

test("a capture has what each side sent, and when it ended", function()
  local flow, comments, capture = capture_of(talk({ tamper = faults.drop { at = "encrypted" } },
                                                  function(near, far, say)
    say(near, CLIENT_HELLO)
    say(far, SERVER_HELLO)
    say(near, DATA .. DATA, #DATA)
    near:shutdown()
    equal(select(2, far:read(LONG)), "closed")
    say(far, ALERT)
    far:close()
    equal(select(2, near:read(LONG)), "closed")
  end))
  equal(flow, "C SYN, S SYN ACK, C ACK, C 9, S 13, C 10, C 10, C FIN ACK, S 7, S FIN ACK")
  equal(comments:gsub("from 127.0.0.1:%d+", "from X"), table.concat({
    "connection 1 of a relay, from X; the addresses here are made up",
    "dropped on the way: these bytes were sent",
    "server sent alert fatal decode_error (50)",
  }, "\n"))
  equal(capture.packets[5].payload, SERVER_HELLO)
  equal(capture.secrets, nil)
end)

test("the server has the name in it that the client asked for", function()
  local name = string.pack(">s2", string.pack(">s2", "\0" .. string.pack(">s2", "a.example")))
  local hello = "\3\3" .. ("r"):rep(32) .. "\0\0\2\x13\1\1\0"
    .. string.pack(">s2", "\0\0" .. name)
  local _, _, capture = capture_of(talk({}, function(near, _, say)
    say(near, "\22\3\1" .. string.pack(">s2", "\1" .. string.pack(">s3", hello)))
  end))
  local names = {}
  for _, told in pairs(capture.names) do
    names[told] = true
  end
  equal(names["a.example"], true)
end)

test("what was not kept is a gap in it", function()
  local flow, comments, capture = capture_of(talk({ keep = 13 }, function(near, far, say)
    say(near, CLIENT_HELLO)
    say(far, SERVER_HELLO)
    say(near, "\21\3\3\0")
    near:shutdown()
    equal(select(2, far:read(LONG)), "closed")
  end), true)
  equal(flow, "C SYN, S SYN ACK, C ACK, C 9, C 4, C FIN ACK, S FIN ACK")
  contains(comments, "the relay closes it")
  equal(capture.packets[5].acknowledged, 1 + #SERVER_HELLO)
  equal(capture.packets[7].sequence, 1 + #SERVER_HELLO)
end)

test("what was dropped and not kept is not told of what stands before it", function()
  local drop = faults.drop { at = "encrypted" }
  local _, comments, capture = capture_of(talk({ keep = 9, tamper = drop }, function(near, _, say)
    say(near, CLIENT_HELLO)
    say(near, DATA .. DATA, #DATA)
  end), true)
  equal(capture.packets[4].payload, CLIENT_HELLO)
  contains(comments, "behind this a record of 10 bytes, which are not kept, was dropped on the way")
  equal(comments:find("these bytes were sent", 1, true), nil)
end)

test("of a connection that never was there is no packet", function()
  local gone = assert(sockets.listen({ host = LOCAL, port = 0 }, LONG))
  local relay = tls.relay { to = { port = gone.port } }
  gone:close()
  local near = assert(sockets.connect({ host = LOCAL, port = relay.port }, LONG))
  equal(near:read(LONG), nil)
  equal(relay:wait(), true)
  local flow, comments = capture_of(relay.connections[1])
  equal(flow, "")
  equal(comments, "")
  relay:close()
end)

test("a path is wanted, and a file that cannot be written is told", function()
  local one = talk({}, function(near, _, say) say(near, CLIENT_HELLO) end)
  raises("connection:pcapng: path", function() one:pcapng() end)
  raises("connection:pcapng: ", function() one:pcapng "/nowhere/x.pcapng" end)
  raises("connection:pcapng: to be called with a colon", function() one.pcapng "x" end)
end)

unit.done()
