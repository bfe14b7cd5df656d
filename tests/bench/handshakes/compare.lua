-- SPDX-License-Identifier: MIT
-- What the harness costs over a bare loop over GnuTLS: CPU time and memory. The time is the
-- processes' own word.
local measure = require "measure"

local raw = measure.built "tests/raw"
local harness = measure.built "moonshake" .. " lua " .. measure.file "handshakes/loop.lua"
local aims = { shared = 1.05, fresh = 1.15 }

local function run(program, arguments)
  return function()
    return measure.number(program .. " " .. arguments)
  end
end

measure.print("Mutual TLS, both ends verifying, one intermediate: CPU microseconds a handshake,\n"
              .. "median of %d turns; \"fresh\" makes certificates and credentials each time.\n",
              measure.rounds)
measure.print "key         version  credentials     raw  harness  ratio   aim"
for _, key in ipairs { "ecdsa-p256", "rsa-2048" } do
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    for _, mode in ipairs { "shared", "fresh" } do
      local count = measure.count(key == "rsa-2048" and 60 or 200)
      local arguments = ("%s %s %s %d"):format(key, version, mode, count)
      local turns = measure.in_turn { run(raw, arguments), run(harness, arguments) }
      measure.print("%-11s %-8s %-11s %7.0f  %7.0f  %5.3f  %4.2f", key, version, mode,
                    measure.median(turns, function(bare) return bare end),
                    measure.median(turns, function(_, scripted) return scripted end),
                    measure.median(turns, function(bare, scripted) return scripted / bare end),
                    aims[mode])
    end
  end
end

measure.print "\nMemory a live link needs, ends, log and Lua objects (aim: under 64 KiB):"
for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  measure.print("%s  %.1f KiB", version,
                run(harness, ("ecdsa-p256 %s memory %d"):format(version, measure.count(500)))())
end
