-- SPDX-License-Identifier: MIT
-- A key and a certificate that cannot be used together, or not for signing.
local phrase = require "moonshake.views.phrase"

local SIGNING = { older = "RFC 5246 section 7.4.2", newer = "RFC 8446 section 4.4.2.2" }

-- What an end could present, as a list; nil where a function chooses, or it is not known.
local function identities_of(story, role)
  local told = story.told[role]
  return type(told.identity) == "table" and told.identity
    or told.enabled and told.identity == nil and {} or nil
end

local function may_sign(certificate)
  for _, word in ipairs(certificate.key_usage or { "digitalSignature" }) do
    if word == "digitalSignature" then
      return true
    end
  end
  return false
end

local function add_usage(certificate, why)
  why[#why + 1] = ("the key usage of %s is %s: it lacks digitalSignature"):format(
    phrase.subject(certificate), phrase.list(certificate.key_usage))
end

-- What keeps an end's own identities from being used, as far as it can be seen. That the key does
-- not belong to the certificate is what is left of this problem where GnuTLS finds no suite.
local function own_fault(story, fault, why)
  local role = fault.role
  local list = identities_of(story, role)
  if not list then
    why[1] = story.told[role].enabled and ("the %s's identity function returned none, or one that "
                                           .. "does not suit"):format(role) or nil
    return "let the function return an identity that suits the request"
  elseif #list == 0 then
    why[1] = ("the %s has no identity"):format(role)
    return ("give the %s an identity"):format(role)
  end
  for _, identity in ipairs(list) do
    local first = identity.chain[1]
    if fault.code == "GNUTLS_E_INSUFFICIENT_CREDENTIALS" and not may_sign(first) then
      add_usage(first, why)
      return ("issue the %s's certificate with the key usage digitalSignature"):format(role)
    end
    why[#why + 1] = ("the certificate that stands first in its chain, %s, is not that of its "
                     .. "private key"):format(phrase.subject(first))
  end
  return "present the certificate of the private key first in the chain"
end

local function unusable(story, fault)
  local why, role = {}, fault.role
  local next_step = own_fault(story, fault, why)
  local message = role == "server" and "ClientHello" or "CertificateRequest"
  if not story:received(role, message) then
    message = "ClientHello"
  end
  local occasion = ("to answer the %s with"):format(message)
  if role == "client" and message == "ClientHello" then
    occasion = "for the version that its ClientHello would offer"
  end
  return {
    message = message,
    what = ("the %s has no certificate with a fitting key %s"):format(role, occasion),
    why = why, next = next_step,
  }
end

---------------------------------------------------------------------------------------------------

-- Whether a script's function was asked and came to nothing. At a server GnuTLS then says that it
-- has no suite; what it lacks is the note of a choice.
local function broke(story, fault)
  return fault.code == "GNUTLS_E_USER_ERROR"
    or fault.role == "server" and fault.code == "GNUTLS_E_NO_CIPHER_SUITES"
    and fault.problem == "no_shared_signature_scheme"
    and type(story.told.server.identity) == "function"
    and not story:first { role = "server", kind = "selection" }
end

local function function_failed(story)
  local fault = story.fault
  if not fault or not broke(story, fault) then
    return nil
  end
  local message = fault.role == "client" and "CertificateRequest" or "ClientHello"
  return {
    message = message,
    what = ("the %s cannot answer the %s: its identity function failed"):format(fault.role,
                                                                               message),
    why = { "the function raised an error, or returned what is no identity" },
    next = "mend the function: its error was raised by the action that ran it",
  }
end

---------------------------------------------------------------------------------------------------

-- The certificate whose key was used against its key usage, and whose it is.
local function misused(story, fault)
  local received = story[fault.role].wire.received_certificates
  local leaf = received and received[1]
  if leaf and not may_sign(leaf) then
    return leaf, story:other(fault.role)
  end
  local chosen = story:last_of { role = fault.role, kind = "selection" }
  if chosen and chosen.certificate then
    return chosen.certificate, fault.role
  end
  for _, identity in ipairs(identities_of(story, fault.role) or {}) do
    if not may_sign(identity.certificate) then
      return identity.certificate, fault.role
    end
  end
end

return {
  { name = "function_failed", rfc = SIGNING, find = function_failed },
  {
    name = "identity_unusable", rfc = SIGNING,
    find = function(story)
      local fault = story:failed "identity_unusable"
      return fault and unusable(story, fault)
    end,
  },
  {
    name = "key_usage_violation", rfc = SIGNING,
    find = function(story)
      local fault = story:failed "key_usage_violation"
      if not fault then
        return nil
      end
      local certificate, owner = misused(story, fault)
      local why = {}
      if certificate and certificate.key_usage then
        add_usage(certificate, why)
      end
      owner = owner or story:other(fault.role)
      local message = (owner == "client" or story:is_1_3()) and "CertificateVerify"
        or "ServerKeyExchange"
      return {
        message = message, certificate = certificate,
        what = owner == fault.role
          and ("the %s cannot sign its %s: its certificate forbids it"):format(owner, message)
          or ("the %s refuses the %s's %s: its certificate forbids signing"):format(fault.role,
                                                                                   owner, message),
        why = why,
        next = ("issue the %s's certificate with the key usage digitalSignature"):format(owner),
      }
    end,
  },
  {
    name = "bad_signature",
    rfc = { older = "RFC 5246 sections 7.4.3 and 7.4.8", newer = "RFC 8446 section 4.4.3" },
    find = function(story)
      local fault = story:failed "bad_signature"
      if not fault then
        return nil
      end
      local signer = story:other(fault.role)
      local message = (signer == "client" or story:is_1_3()) and "CertificateVerify"
        or "ServerKeyExchange"
      local received = story[fault.role].wire.received_certificates
      return {
        message = message, certificate = received and received[1],
        what = ("the %s refuses the %s's %s: the key of its certificate did not make the "
                .. "signature"):format(fault.role, signer, message),
        why = { received and received[1] and ("the certificate is %s"):format(
          phrase.subject(received[1])) or nil },
        next = ("check that the private key of the %s belongs to the certificate that it "
                .. "presents"):format(signer),
      }
    end,
  },
}
