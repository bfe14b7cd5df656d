-- SPDX-License-Identifier: MIT
-- What the runner costs: a case, a file, a start; and what a second worker gains.
local measure = require "measure"

local moonshake = measure.built "moonshake"
local directory <close> = measure.directory()

-- Runs scenarios (words for the shell); files of this folder make so many cases each.
local function run(jobs, cases, scenarios)
  return ("BENCH_CASES=%d %s run -j %d %s"):format(cases, moonshake, jobs, scenarios)
end

local function file(name)
  return measure.file("runner/" .. name .. ".lua")
end

-- A folder with `count` copies of a file of this one.
local function copies(name, count)
  local path = directory.path .. "/" .. name
  measure.read("mkdir " .. measure.quote(path))
  for number = 1, count do
    measure.read(("cp %s %s/%d.lua"):format(file(name), measure.quote(path), number))
  end
  return measure.quote(path)
end

-- Two costs in units of 1/`unit` seconds, and what the second has more, for each of `parts`.
local function print_costs(turns, unit, parts)
  for _, clock in ipairs { "wall", "cpu" } do
    local function median(f)
      return measure.median(turns, f) * unit
    end
    measure.print("%-4s  %10.1f  %10.1f  %10.1f", clock,
                  median(function(base) return base[clock] end),
                  median(function(_, full) return full[clock] end),
                  median(function(base, full) return full[clock] - base[clock] end) / parts)
  end
end

-- Short turns and many, for the difference is small.
local function overhead_per_case()
  local count, rounds = measure.count(150), 3 * measure.rounds
  local function cases(name, times)
    return function()
      return measure.one_more(function(number)
        return run(1, number, file(name))
      end, times * count)
    end
  end
  local function loop()
    return measure.one_more(function(number)
      return ("%s lua %s ecdsa-p256 TLS1.3 shared %d"):format(
        moonshake, measure.file "handshakes/loop.lua", number)
    end, count)
  end
  measure.print("Overhead per case: microseconds of a handshake in a bare loop of Lua, of a case\n"
                .. "with it, and the difference (aim: under 150); median of %d turns.\n", rounds)
  measure.print "            loop        case  overhead"
  print_costs(measure.in_turn({ loop, cases("cases", 1) }, rounds), 1e6, 1)
  local trivial = measure.in_turn { cases("trivial", 10) }
  measure.print("A case that does nothing: %.0f, of CPU %.0f.",
                measure.median(trivial, function(one) return one.wall end) * 1e6,
                measure.median(trivial, function(one) return one.cpu end) * 1e6)
end

local function overhead_per_file()
  local count = measure.count(40)
  local folder = copies("trivial", count)
  measure.print("\nOverhead per file: milliseconds of %d cases in one file, of as many files with\n"
                .. "a case each, and the difference for each file (aim: under 12).\n", count)
  measure.print "        one file  a file each    overhead"
  print_costs(measure.in_turn {
    function() return measure.cost(run(1, count, file "trivial")) end,
    function() return measure.cost(run(1, 1, folder)) end,
  }, 1e3, count - 1)
end

-- Cases a second with one worker and with two.
local function gain(what, cases, command, rounds)
  local function rate(jobs)
    return function()
      return cases / measure.cost(command(jobs)).wall
    end
  end
  local turns = measure.in_turn({ rate(1), rate(2) }, rounds)
  measure.print("%-28s %5d  %6.0f  %6.0f  %5.2f", what, cases,
                measure.median(turns, function(one) return one end),
                measure.median(turns, function(_, two) return two end),
                measure.median(turns, function(one, two) return two / one end))
end

local function gain_of_workers()
  measure.print "\nCases a second with one worker and with two (aim: 1.9 times on two cores).\n"
  measure.print "                             cases    -j 1    -j 2  ratio"
  local files, cases = 8, measure.count(100)
  local folder = copies("cases", files)
  gain("8 files, a handshake a case", files * cases, function(jobs)
    return run(jobs, cases, folder)
  end)
  local suite = measure.quote(measure.top .. "scenarios"
                              .. (measure.whole and "" or "/client-auth/anonymous.lua"))
  local _, shipped = measure.read(moonshake .. " list " .. suite):gsub("\n", "")
  gain("the shipped scenarios", shipped, function(jobs) return run(jobs, 1, suite) end, 1)
end

local function start_to_result()
  local count = measure.count(20)
  local function start(command)
    return function()
      local times = ("for ((i = 0; i < %d; i++)); do %s; done"):format(count, command)
      return measure.cost(times).cpu / count * 1e3
    end
  end
  local turns = measure.in_turn {
    start(measure.built "tests/raw" .. " ecdsa-p256 TLS1.3 shared 1"),
    start(run(1, 1, file "small")),
  }
  measure.print("\nStart to result of one small scenario file: %.1f ms CPU (aim: under 15);\n"
                .. "the bare loop's program with two handshakes: %.1f ms",
                measure.median(turns, function(_, small) return small end),
                measure.median(turns, function(bare) return bare end))
end

overhead_per_case()
overhead_per_file()
gain_of_workers()
start_to_result()
