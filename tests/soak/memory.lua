-- SPDX-License-Identifier: MIT
-- Very many cases in one run: each is reported, once, and what the parent keeps in memory does not
-- grow with them.
--   lua5.4 memory.lua PROGRAM FILES CASES REPEATS [--report]
-- runs FILES scenario files with CASES cases each so many times, with pages where they are wanted.
-- The parent is looked at while it runs, at places in its report: its output is a pipe, and names
-- are so long that it can be but a few hundred cases ahead of what was read. Many cases show that
-- results are let go, with what was printed; few cases many times show small leaks too, which would
-- else find room in the garbage that the listing left.
local program, num_files, num_cases, repeats = arg[1], tonumber(arg[2]), tonumber(arg[3]),
                                               tonumber(arg[4])
local total = num_files * num_cases * repeats

-- Of what it has after the first fifth. It was 2 % for 10,000 cases, of 32 MiB (what is known of
-- them), and for 100 cases a hundred times, of 9 MiB: there it is 5 % where 60 bytes a case stay.
local MAY_GROW = 1.05

local SCENARIO = [[
local ms = require "moonshake"
local numbers = {}
for number = 1, %d do
  numbers[number] = number
end
ms.scenario "%s" {
  matrix = { number = numbers },
  run = function(case)
    print(("what a case prints "):rep(200))
    ms.note("this is number " .. case.number)
    ms.expect(case.number):at_least(1)
  end,
}
]]
local NAME = "a case " .. ("with a very long name "):rep(10)

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function output_of(command)
  local pipe <close> = assert(io.popen(command))
  return pipe:read "a"
end

local function write_files(directory)
  for number = 1, num_files do
    local file <close> = assert(io.open(("%s/%03d.lua"):format(directory, number), "w"))
    file:write(SCENARIO:format(num_cases, NAME))
  end
end

if not io.open "/proc/self/status" then
  print "skipped: there is no /proc here, which tells of memory"
  os.exit(0)
end

-- KiB; nil when the process is gone.
local function resident(pid)
  local file <close> = io.open("/proc/" .. pid .. "/status")
  return file and tonumber(file:read "a":match "VmRSS:%s*(%d+)")
end

-- Runs all; returns what the parent needed after each hundredth of the cases.
local function run(directory)
  local report = arg[5] and "--report " .. quoted(directory .. "/pages") or ""
  local command = ("echo $$ && exec %s run -j 2 --repeat %d --format tap %s %s"):format(
    quoted(program), repeats, report, quoted(directory))
  local pipe <close> = assert(io.popen(command))
  local pid = pipe:read "l"
  local samples, seen, count = {}, {}, 0
  for line in pipe:lines() do
    local id = line:match "^ok %d+ %- (.*)$"
    if id then
      assert(not seen[id], "told twice: " .. id)
      seen[id], count = true, count + 1
      if count % (total // 100) == 0 then
        samples[#samples + 1] = resident(pid)
      end
    else
      assert(not line:find "^not ok", line)
    end
  end
  assert(count == total, ("%d of %d cases were told"):format(count, total))
  local ended, _, status = pipe:close()
  assert(ended, "exit status " .. tostring(status))
  return samples
end

local directory = output_of "mktemp -d":match "[^\n]+"
local done, samples = pcall(function()
  write_files(directory)
  return run(directory)
end)
output_of("rm -r " .. quoted(directory))
assert(done, samples)
assert(#samples >= 90, "the parent was gone before its report was read")

local most = math.max(table.unpack(samples, 21))
local early = samples[20]
for _, percent in ipairs { 1, 10, 20, 50, 90, #samples } do
  print(("%3d %% of the cases: %d KiB"):format(percent, samples[percent]))
end
print(("at most, after the first fifth: %d KiB"):format(most))
assert(most <= early * MAY_GROW, "the parent grows with the cases that it ran")
