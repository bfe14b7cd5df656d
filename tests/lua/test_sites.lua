-- SPDX-License-Identifier: MIT
-- Which options hold where a server has sites.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local test, equal = unit.test, unit.equal

local ca = pki.authority { cn = "Root" }
local server = ca:issue { dns = "server.example" }
local a = ca:issue { dns = { "a.example", "www.a.example" } }
local alice = ca:issue { cn = "alice" }

local function link_with(version, name, sites, of_client)
  local client = { trust = ca, server_name = name, verify = false }
  for option, value in pairs(of_client or {}) do
    client[option] = value
  end
  return tls.link { client = client, versions = version,
                    server = { identity = server, trust = ca, sites = sites } }
end

local function each_version(name, run)
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    test(name .. " (" .. version .. ")", function() run(version) end)
  end
end

each_version("names are compared without case, a pattern stands for one label", function(version)
  for name, site in pairs {
    ["A.Example"] = "a.example", ["WWW.A.EXAMPLE"] = "*.a.example", ["x.a.example"] = "*.a.example",
    ["x.y.a.example"] = false, ["b.example"] = false,
  } do
    local link = link_with(version, name, { ["a.example"] = { identity = a },
                                            ["*.a.example"] = { identity = a } })
    equal(link:handshake(), true)
    equal(link.server.site, site or nil, name)
    equal(link.server.local_certificate, (site and a or server).certificate)
    equal(link.server.server_name, name)
  end
end)

each_version("the exact name goes before the pattern", function(version)
  local link = link_with(version, "www.a.example", {
    ["*.a.example"] = { identity = server }, ["www.a.example"] = { identity = a } })
  equal(link:handshake(), true)
  equal(link.server.site, "www.a.example")
  equal(link.server.local_certificate, a.certificate)
end)

test("a site's client_auth holds for later rounds of authentication", function()
  local link = link_with("TLS1.3", "a.example", {
    ["a.example"] = { identity = a, client_auth = "require" } }, { identity = alice })
  equal(link:handshake(), true)
  equal(link:reauthenticate { client = { identity = tls.default } }, false)
  equal(link.server.error.problem, "no_certificate")
end)

test("options changed later hold at every site, until sites are given anew", function()
  local site = { ["a.example"] = { identity = a, client_auth = "none" } }
  local link = link_with("TLS1.2", "a.example", site, { identity = alice })
  equal(link:handshake(), true)
  equal(link.client.certificate_requested, false)
  equal(link:renegotiate { by = "server", server = { client_auth = "request" } }, true)
  equal(link.client.certificate_requested, true)
  local later = 10 * 365 * 86400 -- too late for the session: a whole handshake
  for _, anew in ipairs { false, true } do
    local again = link:resume { server = { sites = anew and site or nil, clock_offset = later } }
    again:handshake()
    equal(again.client.resumed, false)
    equal(again.client.certificate_requested, not anew)
  end
end)

unit.done()
