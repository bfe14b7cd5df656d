-- SPDX-License-Identifier: MIT
-- Many clients of one server at once: all of them are there before the first is answered, and all
-- are answered.
local here = arg[0]:match ".*/"
package.path = here .. "?.lua;" .. package.path
local unit = dofile(here .. "../lua/harness.lua")
local place = require "place"
local test, equal, contains = unit.test, unit.equal, unit.contains

local COUNT = 200

-- many.lua PORT COUNT
place.put("many.lua", [[
local ms = require "moonshake"
local wait = require "moonshake.io.wait"
local port, count = tonumber((...)), tonumber((select(2, ...)))
local identity = ms.pki.load { certificate = "client/chain.pem", key = "client/key.pem" }
local trust = ms.pki.certificates "client/ca.pem"
local all_there, there, answered = wait.new(), 0, 0
local functions = {}
for number = 1, count do
  functions[number] = function()
    local one <close> = ms.tls.connect {
      port = port, client = { server_name = "localhost", trust = trust, identity = identity },
    }
    assert(one:handshake { timeout = 300 })
    there = there + 1
    if there == count then
      all_there:finish()
    end
    wait.await(all_there)
    one:send { data = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" }
    local text = assert(one:receive { timeout = 300 })
    answered = answered + (text:find "^HTTP/1.1 200 OK" and text:find "Let in" and 1 or 0)
    while one:receive { timeout = 300 } do end
  end
end
ms.together(table.unpack(functions))
print(answered)]])

test(("%d clients are served at once"):format(COUNT), function()
  local text, status = place.shell(([[
    %s serve --client-auth require --make-client client --quiet --timeout 300 --clients %d \
      >out 2>err & pid=$!
    until [ -s out ] || ! kill -0 $pid 2>/dev/null; do :; done
    port=$(sed -n '1s/.*:\([0-9]*\)\/$/\1/p' out)
    moonshake lua many.lua $port %d
    wait $pid]]):format(place.quoted(place.program), COUNT, COUNT))
  equal(text, COUNT .. "\n")
  equal(status, 0)
  contains(place.get "out", ("%d clients: %d accepted, 0 refused, 0 refused the server, 0 failed\n")
    :format(COUNT, COUNT))
  equal(place.get "err", "")
end)

place.remove()
unit.done()
