-- SPDX-License-Identifier: MIT
-- A relay between two programs that nobody here wrote: what it names of them, and what its faults
-- do to them.
local ms = require "moonshake"
local curl = require "peers.curl"
local gnutls = require "peers.gnutls"
local openssl = require "peers.openssl"
local pki, tls, expect = ms.pki, ms.tls, ms.expect
local faults = tls.faults

local VERSIONS = { "TLS1.2", "TLS1.3" }
local REQUEST = "GET / HTTP/1.0\r\n\r\n"

-- Who asks whom for a page.
local PAIRS = {
  openssl = { needs = "openssl", server = openssl.server, client = openssl.client, talks = true },
  gnutls = { needs = "gnutls", server = gnutls.server, client = gnutls.client, talks = true },
  curl = { needs = { "curl", "openssl" }, server = openssl.server, client = curl.client },
}

-- A client's whole life at a server, through a relay. Returns how it ended and what the relay knows
-- of the connection.
local function through(case, pair, tamper, seed)
  local root = pki.authority { cn = "Example Root" }
  local _, port = pair.server(case, {
    identity = root:issue { dns = "server.example" }, trust = root, version = case.version,
    page = true,
  })
  local relay = tls.relay { to = { port = port }, tamper = tamper, seed = seed }
  local client = pair.client(case, { port = relay.port, trust = root, version = case.version })
  if pair.talks then
    client:write(REQUEST)
  end
  local ended = client:wait()
  expect(ended, "the client's end").no:is_nil()
  expect(relay:wait()):is_true()
  return ended, relay.connections[1]
end

-- Names in clear of one end, and which record of it was touched first.
local function seen(connection, role)
  local names, touched = {}, nil
  for _, flight in ipairs(connection.flights) do
    if flight.from == role then
      table.move(flight.messages, 1, #flight.messages, #names + 1, names)
      touched = touched or flight.arrived ~= "as_sent" and flight or nil
    end
  end
  return names, touched
end

for _, name in ipairs { "curl", "gnutls", "openssl" } do
  local pair = PAIRS[name]

  ms.scenario(name .. " gets its page through a relay, in small and late pieces") {
    needs = pair.needs,
    matrix = { version = VERSIONS },
    run = function(case)
      local slow = faults.chain { faults.split { size = 7 },
                                  faults.delay { seconds = 0.001, at = "ServerHello" } }
      for _, tamper in ipairs { false, slow } do
        local ended, connection = through(case, pair, tamper or nil)
        expect(ended.code, connection:text()):equals(0)
        local of_client, of_server = seen(connection, "client"), seen(connection, "server")
        expect(of_client[1]):equals "ClientHello"
        expect(of_server[1]):equals "ServerHello"
        if case.version == "TLS1.3" then
          expect(#of_client + #of_server):equals(2)
        else
          expect(of_client):contains "ClientKeyExchange"
          expect(of_server):contains "Certificate"
          expect(of_server).no:contains "Finished"
        end
      end
    end,
  }

  ms.scenario(name .. " misses a record that a relay drops") {
    needs = pair.needs,
    matrix = { version = VERSIONS },
    run = function(case)
      local fault = faults.drop { at = "ServerHello" }
      local ended, connection = through(case, pair, fault)
      expect(fault):struck()
      expect(ended.code).no:equals(0)
      local _, touched = seen(connection, "server")
      expect(touched):has { messages = { "ServerHello" }, arrived = "dropped" }
    end,
  }

  ms.scenario(name .. " is refused for an encrypted record that a relay changed") {
    about = "The first of the client: its Finished, in either version.",
    needs = pair.needs,
    matrix = { version = VERSIONS },
    run = function(case)
      local fault = faults.flip { at = "encrypted", from = "client" }
      local ended, connection = through(case, pair, fault)
      expect(fault):struck()
      expect(ended.code).no:equals(0)
      local _, touched = seen(connection, "client")
      expect(touched):has { encrypted = true, arrived = "changed" }
    end,
  }

  ms.scenario(name .. " is cut off by a relay") {
    needs = pair.needs,
    matrix = { version = VERSIONS, how = { "close", "reset" } },
    run = function(case)
      local fault = faults[case.how] { at = "ServerHello" }
      local ended, connection = through(case, pair, fault)
      expect(fault):struck()
      expect(ended.code).no:equals(0)
      expect(connection.ended):has { client = tls.none, server = tls.none,
                                     relay = case.how == "close" and "closed" or "reset" }
    end,
  }

  ms.scenario("a seed flips the same bit of " .. name .. "'s hello each time") {
    needs = pair.needs,
    run = function(case)
      local function flipped(seed)
        local fault, where = faults.flip { at = "ClientHello" }, nil
        through({ dir = case.dir }, pair, function(flight)
          local answer = fault(flight)
          for at = 1, answer and #flight.bytes or 0 do
            if answer[1]:byte(at) ~= flight.bytes:byte(at) then
              where = ("%d.%d"):format(at, answer[1]:byte(at) ~ flight.bytes:byte(at))
            end
          end
          return answer
        end, seed)
        return where
      end
      local first = flipped(5)
      expect(first):matches "^%d+%.%d+$"
      expect(flipped(5)):equals(first)
      expect(flipped(6)).no:equals(first)
    end,
  }
end
