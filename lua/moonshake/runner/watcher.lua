-- SPDX-License-Identifier: MIT
-- moonshake run --watch: runs, waits for files to change, and runs what that touches: the cases of
-- the changed files, and before them those that failed last.
local changes = require "moonshake.io.changes"
local runner = require "moonshake.runner"
local selection = require "moonshake.runner.selection"
local tally = require "moonshake.runner.tally"

local watcher = {}

local function folder_of(path)
  return path:match "^(.*)/[^/]*$" or "."
end

-- The folders of the scenario files, and each of those files by folder.
local function folders_of(paths)
  local list, files = {}, {}
  for _, path in ipairs(paths) do
    local folder = folder_of(path)
    if not files[folder] then
      files[folder] = {}
      list[#list + 1] = folder
    end
    table.insert(files[folder], path)
  end
  return list, files
end

-- Which scenario files a change touches: a changed one itself, or, where another Lua file changed,
-- all that lie beside it, for they may have loaded it.
local function touched(changed, paths, beside)
  local is_scenario, set = {}, {}
  for _, path in ipairs(paths) do
    is_scenario[path] = true
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
local function narrowed(options, files, failed, file_of)
  local wanted, words = setmetatable({}, { __index = files }), {}
  for path in pairs(files) do
    words[#words + 1] = path
  end
  for id, path in pairs(file_of) do
    if failed[id] and not wanted[path] then
      wanted[path] = true
      words[#words + 1] = path
    end
  end
  table.sort(words)
  return setmetatable({
    words = words,
    first = failed,
    filter = setmetatable({
      accept = function(case) return files[case.file] or failed[case.id] end,
    }, { __index = options.filter }),
  }, { __index = options })
end

--- Runs until a signal ends it.
---@param options table see runner.run()
---@return integer status
function watcher.run(options)
  local file_of, failed = {}, {}
  local function run(how)
    local status, cases, did = runner.run(how)
    for _, case in ipairs(cases) do
      file_of[case.id] = case.file
    end
    for id, has_failed in pairs(did) do
      failed[id] = has_failed
    end
    return status
  end
  local status = run(options)
  while status < tally.STATUS.interrupted do
    local paths = selection.plan(options.words).files
    local folders, beside = folders_of(paths)
    if #folders == 0 then
      return status -- nothing that could change
    end
    local changed = changes.wait(folders, function()
      io.stderr:write(("watching %d folder%s for changes; Ctrl-C ends\n"):format(
        #folders, #folders == 1 and "" or "s"))
    end)
    if not changed then
      return tally.STATUS.interrupted
    end
    local files = touched(changed, selection.plan(options.words).files, beside)
    if next(files) then
      status = run(narrowed(options, files, failed, file_of))
    end
  end
  return status
end

return watcher
