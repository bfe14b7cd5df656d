-- SPDX-License-Identifier: MIT
-- The certificates with which `moonshake serve` serves, and those that it trusts.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local files = require "moonshake.io.files"
local identities = require "moonshake.serve.identities"
local ms = require "moonshake"
local test, equal, contains = unit.test, unit.equal, unit.contains

local directory = assert(files.temporary_directory())
local own = ms.pki.authority { cn = "Own Root" }
local chain, _, key = own:issue { dns = "own.example" }:save(directory .. "/own")
local ca = own:save(directory .. "/ca")

-- The subjects of those that are trusted.
local function trusted(made)
  local names = {}
  for index, one in ipairs(made.trust or {}) do
    names[index] = one.subject
  end
  return made.trust and table.concat(names, ", ")
end

test("a certificate that is made is for this machine, and for the name that is listened on",
     function()
  local DNS, IP = "localhost", "127.0.0.1 ::1"
  for _, row in ipairs {
    { nil, DNS, IP }, { "localhost", DNS, IP }, { "127.0.0.1", DNS, IP }, { "::1", DNS, IP },
    { "192.0.2.7", DNS, IP .. " 192.0.2.7" }, { "2001:db8::1", DNS, IP .. " 2001:db8::1" },
    { "a.example", DNS .. " a.example", IP }, { "abc", DNS .. " abc", IP },
  } do
    local made = assert(identities.make { host = row[1] })
    equal(table.concat(made.identity.certificate.dns_names, " "), row[2])
    equal(table.concat(made.identity.certificate.ip_addresses, " "), row[3])
    identities.remove(made)
    equal(files.kind(made.temporary), nil)
  end
  local made, problem = identities.make { host = "a\0b" }
  equal(made, nil)
  equal(type(problem), "string")
end)

test("who is trusted is who was named, and the authority that made the client", function()
  for _, row in ipairs {
    { {}, "CN=Moonshake authority" }, { { ca = ca }, "CN=Own Root" },
    { { make_client = "a" }, "CN=Moonshake authority" },
    { { ca = ca, make_client = "b" }, "CN=Own Root, CN=Moonshake authority" },
    { { cert = chain, key = key } }, { { cert = chain, key = key, ca = ca }, "CN=Own Root" },
    { { cert = chain, key = key, make_client = "c" }, "CN=Moonshake authority" },
  } do
    local options = row[1]
    options.make_client = options.make_client and directory .. "/" .. options.make_client
    local made = assert(identities.make(options))
    equal(trusted(made), row[2])
    equal(made.identity.certificate.subject, options.cert and own:issue {
      dns = "own.example" }.certificate.subject or "CN=Moonshake server")
    equal(made.authority_path ~= nil, made.authority ~= nil)
    equal(made.temporary ~= nil, not options.cert and not options.make_client)
    identities.remove(made)
    equal(files.kind(options.make_client or directory), "directory")
  end
end)

test("what cannot be had is the problem", function()
  for _, row in ipairs {
    { { cert = "nowhere.pem" }, "nowhere.pem" }, { { ca = "nowhere.pem" }, "nowhere.pem" },
    { { cert = chain, key = ca }, "key" },
    { { make_client = directory .. "/a" }, directory .. "/a/cert.pem is there already" },
  } do
    local made, problem = identities.make(row[1])
    equal(made, nil)
    contains(problem, row[2])
  end
end)

files.remove_tree(directory)
unit.done()
