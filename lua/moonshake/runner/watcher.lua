-- SPDX-License-Identifier: MIT
-- moonshake run --watch: runs, waits for files to change, and runs what that touches: the cases of
-- the changed files, and before them those that failed last.
local changes = require "moonshake.io.changes"
local complain = require "moonshake.report.complain"
local loop = require "moonshake.io.loop"
local runner = require "moonshake.runner"
local selection = require "moonshake.runner.selection"
local tally = require "moonshake.runner.tally"

local watcher = {}

local function folder_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

-- Which scenario files a change touches: a changed or a new one itself, or, where another Lua file
-- changed, all that lie beside it, for they may have loaded it.
local function touched(changed, files, known)
  local is_scenario, beside, set = {}, {}, {}
  for _, path in ipairs(files) do
    is_scenario[path] = true
    beside[folder_of(path)] = beside[folder_of(path)] or {}
    table.insert(beside[folder_of(path)], path)
    set[path] = not known[path] or nil
  end
  for path in pairs(changed) do
    if is_scenario[path] then
      set[path] = true
    elseif path:find "%.lua$" then
      for _, neighbour in ipairs(beside[folder_of(path)] or {}) do
        set[neighbour] = true
      end
    end
  end
  return set
end

-- The options of the next run: the touched files, and the files of what failed.
local function narrowed(options, plan, files, failed)
  local wanted = setmetatable({}, { __index = files })
  for id, path in pairs(failed) do
    wanted[path] = id ~= nil
  end
  return setmetatable({
    plan = selection.narrowed(plan, wanted),
    first = failed,
    filter = setmetatable({
      accept = function(case) return files[case.file] or failed[case.id] end,
    }, { __index = options.filter }),
  }, { __index = options })
end

-- Which files there are now, as a set.
local function set_of(files)
  local set = {}
  for _, path in ipairs(files) do
    set[path] = true
  end
  return set
end

--- Runs until a signal ends it.
---@param options table see runner.run()
---@return integer status
function watcher.run(options)
  local failed = {} -- the file of each case that failed last, by id
  local function run(how)
    local status, cases, did = runner.run(how)
    for _, case in ipairs(cases) do
      if did[case.id] ~= nil then
        failed[case.id] = did[case.id] and case.file or nil
      end
    end
    return status
  end

  local known, changed, status, watch = nil, nil, nil, nil
  while true do
    -- Watched before it is read: what changes from here on is not missed.
    local folders = selection.folders(options.words)
    local problem
    watch, problem = changes.watch(folders, watch)
    if not watch then
      complain(problem)
      return tally.STATUS.unusable
    end
    local plan = selection.plan(options.words)
    local files = known and touched(changed, plan.files, known)
    if not known then
      status = run(setmetatable({ plan = plan }, { __index = options }))
    elseif next(files) then
      status = run(narrowed(options, plan, files, failed))
    end
    if tally.is_interrupted(status) then
      return status
    elseif #folders == 0 then
      complain "there is no folder to watch"
      return status
    end
    known = set_of(plan.files)
    local signal
    changed, signal = watch:wait(function()
      if not files or next(files) then -- something ran
        io.stderr:write(("watching %d folder%s for changes; Ctrl-C ends\n"):format(
          #folders, #folders == 1 and "" or "s"))
      end
    end)
    if signal then
      return loop.status_of(signal)
    end
  end
end

return watcher
