-- SPDX-License-Identifier: MIT
-- Errors of a script, of every type: reported as errors, with the script's own frames only.
local ms = require "moonshake"

local function helper(value)
  return value.field
end

ms.scenario "indexes nil" {
  run = function()
    local found = helper(nil)
    return found
  end,
}

ms.scenario "raises a string" { run = function() error "no good" end }
ms.scenario "raises a string without its place" { run = function() error("no good", 0) end }
ms.scenario "raises a table" { run = function() error {} end }
ms.scenario "raises nothing" { run = function() error() end }
ms.scenario "raises a number" { run = function() error(42) end }

ms.scenario "raises a value with a text" {
  run = function() error(setmetatable({}, { __tostring = function() return "a text" end })) end,
}

ms.scenario "raises in a coroutine" {
  run = function()
    coroutine.wrap(function() helper(nil) end)()
  end,
}

ms.scenario "recurses without end" {
  run = function()
    local function down(n) return 1 + down(n + 1) end
    down(1)
  end,
}

ms.scenario "wants to end the process" { run = function() os.exit(0) end }
