-- SPDX-License-Identifier: MIT
-- Links that do what links typically do, for the tests of what is drawn of them. All that a TLS
-- library might choose otherwise is fixed.
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls

ms.clock:advance(0) -- from here on it stands still: a ticket's lifetime counts seconds

local drawn_links = {}

local SUITES = {
  ["TLS1.2"] = "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  ["TLS1.3"] = "TLS_AES_128_GCM_SHA256",
}

local function merged(into, from)
  for name, value in pairs(from or {}) do
    into[name] = value
  end
  return into
end

--- A link that trusts one root. `how`: `version`, and options by role beside those that all have.
---@param how table
---@return table link
---@return table root
function drawn_links.make(how)
  local root = pki.authority { cn = "Example Root" }
  local version = how.version or "TLS1.3"
  return tls.link {
    server = merged({ identity = root:issue { dns = "server.example" }, trust = root, tickets = 0 },
                    how.server),
    client = merged({ identity = how.client_identity and root:issue { cn = "alice" }, trust = root,
                      server_name = "server.example" }, how.client),
    versions = how.versions or version, cipher_suites = how.cipher_suites or SUITES[version],
    groups = not how.groups_differ and "x25519" or nil,
    signature_schemes = "ecdsa_secp256r1_sha256",
  }, root
end

-- After its handshake.
local function shaken(how)
  local link, root = drawn_links.make(how)
  link:handshake()
  return link, root
end

--- name -> what makes the link. In the order of `names`.
drawn_links.names = {}
drawn_links.by_name = {}

local function add(name, make)
  table.insert(drawn_links.names, name)
  drawn_links.by_name[name] = make
end

add("nothing has happened", function() return drawn_links.make {} end)
add("TLS 1.2", function() return shaken { version = "TLS1.2", server = { tickets = 1 } } end)
add("TLS 1.3", function() return shaken { server = { tickets = 2 } } end)
add("TLS 1.2, mutual, with protocols", function()
  return shaken { version = "TLS1.2", client_identity = true,
                  server = { client_auth = "require", alpn = "h2" },
                  client = { alpn = { "h2", "http/1.1" } } }
end)
add("TLS 1.3, mutual, with protocols", function()
  return shaken { client_identity = true, server = { client_auth = "require", alpn = "h2" },
                  client = { alpn = { "h2", "http/1.1" } } }
end)
add("TLS 1.2, no certificate though required", function()
  return shaken { version = "TLS1.2", server = { client_auth = "require" } }
end)
add("TLS 1.3, no certificate though required", function()
  local stranger = pki.authority { cn = "Other Root" }:issue { cn = "alice" }
  return shaken { server = { client_auth = "require" }, client = { identity = stranger } }
end)
add("TLS 1.2, rejected", function()
  return shaken { version = "TLS1.2", client = { verify_name = "other.example" } }
end)
add("TLS 1.3, rejected", function()
  return shaken { server = { tickets = 2 }, client = { verify_name = "other.example" } }
end)
add("accepted by its policy", function()
  return shaken { client = { verify_name = "other.example", verify = function() return true end } }
end)
add("a long chain", function()
  local deep = pki.chain { depth = 6, leaf = { dns = "server.example" } }
  return shaken { server = { identity = deep, trust = deep.root }, client = { trust = deep.root } }
end)
add("a chain in the wrong order", function()
  local deep = pki.chain { depth = 2, leaf = { dns = "server.example" } }
  local chain = { deep.chain[1], deep.chain[3], deep.root.certificate, deep.chain[2] }
  return shaken { server = { identity = deep:with { chain = chain } },
                  client = { trust = deep.root } }
end)
add("renegotiation", function()
  local link = shaken { version = "TLS1.2", client_identity = true }
  link:renegotiate { by = "server", server = { client_auth = "require" } }
  link:renegotiate { by = "client" }
  return link
end)
add("renegotiation refused", function()
  local link = shaken { version = "TLS1.2", server = { renegotiation = "refuse" } }
  link:renegotiate { by = "client" }
  return link
end)
add("reauthentication", function()
  local link = shaken { client_identity = true }
  link:reauthenticate { server = { client_auth = "require" } }
  return link
end)
add("reauthentication without a certificate", function()
  local link = shaken {}
  link:reauthenticate { server = { client_auth = "require" } }
  return link
end)
add("key update and data", function()
  local link = shaken {}
  link:update_keys { by = "client", request_peer = true }
  link:update_keys { by = "server" }
  link:send { from = "client", data = ("x"):rep(40000) }
  link:send { from = "server", data = "ok" }
  return link
end)
add("TLS 1.2, resumed by a ticket", function()
  local link = shaken { version = "TLS1.2", server = { tickets = 1 } }
  local resumed = link:resume()
  resumed:handshake()
  return resumed
end)
add("TLS 1.2, resumed by its id", function()
  local link = shaken { version = "TLS1.2" }
  local resumed = link:resume()
  resumed:handshake()
  return resumed
end)
add("TLS 1.3, resumed", function()
  local link = shaken { server = { tickets = 1 } }
  link:send { from = "server", data = "read me" }
  local resumed = link:resume()
  resumed:handshake()
  return resumed
end)
add("HelloRetryRequest", function()
  return shaken { groups_differ = true, server = { groups = "secp384r1" },
                  client = { groups = { "secp256r1", "secp384r1" } } }
end)
add("no shared version", function()
  local link = tls.link {
    server = { versions = "TLS1.2", cipher_suites = SUITES["TLS1.2"] },
    client = { versions = "TLS1.3", cipher_suites = SUITES["TLS1.3"] },
    groups = "x25519", signature_schemes = "ecdsa_secp256r1_sha256",
  }
  link:handshake()
  return link
end)
add("no shared cipher suite", function()
  local other = "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
  local link = tls.link {
    server = { identity = pki.authority { cn = "Example Root" }:issue { dns = "server.example" },
               cipher_suites = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" },
    client = { cipher_suites = { SUITES["TLS1.2"], other } },
    versions = "TLS1.2", groups = "x25519", signature_schemes = "ecdsa_secp256r1_sha256",
  }
  link:handshake()
  return link
end)
add("closed by one end", function()
  local link = shaken { version = "TLS1.2" }
  link:close { by = "server" }
  return link
end)
add("closed by both ends", function()
  local link = shaken {}
  link:close()
  return link
end)
add("stalled", function()
  local suites = { SUITES["TLS1.3"], SUITES["TLS1.2"] }
  local root = pki.authority { cn = "Example Root" }
  local link = tls.link {
    server = { identity = root:issue { dns = "server.example" }, tickets = 0,
               versions = { "TLS1.2", "TLS1.3" }, cipher_suites = suites },
    client = { trust = root, server_name = "server.example", versions = "TLS1.2",
               cipher_suites = SUITES["TLS1.2"] },
    groups = "x25519", signature_schemes = "ecdsa_secp256r1_sha256",
  }
  link:handshake()
  link:renegotiate { by = "client", client = { versions = { "TLS1.2", "TLS1.3" },
                                               cipher_suites = suites } }
  return link
end)

---------------------------------------------------------------------------------------------------

-- A value of an event as a plain one.
local function plain(value)
  if type(value) ~= "table" then
    return value
  end
  local made = {}
  for key, item in pairs(value) do
    made[key] = plain(item)
  end
  return made
end

--- What can be drawn, made of a link's log after `change(events)`: events are plain tables there.
--- (Strict records are not: what is not there reads as nil.)
---@param link table
---@param change fun(events: table[]): table[]?
---@param phases? { client: string, server: string } what became of the ends
---@return table
function drawn_links.doctored(link, change, phases)
  local events = {}
  for index, event in ipairs(link.events) do
    events[index] = plain(event)
  end
  local made = { events = change(events) or events }
  for _, role in ipairs { "client", "server" } do
    made[role] = { phase = phases and phases[role] or link[role].phase,
                   history = plain(link[role].history) }
  end
  return made
end

return drawn_links
