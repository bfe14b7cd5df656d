-- SPDX-License-Identifier: MIT
-- What a connection leaves behind: its peer learns of its end, nobody waits for what is over, and
-- no handle stays open.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local inside = require "moonshake.link.state"
local loop = require "moonshake.io.loop"
local ms = require "moonshake"
local sockets = require "moonshake.io.socket"
local world = dofile(here .. "live_world.lua")
local test, equal, raises = unit.test, unit.equal, unit.raises

local LONG = 60 -- seconds that nobody waits, unless something is broken

-- Calls f(), which must not have waited.
local function at_once(f)
  local begun = loop.now()
  f()
  equal(loop.now() - begun < LONG / 2, true, "it waited")
end

-- How many handles there are once what is due has happened.
local function num_handles()
  loop.settle()
  return world.num_handles()
end

-- A listener and both ends of a connection to it, without TLS.
local function pair()
  local listener = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 5))
  local near = assert(sockets.connect({ host = "127.0.0.1", port = listener.port }, 5))
  local far = assert(listener:accept(5))
  listener:close()
  return near, far
end

---------------------------------------------------------------------------------------------------
-- Its peer

test("who closes in order ends its stream behind the close_notify", function()
  local client, server = world.pair()
  client:close()
  equal(select(2, server:receive()), "closed")
  at_once(function()
    equal(select(2, inside.of(server).socket:read(LONG)), "closed")
  end)
  server:close()
end)

test("who could not send lets its peer go", function()
  local client, server = world.pair()
  local data = ("x"):rep(1 << 23)
  local done, why = client:send { data = data, timeout = 0.2 }
  equal(done, nil)
  equal(why, "timeout")
  at_once(function()
    repeat
      done, why = server:receive { timeout = LONG }
    until not done
  end)
  equal(why ~= "timeout", true, why)
end)

test("who is closed while it connects is closed once it has connected", function()
  for _, how in ipairs { "orderly", "fin" } do
    local listener = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 5))
    local client = ms.tls.connect { port = listener.port, client = {} }
    raises("connection:handshake: the connection was closed meanwhile", function()
      ms.together(function() client:handshake() end, function() client:close { how = how } end)
    end)
    local far = assert(listener:accept(5))
    at_once(function()
      equal(select(2, far:read(LONG)), "closed", how)
    end)
    far:close()
    listener:close()
  end
end)

test("that this end closed is an event, for who has looked at the events before, too", function()
  local client, server = world.pair()
  local before = #client.events
  client:close { how = "fin" }
  equal(#client.events > before, true)
  equal(client.events[#client.events].kind, "error")
  server:close { how = "fin" }
end)

---------------------------------------------------------------------------------------------------
-- Who waits

test("a connection that fails while it sends ends the wait for what it receives", function()
  local client, server = world.pair()
  at_once(function()
    ms.together(function()
      equal(select(2, client:receive { timeout = LONG }), "timeout")
    end, function()
      equal(select(2, client:send { data = ("x"):rep(1 << 23), timeout = 0.2 }), "timeout")
    end)
  end)
  server:close { how = "reset" }
end)

test("a socket that is let go, or closed, ends the wait for its bytes", function()
  for _, way in ipairs { "let_go", "close" } do
    local near, far = pair()
    at_once(function()
      ms.together(function()
        equal(select(2, near:read(LONG)), "closed")
      end, function()
        near[way](near)
      end)
    end)
    far:close()
    near:close()
  end
end)

---------------------------------------------------------------------------------------------------
-- Handles

test("a connection that did not come about leaves no handle", function()
  local listener = world.listen()
  local port = listener.port
  listener:close()
  local before = num_handles()
  for _, place in ipairs {
    { host = "127.0.0.1", port = port }, { host = "1.2.3.4.5:", port = 1 },
    { path = "nowhere.sock" }, { path = ("x"):rep(200) },
  } do
    local made, problem = sockets.connect(place, 5)
    equal(made, nil)
    equal(type(problem), "string")
    equal(num_handles(), before, place.host or place.path)
  end
  for _, place in ipairs { { host = "192.0.2.1", port = 0 }, { path = "no/such/place" } } do
    equal((sockets.listen(place, 5)), nil)
    equal(num_handles(), before, place.host or place.path)
  end
end)

test("a socket that was let go is closed once its peer has closed", function()
  for _, reads in ipairs { false, true } do
    local before = num_handles()
    local near, far = pair()
    if reads then
      near:read(0)
    end
    near:let_go()
    equal(select(2, far:read(5)), "closed")
    far:write("what nobody reads", 5)
    equal(num_handles(), before + 2) -- a reset would lose what was written last
    far:close()
    local due = loop.now() + 5
    while num_handles() > before and loop.now() < due do end -- luacheck: ignore 542
    equal(num_handles(), before)
  end
end)

test("a listener closes what nobody took", function()
  local before = num_handles()
  local listener = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 5))
  local one = assert(sockets.connect({ host = "127.0.0.1", port = listener.port }, 5))
  local two = assert(sockets.connect({ host = "127.0.0.1", port = listener.port }, 5))
  listener:accept(5):close()
  while #listener.waiting == 0 do
    loop.settle()
  end
  listener:close()
  equal(#listener.waiting, 0)
  one:close()
  two:close()
  equal(num_handles(), before)
end)

unit.done()
