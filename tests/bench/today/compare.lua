-- SPDX-License-Identifier: MIT
-- A client-auth scenario as people write it today, beside the same as a scenario of moonshake:
-- Python's ssl module with memory BIOs (one process, contexts made once), and a shell script around
-- openssl's server and client (two processes and a connection a handshake).
local measure = require "measure"
local mutual = require "mutual"

local directory <close> = measure.directory()
local certificates = measure.quote(directory.path)

local function make_certificates()
  local root, server, client = mutual.identities(function() return "ecdsa-p256" end)
  server:save(directory.path .. "/server")
  client:save(directory.path .. "/client")
  local file <close> = assert(io.open(directory.path .. "/root.pem", "w"))
  file:write(root.certificate:pem())
end

local function moonshake(count)
  return ("BENCH_CERTIFICATES=%s BENCH_CASES=%d %s run -j 1 %s"):format(
    certificates, count, measure.built "moonshake", measure.file "today/client_auth.lua")
end

local function python(count)
  return ("python3 %s %s %d"):format(measure.file "today/membio.py", certificates, count)
end

local function openssl(count)
  return ("%s %s %d"):format(measure.file "today/openssl.sh", certificates, count)
end

-- Ours first, to which the others are compared. Without what `check` looks for a way is closed.
local ways = {
  { name = "moonshake run -j 1", command = moonshake, count = 200, check = "true" },
  { name = "Python ssl, memory BIOs", command = python, count = 200,
    check = "python3 -c 'import ssl'", missing = "there is no python3 with ssl" },
  { name = "openssl s_server, s_client", command = openssl, count = 8,
    check = "openssl version", missing = "there is no openssl" },
}

local open, functions = {}, {}
for _, way in ipairs(ways) do
  if os.execute(way.check .. " > /dev/null 2>&1") then
    open[#open + 1] = way
    functions[#open] = function()
      return measure.one_more(way.command, measure.count(way.count))
    end
  end
end

make_certificates()
measure.print("The same client-auth scenario, certificates from files, TLS 1.2 and 1.3 in turn;\n"
              .. "median of %d turns, \"ratio\" is that of times, to the first.\n", measure.rounds)
measure.print "                            handshakes/s  CPU ms each   ratio"
local turns = measure.in_turn(functions)
for index, way in ipairs(open) do
  local function median(f)
    return measure.median(turns, function(...) return f(select(index, ...), (...)) end)
  end
  way.measured = true
  measure.print("%-28s  %10.1f  %11.2f  %6.2f", way.name,
                median(function(own) return 1 / own.wall end),
                median(function(own) return own.cpu * 1e3 end),
                median(function(own, first) return own.wall / first.wall end))
end
for _, way in ipairs(ways) do
  if not way.measured then
    measure.print("%-28s  skipped: %s", way.name, way.missing)
  end
end
