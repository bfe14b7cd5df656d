-- SPDX-License-Identifier: MIT
-- Two ends that have nothing in common: both lists, and why nothing is in both.
local absence = require "moonshake.views.absence"
local phrase = require "moonshake.views.phrase"

local SCSV = { TLS_EMPTY_RENEGOTIATION_INFO_SCSV = true, TLS_FALLBACK_SCSV = true }

-- What a server has enabled; nil where that is not known.
local function enabled(story, role, kind)
  local list = story.told[role].enabled
  return list and list(kind)
end

local function common(one, other)
  local has, both = {}, {}
  for _, name in ipairs(other) do
    has[name] = true
  end
  for _, name in ipairs(one) do
    both[#both + 1] = has[name] and name or nil
  end
  return both
end

local function offers(list)
  return "the client offers " .. phrase.list(list)
end

local function has(role, list)
  return ("the %s has %s"):format(role, phrase.list(list))
end

-- The newest version that both have; nil where it is not known.
local function shared_version(story)
  local offer, own = story:offer(), enabled(story, "server", "version")
  return offer and own and common(own, offer.versions or {})[1]
end

---------------------------------------------------------------------------------------------------
-- Versions

local VERSIONS = "enable a version that both ends have (`versions`)"

local function add_renegotiation(story, why)
  if story.epoch:find "^renegotiation" then
    why[#why + 1] = "a renegotiation keeps the version in use"
  end
end

local function no_version_at_server(story)
  local offer, own, why = story:offer(), enabled(story, "server", "version"), {}
  if offer and offer.versions then
    why[1] = offers(offer.versions) .. (offer.or_older and " or older" or "")
  end
  why[#why + 1] = own and has("server", own)
  add_renegotiation(story, why)
  return {
    message = "ClientHello",
    what = "the server finds no version in the ClientHello that it has enabled", why = why,
    next = VERSIONS,
  }
end

local function no_version_at_client(story)
  local hello, own, why = story:received("client", "ServerHello"),
    enabled(story, "client", "version"), {}
  local selected = hello and hello.hello and hello.hello.versions
  if selected then
    why[1] = "the server selects " .. phrase.list(selected)
  end
  why[#why + 1] = own and has("client", own)
  add_renegotiation(story, why)
  return {
    message = "ServerHello",
    what = "the client refuses the version that the ServerHello selects: it is not enabled",
    why = why, next = VERSIONS,
  }
end

---------------------------------------------------------------------------------------------------
-- Cipher suites

local function is_for(suite, version)
  return not SCSV[suite] and (version == "TLS1.3") == (suite:find("_WITH_", 1, true) == nil)
end

local function only(list, version)
  local kept = {}
  for _, suite in ipairs(list) do
    kept[#kept + 1] = is_for(suite, version) and suite or nil
  end
  return kept
end

-- The kind of certificate that a suite of TLS 1.2 needs.
local function kind_needed(suite)
  return suite:find "^TLS_ECDHE_ECDSA_" and "ECDSA"
    or suite:find "^TLS_E?C?DHE_RSA_" and "RSA" or suite:find "^TLS_RSA_WITH_" and "RSA" or nil
end

local function key_types(story)
  local types, identity = {}, story.told.server.identity
  for _, one in ipairs(type(identity) == "table" and identity or {}) do
    types[#types + 1] = one.certificate.key_type
  end
  return types
end

-- Why suites that stand in both lists could not be used.
local function unusable(story, both, why)
  local types = key_types(story)
  local needed = kind_needed(both[1])
  if needed and #types > 0 then
    why[#why + 1] = ("in both lists: %s; that needs a certificate with an %s key, and the server "
                     .. "has %s"):format(phrase.list(both), needed, phrase.list(types))
    return ("give the server a certificate with an %s key, or enable suites for %s"):format(
      needed, phrase.list(types))
  end
  why[#why + 1] = "in both lists, and not usable here: " .. phrase.list(both)
end

local function no_cipher_suite(story)
  local offer, own, why = story:offer(), enabled(story, "server", "cipher_suite"), {}
  local version = shared_version(story) or story:is_1_3() and "TLS1.3" or "TLS1.2"
  local next_step = "enable a cipher suite that both ends have (`cipher_suites`)"
  local offered = offer and only(offer.cipher_suites or {}, version)
  local mine = own and only(own, version)
  if offered then
    why[1] = ("%s for %s"):format(offers(offered), version)
  end
  why[#why + 1] = mine and has("server", mine)
  local both = offered and mine and common(mine, offered) or {}
  if #both > 0 then
    next_step = unusable(story, both, why) or next_step
  end
  return {
    message = "ClientHello",
    what = "the server finds no cipher suite in the ClientHello that it can use",
    why = why, next = next_step,
  }
end

---------------------------------------------------------------------------------------------------
-- Groups, signature schemes, protocols

local function no_group(story)
  local offer, own, why = story:offer(), enabled(story, "server", "group"), {}
  if offer and offer.groups then
    why[1] = offers(offer.groups)
  end
  why[#why + 1] = own and has("server", own)
  return {
    message = "ClientHello",
    what = "the server finds no group for the key exchange in the ClientHello that it has enabled",
    why = why, next = "enable a group that both ends have (`groups`)",
  }
end

-- Which keys an end could have signed with.
local function add_keys(types, role, why)
  for _, key_type in ipairs(types) do
    why[#why + 1] = ("the %s's key of type %s signs with %s"):format(
      role, key_type, absence.schemes_of(key_type))
  end
end

local SCHEMES = "let both ends list a scheme of the key that signs (`signature_schemes`), or use a "
  .. "key of another kind"

local function no_scheme_at_server(story)
  local offer, own, why = story:offer(), enabled(story, "server", "signature_scheme"), {}
  local offered = offer and offer.signature_schemes
  why[1] = offered and "the client accepts " .. phrase.list(offered)
  why[#why + 1] = own and has("server", own)
  local both = offered and own and common(own, offered) or {}
  if #both > 0 then
    why[#why + 1] = "in both lists: " .. phrase.list(both)
  end
  add_keys(key_types(story), "server", why)
  return {
    message = "ClientHello",
    what = "the server has no key that signs with a signature scheme of the ClientHello",
    why = why, next = SCHEMES,
  }
end

local function no_scheme_at_client(story)
  local why = {}
  local requested = story.client.requested_signature_schemes
  why[1] = requested and "the server accepts " .. phrase.list(requested)
  local chosen = story:last_of { role = "client", kind = "selection" }
  if chosen and chosen.certificate then
    add_keys({ chosen.certificate.key_type }, "client", why)
  end
  return {
    message = "CertificateRequest",
    what = "the client has no key that signs with a signature scheme of the CertificateRequest",
    why = why, next = SCHEMES,
  }
end

local function no_protocol(story)
  local offer, own, why = story:offer(), story.told.server.alpn, {}
  if offer and offer.alpn then
    why[1] = "the client offers " .. phrase.list(offer.alpn, phrase.quoted)
  end
  why[#why + 1] = own and "the server has " .. phrase.list(own, phrase.quoted)
  why[#why + 1] = story.told.server.alpn_required and "the server was told alpn_required" or nil
  return {
    message = "ClientHello",
    what = "the server finds no application protocol (ALPN) in the ClientHello that it has",
    why = why, next = "list a protocol that both ends have (`alpn`), or do not require one",
  }
end

local function unknown_name(story)
  local offer, why, names = story:offer(), {}, {}
  local name = offer and offer.server_name or story.server.server_name
  for key in pairs(story.told.server.sites or {}) do
    names[#names + 1] = key
  end
  table.sort(names)
  if story.told.server.enabled then
    why[1] = "the server has sites for " .. phrase.list(names, phrase.quoted, "no name")
  end
  why[#why + 1] = 'it was told unknown_name = "reject"'
  return {
    message = "ClientHello",
    what = ("the server does not know the name %s of the ClientHello"):format(
      name and phrase.quoted(name) or "in the server_name extension"),
    why = why, next = "ask for a name that the server has, or add a site for this one (`sites`)",
  }
end

---------------------------------------------------------------------------------------------------

-- A rule about a problem; `at` says what it is told by, by the role that failed.
local function rule(problem, rfc, at)
  return {
    name = problem, rfc = rfc,
    find = function(story)
      local fault = story:failed(problem)
      return fault and at[fault.role] and at[fault.role](story)
    end,
  }
end

return {
  rule("no_shared_version", { older = "RFC 5246 appendix E.1", newer = "RFC 8446 section 4.2.1" },
       { server = no_version_at_server, client = no_version_at_client }),
  rule("no_shared_cipher_suite",
       { older = "RFC 5246 section 7.4.1.3", newer = "RFC 8446 section 4.1.1" },
       { server = no_cipher_suite }),
  rule("no_shared_group", { older = "RFC 8422 section 5.1", newer = "RFC 8446 section 4.1.1" },
       { server = no_group }),
  rule("no_shared_signature_scheme",
       { older = "RFC 5246 section 7.4.1.4.1", newer = "RFC 8446 section 4.2.3" },
       { server = no_scheme_at_server, client = no_scheme_at_client }),
  rule("no_shared_protocol", "RFC 7301 section 3.2", { server = no_protocol }),
  rule("unknown_server_name", "RFC 6066 section 3", { server = unknown_name }),
}
