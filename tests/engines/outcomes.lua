-- SPDX-License-Identifier: MIT
-- Prints what a JSON report says of each case, a sorted line each; reads the file by its format and
-- with nothing of ours.
--   lua5.4 outcomes.lua FILE
local json = require "dkjson"

local lines = {}
for line in io.lines(arg[1]) do
  local event = assert(json.decode(line))
  if event.event == "case_end" then
    lines[#lines + 1] = ("%s %s %d"):format(event.outcome, event.id, event.attempt)
  end
end
table.sort(lines)
print(table.concat(lines, "\n"))
