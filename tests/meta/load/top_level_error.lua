-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "never" { run = function() end }

local nothing
print(nothing.field)
