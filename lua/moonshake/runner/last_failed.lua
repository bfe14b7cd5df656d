-- SPDX-License-Identifier: MIT
-- Which cases failed when they ran last, kept in .moonshake/ of the working directory.
local json = require "dkjson"
local files = require "moonshake.io.files"
local lock = require "moonshake.io.lock"
local replacement = require "moonshake.io.replacement"

local last_failed = {}

local FOLDER = ".moonshake"
local FILE = FOLDER .. "/last-failed.json"

--- The ids, in alphabetical order; empty where nothing was kept.
---@return string[]|nil
---@return string|nil problem
function last_failed.read()
  if not files.kind(FILE) then
    return {}
  end
  local text, problem = files.read(FILE)
  if not text then
    return nil, problem
  end
  local kept = json.decode(text)
  if type(kept) ~= "table" or type(kept.failed) ~= "table" then
    return nil, FILE .. ": not what Moonshake wrote there; remove it"
  end
  return kept.failed
end

-- The folder, which git is told to leave alone.
local function make_folder()
  local made, problem = files.make_directory(FOLDER)
  if made and not files.kind(FOLDER .. "/.gitignore") then
    made, problem = files.write(FOLDER .. "/.gitignore", "*\n")
  end
  return made, problem
end

local function write(ids)
  local file, problem = replacement.open(FILE)
  if not file then
    return nil, problem
  end
  table.sort(ids)
  setmetatable(ids, { __jsontype = "array" })
  file:write(json.encode({ failed = ids }, { indent = true }), "\n")
  return file:commit()
end

--- Keeps which cases of a run failed. Those that did not run stay what they were, unless they are
--- gone. Another run may end at the same moment: neither loses what the other keeps.
---@param ended table<string, boolean> id -> whether it failed
---@param is_gone fun(id: string): boolean
---@return true|nil
---@return string|nil problem
function last_failed.keep(ended, is_gone)
  local ids = {}
  for id, failed in pairs(ended) do
    ids[#ids + 1] = failed and id or nil
  end
  if #ids == 0 and not files.kind(FILE) then
    return true -- nothing to keep, and no folder for it
  end
  local made, problem = make_folder()
  if not made then
    return nil, problem
  end
  local _ <close> = lock.take(FOLDER)
  local known = last_failed.read() or {}
  for _, id in ipairs(known) do
    if ended[id] == nil and not is_gone(id) then
      ids[#ids + 1] = id
    end
  end
  return #ids + #known == 0 or write(ids)
end

return last_failed
