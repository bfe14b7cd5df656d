-- SPDX-License-Identifier: MIT
-- moonshake run: what the command line and the environment say, as options of the runner.
local complain = require "moonshake.report.complain"
local engines = require "moonshake.runner.engines"
local files = require "moonshake.io.files"
local key_log = require "moonshake.key_log"
local record = require "moonshake.report.record"
local runner = require "moonshake.runner"
local several = require "moonshake.report.several"

local GIBIBYTE = 1 << 30

-- A directory that was named, in the place where an engine wants what tests leave behind.
local function in_place(folder, engine)
  local place = engine.outputs
  return folder and place and folder:sub(1, 1) ~= "/" and place:gsub("/*$", "/") .. folder or folder
end

-- Where captures go, and of which cases; nil: there are none. An engine that has a place for what
-- tests leave behind gets those of failures unasked.
local function captures_for(options, engine)
  local folder = in_place(options.pcap or options.pcap_failures, engine) or engine.outputs
  return folder and { folder = folder, failures_only = not options.pcap }
end

-- What must be kept of cases for a report (see evidence.lua).
local EVIDENCE = { json = "ends", record = "record", compare = "record", usage = "certificates" }

local function evidence_for(reports, captures)
  local evidence = { explanation = true, captures = captures }
  for _, one in ipairs(reports) do
    if EVIDENCE[one.format] then
      evidence[EVIDENCE[one.format]] = true
    end
    if one.format == "html" then
      evidence.pictures = "always"
    elseif one.format == "json" then
      evidence.pictures = evidence.pictures or "failed"
    end
  end
  return evidence
end

-- The formats, and what goes beside them: which certificates there were, what changed, what is kept
-- to compare with.
local function reports_for(options, engine)
  local reports = several.wanted(options.formats, in_place(options.report, engine),
                                 engine.reports)
  local function add(format, path)
    reports[#reports + 1] = { format = format, path = path, beside = not path }
  end
  if options.certificates then
    add("usage", options.certificates.path)
  end
  if options.compare then
    add "compare"
  end
  if options.record then
    add("record", options.record)
  end
  return reports
end

-- The record to compare with, empty if none is wanted; nil and what is wrong with it.
local function read_record(path)
  if not path then
    return {}
  end
  local text, problem = files.read(path)
  if not text then
    return nil, problem
  end
  local recorded
  recorded, problem = record.read(text)
  return recorded and { path = path, recorded = recorded }, path .. ": " .. (problem or "")
end

local function as_wanted(options, engine, captures, program, compare)
  local reports = reports_for(options, engine)
  return {
    words = #options.path > 0 and options.path or { "scenarios" },
    filter = { text = options.text, tags = options.tags, other_text = engine.filter },
    last_failed = options.last_failed,
    shard = engine.shard,
    seed = options.seed,
    repeats = options.repeats,
    max_fail = (options.fail_fast or engine.fail_fast) and 1 or options.max_fail,
    jobs = options.jobs,
    timeout = options.timeout,
    memory = options.memory or GIBIBYTE,
    keep = options.keep,
    skip_status = options.skip_status,
    evidence = evidence_for(reports, captures),
    erase = engine.erase,
    temporary = engine.tmpdir,
    aside = engine.tmpdir ~= nil, -- Bazel's tests write there, and nowhere else
    reports = reports,
    context = {
      program = program, terminal = files.is_terminal(1), width = files.terminal_width,
      durations = options.durations, extras = options.junit_extras, compare = compare,
    },
  }
end

-- Files by which an engine knows that the test took note of its shard, and that it came to its end.
local function touch(path)
  local done, problem = true, nil
  if path then
    done, problem = files.write(path, "")
  end
  return done and nil or problem
end

--- Runs the command.
---@param options table as the command line was parsed
---@param program string what it was called as, for rerun lines
---@return integer status
return function(options, program)
  local engine, problem = engines.read(options.shard)
  problem = problem or touch(engine.premature_exit_file) or touch(engine.status_file)
  local compare
  if not problem then
    compare, problem = read_record(options.compare)
  end
  if not compare then
    return complain(problem)
  end
  problem = nil
  local captures = captures_for(options, engine)
  if captures then
    problem = select(2, files.make_directory(captures.folder))
  end
  if key_log.wanted and not problem then
    problem = select(2, key_log.add {})
  end
  if problem then
    return complain(problem)
  end
  local wanted = as_wanted(options, engine, captures, program, compare)
  local status
  if options.watch then
    status = require("moonshake.runner.watcher").run(wanted)
  else
    status = runner.run(wanted)
  end
  if engine.premature_exit_file then
    os.remove(engine.premature_exit_file)
  end
  return status
end
