-- SPDX-License-Identifier: MIT
-- A case changes what it shares with others, or with what watches over it. That is put back and
-- told of, and nobody else sees it.
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

scribble("takes a library's function away", function()
  string.format = nil -- luacheck: ignore 122
end)
scribble("takes whole libraries away", function()
  for _, name in ipairs { "string", "table", "coroutine" } do
    for key in next, _G[name] do
      _G[name][key] = nil
    end
  end
end)
scribble("empties _G", function()
  local rawset, globals = rawset, _G
  for key in next, globals do
    rawset(globals, key, nil)
  end
end)
scribble("empties _G and fails", function()
  local rawset, globals = rawset, _G
  for key in next, globals do
    rawset(globals, key, nil)
  end
  expect(1):equals(2)
end)
scribble("has _G raise", function()
  setmetatable(_G, { __index = function() error "no" end, __newindex = nothing, __metatable = 1 })
end)
scribble("replaces error and pcall in _G", function()
  _G.error, _G.pcall, _G.xpcall = nothing, nothing, nothing
end)
scribble("replaces a module", function() package.loaded.dkjson = {} end)
scribble("replaces package.loaded", function() package.loaded = {} end)
scribble("replaces package.path", function() package.path = "nowhere" end)
scribble("takes package's searchers away", function()
  package.searchers, package.preload = nil, nil
end)
scribble("gives all values metatables", function()
  getmetatable("").__index = nothing
  debug.setmetatable(0, { __add = nothing })
  debug.setmetatable(nil, { __index = nothing })
  debug.setmetatable(print, { __index = nothing })
end)
scribble("takes the metatable of strings away", function() debug.setmetatable("", nil) end)
scribble("sets a locale", function() os.setlocale "C.UTF-8" end)
scribble("stops the garbage collector", function() collectgarbage "stop" end)
scribble("has another garbage collector", function() collectgarbage "generational" end)
scribble("sets a hook", function() debug.sethook(nothing, "l") end)
scribble("redirects the standard output and input", function()
  io.output(io.tmpfile())
  io.input(io.tmpfile())
end)
scribble("goes elsewhere", function()
  package.loaded.luv.chdir "/"
end)
scribble("changes the library", function()
  ms.expect, ms.tls.link, ms.tls.extra = nothing, nil, 1
end)

ms.scenario "takes the deadline away" {
  timeout = 0.05,
  run = function()
    debug.sethook()
    while true do end
  end,
}

ms.scenario "sees nothing of it" {
  run = function()
    expect(("%d"):format(1)):equals "1"
    expect(require "disaster").no:is_nil()
    expect(ms.tls.link).no:is_nil()
    expect(io.open "CMakeLists.txt").no:is_nil()
  end,
}

-- The hook that raises leaves no way to tell anything.
ms.scenario "sets a hook that raises" {
  run = function()
    debug.sethook(function() error("hooked", 0) end, "crl", 1)
  end,
}

ms.scenario "runs after them" { run = function() expect(1):equals(1) end }
