-- SPDX-License-Identifier: MIT
-- Real time that passes, whatever the clock of a case says.

local uv = require "luv"

local stopwatch = {}

--- Starts one; the function returned gives the seconds since then.
function stopwatch.start()
  local begun = uv.hrtime()
  return function()
    return (uv.hrtime() - begun) / 1e9
  end
end

return stopwatch
