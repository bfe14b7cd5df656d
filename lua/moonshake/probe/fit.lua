-- SPDX-License-Identifier: MIT
-- Whether a client's certificate fits what a server asks for: rule by rule, and who of the common
-- TLS stacks would send it. Pure: what really happened is told by attempts.
local absence = require "moonshake.views.absence"

local fit = {}

local function has(list, wanted)
  for _, item in ipairs(list or {}) do
    if item == wanted then
      return true
    end
  end
  return false
end

---------------------------------------------------------------------------------------------------
-- Signature schemes

local CURVES = { ["ecdsa-p256"] = "ecdsa_secp256r1_sha256",
                 ["ecdsa-p384"] = "ecdsa_secp384r1_sha384",
                 ["ecdsa-p521"] = "ecdsa_secp521r1_sha512" }

-- Whether a key of this type can sign with a scheme. TLS 1.3 binds the curve to it, and has no
-- rsa_pkcs1_* for handshakes (RFC 8446 section 4.2.3).
local function signs(key_type, scheme, version)
  if key_type == "rsa" then
    return scheme:find "^rsa_pss_rsae_" ~= nil
      or version ~= "TLS1.3" and scheme:find "^rsa_pkcs1_" ~= nil
  elseif key_type == "rsa-pss" then
    return scheme:find "^rsa_pss_pss_" ~= nil
  elseif key_type:find "^ecdsa" then
    return version == "TLS1.3" and scheme == CURVES[key_type]
      or version ~= "TLS1.3" and scheme:find "^ecdsa_" ~= nil
  end
  return scheme == key_type
end

local function can_sign(certificate, schemes, version)
  if not schemes or #schemes == 0 then -- up to TLS 1.1 nothing is said
    return true
  end
  for _, scheme in ipairs(schemes) do
    if signs(certificate.key_type, scheme, version) then
      return true
    end
  end
  return false
end

---------------------------------------------------------------------------------------------------
-- Rules

local function rule_of_issuer(identity, request)
  if #request.issuers == 0 then
    return { rule = "issuer", holds = true, text = "the server names no issuer: any may be sent" }
  end
  local top
  for _, certificate in ipairs(identity.chain) do
    if has(request.issuers, certificate.issuer) then
      return { rule = "issuer", holds = true,
               text = ("%s, which the server names, is in its chain"):format(certificate.issuer) }
    end
    top = certificate
  end
  local text = ("the chain ends at %s, and the server names others"):format(top.issuer)
  if not top.self_signed then
    text = ("%s; if one of those issued %s, its certificate belongs into the file, too"):format(
      text, top.issuer)
  end
  return { rule = "issuer", holds = false, text = text }
end

local function rule_of_schemes(identity, request)
  local leaf = identity.chain[1]
  local holds = can_sign(leaf, request.signature_schemes, request.version)
  return { rule = "signature_scheme", holds = holds,
           text = holds and ("its key (%s) can sign as the server wants"):format(leaf.key_type)
             or ("its key (%s) signs with %s, which the server does not list"):format(
               leaf.key_type, absence.schemes_of(leaf.key_type)) }
end

local function rule_of_usage(identity)
  local usage = identity.chain[1].key_usage
  local holds = not usage or has(usage, "digitalSignature")
  return { rule = "key_usage", holds = holds,
           text = holds and "its key usage allows to sign"
             or "its key usage lacks digitalSignature" }
end

local function rule_of_purpose(identity)
  local purposes = identity.chain[1].purposes
  local holds = not purposes or has(purposes, "client") or has(purposes, "any")
  return { rule = "purpose", holds = holds,
           text = holds and "its extended key usage allows client authentication"
             or "its extended key usage lacks client authentication" }
end

local function rule_of_validity(identity, at)
  for _, certificate in ipairs(identity.chain) do
    if at > certificate.not_after or at < certificate.not_before then
      return { rule = "validity", holds = false,
               text = ("%s %s"):format(certificate.subject, at > certificate.not_after
                                       and "has expired" or "is not valid yet") }
    end
  end
  return { rule = "validity", holds = true, text = "all of its chain is valid now" }
end

-- Whether each certificate of the file was issued by the next one.
local function rule_of_order(identity)
  for index = 1, #identity.chain - 1 do
    local certificate, above = identity.chain[index], identity.chain[index + 1]
    if certificate.issuer ~= above.subject then
      return { rule = "order", holds = false,
               text = ("%s was issued by %s, and %s follows it in the file"):format(
                 certificate.subject, certificate.issuer, above.subject) }
    end
  end
  return { rule = "order", holds = true, text = "each certificate is followed by its issuer" }
end

---------------------------------------------------------------------------------------------------

-- Who sends what, of the rules that those have: OpenSSL leaves it all to the server but needs a
-- scheme; Go and Java look at names too; so does GnuTLS, and it alone at the key usage.
local SENDERS = {
  { "gnutls", "GnuTLS", { "issuer", "signature_scheme", "key_usage" } },
  { "openssl", "OpenSSL", { "signature_scheme" } },
  { "go", "Go", { "issuer", "signature_scheme" } },
  { "java", "Java", { "issuer", "signature_scheme" } },
}

--- The names of the stacks, in the order in which they are told: { word, name }.
fit.STACKS = SENDERS

--- Judges an identity by a request.
---@param identity { chain: table[] } leaf first
---@param request { issuers: string[], signature_schemes: string[]?, version: string }
---@param at integer
---@return { fits: boolean, rules: { rule: string, holds: boolean, text: string }[],
---  sent_by: table<string, boolean> }
function fit.judge(identity, request, at)
  local made = { fits = true, rules = {
    rule_of_issuer(identity, request), rule_of_schemes(identity, request),
    rule_of_usage(identity), rule_of_purpose(identity), rule_of_validity(identity, at),
    rule_of_order(identity),
  }, sent_by = {} }
  local holds = {}
  for _, rule in ipairs(made.rules) do
    holds[rule.rule] = rule.holds
    made.fits = made.fits and rule.holds
  end
  for _, sender in ipairs(SENDERS) do
    local sends = true
    for _, rule in ipairs(sender[3]) do
      sends = sends and holds[rule]
    end
    made.sent_by[sender[1]] = sends
  end
  return made
end

return fit
