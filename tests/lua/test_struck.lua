-- SPDX-License-Identifier: MIT
-- Whether a fault has struck, and that one which never can at a relay says so: what passes
-- encrypted has no name there.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local world = dofile(here .. "live_world.lua")
local ms = require "moonshake"
local tls, expect = ms.tls, ms.expect
local faults = tls.faults
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

-- A link after its handshake with a fault.
local function link_with(fault, version)
  local link = tls.link {
    server = world.server { client_auth = "require" },
    client = world.client { identity = world.alice },
    versions = version or "TLS1.3",
  }
  link:tamper(fault)
  link:handshake()
  return link
end

local listener = world.listen { client_auth = "request" }

-- A relay with a fault, and both ends of a connection through it after their handshakes.
local function through(fault, version)
  return world.through(listener, world.client { identity = world.alice, versions = version },
                       { tamper = fault })
end

local function close(relay, near, far)
  ms.together(function() near:close() end, function() far:close() end)
  relay:close()
end

---------------------------------------------------------------------------------------------------
-- Links

test("a fault that has struck is told from one that has not", function()
  local fault = faults.drop { at = "Finished", from = "client" }
  expect(fault).no:struck()
  raises("struck: no record of the client came by", function() expect(fault):struck() end)
  link_with(fault)
  expect(fault):struck()
  local failure = raises("no:struck: it has struck", function() expect(fault).no:struck() end)
  equal(failure.found, 'tls.faults.drop { at = "Finished", from = "client" }')
  equal(failure.wanted, "anything but a fault that has struck")
end)

test("why it has not struck is told", function()
  for complaint, fault in pairs {
    ["no record with ClientKeyExchange came by"] = faults.stop { at = "ClientKeyExchange" },
    ["no record of the client with ServerHello came by"] =
      faults.cut { at = "ServerHello", from = "client", after = 5 },
    ["of one connection 1 record of the server with Certificate came by, and it is about number 3"]
      = faults.flip { at = "Certificate", from = "server", nth = 3 },
    ["of one connection 2 records with Certificate came by, and it is about number 3"] =
      faults.reorder { at = "Certificate", nth = 3 },
  } do
    for _ = 1, 2 do
      equal(link_with(fault).client.handshake_completed, true)
    end
    raises("struck: " .. complaint, function() expect(fault):struck() end)
    expect(fault).no:struck()
  end
end)

test("a fault at everything strikes with the first record", function()
  local fault = faults.split { size = 5, from = "server" }
  expect(fault).no:struck()
  link_with(fault)
  expect(fault):struck()
end)

test("of a chain each fault has to strike", function()
  local first, second = faults.split { size = 5, at = "ClientHello" },
    faults.drop { at = "NewSessionTicket", nth = 3 }
  local chain = faults.chain { first, faults.chain { second } }
  link_with(chain)
  expect(first):struck()
  expect(second).no:struck()
  expect(faults.chain { second, first }).no:struck()
  local failure = raises("struck: of one connection 2 records with NewSessionTicket", function()
    expect(chain):struck()
  end)
  equal(failure.found, 'tls.faults.split { at = "ClientHello" }, '
    .. 'tls.faults.drop { at = "NewSessionTicket", nth = 3 }')
end)

test("what is no fault neither struck nor did not", function()
  for _, value in ipairs { print, 5, faults.drop } do
    raises("struck: no fault of tls.faults", function() expect(value):struck() end)
    raises("no:struck: no fault of tls.faults", function() expect(value).no:struck() end)
  end
  raises("expect: struck: takes no argument", function()
    expect(faults.drop { at = "alert" }):struck(1)
  end)
end)

test("an encrypted record has a name, whatever is in it", function()
  for version, first in pairs { ["TLS1.2"] = "Finished", ["TLS1.3"] = "Certificate" } do
    local fault, dropped = faults.drop { at = "encrypted", from = "client" }, nil
    local link = link_with(function(flight)
      local answer = fault(flight)
      for _, record in ipairs(answer ~= nil and flight.records or {}) do
        dropped = dropped or record.encrypted and record.messages[1]
      end
      return answer
    end, version)
    equal(dropped, first)
    equal(link.server.handshake_completed, false)
    expect(fault):struck()
  end
  raises('unknown message "encypted" (did you mean "encrypted"?)', function()
    faults.drop { at = "encypted" }
  end)
end)

---------------------------------------------------------------------------------------------------
-- Relays

test("what is never in clear is refused by a relay", function()
  for _, at in ipairs { "Finished", "EncryptedExtensions", "EndOfEarlyData", "KeyUpdate" } do
    local fault = faults.chain { faults.split { size = 9 }, faults.drop { at = at } }
    local line = unit.line() + 2
    local message = raises(("tls.relay: tamper: tls.faults.drop { at = %q }: "):format(at),
      function() tls.relay { to = { port = 1 }, tamper = fault } end)
    contains(message, (":%d: "):format(line))
    contains(message, at .. " passes encrypted")
    contains(message, 'at = "encrypted"')
  end
end)

-- In TLS 1.3 the relay resets the connection as soon as it is clear, and the wait says why.
test("what is encrypted in this version is told where it passes", function()
  for at, from in pairs { Certificate = "server", CertificateRequest = "server",
                          CertificateVerify = "client", NewSessionTicket = "server" } do
    local line = unit.line() + 1
    local fault = faults.drop { at = at, from = from, nth = 1 }
    for _, tamper in ipairs { fault, function(flight) return fault(flight) end } do
      local relay, near, far = through(tamper, "TLS1.3")
      equal(far.server.handshake_completed, false)
      equal(near.client.error == nil or near.client.error.problem == "connection_reset", true)
      local message = raises(("%s of the %s passes encrypted"):format(at, from), function()
        relay:wait()
      end)
      contains(message, (":%d: tls.faults.drop { at = %q"):format(line, at))
      equal(relay.connections[1].ended.relay, "reset")
      raises("struck: " .. at, function() expect(fault):struck() end)
      relay:close()
    end
  end
end)

test("the same is done where it is in clear", function()
  for _, at in ipairs { "Certificate", "CertificateRequest", "CertificateVerify" } do
    local fault = faults.drop { at = at }
    local relay, near, far = through(fault, "TLS1.2")
    expect(fault):struck()
    close(relay, near, far)
  end
end)

test("what is in no message of this version is not suspected in what is encrypted", function()
  for version, at in pairs { ["TLS1.3"] = "ServerKeyExchange", ["TLS1.2"] = "HelloRetryRequest" } do
    local fault = faults.drop { at = at }
    local relay, near, far = through(fault, version)
    equal(near.client.handshake_completed and far.server.handshake_completed, true)
    ms.together(function() near:send { data = "x" } end, function() equal(far:receive(), "x") end)
    raises(("struck: no record with %s came by"):format(at), function() expect(fault):struck() end)
    close(relay, near, far)
  end
end)

test("data of TLS 1.2 hides no message, and a renegotiation does", function()
  local fault = faults.drop { at = "Certificate", from = "client", nth = 2 }
  local relay, near, far = through(fault, "TLS1.2")
  ms.together(function() near:send { data = "x" } end, function() equal(far:receive(), "x") end)
  raises("of one connection 1 record of the client with Certificate", function()
    expect(fault):struck()
  end)
  ms.together(function() near:receive() end, function() far:renegotiate() end)
  equal(far.server.error.problem, "connection_reset")
  raises("Certificate of the client passes encrypted", function() relay:wait() end)
  relay:close()
end)

test("what is encrypted is no matter to a fault that has done its work", function()
  local fault = faults.split { at = "Certificate", from = "client", size = 100 }
  local relay, near, far = through(fault, "TLS1.2")
  ms.together(function() near:receive() end, function()
    far:renegotiate()
    far:send { data = "x" }
  end)
  equal(far.server.error, nil)
  expect(fault):struck()
  close(relay, near, far)
end)

-- One may come in clear as long as the handshake is not complete.
test("an alert that is encrypted is told when somebody asks", function()
  local fault = faults.drop { at = "alert", from = "server" }
  local relay, near, far = through(fault, "TLS1.3")
  equal(near.client.handshake_completed, true)
  close(relay, near, far)
  raises("struck: alert of the server passes encrypted", function() expect(fault):struck() end)
end)

test("a record that is encrypted is met by its number", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local fault = faults.flip { at = "encrypted", from = "client", byte = -1, bit = 0 }
    local relay, near, far = through(fault, version)
    equal(far.server.error.problem, "protocol_violation")
    expect(fault):struck()
    local first
    for _, flight in ipairs(relay.connections[1].flights) do
      first = first or flight.encrypted and flight.from == "client" and flight
    end
    equal(first.arrived, "changed")
    close(relay, near, far)
  end
end)

unit.done()
