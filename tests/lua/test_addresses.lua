-- SPDX-License-Identifier: MIT
-- Names with several addresses: in which order they are tried, and what comes of it. Who is asked
-- for names is the test.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local uv = require "luv"
local loop = require "moonshake.io.loop"
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"
local told = require("moonshake.io.addresses").told
local world = dofile(here .. "live_world.lua")
local test, equal, contains = unit.test, unit.equal, unit.contains

-- Calls f() while a name has these addresses, nil: none.
local function where(addresses, f)
  local real, answer = uv.getaddrinfo, addresses and {}
  for index, address in ipairs(addresses or {}) do
    answer[index] = { addr = address,
                      family = address:find(":", 1, true) and "inet6" or "inet" }
  end
  uv.getaddrinfo = function(_, _, _, tell) -- luacheck: ignore 122
    local timer
    timer = loop.timer(function()
      timer:close()
      tell(not answer and "EAI_NONAME" or nil, answer)
    end)
    timer:set(0, 0)
    return timer
  end
  local _ <close> = setmetatable({}, { __close = function()
    uv.getaddrinfo = real -- luacheck: ignore 122
  end })
  return f()
end

-- A client's handshake with the listener by such a name.
local function met(listener, addresses)
  local client = ms.tls.connect { host = "many.example", port = listener.port,
                                  client = world.client() }
  where(addresses, function()
    world.meet(listener, client)
  end)
  return client
end

test("an address that refuses is passed over", function()
  local listener <close> = world.listen()
  for _, addresses in ipairs {
    { "127.0.0.1" }, { "127.0.0.2", "127.0.0.1" }, { "::1", "127.0.0.2", "127.0.0.1" },
  } do
    local client = met(listener, addresses)
    equal(client.client.handshake_completed, true)
    equal(client.remote, "127.0.0.1:" .. listener.port)
    client:close()
  end
end)

test("where each refuses, that is the problem; where there is none, the name is", function()
  local listener = world.listen()
  local port = listener.port
  listener:close()
  for problem, addresses in pairs {
    connection_refused = { "127.0.0.2", "127.0.0.1" }, name_not_found = false,
  } do
    local client = ms.tls.connect { host = "many.example", port = port, client = world.client() }
    where(addresses or nil, function()
      equal(client:handshake(), false)
    end)
    equal(client.client.error.problem, problem)
    contains(client.client.error.message, "many.example")
  end
end)

test("the families take turns, in the order in which they were told", function()
  local list = where({ "::1", "::2", "127.0.0.1", "127.0.0.2", "::3" }, function()
    return sockets.resolve("many.example", 10)
  end)
  equal(table.concat(list, " "), "::1 127.0.0.1 ::2 127.0.0.2 ::3")
end)

test("what the system says has a word of ours and a sentence", function()
  for code, wanted in pairs {
    ECONNREFUSED = "connection_refused: connection refused",
    EHOSTUNREACH = "connection_refused: no route to the host",
    ENETUNREACH = "connection_refused: the network is unreachable",
    ECONNRESET = "connection_reset: connection reset by the peer",
    EPIPE = "connection_reset: the peer takes nothing any more",
    ECONNABORTED = "connection_reset: connection aborted",
    ETIMEDOUT = "timeout: the system gave it up: no answer",
    ENOENT = "name_not_found: no such file",
    EACCES = "otherwise: permission denied", EADDRINUSE = "otherwise: address already in use",
    EADDRNOTAVAIL = "otherwise: no address of this machine",
    EMFILE = "otherwise: too many open files", EAI_NONAME = "name_not_found: no such name",
    EAI_NODATA = "name_not_found: the name has no address",
    EAI_AGAIN = "name_not_found: nobody could be asked for the name",
    EAI_FAIL = "name_not_found: the name server failed", ["it burns"] = "otherwise: it burns",
    ["ENOSPC: no space"] = "otherwise: ENOSPC: no space",
    ["ENOENT: no such file or directory"] = "name_not_found: no such file",
  } do
    equal(table.concat({ told(code, "otherwise") }, ": "), wanted)
  end
end)

test("who does not answer to a name in time is a timeout, and one who cannot be asked no name",
     function()
  local real = uv.getaddrinfo
  local cancelled = false
  uv.getaddrinfo = function() -- luacheck: ignore 122
    return { cancel = function() cancelled = true end }
  end
  local list, problem, message = sockets.resolve("many.example", 0.01)
  equal(list, nil)
  equal(problem, "timeout")
  equal(message, "no answer to who many.example is")
  equal(cancelled, true)
  uv.getaddrinfo = function() return nil, "EAI_AGAIN: x", "EAI_AGAIN" end -- luacheck: ignore 122
  list, problem, message = sockets.resolve("many.example", 5)
  uv.getaddrinfo = real -- luacheck: ignore 122
  equal(list, nil)
  equal(problem, "name_not_found")
  equal(message, "many.example: nobody could be asked for the name")
end)

unit.done()
