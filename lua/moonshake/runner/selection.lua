-- SPDX-License-Identifier: MIT
-- Which cases a command line means: paths, FILE:LINE, ids, text, tags. Works on descriptions
-- (case.lua); what a file has, somebody else finds out.
local files = require "moonshake.io.files"
local suggest = require "moonshake.suggest"

local selection = {}

-- Without ".", ".." and "//" as far as the text alone tells.
local function tidy(path)
  local root = path:match "^/" or ""
  local kept = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." and #kept > 0 and kept[#kept] ~= ".." then
      kept[#kept] = nil
    elseif part ~= "." and not (part == ".." and root == "/") then
      kept[#kept + 1] = part
    end
  end
  local text = root .. table.concat(kept, "/")
  return text == "" and "." or text
end

--- A path as ids show it: relative to the working directory where it lies below that.
---@param path string
---@return string
function selection.id_path(path)
  local text = tidy(path)
  if text:sub(1, 1) ~= "/" then
    return text
  end
  local here = files.working_directory()
  if not here then
    return text -- it is gone
  end
  here = tidy(here):gsub("/*$", "/")
  return text:sub(1, #here) == here and text:sub(#here + 1) or text
end

--- The file that an id begins with. Its name, and the scenario's, may have "::" in them, too: it is
--- the shortest that there is, or else the shortest.
---@param id string
---@param is_file fun(path: string): any
---@return string|nil path nil where it is no id
function selection.file_of(id, is_file)
  local at = id:find("::", 1, true)
  local shortest = at and id:sub(1, at - 1)
  while at do
    local path = id:sub(1, at - 1)
    if is_file(path) then
      return path
    end
    at = id:find("::", at + 1, true)
  end
  return shortest
end

local function is_file(path)
  return files.kind(path) == "file"
end

-- A word of the command line: a path alone, FILE:LINE, FILE::SCENARIO or an id.
local function parse(word)
  if files.kind(word) then
    return { path = selection.id_path(word) }
  end
  local before, line = word:match "^(.+):(%d+)$"
  local file = not (before and is_file(before)) and selection.file_of(word, is_file)
  if file then
    local path = selection.id_path(file)
    return { path = path, id = path .. word:sub(#file + 1) }
  end
  return { path = selection.id_path(before or word), line = math.tointeger(tonumber(line)) }
end

-- The files that a path means; nil and a problem where it means none.
local function files_at(path)
  local kind = files.kind(path)
  if kind == "directory" then
    local list, problem = files.list(path)
    local kept = {}
    for _, below in ipairs(list or {}) do
      if below:find "%.lua$" then
        kept[#kept + 1] = tidy(below)
      end
      if below:find "%c" then
        return nil, below .. ": a name with a control character cannot be a part of an id"
      end
    end
    return list and kept, problem
  elseif not kind then
    return nil, path .. ": there is no such file or directory"
  end
  return { path }
end

--- What words of the command line mean, before any file is loaded.
---@param words string[]
---@return { targets: table[], files: string[], problems: string[] } plan the files in the order in
--- which they are named, each once
function selection.plan(words)
  local plan, seen = { targets = {}, files = {}, problems = {} }, {}
  for _, word in ipairs(words) do
    local target = parse(word)
    local paths, problem
    if word == "" then -- an empty variable in a shell script; not the working directory
      problem = "a path or an id wanted, got an empty word"
    else
      paths, problem = files_at(target.path)
    end
    if paths then
      target.files = paths
      plan.targets[#plan.targets + 1] = target
      for _, path in ipairs(paths) do
        if not seen[path] then
          seen[path] = true
          plan.files[#plan.files + 1] = path
        end
      end
    else
      plan.problems[#plan.problems + 1] = problem
    end
  end
  return plan
end

--- The part of a plan that is about some of its files.
---@param plan table
---@param wanted table<string, boolean> by path
---@return table plan without problems
function selection.narrowed(plan, wanted)
  local part = { targets = {}, files = {}, problems = {} }
  local function kept(paths)
    local list = {}
    for _, path in ipairs(paths) do
      list[#list + 1] = wanted[path] and path or nil
    end
    return list
  end
  part.files = kept(plan.files)
  for _, target in ipairs(plan.targets) do
    local paths = kept(target.files)
    if #paths > 0 then
      part.targets[#part.targets + 1] = setmetatable({ files = paths }, { __index = target })
    end
  end
  return part
end

--- The folders in which a change may change what words mean, or what lies there: those that they
--- name with all below, and those in which named files lie (or would).
---@param words string[]
---@return string[]
function selection.folders(words)
  local folders, seen = {}, {}
  local function add(path)
    if not seen[path] then
      seen[path] = true
      folders[#folders + 1] = path
    end
  end
  for _, word in ipairs(words) do
    local path = parse(word).path
    local above = path:match "^(.*)/[^/]*$" or "."
    if files.kind(path) == "directory" then
      add(path)
      for _, below in ipairs(files.folders(path) or {}) do
        add(tidy(below))
      end
    elseif files.kind(above) == "directory" then
      add(above)
    end
  end
  return folders
end

-- The cases of a file that an id means: the id itself, or all cases of the scenario.
local function cases_named(cases, id)
  local found, names = {}, {}
  for _, case in ipairs(cases) do
    local scenario = case.file .. "::" .. case.name
    if case.id == id or scenario == id then
      found[#found + 1] = case
    end
    names[#names + 1] = case.id
    names[#names + 1] = scenario
  end
  return found, ("%s: there is no such case%s"):format(id, suggest.hint(id, names))
end

-- The cases of the scenarios that begin in a line or, if none does, in the nearest before it.
local function cases_at(cases, path, line)
  local nearest
  for _, case in ipairs(cases) do
    if case.line <= line and (not nearest or case.line > nearest) then
      nearest = case.line
    end
  end
  local found = {}
  for _, case in ipairs(cases) do
    if case.line == nearest then
      found[#found + 1] = case
    end
  end
  return found, ("%s:%d: no scenario begins at or before this line"):format(path, line)
end

local function cases_of(target, path, cases)
  if target.id then
    return cases_named(cases, target.id)
  elseif target.line then
    return cases_at(cases, path, target.line)
  end
  return cases
end

-- The cases of one target and, if there is none, why. A file that cannot be loaded is told of
-- elsewhere.
local function resolve(target, listings)
  local all, why, sound = {}, target.path .. ": there is no scenario in it", true
  for _, path in ipairs(target.files) do
    local listing = listings[path] or {}
    if listing.cases then
      local found, complaint = cases_of(target, path, listing.cases)
      table.move(found, 1, #found, #all + 1, all)
      why = complaint or why
    else
      sound = false
    end
  end
  return all, #all == 0 and sound and why or nil
end

--- The cases that the targets mean, each once, in their order.
---@param plan table what plan() returned
---@param listings table<string, { cases: table[]?, problem: string? }> by path
---@return { cases: table[], problems: string[], unmatched: string[] } problems: what could not be
--- loaded; unmatched: targets that mean no case
function selection.resolve(plan, listings)
  local resolved = { cases = {}, problems = { table.unpack(plan.problems) }, unmatched = {} }
  local taken = {}
  for _, path in ipairs(plan.files) do
    resolved.problems[#resolved.problems + 1] = listings[path] and listings[path].problem
  end
  for _, target in ipairs(plan.targets) do
    local cases, why = resolve(target, listings)
    resolved.unmatched[#resolved.unmatched + 1] = why
    for _, case in ipairs(cases) do
      if not taken[case] then
        taken[case] = true
        resolved.cases[#resolved.cases + 1] = case
      end
    end
  end
  return resolved
end

local function has_text(case, text)
  return not text or case.id:find(text, 1, true) ~= nil
end

local function matches_tags(case, tags)
  local has = {}
  for _, tag in ipairs(case.tags) do
    has[tag] = true
  end
  local wanted, found = false, false
  for _, tag in ipairs(tags) do
    if tag:sub(1, 1) == "!" then
      if has[tag:sub(2)] then
        return false
      end
    else
      wanted = true
      found = found or has[tag] or false
    end
  end
  return found or not wanted
end

--- The cases that pass a filter.
---@param cases table[]
---@param filter { text: string?, other_text: string?, tags: string[]?,
---  accept: (fun(case: table): boolean)? } both texts must be in the id
---@return table[]
function selection.filter(cases, filter)
  local kept = {}
  for _, case in ipairs(cases) do
    if has_text(case, filter.text) and has_text(case, filter.other_text)
      and matches_tags(case, filter.tags or {}) and (not filter.accept or filter.accept(case)) then
      kept[#kept + 1] = case
    end
  end
  return kept
end

-- Whether a target means a case of this id.
local function means(target, id)
  if target.line then
    return false
  elseif target.id then
    return id == target.id or id:sub(1, #target.id + 1) == target.id .. "["
  end
  local path = target.path
  return path == "." or id:sub(1, #path + 2) == path .. "::" or id:sub(1, #path + 1) == path .. "/"
end

--- Whether a case of an id would be selected if there were one; false where that cannot be told.
---@param plan table of selection.plan()
---@param listings table of pool:list(): a file that could not be loaded may have any case
---@param filter { text: string?, other_text: string?, tags: string[]? }
---@param id string
---@return boolean
function selection.would_select(plan, listings, filter, id)
  local path = selection.file_of(id, function(path) return listings[path] end)
  local listing = listings[path or ""]
  if #(filter.tags or {}) > 0 or listing and listing.problem
    or not (has_text({ id = id }, filter.text) and has_text({ id = id }, filter.other_text))
  then
    return false
  end
  for _, target in ipairs(plan.targets) do
    if means(target, id) then
      return true
    end
  end
  return false
end

--- The cases with some of them first; both parts keep their order.
---@param cases table[]
---@param first table<string, boolean> by id
---@return table[]
function selection.with_first(cases, first)
  local early, late = {}, {}
  for _, case in ipairs(cases) do
    local part = first[case.id] and early or late
    part[#part + 1] = case
  end
  return table.move(late, 1, #late, #early + 1, early)
end

return selection
