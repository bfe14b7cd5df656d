-- SPDX-License-Identifier: MIT
-- Which cases a command line means: paths, ids, text, tags.
local files = require "moonshake.io.files"
local loader = require "moonshake.loader"
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
  local here = tidy(files.working_directory()):gsub("/*$", "/")
  return text:sub(1, #here) == here and text:sub(#here + 1) or text
end

-- "FILE::SCENARIO" in its two parts, or the path alone.
local function split(target)
  local path, rest = target:match "^(.-)::(.*)$"
  if path then
    path = selection.id_path(path)
    return path, path .. "::" .. rest
  end
  return selection.id_path(target)
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
    end
    return list and kept, problem
  elseif not kind then
    return nil, path .. ": there is no such file or directory"
  end
  return { path }
end

local function matches_tags(case, tags)
  local has = {}
  for _, tag in ipairs(case.scenario.tags) do
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

local function passes(case, filter)
  return (not filter.text or case.id:find(filter.text, 1, true) ~= nil)
    and matches_tags(case, filter.tags or {})
end

-- The cases of `file` that an id means: the id itself, or all cases of the scenario.
local function cases_named(file, id)
  local found, names = {}, {}
  for _, case in ipairs(file.cases) do
    if case.id == id or file.id .. "::" .. case.scenario.name == id then
      found[#found + 1] = case
    end
    names[#names + 1] = case.id
    names[#names + 1] = file.id .. "::" .. case.scenario.name
  end
  return found, names
end

local Selection = {}
Selection.__index = Selection

function Selection:load(path)
  if self.loaded[path] == nil then
    local file, problem = loader.load(path, { timeout = self.timeout })
    self.loaded[path] = file or false
    if not file then
      self.problems[#self.problems + 1] = problem
    end
  end
  return self.loaded[path]
end

function Selection:add(cases)
  for _, case in ipairs(cases) do
    if not self.taken[case] then
      self.taken[case] = true
      self.cases[#self.cases + 1] = case
    end
  end
end

function Selection:add_target(target)
  local path, id = split(target)
  local paths, problem = files_at(path)
  if not paths then
    self.problems[#self.problems + 1] = problem
    return
  end
  local any = false
  for _, at in ipairs(paths) do
    local file = self:load(at)
    if file and id then
      local found, names = cases_named(file, id)
      self:add(found)
      if #found == 0 then
        self.unmatched[#self.unmatched + 1] = ("%s: there is no such case%s"):format(
          id, suggest.hint(id, names))
      end
    elseif file then
      self:add(file.cases)
    end
    any = any or not file or #file.cases > 0
  end
  if not any and not id then
    self.unmatched[#self.unmatched + 1] = path .. ": there is no scenario in it"
  end
end

--- Loads what `targets` (paths, ids) name and keeps the cases that pass `filter`.
---@param targets string[]
---@param filter { text: string?, tags: string[]?, timeout: number? } timeout: to load a file in
---@return { cases: table[], problems: string[], unmatched: string[] } problems: what could not be
--- loaded; unmatched: targets that mean no case
function selection.select(targets, filter)
  local made = setmetatable({
    cases = {}, problems = {}, unmatched = {}, loaded = {}, taken = {}, timeout = filter.timeout,
  }, Selection)
  for _, target in ipairs(targets) do
    made:add_target(target)
  end
  local kept = {}
  for _, case in ipairs(made.cases) do
    if passes(case, filter) then
      kept[#kept + 1] = case
    end
  end
  return { cases = kept, problems = made.problems, unmatched = made.unmatched }
end

return selection
