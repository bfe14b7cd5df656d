-- SPDX-License-Identifier: MIT
-- An end as Python's ssl.SSLSocket: what its methods return, by their names. Tuples are lists.
local escape = require "moonshake.escape"
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local strict = require "moonshake.strict"
local x509 = require "moonshake.views.projections.x509"

-- The dictionary of getpeercert(); what a certificate lacks is not in it.
local PEER = strict.schema("getpeercert()", {
  { name = "subject", about = "RDNs in the certificate's order, each of { name, value }" },
  { name = "issuer", about = "likewise" },
  { name = "version", about = "3 is the usual one" },
  { name = "serialNumber", about = "upper-case hex" },
  { name = "notBefore", about = "\"Nov 14 22:13:20 2023 GMT\"" },
  { name = "notAfter", about = "likewise" },
  { name = "subjectAltName", about = "{ kind, value } in the certificate's order" },
  { name = "OCSP", about = "URIs" },
  { name = "caIssuers", about = "URIs" },
  { name = "crlDistributionPoints", about = "URIs" },
})
PEER.omits_nil = true

local SOCKET = strict.schema("ssl.SSLSocket", {
  { name = "version", about = "\"TLSv1.3\"; nil: no handshake" },
  { name = "cipher", about = "{ OpenSSL's name, version that brought it, secret bits }" },
  { name = "session_reused", about = "boolean" },
  { name = "selected_alpn_protocol", about = "nil: none" },
  { name = "server_hostname", about = "client: the name it wants; nil at a server" },
  { name = "getpeercert", about = "nil: no certificate; empty: one that was not validated" },
  { name = "get_verified_chain", type = "bytes",
    about = "DER; as sent where nothing was to be verified" },
  { name = "get_unverified_chain", type = "bytes", about = "DER of the chain as it was sent" },
  { name = "get_channel_binding", type = "bytes", about = "tls-unique; nil in TLS 1.3" },
})

---------------------------------------------------------------------------------------------------
-- getpeercert()

-- OpenSSL's long names of what a name can hold.
local ATTRIBUTES = {
  ["2.5.4.3"] = "commonName", ["2.5.4.4"] = "surname", ["2.5.4.5"] = "serialNumber",
  ["2.5.4.6"] = "countryName", ["2.5.4.7"] = "localityName", ["2.5.4.8"] = "stateOrProvinceName",
  ["2.5.4.9"] = "streetAddress", ["2.5.4.10"] = "organizationName",
  ["2.5.4.11"] = "organizationalUnitName", ["2.5.4.12"] = "title", ["2.5.4.13"] = "description",
  ["2.5.4.15"] = "businessCategory", ["2.5.4.17"] = "postalCode", ["2.5.4.18"] = "postOfficeBox",
  ["2.5.4.20"] = "telephoneNumber", ["2.5.4.41"] = "name", ["2.5.4.42"] = "givenName",
  ["2.5.4.43"] = "initials", ["2.5.4.44"] = "generationQualifier",
  ["2.5.4.45"] = "x500UniqueIdentifier", ["2.5.4.46"] = "dnQualifier",
  ["2.5.4.65"] = "pseudonym", ["2.5.4.97"] = "organizationIdentifier",
  ["1.2.840.113549.1.9.1"] = "emailAddress", ["0.9.2342.19200300.100.1.1"] = "userId",
  ["0.9.2342.19200300.100.1.25"] = "domainComponent",
  ["1.3.6.1.4.1.311.60.2.1.1"] = "jurisdictionLocalityName",
  ["1.3.6.1.4.1.311.60.2.1.2"] = "jurisdictionStateOrProvinceName",
  ["1.3.6.1.4.1.311.60.2.1.3"] = "jurisdictionCountryName",
}

local function name_of(rdns)
  local made = {}
  for index, rdn in ipairs(rdns) do
    made[index] = {}
    for _, attribute in ipairs(rdn) do
      table.insert(made[index], { ATTRIBUTES[attribute[1]] or attribute[1],
                                  escape.utf8(attribute[2]) })
    end
  end
  return made
end

local function address(bytes)
  if #bytes == 4 then
    return ("%d.%d.%d.%d"):format(bytes:byte(1, 4))
  elseif #bytes == 16 then
    return ("%X:%X:%X:%X:%X:%X:%X:%X"):format(string.unpack(">I2I2I2I2I2I2I2I2", bytes))
  end
  return "<invalid>"
end

local KINDS = {
  dns = "DNS", uri = "URI", email = "email", ip = "IP Address", directory = "DirName",
  id = "Registered ID", other = "othername", x400 = "X400Name", edi = "EdiPartyName",
}

local function alternative_names(names)
  local made = {}
  for index, name in ipairs(names) do
    local kind, value = name[1], name[2]
    if kind == "ip" then
      value = address(value)
    elseif kind == "directory" then
      value = name_of(value)
    end
    made[index] = { KINDS[kind] or kind,
                    type(value) == "string" and escape.utf8(value) or value or "<unsupported>" }
  end
  return made
end

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov",
                 "Dec" }

local function date(epoch)
  local done, at = pcall(os.date, "!*t", epoch)
  return done and ("%s %2d %02d:%02d:%02d %d GMT"):format(MONTHS[at.month], at.day, at.hour,
                                                          at.min, at.sec, at.year)
    or marks.unknown
end

local function filled(list)
  return list and #list > 0 and list or nil
end

local function dictionary(certificate)
  local read = x509.read(certificate:der())
  if not read then
    return marks.unknown
  end
  return strict.record(PEER, {
    subject = name_of(read.subject), issuer = name_of(read.issuer), version = read.version,
    serialNumber = certificate.serial:upper(),
    notBefore = date(certificate.not_before), notAfter = date(certificate.not_after),
    subjectAltName = filled(alternative_names(read.alternative_names)),
    OCSP = filled(read.access["1.3.6.1.5.5.7.48.1"]),
    caIssuers = filled(read.access["1.3.6.1.5.5.7.48.2"]),
    crlDistributionPoints = filled(read.distribution_points),
  })
end

--- What getpeercert() says of a certificate that was validated.
---@param certificate userdata
---@return any a record, or tls.unknown where it cannot be parsed
local function getpeercert(certificate)
  local done, made = pcall(dictionary, certificate)
  return done and made or marks.unknown
end

---------------------------------------------------------------------------------------------------
-- The rest

local VERSIONS = { ["TLS1.3"] = "TLSv1.3", ["TLS1.2"] = "TLSv1.2", ["TLS1.1"] = "TLSv1.1",
                   ["TLS1.0"] = "TLSv1" }

local BITS = { { "AES_256", 256 }, { "CHACHA20", 256 }, { "CAMELLIA_256", 256 },
               { "ARIA_256", 256 }, { "3DES", 112 }, { "NULL", 0 } }

local function secret_bits(suite)
  for _, row in ipairs(BITS) do
    if suite:find(row[1], 1, true) then
      return row[2]
    end
  end
  return 128
end

-- The version that brought a suite, as OpenSSL has it.
local function brought_by(suite)
  if not suite:find("_WITH_", 1, true) then
    return "TLSv1.3"
  elseif suite:find "_SHA256$" or suite:find "_SHA384$" or suite:find "_CCM" then
    return "TLSv1.2"
  end
  return suite:find "^TLS_ECDHE?_" and "TLSv1.0" or "SSLv3"
end

local function cipher(suite)
  if suite == nil or suite == marks.unknown then
    return suite
  end
  local iana, _, openssl = native.find("cipher_suite", suite)
  return iana and openssl and { openssl, brought_by(iana), secret_bits(iana) } or marks.unknown
end

local function ders(chain)
  if chain == nil or chain == marks.unknown then
    return chain
  end
  local list = {}
  for index = 1, #chain do
    list[index] = chain[index]:der()
  end
  return list
end

-- What was verified. Python remembers it with the session; whether it was when a session is resumed
-- cannot be told here.
local function verification_of(one)
  local verification = one.verification
  return verification == nil and one.resumed == true and marks.unknown or verification
end

local function peer_dictionary(certificate, verification)
  if certificate == nil or certificate == marks.unknown then
    return certificate
  elseif verification == marks.unknown then
    return verification
  elseif verification == nil or not verification.verified then
    return strict.record(PEER, {})
  end
  return getpeercert(certificate)
end

local function verified_chain(verification, sent)
  if sent == nil or verification == marks.unknown then
    return sent and verification
  elseif verification == nil then
    return ders(sent)
  end
  return verification.verified and ders(verification.path) or nil
end

local python = { schema = SOCKET, peer_schema = PEER, getpeercert = getpeercert, cipher = cipher }

--- The projection of an end.
---@param one table
function python.of(one)
  local version, verification = one.version, verification_of(one)
  return strict.record(SOCKET, {
    version = version ~= marks.unknown and VERSIONS[version] or version,
    cipher = cipher(one.cipher_suite),
    session_reused = one.resumed,
    selected_alpn_protocol = one.alpn,
    server_hostname = one.role == "client" and one.server_name or nil,
    getpeercert = peer_dictionary(one.peer_certificate, verification),
    get_verified_chain = verified_chain(verification, one.peer_certificates),
    get_unverified_chain = ders(one.peer_certificates),
    get_channel_binding = one.tls_unique,
  })
end

return python
