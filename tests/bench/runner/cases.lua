-- SPDX-License-Identifier: MIT
-- BENCH_CASES cases of one mutual TLS handshake each.
local ms = require "moonshake"
local mutual = require "mutual"

local root, server, client = mutual.identities(function() return "ecdsa-p256" end)

local numbers = {}
for number = 1, tonumber(os.getenv "BENCH_CASES") do
  numbers[number] = number
end

ms.scenario "both ends see a certificate" {
  matrix = { number = numbers },
  run = function()
    ms.expect(mutual.link(root, server, client, "TLS1.3"):handshake()):is_true()
  end,
}
