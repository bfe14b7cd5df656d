-- SPDX-License-Identifier: MIT
-- A case that expects nothing would be green whatever happens.
local ms = require "moonshake"

ms.scenario "only does things" {
  run = function()
    ms.pki.authority { cn = "Root" }
  end,
}
