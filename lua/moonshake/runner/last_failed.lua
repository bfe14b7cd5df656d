-- SPDX-License-Identifier: MIT
-- Which cases failed when they ran last, kept in .moonshake/ of the working directory.
local json = require "dkjson"
local files = require "moonshake.io.files"
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

--- Keeps which cases of a run failed. Those that did not run stay what they were, unless they are
--- gone.
---@param ended table<string, boolean> id -> whether it failed
---@param is_gone fun(id: string): boolean
---@return true|nil
---@return string|nil problem
function last_failed.keep(ended, is_gone)
  local known = last_failed.read() or {}
  local ids, before = {}, #known
  for _, id in ipairs(known) do
    if ended[id] == nil and not is_gone(id) then
      ids[#ids + 1] = id
    end
  end
  for id, failed in pairs(ended) do
    if failed then
      ids[#ids + 1] = id
    end
  end
  if #ids == 0 and before == 0 then
    return true -- nothing to keep, and no folder for it
  end
  table.sort(ids)
  local made, problem = files.make_directory(FOLDER)
  if made and not files.kind(FOLDER .. "/.gitignore") then
    made, problem = files.write(FOLDER .. "/.gitignore", "*\n")
  end
  if not made then
    return nil, problem
  end
  local file
  file, problem = replacement.open(FILE)
  if not file then
    return nil, problem
  end
  setmetatable(ids, { __jsontype = "array" })
  file:write(json.encode({ failed = ids }, { indent = true }), "\n")
  return file:commit()
end

return last_failed
