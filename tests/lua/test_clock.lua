-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local native = require "moonshake.native"
local pki, tls, clock = ms.pki, ms.tls, ms.clock
local test, equal, raises = unit.test, unit.equal, unit.raises

test("the clock runs with the system's until it is set", function()
  equal(math.abs(clock:now() - os.time()) <= 1, true)
  clock:set(1234567890)
  equal(clock:now(), 1234567890)
  clock:advance(10)
  equal(clock:now(), 1234567900)
  clock:advance(-20)
  equal(clock:now(), 1234567880)
  native.clock_reset()
  equal(math.abs(clock:now() - os.time()) <= 1, true)
end)

test("only whole seconds are taken", function()
  raises("ms.clock:set: epoch: wants an integer", function() clock:set "now" end)
  raises("ms.clock:advance: seconds: wants an integer", function() clock:advance(0.5) end)
  raises('ms.clock: unknown name "advence" (did you mean "advance"?)', function()
    clock:advence(1)
  end)
end)

test("a dot for the colon is told", function()
  raises("ms.clock:set: to be called with a colon", function() clock.set(5) end)
  raises("ms.clock:advance: to be called with a colon", function() clock.advance(5) end)
  raises("ms.clock:now: to be called with a colon", function() clock.now() end)
end)

test("certificates are judged by it", function()
  local ca = pki.authority { cn = "Root" }
  local server = ca:issue { dns = "server.example" }
  clock:advance(91 * 86400)
  local link = tls.link { server = { identity = server },
                          client = { trust = ca, server_name = "server.example" } }
  equal(link:handshake(), false)
  equal(link.client.verification.problems[1], "expired")
  native.clock_reset()
  link = tls.link { server = { identity = server },
                    client = { trust = ca, server_name = "server.example" } }
  equal(link:handshake(), true)
end)

test("an end's clock may differ", function()
  local ca = pki.authority { cn = "Root" }
  local link = tls.link { server = { identity = ca:issue { dns = "server.example" } },
                          client = { trust = ca, server_name = "server.example",
                                     clock_offset = 91 * 86400 } }
  equal(link:handshake(), false)
  equal(link.client.verification.problems[1], "expired")
end)

test("an event has the time of its end's clock", function()
  clock:set(1700000000)
  local ca = pki.authority { cn = "Root" }
  local link = tls.link {
    server = { identity = ca:issue { dns = "server.example" } },
    client = { trust = ca, server_name = "server.example", clock_offset = -60,
               verify = function(result)
                 clock:advance(10)
                 return result.verified
               end },
  }
  equal(link:handshake(), true)
  local function at(event)
    return event.time - (event.role == "client" and -60 or 0)
  end
  local judged
  for _, event in ipairs(link.events) do
    if event.role == "client" or not judged then
      equal(at(event), judged and 1700000010 or 1700000000, event.role .. " " .. event.kind)
    end
    judged = judged or event.kind == "verification"
  end
  local before = #link.events
  clock:advance(1000)
  link:send { from = "server", data = "late" }
  link:close()
  for index = before + 1, #link.events do
    equal(at(link.events[index]), 1700001010, tostring(link.events[index]))
  end
  native.clock_reset()
end)

unit.done()
