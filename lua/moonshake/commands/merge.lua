-- SPDX-License-Identifier: MIT
-- moonshake merge: the JSON reports of all shards as one, in any format.
local complain = require "moonshake.report.complain"
local files = require "moonshake.io.files"
local join = require "moonshake.report.join"
local json_reader = require "moonshake.report.json_reader"
local several = require "moonshake.report.several"

-- What the files hold; nil and what is wrong, of all of them that cannot be read.
local function read(paths)
  local read_files, problems = {}, {}
  for index, path in ipairs(paths) do
    local text, problem = files.read(path)
    problems[#problems + 1] = problem
    read_files[index] = text and { path = path, found = json_reader.read(text) }
  end
  if #problems > 0 then
    return nil, problems
  end
  return read_files
end

local function replay(joined, report)
  report:begin(joined.plan)
  for _, result in ipairs(joined.results) do
    report:case_begins(result.case, result.attempt)
    report:case_ended(result)
  end
  return report:finish(joined.summary)
end

--- Runs the command.
---@param options table as the command line was parsed
---@param program string what it was called as, for rerun lines
---@return integer status that of a run of the whole; 2 when the files are not all of one
return function(options, program)
  local found, problems = read(options.file)
  local joined
  if found then
    joined, problems = join.files(found)
  end
  if not joined then
    return complain(table.unpack(problems))
  end
  complain(table.unpack(joined.remarks))
  local report, problem = several.open(several.wanted(options.formats, options.report), {
    program = program, terminal = false, durations = options.durations,
    extras = options.junit_extras,
  })
  if not report then
    return complain(problem)
  end
  local written
  written, problem = replay(joined, report)
  if not written then
    return complain("the report could not be written: " .. problem)
  end
  return joined.summary.status
end
