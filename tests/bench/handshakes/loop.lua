-- SPDX-License-Identifier: MIT
-- The handshakes of raw.c as a script makes them:
--   moonshake lua loop.lua ecdsa-p256|rsa-2048 TLS1.2|TLS1.3 shared|fresh COUNT
-- prints the CPU microseconds that one took, event log and all; with "memory" for "shared", the
-- KiB that one live link needs.
local pki = require("moonshake").pki
local mutual = require "mutual"

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

local root, server, client = mutual.identities(key_for)

local function handshake()
  if mode == "fresh" then
    root, server, client = mutual.identities(key_for)
  end
  local link <close> = mutual.link(root, server, client, version)
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
    local link = mutual.link(root, server, client, version)
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
