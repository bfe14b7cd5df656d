-- SPDX-License-Identifier: MIT
-- A worker has so much memory, and what takes all of it ends alone.
local ms = require "moonshake"
local disaster = require "disaster"
local expect = ms.expect

ms.scenario "runs before" { run = function() expect(1):equals(1) end }

ms.scenario "takes all in Lua" {
  run = function()
    local list = {}
    while true do
      list[#list + 1] = ("x"):rep(1 << 16) .. #list
    end
  end,
}

ms.scenario "takes all in Lua at once" { run = function() return ("x"):rep(1 << 30) end }

ms.scenario "takes all and swallows" {
  run = function()
    local list = {}
    for index = 1, 100 do
      pcall(function() list[index] = ("x"):rep(1 << 20) .. index end)
    end
    expect(#list):at_most(64)
  end,
}

ms.scenario "takes all in C" { run = function() disaster.allocate_for_ever() end }

ms.scenario "runs after them" { run = function() expect(1):equals(1) end }
