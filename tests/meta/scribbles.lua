-- SPDX-License-Identifier: MIT
-- A case changes what it shares with others, or with what watches over it: the change is put back,
-- told of, and costs nobody else anything. (The case that changed it has what it wanted.)
local ms = require "moonshake"
local expect = ms.expect

local function scribble(name, how)
  ms.scenario(name) {
    run = function()
      expect(1):equals(1)
      how()
    end,
  }
end

local function nothing() end

scribble("takes a library's function away", function() string.format = nil end)
scribble("takes all libraries away", function()
  for _, name in ipairs { "string", "table", "math", "os", "io", "debug", "coroutine", "utf8" } do
    for key in pairs(_G[name]) do
      _G[name][key] = nil
    end
  end
end)
scribble("empties _G", function()
  for key in next, _G do
    rawset(_G, key, nil)
  end
end)
scribble("has _G raise", function()
  setmetatable(_G, { __index = function() error "no" end, __newindex = nothing })
end)
scribble("replaces error and pcall", function() error, pcall, xpcall = nothing, nothing, nothing end)
scribble("replaces the loaded modules", function()
  for name in pairs(package.loaded) do
    package.loaded[name] = {}
  end
end)
scribble("replaces package.loaded", function() package.loaded = {} end)
scribble("replaces package.path", function() package.path = "nowhere" end)
scribble("takes package's searchers away", function()
  package.searchers, package.preload = nil, nil
end)
scribble("gives strings, numbers, nil and functions metatables", function()
  getmetatable("").__index = nothing
  debug.setmetatable(0, { __add = nothing })
  debug.setmetatable(nil, { __index = nothing })
  debug.setmetatable(print, { __index = nothing })
end)
scribble("has another metatable for strings", function() debug.setmetatable("", nil) end)
scribble("sets a locale", function() os.setlocale "C.UTF-8" end)
scribble("stops the garbage collector", function() collectgarbage "stop" end)
scribble("makes the garbage collector generational", function() collectgarbage "generational" end)
scribble("sets a hook", function() debug.sethook(function() error "hooked" end, "crl", 1) end)
scribble("takes the hook away", function() debug.sethook() end)
scribble("redirects standard output", function() io.output(io.tmpfile()) end)
scribble("closes standard output", function() io.stdout:close() end)
scribble("closes standard input", function() io.input():close() end)
scribble("changes json", function() require("dkjson").encode = nothing end)
scribble("changes the library", function()
  local case = debug.getregistry and require "moonshake.case"
  case.new = nothing
  ms.expect = nothing
end)
scribble("turns warnings on", function() warn "@on" end)
scribble("seeds the random numbers", function() math.randomseed(1) end)
scribble("removes the registry's tables", function()
  local registry = debug.getregistry()
  for key in pairs(registry) do
    if type(key) == "string" then
      registry[key] = nil
    end
  end
end)

ms.scenario "runs after them" { run = function() expect(("%d"):format(1)):equals "1" end }
