-- SPDX-License-Identifier: MIT
-- A case without descriptors to tell anything by.
local ms = require "moonshake"
local disaster = require "disaster"
local expect = ms.expect

ms.scenario "runs before" { run = function() expect(1):equals(1) end }

ms.scenario "closes all but the first three" {
  run = function()
    print "still heard"
    disaster.close_descriptors()
    expect(1):equals(1)
  end,
}

ms.scenario "runs between" { run = function() expect(1):equals(1) end }

ms.scenario "closes all" {
  run = function()
    disaster.close_descriptors(0)
    expect(1):equals(1)
  end,
}

ms.scenario "closes all and goes on" {
  timeout = 0.05,
  run = function()
    disaster.close_descriptors(0)
    while true do end
  end,
}

ms.scenario "closes the first three" {
  run = function()
    disaster.close_descriptors(0, 2)
    expect(1):equals(1)
  end,
}

ms.scenario "prints after them" {
  run = function()
    print "heard again"
    os.execute "echo heard from a program"
    expect(1):equals(2)
  end,
}
