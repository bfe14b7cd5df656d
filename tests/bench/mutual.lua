-- SPDX-License-Identifier: MIT
-- The handshake that the bench makes again and again: mutual TLS, both ends verifying, one
-- intermediate.
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls

local mutual = {}

--- Root, and identities of server and client. `key_for(who)` is the key of "root", "issuer",
--- "server", "client", as `pki` takes it.
function mutual.identities(key_for)
  local root = pki.authority { cn = "Root", key = key_for "root" }
  local issuer = root:authority { cn = "Issuing CA", key = key_for "issuer" }
  return root, issuer:issue { dns = "server.example", key = key_for "server" },
         issuer:issue { cn = "alice", key = key_for "client" }
end

--- A link between them whose handshake has not begun.
function mutual.link(root, server, client, version)
  return tls.link {
    client = { trust = root, server_name = "server.example", identity = client },
    server = { trust = root, identity = server, client_auth = "require" },
    versions = version,
  }
end

return mutual
