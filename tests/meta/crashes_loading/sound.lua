-- SPDX-License-Identifier: MIT
-- The one file here that loads: it runs although the others do not.
local ms = require "moonshake"
ms.scenario "runs" { run = function() ms.expect(1):equals(1) end }
