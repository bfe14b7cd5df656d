-- SPDX-License-Identifier: MIT
-- An end as Go's tls.ConnectionState, and certificates as x509.Certificate: Go's names, and its
-- values as they are (numbers of versions and suites, bit sets, "" and 0 for what there is not).
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local strict = require "moonshake.strict"
local validity = require "moonshake.views.validity"
local x509 = require "moonshake.views.projections.x509"

local CERTIFICATE = strict.schema("x509.Certificate", {
  { name = "Raw", type = "bytes", about = "DER" },
  { name = "Version", about = "3 is the usual one" },
  { name = "SerialNumber", about = "decimal, as big.Int's String()" },
  { name = "Issuer", about = "RFC 4514, as pkix.Name's String()" },
  { name = "Subject", about = "RFC 4514, as pkix.Name's String()" },
  { name = "NotBefore", about = "RFC 3339, as time.Time in JSON" },
  { name = "NotAfter", about = "RFC 3339, as time.Time in JSON" },
  { name = "KeyUsage", about = "bit set" },
  { name = "ExtKeyUsage", about = "numbers" },
  { name = "UnknownExtKeyUsage", about = "OIDs" },
  { name = "BasicConstraintsValid", about = "whether the extension is there" },
  { name = "IsCA", about = "of the extension" },
  { name = "MaxPathLen", about = "-1: no constraint" },
  { name = "MaxPathLenZero", about = "whether a MaxPathLen of 0 is meant" },
  { name = "DNSNames", about = "of the subject alternative name" },
  { name = "EmailAddresses", about = "of the subject alternative name" },
  { name = "IPAddresses", about = "as text" },
  { name = "URIs", about = "as text" },
  { name = "PublicKeyAlgorithm", about = "number" },
  { name = "SignatureAlgorithm", about = "number" },
})

local STATE = strict.schema("tls.ConnectionState", {
  { name = "Version", about = "number: 0x0304 is TLS 1.3" },
  { name = "HandshakeComplete", about = "boolean" },
  { name = "DidResume", about = "boolean" },
  { name = "CipherSuite", about = "number" },
  { name = "CurveID", about = "number of the group; 0: none" },
  { name = "NegotiatedProtocol", about = "ALPN; \"\": none" },
  { name = "NegotiatedProtocolIsMutual", about = "always true" },
  { name = "ServerName", about = "SNI; \"\": none" },
  { name = "PeerCertificates", about = "as the end reports them; nil: none" },
  { name = "VerifiedChains", about = "a list of the path that was verified; nil: none was" },
  { name = "SignedCertificateTimestamps", about = "tls.unknown" },
  { name = "OCSPResponse", about = "tls.unknown" },
  { name = "TLSUnique", type = "bytes", about = "channel binding; nil in TLS 1.3" },
  { name = "ECHAccepted", about = "false: GnuTLS has no ECH" },
  { name = "HelloRetryRequest", about = "whether one was sent or received" },
  { name = "LocalCertificate", type = "bytes",
    about = "DER of the chain that was presented; nil: none, or resumed" },
})

---------------------------------------------------------------------------------------------------
-- Certificates

-- Hexadecimal digits as decimal ones.
local function decimal(hex)
  local sign, digits = hex:match "^(%-?)(%x*)$"
  local groups = { 0 } -- of nine digits, the lowest first
  for digit in digits:gmatch "%x" do
    local carry = tonumber(digit, 16)
    for index = 1, #groups do
      local sum = groups[index] * 16 + carry
      groups[index], carry = sum % 1000000000, sum // 1000000000
    end
    groups[#groups + 1] = carry > 0 and carry or nil
  end
  local text = { sign, groups[#groups] }
  for index = #groups - 1, 1, -1 do
    text[#text + 1] = ("%09d"):format(groups[index])
  end
  return table.concat(text)
end

local KEY_USAGE = {
  digitalSignature = 1, nonRepudiation = 2, keyEncipherment = 4, dataEncipherment = 8,
  keyAgreement = 16, keyCertSign = 32, cRLSign = 64, encipherOnly = 128, decipherOnly = 256,
}

local EXTENDED_KEY_USAGE = {
  any = 0, server = 1, client = 2, ["1.3.6.1.5.5.7.3.3"] = 3, ["1.3.6.1.5.5.7.3.4"] = 4,
  ["1.3.6.1.5.5.7.3.5"] = 5, ["1.3.6.1.5.5.7.3.6"] = 6, ["1.3.6.1.5.5.7.3.7"] = 7,
  ["1.3.6.1.5.5.7.3.8"] = 8, ["1.3.6.1.5.5.7.3.9"] = 9, ["1.3.6.1.4.1.311.10.3.3"] = 10,
  ["2.16.840.1.113730.4.1"] = 11, ["1.3.6.1.4.1.311.2.1.22"] = 12,
  ["1.3.6.1.4.1.311.61.1.1"] = 13,
}

local SIGNATURES = {
  md2WithRSAEncryption = 1, md5WithRSAEncryption = 2, sha1WithRSAEncryption = 3,
  sha256WithRSAEncryption = 4, sha384WithRSAEncryption = 5, sha512WithRSAEncryption = 6,
  ["id-dsa-with-sha1"] = 7, ["id-dsa-with-sha256"] = 8, ["ecdsa-with-SHA1"] = 9,
  ["ecdsa-with-SHA256"] = 10, ["ecdsa-with-SHA384"] = 11, ["ecdsa-with-SHA512"] = 12,
  ["id-Ed25519"] = 16,
}

-- RSASSA-PSS, by the OID of its hash.
local PSS = {
  ["2.16.840.1.101.3.4.2.1"] = 13, ["2.16.840.1.101.3.4.2.2"] = 14,
  ["2.16.840.1.101.3.4.2.3"] = 15,
}

-- (Go knows RSA keys that are for RSASSA-PSS only as none of its algorithms.)
local function key_algorithm(key_type)
  return key_type == "rsa" and 1 or key_type:find "^ecdsa" and 3 or key_type == "ed25519" and 4 or 0
end

local function signature_algorithm(certificate, read)
  local word = certificate.signature_algorithm
  return SIGNATURES[word] or word == "id-RSASSA-PSS" and read and PSS[read.signature_hash] or 0
end

local function usages(certificate)
  local bits, known, others = 0, {}, {}
  for _, word in ipairs(certificate.key_usage or {}) do
    bits = bits | (KEY_USAGE[word] or 0)
  end
  for _, word in ipairs(certificate.purposes or {}) do
    local number = EXTENDED_KEY_USAGE[word]
    known[#known + 1] = number
    others[#others + 1] = not number and word or nil
  end
  return bits, #known > 0 and known or nil, #others > 0 and others or nil
end

local function filled(list)
  return #list > 0 and list or nil
end

local function fill(values, certificate)
  local read = x509.read(values.Raw)
  values.Version = read and read.version or marks.unknown
  values.BasicConstraintsValid = read and read.has_basic_constraints or false
  values.SerialNumber = decimal(certificate.serial)
  values.Issuer, values.Subject = certificate.issuer, certificate.subject
  values.NotBefore = validity.time(certificate.not_before)
  values.NotAfter = validity.time(certificate.not_after)
  values.KeyUsage, values.ExtKeyUsage, values.UnknownExtKeyUsage = usages(certificate)
  values.IsCA = certificate.is_ca
  values.MaxPathLen = certificate.path_length or values.BasicConstraintsValid and -1 or 0
  values.MaxPathLenZero = certificate.path_length == 0
  values.DNSNames = filled(certificate.dns_names)
  values.EmailAddresses = filled(certificate.email_addresses)
  values.IPAddresses = filled(certificate.ip_addresses)
  values.URIs = filled(certificate.uris)
  values.PublicKeyAlgorithm = key_algorithm(certificate.key_type)
  values.SignatureAlgorithm = signature_algorithm(certificate, read)
end

-- One that cannot be parsed, which Go would not have let through, has its DER and nothing else.
local function certificate_of(certificate)
  local values = { Raw = certificate:der() }
  if not pcall(fill, values, certificate) then
    for _, name in ipairs(CERTIFICATE.names) do
      values[name] = name == "Raw" and values.Raw or marks.unknown
    end
  end
  return strict.record(CERTIFICATE, values)
end

---------------------------------------------------------------------------------------------------
-- The state

local function each(list, convert)
  if list == nil or list == marks.unknown then
    return list
  end
  local made = {}
  for index = 1, #list do
    made[index] = convert(list[index])
  end
  return made
end

-- The number of a name; 0 where there is none.
local function number_of(kind, name)
  if name == nil or name == marks.unknown then
    return name or 0
  end
  local _, code = native.find(kind, name)
  return code or math.tointeger(tonumber(name)) or marks.unknown
end

local function had_retry(events)
  for _, event in ipairs(events) do
    if event.type == "HelloRetryRequest" then
      return true
    end
  end
  return false
end

local function or_empty(value)
  return value == nil and "" or value
end

-- Go remembers them with the session; of a resumed one they cannot be told here.
local function verified_chains(one)
  local verification = one.verification
  if verification == nil then
    return one.resumed == true and one.peer_certificates ~= nil and marks.unknown or nil
  elseif verification == marks.unknown then
    return verification
  end
  return verification.verified and { each(verification.path, certificate_of) } or nil
end

local go = {}

--- The projection of an end.
---@param one table
---@param events table[] those of its link
function go.of(one, events)
  local presented = one.resumed ~= true and one.local_certificates or nil
  return strict.record(STATE, {
    Version = number_of("version", one.version),
    HandshakeComplete = one.handshake_completed,
    DidResume = one.resumed,
    CipherSuite = number_of("cipher_suite", one.cipher_suite),
    CurveID = number_of("group", one.group),
    NegotiatedProtocol = or_empty(one.alpn),
    NegotiatedProtocolIsMutual = true,
    ServerName = or_empty(one.server_name),
    PeerCertificates = each(one.peer_certificates, certificate_of),
    VerifiedChains = verified_chains(one),
    SignedCertificateTimestamps = marks.unknown,
    OCSPResponse = marks.unknown,
    TLSUnique = one.tls_unique,
    ECHAccepted = false,
    HelloRetryRequest = had_retry(events),
    LocalCertificate = each(presented, function(certificate) return certificate:der() end),
  })
end

go.schema, go.certificate_schema = STATE, CERTIFICATE
return go
