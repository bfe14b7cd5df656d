-- SPDX-License-Identifier: MIT
-- An end as Envoy would tell of it further on: the principal of its peer, and the element that it
-- would put into x-forwarded-client-cert, with every detail that it can be told to set.
local escape = require "moonshake.escape"
local marks = require "moonshake.marks"
local strict = require "moonshake.strict"

local ENVOY = strict.schema("envoy", {
  { name = "principal", about = "of the peer: its first URI, else DNS name, else subject" },
  { name = "x_forwarded_client_cert", about = "the header's value; nil: no peer certificate" },
})

-- As Envoy encodes PEM: what stands in Base64 or between its lines.
local PEM = { ["\n"] = "%0A", [" "] = "%20", ["+"] = "%2B", ["/"] = "%2F", ["="] = "%3D" }

local function encoded(chain)
  local pieces = {}
  for index = 1, #chain do
    pieces[index] = chain[index]:pem():gsub("[\n +/=]", PEM)
  end
  return '"' .. table.concat(pieces) .. '"'
end

-- The keys in Envoy's order. `URI` and `Subject` are there even where they are empty.
local function element(own, chain)
  local peer, pairs_ = chain[1], {}
  local function add(key, value)
    pairs_[#pairs_ + 1] = key .. "=" .. value
  end
  local function add_each(key, list)
    for index = 1, #list do
      add(key, escape.xfcc(list[index]))
    end
  end
  add_each("By", own and own.uris or {})
  add("Hash", peer.fingerprint)
  add("Cert", encoded { peer })
  add("Chain", encoded(chain))
  add("Subject", escape.xfcc_name(peer.subject))
  if #peer.uris == 0 then
    add("URI", "")
  end
  add_each("URI", peer.uris)
  add_each("DNS", peer.dns_names)
  return table.concat(pairs_, ";")
end

local envoy = { schema = ENVOY }

--- The projection of an end.
---@param one table
function envoy.of(one)
  local own, chain = one.local_certificate, one.peer_certificates
  if chain == nil then
    return strict.record(ENVOY, {})
  end
  local readable, principal, header = pcall(function()
    return chain[1].principal, element(own ~= marks.unknown and own or nil, chain)
  end)
  return strict.record(ENVOY, {
    principal = readable and principal or marks.unknown,
    x_forwarded_client_cert = readable and header or marks.unknown,
  })
end

return envoy
