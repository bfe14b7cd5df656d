-- SPDX-License-Identifier: MIT
-- What the harness costs over a bare loop: moonshake lua tests/bench/compare.lua BUILD [ROUNDS]
-- Baseline and harness take turns, and a ratio is that of neighbours, so that it holds on a machine
-- whose speed drifts. CPU time is the processes' own.
local build, rounds = arg[1], tonumber(arg[2] or 7)
local here = arg[0]:match ".*/" or "./"

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(command)
  local pipe <close> = assert(io.popen(command))
  local text = pipe:read "a"
  local ended, _, status = pipe:close()
  assert(ended, ("%s: exit status %s"):format(command, status))
  return text
end

local function number(command)
  return assert(tonumber((read(command))), command)
end

local function median(values)
  table.sort(values)
  local middle = #values // 2
  return #values % 2 == 1 and values[middle + 1] or (values[middle] + values[middle + 1]) / 2
end

local raw = quote(build .. "/tests/raw")
local moonshake = quote(build .. "/moonshake")
local harness = moonshake .. " lua " .. quote(here .. "handshakes.lua")
local aims = { shared = 1.05, fresh = 1.15 }

print(("Mutual TLS, both ends verifying, one intermediate: CPU microseconds a handshake,\n"
       .. "median of %d turns; \"fresh\" makes certificates and credentials each time.\n")
      :format(rounds))
print("key         version  credentials     raw  harness  ratio   aim")
for _, key in ipairs { "ecdsa-p256", "rsa-2048" } do
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    for _, mode in ipairs { "shared", "fresh" } do
      local arguments = (" %s %s %s %d"):format(key, version, mode, key == "rsa-2048" and 60 or 200)
      local bare, scripted, ratios = {}, {}, {}
      for round = 1, rounds do
        bare[round] = number(raw .. arguments)
        scripted[round] = number(harness .. arguments)
        ratios[round] = scripted[round] / bare[round]
      end
      print(("%-11s %-8s %-11s %7.0f  %7.0f  %5.3f  %4.2f")
            :format(key, version, mode, median(bare), median(scripted), median(ratios),
                    aims[mode]))
      io.flush()
    end
  end
end

print "\nMemory a live link needs, ends, log and Lua objects (aim: under 64 KiB):"
for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  print(("%s  %.1f KiB"):format(version, number(harness .. (" ecdsa-p256 %s memory 500")
                                                :format(version))))
end

-- CPU milliseconds of a command and its children, by the shell that waits for them.
local function cpu_of(command, times)
  local script = ("for ((i = 0; i < %d; i++)); do %s > /dev/null; done; times")
                 :format(times, command)
  local user_min, user_s, sys_min, sys_s =
    read("bash -c " .. quote(script)):match "\n(%d+)m([%d.]+)s (%d+)m([%d.]+)s"
  return ((user_min + sys_min) * 60 + user_s + sys_s) / times * 1000
end

local small = here .. "small.lua"
local start, bare = {}, {}
for round = 1, rounds do
  bare[round] = cpu_of(raw .. " ecdsa-p256 TLS1.3 shared 1", 20)
  start[round] = cpu_of(moonshake .. " run " .. quote(small), 20)
end
print(("\nStart to result of one small scenario file: %.1f ms CPU (aim: under 15);\n"
       .. "the bare loop's program with two handshakes: %.1f ms")
      :format(median(start), median(bare)))

local scenarios = here .. "../../scenarios"
local rates = {}
local cases
for round = 1, 3 do
  local output = read(moonshake .. " run " .. quote(scenarios))
  local summary = output:match "[^\n]*passed[^\n]*in [%d.]+ s"
  cases = 0
  for count in summary:match "^(.*) in ":gmatch "(%d+) %a+" do
    cases = cases + count
  end
  rates[round] = cases / tonumber(summary:match "in ([%d.]+) s")
end
print(("\nThe shipped suite: %d cases, %.0f a second"):format(cases, median(rates)))
