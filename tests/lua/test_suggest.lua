-- SPDX-License-Identifier: MIT
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local suggest = require "moonshake.suggest"
local test, equal = unit.test, unit.equal

local WORDS = { "client_auth", "trust", "verify", "verify_name", "server_name", "alpn" }

test("swapped neighbours are one mistake", function()
  equal(suggest.nearest("cleint_auth", WORDS), "client_auth")
  equal(suggest.nearest("apln", WORDS), "alpn")
end)

test("a missing, an extra and a wrong letter are found", function()
  equal(suggest.nearest("client_aut", WORDS), "client_auth")
  equal(suggest.nearest("verifyy", WORDS), "verify")
  equal(suggest.nearest("trast", WORDS), "trust")
end)

test("case does not count", function()
  equal(suggest.nearest("Client_Auth", WORDS), "client_auth")
end)

test("a word too far away has no neighbour", function()
  equal(suggest.nearest("banana", WORDS), nil)
  equal(suggest.nearest("ab", { "xy" }), nil)
end)

test("a short word may have one mistake", function()
  equal(suggest.nearest("cm", { "cn" }), "cn")
  equal(suggest.nearest("", { "x" }), "x")
end)

test("at most a third of the letters may be wrong", function()
  equal(suggest.nearest("abcdef", { "abcdxy" }), "abcdxy")
  equal(suggest.nearest("abcdef", { "abcxyz" }), nil)
end)

test("of equally near words the alphabetically first is taken", function()
  equal(suggest.nearest("cat", { "car", "bat" }), "bat")
  equal(suggest.nearest("cat", { "bat", "car" }), "bat")
end)

test("the hint is empty where there is none", function()
  equal(suggest.hint("trusst", WORDS), ' (did you mean "trust"?)')
  equal(suggest.hint("banana", WORDS), "")
  equal(suggest.hint(12, WORDS), "")
end)

unit.done()
