-- SPDX-License-Identifier: MIT
-- What all cases of a process share: Lua's libraries, and the like. A script can change them; what
-- it changed is put back when its case ends, before anything else is done, and told of.

local globals = {}

-- This file may use nothing that a script can change.
local next, type, rawset, getmetatable = next, type, rawset, getmetatable
local collect, set_locale, set_metatable = collectgarbage, os.setlocale, debug.setmetatable

local LIBRARIES = { "string", "table", "math", "os", "io", "coroutine", "utf8", "debug" }

-- Puts back what `kept` says into `table`; adds the names of what differed to `list`.
local function restore(prefix, table, kept, list)
  for name, value in next, kept do
    if table[name] ~= value then
      list[#list + 1] = prefix .. name
      rawset(table, name, value)
    end
  end
  for name in next, table do
    if kept[name] == nil then
      list[#list + 1] = prefix .. (type(name) == "string" and name or "?")
      rawset(table, name, nil)
    end
  end
end

--- Remembers what a table holds; the function returned puts that back, and adds the names of what
--- had been changed to a list. A table that is as it was costs one walk through it.
---@param prefix string in front of each name: "string."
---@param table table
---@return fun(list: string[])
function globals.remember(prefix, table)
  local kept, count, metatable = {}, 0, getmetatable(table)
  for name, value in next, table do
    kept[name], count = value, count + 1
  end
  return function(list)
    if getmetatable(table) ~= metatable then
      set_metatable(table, metatable)
      list[#list + 1] = prefix .. "(metatable)"
    end
    local left = count
    for name, value in next, table do
      if kept[name] ~= value then
        return restore(prefix, table, kept, list)
      end
      left = left - 1
    end
    if left ~= 0 then
      restore(prefix, table, kept, list)
    end
  end
end

-- Modules may come (they are loaded when they are wanted), but neither go nor be exchanged.
local function remember_modules()
  local kept = {}
  for name, module in next, package.loaded do
    kept[name] = module
  end
  local loaded = package.loaded
  return function(list)
    for name, module in next, kept do
      if loaded[name] ~= module then
        list[#list + 1] = "package.loaded." .. name
        loaded[name] = module
      end
    end
  end
end

--- Remembers everything that is shared, as it is now. The function returned puts it back and lists
--- the names of what had been changed, which is nearly always nothing.
---@return fun(): string[]
function globals.remember_all()
  local parts = { globals.remember("", _G), globals.remember("a string's ", getmetatable "") }
  for _, name in ipairs(LIBRARIES) do
    parts[#parts + 1] = globals.remember(name .. ".", _G[name])
  end
  parts[#parts + 1] = remember_modules()
  -- Of each kind of value that may have a metatable although it is no table.
  local values = { true, 0, print, coroutine.create(print) }
  local locale = set_locale()
  return function()
    local changed = {}
    for index = 1, #parts do
      parts[index](changed)
    end
    for index = 0, #values do
      if getmetatable(values[index]) ~= nil then
        set_metatable(values[index], nil)
        changed[#changed + 1] = "a " .. type(values[index]) .. "'s metatable"
      end
    end
    if set_locale() ~= locale then
      set_locale(locale)
      changed[#changed + 1] = "the locale"
    end
    if not collect "isrunning" then
      collect "restart"
      changed[#changed + 1] = "the garbage collector, stopped"
    end
    return changed
  end
end

return globals
