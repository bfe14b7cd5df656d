-- SPDX-License-Identifier: MIT
local ms = require "moonshake"

ms.scenario "sees no global of another file" {
  run = function() ms.expect(leak):is_nil() end, -- luacheck: ignore 113
}
