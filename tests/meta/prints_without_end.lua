-- SPDX-License-Identifier: MIT
-- Output is kept from its beginning and its end; who prints for ever does so until the deadline.
local ms = require "moonshake"

ms.scenario "prints very much" {
  run = function()
    for line = 1, 100000 do
      print("line " .. line)
    end
    ms.expect(1):equals(2)
  end,
}

ms.scenario "prints without end" {
  timeout = 1,
  run = function()
    while true do
      io.write "never ending\n"
    end
  end,
}

ms.scenario "has a program print without end" {
  timeout = 1,
  run = function() os.execute "yes" end,
}

ms.scenario "prints nothing" { run = function() ms.expect(1):equals(2) end }
