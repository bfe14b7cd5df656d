-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "never" {
  matrx = { n = { 1 } },
  run = function() end,
}
