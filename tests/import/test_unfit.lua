-- SPDX-License-Identifier: MIT
-- What moonshake import says to what is no capture.
local unit = dofile "tests/lua/harness.lua"
local captures = dofile "tests/import/captures.lua"
local test, equal = unit.test, unit.equal

test("what is no file that can be read is named as what it is", function()
  for path, what in pairs { ["nobody.pcap"] = "no such file", ["."] = "is a directory",
                            ["/dev/null"] = "is no regular file" } do
    local text, status = captures.run("import " .. path)
    equal(text, ("moonshake: %s: %s\n"):format(path, what))
    equal(status, 2)
  end
end)

captures.remove()
unit.done()
