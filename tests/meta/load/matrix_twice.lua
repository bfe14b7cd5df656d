-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "never" { matrix = { n = { 1, 2, 1 } }, run = function() end }
