-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "twice" { run = function() end }
ms.scenario "twice" { run = function() end }
