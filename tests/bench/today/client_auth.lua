-- SPDX-License-Identifier: MIT
-- The scenario of membio.py and openssl.sh for moonshake: BENCH_CASES handshakes in which the
-- server requires a certificate and both ends verify, in turn with TLS 1.2 and 1.3.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local directory = os.getenv "BENCH_CERTIFICATES"
local function load(name)
  local path = directory .. "/" .. name
  return pki.load { certificate = path .. "/chain.pem", key = path .. "/key.pem" }
end

local root = pki.certificates(directory .. "/root.pem")
local server, client = load "server", load "client"

local numbers = {}
for number = 1, tonumber(os.getenv "BENCH_CASES") do
  numbers[number] = number
end

ms.scenario "a client shows the certificate that is required" {
  matrix = { number = numbers },
  run = function(case)
    local link = tls.link {
      server = { trust = root, identity = server, client_auth = "require" },
      client = { trust = root, identity = client, server_name = "server.example" },
      versions = case.number % 2 == 0 and "TLS1.2" or "TLS1.3",
    }
    link:handshake()
    expect(link.client):verified()
    expect(link.server):verified()
    expect(link.server.peer_certificate.subject):equals "CN=alice"
  end,
}
