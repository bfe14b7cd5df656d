-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "never" { timeout = "long", run = function() end }
