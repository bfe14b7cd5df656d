-- SPDX-License-Identifier: MIT
-- tls.faults on links: what each fault does, and that it does the same each time.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local faults = tls.faults
local test, equal, raises = unit.test, unit.equal, unit.raises

local ca = pki.authority { cn = "Root" }
local server, client = ca:issue { dns = "server.example" }, ca:issue { cn = "alice" }

local function new_link(version)
  return tls.link {
    server = { identity = server, trust = ca, client_auth = "require" },
    client = { identity = client, trust = ca, server_name = "server.example" },
    versions = version,
  }
end

-- Both phases of a link after a handshake with a fault, and the problems that there are.
local function outcome(version, fault)
  local link = new_link(version)
  link:tamper(fault)
  local words = { tostring(link:handshake()) }
  for _, role in ipairs { "client", "server" } do
    words[#words + 1] = link[role].phase
    words[#words + 1] = link[role].error and link[role].error.problem
  end
  return table.concat(words, " "), link
end

-- What arrives at one end, in pieces, as "offset+length"; "" for nothing.
local function arrives(link, role)
  local list = {}
  for _, event in ipairs(link.events) do
    if event.kind == "record" and event.direction == "received" and event.role == role then
      list[#list + 1] = event.bytes
    end
  end
  return list
end

test("a message that is dropped is missed, or waited for", function()
  equal(outcome("TLS1.2", faults.drop { at = "ClientHello" }), "false stalled stalled")
  equal(outcome("TLS1.2", faults.drop { at = "Finished", from = "client" }),
        "false stalled stalled")
  equal(outcome("TLS1.3", faults.drop { at = "Finished", from = "client" }),
        "false established stalled")
  equal(outcome("TLS1.2", faults.drop { at = "ServerHelloDone" }), "false stalled stalled")
  equal(outcome("TLS1.2", faults.drop { at = "ServerHello" }),
        "false failed protocol_violation failed peer_alert")
  equal(outcome("TLS1.3", faults.drop { at = "NewSessionTicket", nth = 3 }),
        "true established established")
  equal((select(2, outcome("TLS1.3", faults.drop { at = "NewSessionTicket", nth = 2 })))
        .client.tickets_received, 1)
end)

test("what is not there is not dropped", function()
  equal(outcome("TLS1.3", faults.drop { at = "ClientKeyExchange" }), "true established established")
  equal(outcome("TLS1.2", faults.drop { at = "ServerHello", from = "client" }),
        "true established established")
end)

test("a bit that flips is noticed, and is the same one for the same seed", function()
  local where = {}
  for seed = 1, 5 do
    for round = 1, 2 do
      local flipped
      local fault = faults.flip { at = "Finished", from = "server", seed = seed }
      local link = new_link "TLS1.3"
      link:tamper(function(flight)
        local answer = fault(flight)
        for index, piece in ipairs(answer or {}) do
          local before = flight.records[index].bytes
          for byte = 1, #piece do
            if piece:byte(byte) ~= before:byte(byte) then
              flipped = ("%d.%d"):format(byte, piece:byte(byte) ~ before:byte(byte))
              equal(flight.records[index].messages[1], "Finished")
              equal(byte > 5, true)
            end
          end
        end
        return answer
      end)
      equal(link:handshake(), false)
      equal(link.client.error.problem, "protocol_violation")
      equal(where[seed] or flipped, flipped, round)
      where[seed] = flipped
    end
  end
  equal(where[1] ~= where[2] or where[2] ~= where[3], true)
end)

test("a byte and a bit can be said", function()
  for byte, index in pairs { [1] = 1, [2] = 2, [6] = 6, [-1] = 225, [-225] = 1 } do
    local link = new_link "TLS1.2"
    local fault = faults.flip { at = "ClientHello", byte = byte, bit = 7 }
    link:tamper(function(flight)
      if flight.from == "client" then
        local changed = fault(flight)[1]
        index = byte < 0 and #changed + 1 + byte or index
        equal(changed:byte(index), flight.bytes:byte(index) ~ 0x80)
        equal(changed:sub(1, index - 1) .. changed:sub(index + 1),
              flight.bytes:sub(1, index - 1) .. flight.bytes:sub(index + 1))
      end
      return false
    end)
    link:handshake()
  end
  raises("there is no byte 20000 in a record of", function()
    outcome("TLS1.2", faults.flip { at = "ClientHello", byte = 20000 })
  end)
end)

test("behind a cut nothing comes", function()
  for after = 0, 12, 4 do
    local told, link = outcome("TLS1.2", faults.cut { at = "Certificate", after = after,
                                                      from = "server" })
    equal(told, "false stalled stalled")
    equal(#arrives(link, "client"), 1)
    link:close { by = "server" }
    equal(#arrives(link, "client"), 1) -- nor what the server sends later
    equal(link.client.alert_received, nil)
  end
end)

test("pieces of any size are put together again", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    for _, size in ipairs { 1, 2, 5, 100, 100000 } do
      equal(outcome(version, faults.split { size = size }), "true established established")
    end
    equal(outcome(version, faults.split { size = 3, at = "Certificate", from = "server" }),
          "true established established")
  end
end)

test("messages change places", function()
  local told, link = outcome("TLS1.2", faults.reorder { at = "Certificate", from = "server" })
  equal(told, "false failed protocol_violation failed peer_alert")
  equal(arrives(link, "client")[2]:byte(6), 12) -- ServerKeyExchange
  equal(outcome("TLS1.2", faults.reorder { at = "ServerHelloDone" }), "false stalled stalled")
end)

test("a direction that stops is silent, and the other is not", function()
  local told, link = outcome("TLS1.2", faults.stop { at = "Certificate", from = "client" })
  equal(told, "false stalled stalled")
  link:close { by = "server" }
  equal(link.client.alert_received.name, "close_notify")
end)

test("a ContentType says where, too", function()
  equal(outcome("TLS1.2", faults.drop { at = "change_cipher_spec", from = "client" }),
        "false failed peer_alert failed protocol_violation")
  local link = new_link "TLS1.3"
  link:tamper(faults.drop { at = "application_data" })
  equal(link:handshake(), true) -- what is encrypted there is known better
  equal(link:send { from = "client", data = "x" }, nil)
  equal(link:send { from = "client", data = "x" }, nil) -- a record is missing
  equal(link.server.error.problem, "protocol_violation")
  link = new_link "TLS1.3"
  link:tamper(faults.drop { at = "alert" })
  link:handshake()
  equal(link:close { by = "server" }, true)
  equal(link.client.alert_received, nil)
end)

test("spellings are understood", function()
  equal(outcome("TLS1.2", faults.drop { at = "client hello" }), "false stalled stalled")
end)

test("faults are chained", function()
  local fault = faults.chain {
    faults.drop { at = "NewSessionTicket" }, faults.drop { at = "NewSessionTicket" },
    faults.split { size = 7 },
  }
  local told, link = outcome("TLS1.3", fault)
  equal(told, "true established established") -- the tickets are the last the server sends
  equal(link.client.tickets_received, 0)
  equal(outcome("TLS1.2", faults.chain { faults.split { size = 7, at = "ServerHello" },
                                         faults.drop { at = "ServerHello" } }),
        "true established established") -- what was split is no ServerHello any more
  raises("tls.faults.chain: item 2: wants what a function of tls.faults returned", function()
    faults.chain { fault, print }
  end)
  raises("wants a list of faults, got {}", function() faults.chain {} end)
end)

test("a fault remembers each link by itself", function()
  local fault = faults.drop { at = "ClientHello" }
  for _ = 1, 3 do
    equal(outcome("TLS1.3", fault), "false stalled stalled")
  end
end)

test("what only a relay can do is refused", function()
  for _, fault in ipairs {
    faults.delay { seconds = 1 }, faults.close { at = "ServerHello" },
    faults.reset { at = "ServerHello" },
    faults.chain { faults.stop { at = "ServerHello" }, faults.delay { seconds = 0.5 } },
  } do
    raises("link:tamper: this fault is for relays", function() outcome("TLS1.2", fault) end)
  end
  local close = faults.close { at = "ServerHello" }
  raises("link:handshake: tamper: faults.close is for relays", function()
    outcome("TLS1.2", function(flight) return close(flight) end)
  end)
end)

test("mistakes are told at the script's line", function()
  raises('tls.faults.drop: at: unknown message "ServerHelo" (did you mean "ServerHello"?)',
         function() faults.drop { at = "ServerHelo" } end)
  raises('unknown message "aplication_data" (did you mean "application_data"?)',
         function() faults.drop { at = "aplication_data" } end)
  raises("tls.faults.drop: at is missing", function() faults.drop {} end)
  raises("tls.faults.cut: after is missing", function() faults.cut { at = "Finished" } end)
  raises('from: unknown word "sever" (did you mean "server"?)', function()
    faults.stop { at = "Finished", from = "sever" }
  end)
  raises("byte: counts from 1", function() faults.flip { at = "Finished", byte = 0 } end)
  raises("bit: wants an integer from 0 to 7, got 8", function()
    faults.flip { at = "Finished", bit = 8 }
  end)
  raises("seconds: wants a number of seconds", function() faults.delay { seconds = -1 } end)
  raises('tls.faults: unknown name "dorp" (did you mean "drop"?)', function()
    return faults.dorp
  end)
end)

unit.done()
