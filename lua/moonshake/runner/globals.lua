-- SPDX-License-Identifier: MIT
-- What all cases of a process share: Lua's libraries, and the like. A script can change them; what
-- it changed is put back when its case ends, before anything else is done, and told of.

local globals = {}

local files = require "moonshake.io.files"

-- This file may use nothing that a script can change.
local next, type, rawget, rawset, getmetatable = next, type, rawget, rawset, getmetatable
local collect, set_locale, set_metatable = collectgarbage, os.setlocale, debug.setmetatable
local get_hook, set_hook, output, input = debug.gethook, debug.sethook, io.output, io.input
local sort, stdin, stdout = table.sort, io.stdin, io.stdout

local LIBRARIES = { "string", "table", "math", "os", "io", "coroutine", "utf8", "debug" }
local API = { moonshake = "ms.", ["moonshake.pki"] = "ms.pki.", ["moonshake.tls"] = "ms.tls.",
              ["moonshake.clock"] = "ms.clock." }

-- Puts back what `kept` says into `table`; adds the names of what differed to `list`.
local function restore(prefix, table, kept, list)
  for name, value in next, kept do
    if rawget(table, name) ~= value then
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

-- What `package` holds, but for the path, which is the file's while a case runs.
local function remember_package()
  local package, kept = package, {}
  for name, value in next, package do
    kept[name] = value
  end
  kept.path = nil
  return function(list)
    for name, value in next, kept do
      if package[name] ~= value then
        list[#list + 1] = "package." .. name
        package[name] = value
      end
    end
  end
end

-- Of each kind of value that may have a metatable although it is no table.
local function remember_metatables()
  local values = { "", true, 0, print, coroutine.create(print) }
  local kept = {}
  for index = 0, #values do
    kept[index] = getmetatable(values[index])
  end
  return function(list)
    for index = 0, #values do
      if getmetatable(values[index]) ~= kept[index] then
        set_metatable(values[index], kept[index])
        list[#list + 1] = "a " .. type(values[index]) .. "'s metatable"
      end
    end
  end
end

local function nothing() end

-- What is set by a call: what it is called, its value of now, how to ask for it and to set it.
local function remember_settings()
  local standard_files = require("moonshake.program").standard_files
  local settings = {
    { "descriptors 0 to 2", standard_files(), standard_files, nothing },
    { "the locale", set_locale(), set_locale, set_locale },
    { "the garbage collector, stopped", true, function() return collect "isrunning" end,
      function() collect "restart" end },
    { "the debug hook", nil, get_hook, function() set_hook() end },
    { "the standard output", stdout, output, output },
    { "the standard input", stdin, input, input },
    { "the working directory", files.working_directory(), files.working_directory,
      files.set_working_directory },
  }
  local mode = collect "incremental"
  collect(mode)
  return function(list)
    for index = 1, #settings do
      local name, value, get, set = settings[index][1], settings[index][2], settings[index][3],
                                    settings[index][4]
      if get() ~= value then
        set(value)
        list[#list + 1] = name
      end
    end
    if collect(mode) ~= mode then
      list[#list + 1] = "the garbage collector's mode"
    end
  end
end

--- Remembers everything that is shared, as it is now. The function returned puts it back and lists
--- the names of what had been changed, which is nearly always nothing.
---@return fun(): string[]
function globals.remember_all()
  local parts = {
    remember_metatables(), globals.remember("", _G),
    globals.remember("a string's ", getmetatable ""),
  }
  for _, name in ipairs(LIBRARIES) do
    parts[#parts + 1] = globals.remember(name .. ".", _G[name])
  end
  for name, prefix in next, API do
    parts[#parts + 1] = package.loaded[name] and globals.remember(prefix, package.loaded[name])
  end
  parts[#parts + 1] = remember_package()
  parts[#parts + 1] = remember_modules()
  parts[#parts + 1] = remember_settings()
  return function()
    local changed = {}
    for index = 1, #parts do
      parts[index](changed)
    end
    sort(changed)
    return changed
  end
end

return globals
