-- SPDX-License-Identifier: MIT
-- Why a client sent no certificate, as reasons that a reader can check: what the request names and
-- what the client has. The word for it is the core's (`not_sent_because`); here is what it means.
local phrase = require "moonshake.views.phrase"

local absence = {}

-- key type -> what its signatures are called. Up to TLS 1.2 a scheme does not bind the curve.
local SCHEMES = {
  rsa = "rsa_pss_rsae_* or rsa_pkcs1_*", ["rsa-pss"] = "rsa_pss_pss_*",
  ed25519 = "ed25519", ed448 = "ed448",
  ["ecdsa-p256"] = "ecdsa_secp256r1_sha256", ["ecdsa-p384"] = "ecdsa_secp384r1_sha384",
  ["ecdsa-p521"] = "ecdsa_secp521r1_sha512",
}

-- The identities that the client was given, as a list; nil where a function chooses, or it is not
-- known.
local function identities_of(story)
  local identity = story.told.client.identity
  return type(identity) == "table" and identity or nil
end

--- What a key can sign with, by IANA's names.
---@param key_type string
---@return string
function absence.schemes_of(key_type)
  return SCHEMES[key_type] or "nothing that TLS has a name for"
end

local function issuers_of(identity)
  local names, seen = {}, {}
  for _, certificate in ipairs(identity.chain) do
    if not seen[certificate.issuer] then
      seen[certificate.issuer] = true
      names[#names + 1] = certificate.issuer
    end
  end
  return names
end

local function named(story)
  local issuers = story.client.requested_issuers or {}
  return "the CertificateRequest names " .. phrase.list(issuers, nil, "no issuers")
end

local function who(identity)
  return phrase.subject(identity.certificate)
end

-- How the server is told to do otherwise, where it is ours to tell.
local function by_option(story, text)
  return story:is_far("server") and "" or text
end

-- word -> function(story, identities) that adds to `why` and returns what to do
local TELL = {}

function TELL.issuer_not_named(story, identities, why)
  why[1] = named(story)
  for index, identity in ipairs(identities) do
    if index > 3 then
      why[#why + 1] = ("and %s more"):format(phrase.count(#identities - 3, "identity"))
      break
    end
    why[#why + 1] = ("the client's %s was issued by %s"):format(
      who(identity), phrase.list(issuers_of(identity), nil, "nobody"))
  end
  return "give the client a certificate of an issuer that is named, let the server name its issuer "
    .. '(`issuers`, `trust`), or send it anyway: send_certificate = "always"'
end

function TELL.ambiguous(_, identities, why)
  why[1] = "the CertificateRequest names no issuers"
  why[2] = ("the client has %d identities (%s), and GnuTLS then picks none"):format(
    #identities, phrase.list(identities, who))
  return 'give the client one identity, or send_certificate = "always", or let the server name '
    .. "its issuers"
end

function TELL.no_common_signature_scheme(story, identities, why)
  why[1] = "the CertificateRequest accepts "
    .. phrase.list(story.client.requested_signature_schemes or {})
  for _, identity in ipairs(identities) do
    why[#why + 1] = ("the client's %s has a key of type %s, which signs with %s"):format(
      who(identity), identity.certificate.key_type,
      absence.schemes_of(identity.certificate.key_type))
  end
  return "let the server accept a scheme of the client's key (`signature_schemes`), or give the "
    .. "client a key of another kind"
end

function TELL.key_usage(_, identities, why)
  for _, identity in ipairs(identities) do
    why[#why + 1] = ("the key usage of the client's %s is %s: it lacks digitalSignature"):format(
      who(identity), phrase.list(identity.certificate.key_usage or {}))
  end
  return "issue the client's certificate with the key usage digitalSignature"
end

function TELL.policy(story, _, why)
  local told = story.told.client
  why[1] = told.send_certificate == "never" and 'the client was told send_certificate = "never"'
    or "the client's identity function returned none"
  return "let the client's policy send a certificate"
end

function TELL.library_choice(_, identities, why)
  why[1] = "the request suits the client's certificate, and GnuTLS gave none all the same"
  for _, identity in ipairs(identities) do
    local key_type = identity.certificate.key_type
    if key_type == "ed25519" or key_type == "ed448" then
      why[2] = "in TLS 1.2 it counts an EdDSA key to neither certificate type of the request"
    elseif key_type == "rsa" then
      why[2] = "where only rsa_pss_rsae_* is requested it looks for RSA-PSS keys"
    end
  end
  return 'tell the client send_certificate = "always"'
end

function TELL.not_requested(story, _, why)
  local told = story.told.server.client_auth
  why[1] = told and ('the server was told client_auth = "%s"'):format(told)
    or "the server did not ask"
  return "let the server ask" .. by_option(story, ': client_auth = "request" or "require"')
end

function TELL.failed_before(_, _, why)
  why[1] = "the handshake failed before the client's Certificate was due"
end

--- Why no certificate came, and what to do about it.
---@param story table see story.lua
---@return string[] why
---@return string|nil next
function absence.reasons(story)
  local word, why = story.client.not_sent_because, {}
  if word and TELL[word] then
    local next_step = TELL[word](story, identities_of(story) or {}, why)
    why[#why + 1] = ("not_sent_because: %s"):format(word)
    return why, next_step
  elseif story.told.client.enabled then
    why[1] = "the client has no identity to present"
  else
    why[1] = "the client presented none"
  end
  local issuers = story.client.requested_issuers or {}
  local from = #issuers > 0 and " issued by " .. phrase.list(issuers) or ""
  return why, ("give the client an identity%s, or let the server only ask%s"):format(
    from, by_option(story, ': client_auth = "request"'))
end

return absence
