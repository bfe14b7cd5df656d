-- SPDX-License-Identifier: MIT
-- BENCH_CASES cases that do nothing.
local ms = require "moonshake"

local numbers = {}
for number = 1, tonumber(os.getenv "BENCH_CASES") do
  numbers[number] = number
end

ms.scenario "one is one" {
  matrix = { number = numbers },
  run = function()
    ms.expect(1):equals(1)
  end,
}
