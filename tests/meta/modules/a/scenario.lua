-- SPDX-License-Identifier: MIT
-- A file sees the modules that lie beside it, when it loads and when it runs, and no other file's.
local ms = require "moonshake"
local loaded = require "beside"

ms.scenario "sees its own" {
  matrix = { n = { 1, 2 } },
  run = function()
    ms.expect(loaded.name):equals "a"
    ms.expect(require("beside")):equals(loaded)
  end,
}
