-- SPDX-License-Identifier: MIT
-- The path of a chain does not reach a trusted certificate, or not with right signatures.
local chain = require "moonshake.views.chain"
local phrase = require "moonshake.views.phrase"
local refusal = require "moonshake.views.refusal"

local PATH = "RFC 5280 section 6.1"
local MESSAGE = { older = "RFC 5246 section 7.4.2", newer = "RFC 8446 section 4.4.2" }

-- What the judge trusts, as a clause; nil where that is not known.
local function trusted(story, judgement)
  local anchors = chain.anchors(story.told[judgement.role])
  return anchors and ("the %s trusts %s"):format(
    judgement.role, phrase.list(anchors, phrase.subject, "nobody")) or nil
end

local function top_of(judgement)
  local path = judgement.verification.path
  return path[#path]
end

local function is_root(certificate)
  return certificate.self_signed or certificate.subject == certificate.issuer
end

-- Why the path ends where it does: a word for each of the rules below, and what it is about.
local function classify(story, judgement)
  local top = top_of(judgement)
  if not top then
    return "unknown"
  elseif is_root(top) then
    return "self-signed", top
  elseif chain.by_subject(judgement.sent, top.issuer) then
    return "out of order", top
  elseif chain.by_subject(chain.anchors(story.told[judgement.role]) or {}, top.issuer) then
    return "namesake", top
  end
  local identity = chain.identity_of(story.told[judgement.sender], judgement.sent[1])
  local authority = chain.authority(identity, top.issuer)
  if authority and is_root(authority) then
    return "root", top, authority
  elseif authority then
    return "intermediate", top, authority
  end
  return "unknown", top
end

-- A rule for one of those words; tell(top, judgement, authority, why) returns reason and next.
local function anchor_rule(name, kind, rfc, tell)
  return refusal.rule {
    name = name, problem = "signer_not_found", rfc = rfc,
    tell = function(story, judgement)
      local found, top, authority = classify(story, judgement)
      if found ~= kind then
        return nil
      end
      local why = {}
      local reason, next_step = tell(top, judgement, authority, why, story)
      why[#why + 1] = trusted(story, judgement)
      return { reason = reason, why = why, next = next_step, certificate = top }
    end,
  }
end

return {
  anchor_rule("root_not_trusted", "self-signed", PATH, function(top, judgement)
    return phrase.subject(top) .. " is self-signed, and it is not trusted",
      ("trust %s at the %s, or present a chain to what it trusts"):format(
        phrase.subject(top), judgement.role)
  end),

  anchor_rule("root_unknown", "root", PATH, function(top, judgement, authority, why)
    why[1] = ("%s was issued by %s, a root of its own"):format(phrase.subject(top),
                                                               phrase.subject(authority))
    return ("its root %s is not trusted"):format(phrase.subject(authority)),
      ("trust %s at the %s, or give the %s a certificate of what it trusts"):format(
        phrase.subject(authority), judgement.role, judgement.sender)
  end),

  anchor_rule("intermediate_not_sent", "intermediate", MESSAGE,
              function(top, judgement, authority, why, story)
    why[1] = ("%s was issued by %s, which the %s did not send and the %s does not trust"):format(
      phrase.subject(top), phrase.subject(authority), judgement.sender, judgement.role)
    local anchors = chain.anchors(story.told[judgement.role]) or {}
    if chain.by_subject(anchors, authority.issuer) then
      why[2] = ("its own issuer %s is trusted: with it the path would be whole"):format(
        phrase.issuer(authority))
    end
    return ("the intermediate %s is missing"):format(phrase.subject(authority)),
      ("present the whole chain at the %s: leaf first, then %s"):format(judgement.sender,
                                                                       phrase.subject(authority))
  end),

  anchor_rule("issuer_out_of_order", "out of order", MESSAGE,
              function(_, judgement, _, why)
    why[1] = refusal.sentence(judgement)
    return "an issuer was sent in the wrong place",
      ("let the %s send each certificate right before its issuer"):format(judgement.sender)
  end),

  anchor_rule("issuer_has_another_key", "namesake", PATH, function(top, judgement, _, why)
    why[1] = ("an authority named %s is trusted, and it is not the one that signed %s: its key is "
              .. "another"):format(phrase.issuer(top), phrase.subject(top))
    return "its issuer is trusted by name, but with another key",
      ("trust the %s that signed it at the %s, or have the certificate issued anew"):format(
        phrase.issuer(top), judgement.role)
  end),

  anchor_rule("issuer_unknown", "unknown", PATH, function(top, judgement, _, why)
    if not top then
      why[1] = refusal.sentence(judgement)
      return "no path to a trusted certificate was found", "look at the chain with pki.verify"
    end
    why[1] = ("%s was issued by %s, which was not sent and is not trusted: a missing intermediate "
              .. "or an untrusted root"):format(phrase.subject(top), phrase.issuer(top))
    return ("the issuer of %s is unknown"):format(phrase.subject(top)),
      ("send %s in the chain if it is an intermediate, trust it at the %s if it is a root"):format(
        phrase.issuer(top), judgement.role)
  end),

  refusal.rule {
    name = "signature_failure", problem = "signature_failure", rfc = "RFC 5280 section 6.1.3",
    tell = function(_, judgement)
      return {
        reason = "a signature in its chain is wrong",
        why = { refusal.sentence(judgement) }, certificate = judgement.verification.certificate,
        next = "check that each certificate was signed by the key of the issuer it names; an "
          .. "authority made anew under its old name has another key",
      }
    end,
  },

  refusal.rule {
    name = "malformed_certificate", problem = "malformed_certificate",
    rfc = "RFC 5280 section 4.1",
    tell = function(_, judgement)
      return {
        reason = "it cannot be parsed",
        why = { refusal.sentence(judgement) }, certificate = judgement.verification.certificate,
        next = "look at its DER: it is in the event of the Certificate message",
      }
    end,
  },

  refusal.rule {
    name = "invalid", problem = "invalid", rfc = PATH,
    tell = function(_, judgement)
      return {
        reason = "the TLS library does not say why",
        why = { refusal.sentence(judgement) }, certificate = judgement.verification.certificate,
        next = "judge the same chain with pki.verify, leaving out one demand after the other",
      }
    end,
  },

  refusal.rule {
    name = "mismatch", problem = "mismatch", rfc = "RFC 6125 section 6.6.2",
    tell = function(_, judgement)
      return {
        reason = "it is not the one that was pinned",
        why = { refusal.sentence(judgement) }, certificate = judgement.verification.certificate,
        next = "pin the certificate that is presented now, if it is the right one",
      }
    end,
  },
}
