-- SPDX-License-Identifier: MIT
-- The path stands, but a certificate on it may not do what it does there.
local chain = require "moonshake.views.chain"
local phrase = require "moonshake.views.phrase"
local refusal = require "moonshake.views.refusal"

-- A rule whose reason is in a few words and whose details are the verification's own sentence.
local function plain_rule(name, rfc, reason, next_step)
  return refusal.rule {
    name = name, problem = name, rfc = rfc,
    tell = function(_, judgement)
      return { reason = reason, why = { refusal.sentence(judgement) }, next = next_step,
               certificate = judgement.verification.certificate }
    end,
  }
end

-- The topmost issuer of a path for which f() holds.
local function issuer_that(judgement, f)
  local path = judgement.verification.path
  for index = #path, 2, -1 do
    if f(path[index]) then
      return path[index], path[index - 1]
    end
  end
end

local function may_not_sign(certificate)
  local usage = certificate.key_usage
  if usage == nil then
    return false
  end
  for _, word in ipairs(usage) do
    if word == "keyCertSign" then
      return false
    end
  end
  return true
end

return {
  refusal.rule {
    name = "signer_not_ca", problem = "signer_not_ca", rfc = "RFC 5280 section 6.1.4 (k)",
    tell = function(_, judgement)
      local issuer, subject = issuer_that(judgement, function(one) return not one.is_ca end)
      if not issuer then
        issuer = judgement.verification.certificate
        return { reason = "an issuer in its chain is no CA",
                 why = { refusal.sentence(judgement) }, certificate = issuer }
      end
      return {
        reason = ("%s signed %s and is no CA"):format(phrase.subject(issuer),
                                                      phrase.subject(subject)),
        why = { refusal.sentence(judgement) }, certificate = issuer,
        next = ("issue %s as an authority (basicConstraints with cA), or let another sign"):format(
          phrase.subject(issuer)),
      }
    end,
  },

  refusal.rule {
    name = "path_length_exceeded", problem = "path_length_exceeded",
    rfc = "RFC 5280 section 4.2.1.9",
    tell = function(_, judgement)
      local authority, below = chain.over_limit(judgement.verification.path)
      if not authority then
        return { reason = "there are more intermediates than a path length allows",
                 why = { refusal.sentence(judgement) },
                 certificate = judgement.verification.certificate }
      end
      return {
        reason = ("%s allows %s below it, and there %s %d"):format(
          phrase.subject(authority), phrase.count(authority.path_length, "intermediate"),
          #below == 1 and "is" or "are", #below),
        why = { "below it: " .. phrase.list(below, phrase.subject) },
        certificate = authority,
        next = ("issue %s with a path_length of at least %d, or leave out intermediates"):format(
          phrase.subject(authority), #below),
      }
    end,
  },

  plain_rule("name_constraint_violated", "RFC 5280 section 4.2.1.10",
             "a CA of its chain may not issue for its names",
             "issue the certificate for names that the CA permits, or below another CA"),

  refusal.rule {
    name = "key_usage_forbids_signing", problem = "key_usage_forbids_signing",
    rfc = "RFC 5280 section 4.2.1.3",
    tell = function(_, judgement)
      local issuer, subject = issuer_that(judgement, may_not_sign)
      if not issuer then
        return { reason = "a CA of its chain may not sign certificates",
                 why = { refusal.sentence(judgement) },
                 certificate = judgement.verification.certificate }
      end
      return {
        reason = ("%s signed %s and may not sign certificates"):format(phrase.subject(issuer),
                                                                       phrase.subject(subject)),
        why = { ("its key usage is %s: it lacks keyCertSign"):format(
          phrase.list(issuer.key_usage)) },
        certificate = issuer,
        next = ("issue %s with the key usage keyCertSign"):format(phrase.subject(issuer)),
      }
    end,
  },

  plain_rule("signer_constraints_failure", "RFC 5280 section 6.1.4",
             "a constraint of a CA in its chain is violated",
             "look at path_length, name constraints and TLS features of the CAs in the chain"),

  plain_rule("insecure_algorithm", "RFC 8446 section 4.4.2.4",
             "a signature or a key in its chain is too weak",
             "issue the certificate with SHA-256 or better and a key of at least 2048 bits (RSA)"),

  plain_rule("unknown_crit_extensions", "RFC 5280 section 4.2",
             "it has a critical extension that the TLS library does not know",
             "issue it without that extension, or not as critical"),

  refusal.rule {
    name = "depth_exceeded", problem = "depth_exceeded", rfc = "RFC 5280 section 6.2",
    tell = function(story, judgement)
      local told = story.told[judgement.role]
      local limit = told.max_depth or 16
      return {
        reason = ("it carries %s, and the %s accepts %d"):format(
          phrase.count(#judgement.sent, "certificate"), judgement.role, limit),
        why = { told.max_depth and ("max_depth of the %s is %d"):format(judgement.role, limit)
          or "16 is GnuTLS's default; it counts the certificates sent, the leaf among them" },
        certificate = judgement.verification.certificate,
        next = ("shorten the chain, or let the %s accept more: max_depth = %d"):format(
          judgement.role, #judgement.sent),
      }
    end,
  },

  plain_rule("revoked", "RFC 5280 section 6.3", "a certificate of its chain is revoked",
             "have a new certificate issued; a revoked one does not come back"),

  plain_rule("revocation_data_superseded", "RFC 5280 section 6.3.3",
             "what is known of its revocation is too old",
             "fetch a newer revocation list or OCSP response"),

  plain_rule("revocation_data_issued_in_future", "RFC 5280 section 6.3.3",
             "what is known of its revocation is from the future",
             "compare the clock with that of the issuer of the revocation list"),

  plain_rule("missing_ocsp_status", "RFC 7633 section 4.3.3",
             "it promises a stapled OCSP response, and none came",
             "staple an OCSP response, or issue it without must_staple"),

  plain_rule("invalid_ocsp_status", "RFC 6960 section 3.2",
             "the stapled OCSP response is not valid",
             "staple a response of this certificate's issuer that is signed by it and in date"),
}
