-- SPDX-License-Identifier: MIT
-- What a probe found as one JSON object. Its keys stay; what is not known or does not apply is
-- null. No key and no password is in it.
--
--   target        { host, port, path, address, server_name, starttls }
--   verdict       "accepted", "refused", "unreachable"; by: "server" or "us", who refused
--   summary       one sentence; next: what to do, a list; remarks: a list
--   connection    { version, cipher_suite, group, signature_scheme, alpn,
--                 answer: { protocol, status, line, server } }
--   versions      from "TLS1.0" to "TLS1.3", as wherever something is told by_version: whether the
--                 server takes it
--   versions_refused   of those that it does not take how it says so, where it does
--   chain         as it was sent, a list of { subject, issuer, serial, fingerprint, key_type,
--                 key_bits, signature_algorithm, not_before, not_after, days_left, dns_names,
--                 ip_addresses, uris, email_addresses, is_ca, self_signed, remarks }
--   unreadable    how many certificates beside those cannot be read
--   verification  { verified, problems, openssl, text, missing: { what, subject } }
--   asked         whether it asks for a client certificate in any version; null: that was not seen
--   request       the one that tells most: { when, requirement, issuers, signature_schemes,
--                 by_version: { when, requirement } }; null: nobody asked
--   ours          { subject, fingerprint, asked, sent, withheld, outcome, fits,
--                 rules: [{ rule, holds, text }], sent_by: { gnutls, openssl, go, java } }
--   resumption    { versions, anonymous: { version, outcome, by_version }, ours: { resumed, asked,
--                 accepted } }
--   depth         { trusted, deepest, more, tried: [{ certificates, intermediates, outcome }] }
local chain = require "moonshake.probe.chain"
local depth = require "moonshake.probe.depth"
local escape = require "moonshake.escape"
local json = require "dkjson"
local VERSIONS = require "moonshake.probe.versions"

local DAY = 86400

-- An object whose keys stand in this order; what is nil is null.
local function object(names, values)
  local made = setmetatable({}, { __jsontype = "object", __jsonorder = names })
  for _, name in ipairs(names) do
    local value = values[name]
    if value == nil then
      value = json.null
    elseif type(value) == "string" then
      value = escape.utf8(value)
    end
    made[name] = value
  end
  return made
end

local function list(values, convert)
  if not values then
    return nil
  end
  local made = setmetatable({}, { __jsontype = "array" })
  for index = 1, #values do
    local value = values[index]
    made[index] = convert and convert(value, index)
      or type(value) == "string" and escape.utf8(value) or value
  end
  return made
end

local function by_version(values, convert)
  local made = {}
  for version, value in pairs(values or {}) do
    made[version] = convert and convert(value) or value
  end
  if not convert and next(made) == nil then
    return nil
  end
  return object(VERSIONS, made)
end

local function answer_of(answer)
  return answer and object({ "protocol", "status", "line", "server" }, answer)
end

local function connection_of(found)
  local shared = found.negotiated
  return shared and object({ "version", "cipher_suite", "group", "signature_scheme", "alpn",
                             "answer" }, {
    version = shared.version, cipher_suite = shared.cipher_suite, group = shared.group,
    signature_scheme = shared.signature_scheme,
    alpn = shared.alpn or found.alpn and found.alpn.chosen, answer = answer_of(found.main.answer),
  })
end

local CERTIFICATE = { "subject", "issuer", "serial", "fingerprint", "key_type", "key_bits",
                      "signature_algorithm", "not_before", "not_after", "days_left", "dns_names",
                      "ip_addresses", "uris", "email_addresses", "is_ca", "self_signed", "remarks" }

local function certificate_of(found)
  return function(certificate, index)
    local values = {}
    for _, name in ipairs(CERTIFICATE) do
      if name ~= "days_left" and name ~= "remarks" then
        values[name] = certificate[name]
      end
    end
    values.days_left = (certificate.not_after - found.at) // DAY
    for _, name in ipairs { "dns_names", "ip_addresses", "uris", "email_addresses" } do
      values[name] = list(certificate[name])
    end
    values.remarks = list(found.read.remarks[index])
    return object(CERTIFICATE, values)
  end
end

local function verification_of(found)
  local verification = found.verification
  if not verification then
    return nil
  end
  local openssl = {}
  for _, problem in ipairs(verification.problems) do
    for _, words in ipairs(chain.openssl(problem, found.chain, found.options.is_address)) do
      openssl[#openssl + 1] = words
    end
  end
  local missing = found.read and found.read.missing
  return object({ "verified", "problems", "openssl", "text", "missing" }, {
    verified = verification.verified, problems = list(verification.problems),
    openssl = list(openssl), text = verification.text,
    missing = missing and object({ "what", "subject" }, missing),
  })
end

local function request_of(request)
  return request and object({ "when", "requirement", "by_version", "issuers",
                              "signature_schemes" }, {
    when = request.when, requirement = request.requirement,
    by_version = by_version(request.by_version, function(one)
      return object({ "when", "requirement" }, one)
    end),
    issuers = list(request.issuers), signature_schemes = list(request.signature_schemes),
  })
end

local function ours_of(ours)
  if not ours then
    return nil
  end
  local judged, leaf = ours.judged, ours.identity.certificate
  return object({ "subject", "fingerprint", "asked", "sent", "withheld", "outcome", "fits",
                  "rules", "sent_by" }, {
    subject = leaf.subject, fingerprint = leaf.fingerprint, asked = ours.asked, sent = ours.sent,
    withheld = ours.withheld, outcome = depth.face(ours.attempt), fits = judged and judged.fits,
    rules = judged and list(judged.rules, function(rule)
      return object({ "rule", "holds", "text" }, rule)
    end),
    sent_by = judged and judged.sent_by
      and object({ "gnutls", "openssl", "go", "java" }, judged.sent_by),
  })
end

local function resumption_of(resumption)
  local past = resumption and resumption.anonymous
  return resumption and object({ "versions", "anonymous", "ours" }, {
    versions = by_version(resumption.versions),
    anonymous = past and object({ "version", "outcome", "by_version" }, {
      version = past.version, outcome = past.outcome, by_version = by_version(past.by_version),
    }),
    ours = resumption.ours and object({ "resumed", "asked", "accepted" }, resumption.ours),
  })
end

local function depth_of(how)
  return how and object({ "trusted", "deepest", "more", "tried" }, {
    trusted = how.trusted, deepest = how.deepest, more = how.more or false,
    tried = list(how.tried, function(one)
      return object({ "certificates", "intermediates", "outcome" }, {
        certificates = one.certificates, intermediates = one.intermediates,
        outcome = one.sent and one.face or "not sent",
      })
    end),
  })
end

--- The object as text.
---@param found table of probe.run()
---@return string
return function(found)
  local options = found.options
  return json.encode(object({ "target", "verdict", "by", "summary", "next", "remarks", "connection",
                              "versions", "versions_refused", "chain", "unreadable",
                              "verification", "asked", "request", "ours", "resumption", "depth" }, {
    target = object({ "host", "port", "path", "address", "server_name", "starttls" }, {
      host = options.place.host, port = options.place.port, path = options.place.path,
      address = found.address, server_name = options.server_name, starttls = options.protocol,
    }),
    verdict = found.verdict, by = found.by, summary = found.summary, next = list(found.next),
    remarks = list(found.remarks), connection = connection_of(found),
    versions = by_version(found.versions), versions_refused = by_version(found.refusals),
    chain = list(found.chain, certificate_of(found)), unreadable = found.unreadable,
    verification = verification_of(found), asked = found.asked, request = request_of(found.request),
    ours = ours_of(found.ours), resumption = resumption_of(found.resumption),
    depth = depth_of(found.depth),
  }))
end
