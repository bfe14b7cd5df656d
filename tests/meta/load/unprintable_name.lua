-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "a\nb" { run = function() end }
