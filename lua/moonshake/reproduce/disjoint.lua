-- SPDX-License-Identifier: MIT
-- A server that answered a ClientHello with nothing but an alert never said what it has. This is a
-- guess at one that does the same: it lacks what the client offers.
local lists = require "moonshake.reproduce.lists"

local disjoint = {}

-- The cause that an alert in place of a ServerHello speaks of most often.
local CAUSES = {
  protocol_version = "no_shared_version",
  handshake_failure = "no_shared_cipher_suite",
  insufficient_security = "no_shared_cipher_suite",
  no_application_protocol = "no_shared_protocol",
  unrecognized_name = "unknown_server_name",
}

local SURE = { protocol_version = true, no_application_protocol = true, unrecognized_name = true }

local function set_of(list)
  local set = {}
  for _, word in ipairs(list or {}) do
    set[word] = true
  end
  return set
end

-- The first name of `all` that the client does not offer and that fits.
local function first_other(name, offered, fits)
  local has = set_of(offered)
  for _, word in ipairs(lists.all(name)) do
    if not has[word] and fits(word) then
      return word
    end
  end
end

local GUESS = {}

function GUESS.no_shared_version(client, server)
  for _, version in ipairs { "TLS1.2", "TLS1.3", "TLS1.1", "TLS1.0" } do
    if not set_of(client.versions)[version] then
      server.versions = { version }
      return true
    end
  end
end

-- A version that both have, and whether it is TLS 1.3.
local function common_version(client)
  local has = set_of(client.versions)
  for _, version in ipairs { "TLS1.2", "TLS1.3", "TLS1.1", "TLS1.0" } do
    if has[version] then
      return version, version == "TLS1.3"
    end
  end
end

function GUESS.no_shared_cipher_suite(client, server)
  local version, new = common_version(client)
  local suite = first_other("cipher_suites", client.cipher_suites, function(word)
    if new then
      return not word:find("_WITH_", 1, true)
    end
    return word:find "^TLS_ECDHE_ECDSA_WITH_AES"
      and (version == "TLS1.2" or word:find "_CBC_SHA$")
  end)
  if version and suite then
    server.versions, server.cipher_suites = { version }, { suite }
    return true
  end
end

function GUESS.no_shared_group(client, server)
  local group = first_other("groups", client.groups, function(word)
    return not word:find "^ffdhe"
  end)
  server.groups = group and { group }
  server.versions = group and { (common_version(client)) }
  return group ~= nil
end

function GUESS.no_shared_signature_scheme(client, server)
  local scheme = first_other("signature_schemes", client.signature_schemes, function(word)
    return word:find "^ecdsa" or word:find "^ed"
  end)
  server.signature_schemes = scheme and { scheme }
  return scheme ~= nil
end

function GUESS.no_shared_protocol(client, server)
  server.alpn = { set_of(client.alpn)["other"] and "another" or "other" }
  server.alpn_required = true
  return true
end

function GUESS.unknown_server_name(_, server)
  server.unknown_name = "reject"
  return true
end

local CALLED = {
  no_shared_version = "version of TLS", no_shared_cipher_suite = "cipher suite",
  no_shared_group = "group", no_shared_signature_scheme = "signature scheme",
  no_shared_protocol = "protocol (ALPN)", unknown_server_name = "name",
}

--- Fills in what the server of a model must lack, where it refused the ClientHello. Nothing that
--- the model says is changed.
---@param model table see source.lua
---@param answered boolean whether there was a ServerHello
function disjoint.guess(model, answered)
  local seen = model.outcome.server or {}
  local alert = seen.alert_sent or (model.outcome.client or {}).alert_received
  local cause = GUESS[seen.problem or ""] and seen.problem or alert and CAUSES[alert.name]
  if answered and cause ~= "no_shared_protocol" then
    return
  elseif not cause then
    model.server.versions = model.server.versions or { (common_version(model.client)) }
    return
  end
  local server = {}
  if not GUESS[cause](model.client, server) then
    return
  end
  for name, value in pairs(server) do
    model.server[name] = model.server[name] or value
  end
  if not seen.problem then
    model.origin = model.origin or {}
    local why = SURE[alert.name] and "" or (" (the alert %s does not tell: it may as well be the "
      .. "versions, the groups or the signature schemes)"):format(alert.name)
    table.insert(model.origin, ("The server refused the ClientHello, so what it has was not seen. "
                 .. "This one has no %s of the client's%s."):format(CALLED[cause], why))
  end
end

return disjoint
