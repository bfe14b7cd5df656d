-- SPDX-License-Identifier: MIT
local list = {}
while true do
  list[#list + 1] = ("x"):rep(1 << 16) .. #list
end
