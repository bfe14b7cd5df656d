-- SPDX-License-Identifier: MIT
-- The handshakes of raw.c as a script makes them:
--   moonshake lua handshakes.lua ecdsa-p256|rsa-2048 TLS1.2|TLS1.3 shared|fresh COUNT
-- prints the CPU microseconds that one took, event log and all; with "memory" for "shared", the
-- KiB that one live link needs.
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls

local key, version, mode, count = arg[1], arg[2], arg[3], tonumber(arg[4])

-- RSA keys come from a pool in the harness; raw.c has one too.
local keys = {}
local function key_for(who)
  if key == "ecdsa-p256" then
    return key
  end
  if not keys[who] then
    keys[who] = pki.authority { cn = who, key = key }.key
  end
  return keys[who]
end

local function make_identities()
  local root = pki.authority { cn = "Root", key = key_for "root" }
  local issuer = root:authority { cn = "Issuing CA", key = key_for "issuer" }
  return root, issuer:issue { dns = "server.example", key = key_for "server" },
         issuer:issue { cn = "alice", key = key_for "client" }
end

local root, server, client = make_identities()

local function handshake()
  if mode == "fresh" then
    root, server, client = make_identities()
  end
  local link <close> = tls.link {
    client = { trust = root, server_name = "server.example", identity = client },
    server = { trust = root, identity = server, client_auth = "require" },
    versions = version,
  }
  assert(link:handshake(), "the handshake failed")
end

local function resident()
  for line in io.lines "/proc/self/status" do
    local kib = line:match "^VmRSS:%s*(%d+)"
    if kib then
      return tonumber(kib)
    end
  end
end

if mode == "memory" then
  local links = {}
  local function keep()
    local link = tls.link {
      client = { trust = root, server_name = "server.example", identity = client },
      server = { trust = root, identity = server, client_auth = "require" },
      versions = version,
    }
    assert(link:handshake(), "the handshake failed")
    links[#links + 1] = link
  end
  keep()
  collectgarbage()
  local before = resident()
  for _ = 1, count do
    keep()
  end
  collectgarbage()
  print(("%.1f"):format((resident() - before) / count))
else
  handshake()
  local begin = os.clock()
  for _ = 1, count do
    handshake()
  end
  print(("%.1f"):format((os.clock() - begin) / count * 1e6))
end
