-- SPDX-License-Identifier: MIT
-- A misspelt option, field, matcher or name raises, with the nearest right word.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local function link()
  local ca = pki.authority { cn = "Root" }
  local server = ca:issue { dns = "a.example" }
  return tls.link { server = { identity = server }, client = { trust = ca } }
end

ms.scenario "option of a link" { run = function() tls.link { sever = {}, client = {} } end }
ms.scenario "option of an end" { run = function() tls.link { server = { indentity = 1 } } end }
ms.scenario "option of an authority" { run = function() pki.authority { path_lenght = 0 } end }
ms.scenario "field of an end" { run = function() expect(link().client.alert_recieved):is_nil() end }
ms.scenario "matcher" { run = function() expect(1):equal(1) end }
ms.scenario "method of a link" { run = function() link():handshak() end }
ms.scenario "function of the module" { run = function() ms.expct(1) end }
ms.scenario "suite" {
  run = function() tls.link { cipher_suites = "TLS_AES_128_GCM_SHA265" } end,
}
ms.scenario "name of the matrix" {
  matrix = { version = { "TLS1.2" } },
  run = function(case) expect(case.verison):is_nil() end,
}
ms.scenario "a later version's function" { run = function() pki.authority{}:crl {} end }
