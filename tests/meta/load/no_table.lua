-- SPDX-License-Identifier: MIT
local ms = require "moonshake"
ms.scenario "never"
