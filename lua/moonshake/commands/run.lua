-- SPDX-License-Identifier: MIT
-- moonshake run: what the command line and the environment say, as options of the runner.
local files = require "moonshake.io.files"
local runner = require "moonshake.runner"

local GIBIBYTE = 1 << 30

-- Where no format goes to standard output, people are told there.
local function reports_of(options)
  local reports, shown = {}, false
  for _, one in ipairs(options.formats) do
    reports[#reports + 1] = one
    shown = shown or not one.path
  end
  if not shown then
    table.insert(reports, 1, { format = "pretty" })
  end
  return reports
end

local function wants_ends(reports)
  for _, one in ipairs(reports) do
    if one.format == "json" then
      return true
    end
  end
  return false
end

--- Runs the command.
---@param options table as the command line was parsed
---@param program string what it was called as, for rerun lines
---@return integer status
return function(options, program)
  local reports = reports_of(options)
  local wanted = {
    words = #options.path > 0 and options.path or { "scenarios" },
    filter = { text = options.text, tags = options.tags },
    last_failed = options.last_failed,
    shard = options.shard,
    seed = options.seed,
    repeats = options.repeats,
    max_fail = options.fail_fast and 1 or options.max_fail,
    jobs = options.jobs,
    timeout = options.timeout,
    memory = options.memory or GIBIBYTE,
    keep = options.keep,
    ends = wants_ends(reports),
    reports = reports,
    context = {
      program = program, terminal = files.is_terminal(1), durations = options.durations,
      extras = options.junit_extras,
    },
  }
  if options.watch then
    return require("moonshake.watcher").run(wanted)
  end
  return (runner.run(wanted))
end
