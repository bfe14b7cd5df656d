-- SPDX-License-Identifier: MIT
-- What a live client of one listener costs: memory, over a link in memory with both its ends; CPU
-- time of the server's half of a handshake, over openssl's server.
local measure = require "measure"
local mutual = require "mutual"

local KEY = "ecdsa-p256"
local directory <close> = measure.directory()

do
  local root, server, client = mutual.identities(function() return KEY end)
  server:save(directory.path .. "/server")
  client:save(directory.path .. "/client")
  local file <close> = assert(io.open(directory.path .. "/root.pem", "w"))
  file:write(root.certificate:pem())
end

-- The numbers that a run of served.sh prints.
local function served(count, server, how)
  return function()
    local text = measure.read(("bash %s %s %s %s %d %s %s"):format(
      measure.file "live/served.sh", measure.built "moonshake", measure.file "live",
      measure.quote(directory.path), count, server, how))
    local first, second = text:match "^([%d.]+) ?([%d.]*)\n$"
    assert(first, text)
    return { tonumber(first), tonumber(second) }
  end
end

local function in_memory(version)
  return function()
    return measure.number(("%s lua %s %s %s memory %d"):format(
      measure.built "moonshake", measure.file "handshakes/loop.lua", KEY, version,
      measure.count(500)))
  end
end

local count = measure.count(1000)
measure.print("%d clients of one listener at once, mutual TLS 1.3, %s, two processes,\n"
              .. "median of %d turns:\n", count, KEY, measure.rounds)
local turns = measure.in_turn { served(count, "listener", "together"), in_memory "TLS1.3" }
measure.print("memory of one while it lives      %6.1f KiB",
              measure.median(turns, function(live) return live[1] end))
measure.print("  over a link in memory (2 ends)  %6.2f",
              measure.median(turns, function(live, link) return live[1] / link end))
measure.print("CPU of its handshake, our half    %6.0f microseconds",
              measure.median(turns, function(live) return live[2] end))

count = measure.count(400)
if os.execute "command -v openssl >/dev/null 2>&1" then
  turns = measure.in_turn { served(count, "listener", "each"), served(count, "openssl", "each") }
  measure.print("one after the other               %6.0f microseconds",
                measure.median(turns, function(ours) return ours[2] end))
  measure.print("  over openssl s_server           %6.2f",
                measure.median(turns, function(ours, theirs) return ours[2] / theirs[1] end))
else
  measure.print "openssl is not installed: nothing to compare CPU time with"
end
