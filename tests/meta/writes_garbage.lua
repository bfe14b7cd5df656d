-- SPDX-License-Identifier: MIT
-- What a case writes where results go is no result, however much it looks like one.
local ms = require "moonshake"
local disaster = require "disaster"
local expect = ms.expect

local PASSED = '{"ended":{"index":2,"outcome":"passed","failures":[],"notes":[],"seconds":0}}\n'

-- With what it calls a result, then with the expectation that fails.
local function write(text)
  return function()
    disaster.write_garbage(3, text)
    expect(1):equals(2)
  end
end

ms.scenario "runs before" { run = function() expect(1):equals(1) end }
ms.scenario "writes a line" { run = write "garbage\n" }
ms.scenario "writes half a line" { run = write "garbage" }
ms.scenario "writes a result" { run = write(PASSED) }
ms.scenario "writes a result with a token" { run = write(("0"):rep(32) .. " " .. PASSED) }
ms.scenario "writes last words" { run = write '\n0 {"last_words":{"signal":11}}\n' }
ms.scenario "writes empty lines" { run = write "\n\n\n" }
ms.scenario "writes zeros" { run = write(("\0"):rep(1000) .. "\n") }
ms.scenario "writes a flood of lines" {
  run = function()
    local lines = ("garbage\n"):rep(1 << 17)
    for _ = 1, 100 do
      disaster.write_garbage(3, lines)
    end
  end,
}
ms.scenario "writes a flood without a line" {
  run = function()
    local line = ("garbage!"):rep(1 << 17)
    for _ = 1, 100 do
      disaster.write_garbage(3, line)
    end
  end,
}
ms.scenario "runs after them" { run = function() expect(1):equals(1) end }
