-- SPDX-License-Identifier: MIT
-- What other libraries tell of a certificate and ours does not: names in the order and with the
-- attributes of the DER, extensions. The DER is a stranger's: whatever it says, this ends, and
-- returns nil where it is malformed.
local x509 = {}

local MALFORMED = {}

---------------------------------------------------------------------------------------------------
-- DER

-- The value at a position: its tag, where its content begins and ends, what follows it.
local function read(text, at, last)
  local tag, length, first = text:byte(at), text:byte(at + 1), at + 2
  if not length or first > last + 1 then
    error(MALFORMED)
  elseif length >= 0x80 then
    local count = length & 0x7F
    if count < 1 or count > 4 or first + count > last + 1 then
      error(MALFORMED)
    end
    length = string.unpack(">I" .. count, text, first)
    first = first + count
  end
  if first + length - 1 > last then
    error(MALFORMED)
  end
  return { tag = tag, text = text, first = first, last = first + length - 1 }
end

local function content(value)
  return value.text:sub(value.first, value.last)
end

-- The values within a value.
local function parts(value, tag)
  if value.tag ~= (tag or value.tag) then
    error(MALFORMED)
  end
  local list, at = {}, value.first
  while at <= value.last do
    local part = read(value.text, at, value.last)
    list[#list + 1] = part
    at = part.last + 1
  end
  return list
end

local SEQUENCE, SET, OID = 0x30, 0x31, 0x06

local function need(value, tag)
  if not value or tag and value.tag ~= tag then
    error(MALFORMED)
  end
  return value
end

local MOST_ARC = 1 << 56 -- larger ones are nobody's

-- An object identifier as text.
local function oid(value)
  local arcs, arc = {}, 0
  for at = need(value, OID).first, value.last do
    local bits = value.text:byte(at)
    arc = arc << 7 | bits & 0x7F
    if arc > MOST_ARC then
      error(MALFORMED)
    elseif bits < 0x80 then
      if #arcs == 0 then
        local top = arc < 80 and arc // 40 or 2
        arcs[1], arc = top, arc - top * 40
      end
      arcs[#arcs + 1], arc = arc, 0
    end
  end
  return table.concat(arcs, ".")
end

---------------------------------------------------------------------------------------------------
-- Names

local function wide(format, size)
  return function(bytes)
    local pieces = {}
    for at = 1, #bytes - size + 1, size do
      local code = string.unpack(format, bytes, at)
      pieces[#pieces + 1] = utf8.char(code < 0x110000 and not (code >= 0xD800 and code < 0xE000)
                                      and code or 0xFFFD)
    end
    return table.concat(pieces)
  end
end

local function latin1(bytes)
  return (bytes:gsub("[\x80-\xFF]", function(byte) return utf8.char(byte:byte()) end))
end

-- String types whose bytes are not UTF-8 as they are.
local STRINGS = { [0x14] = latin1, [0x1C] = wide(">I4", 4), [0x1E] = wide(">I2", 2) }

-- A Name: a list of RDNs, each a list of { OID, text }.
local function name_of(value)
  local rdns = {}
  for index, set in ipairs(parts(value, SEQUENCE)) do
    rdns[index] = {}
    for _, pair in ipairs(parts(set, SET)) do
      local attribute = parts(pair, SEQUENCE)
      local text = need(attribute[2])
      local convert = STRINGS[text.tag]
      table.insert(rdns[index], { oid(attribute[1]),
                                  convert and convert(content(text)) or content(text) })
    end
  end
  return rdns
end

local KINDS = { [0x81] = "email", [0x82] = "dns", [0x86] = "uri", [0x87] = "ip" }
local OTHER_KINDS = { [0xA0] = "other", [0xA3] = "x400", [0xA5] = "edi" }

-- A GeneralName: { kind, value }.
local function general_name(value)
  if KINDS[value.tag] then
    return { KINDS[value.tag], content(value) }
  elseif value.tag == 0xA4 then
    return { "directory", name_of(need(parts(value)[1])) }
  elseif value.tag == 0x88 then
    return { "id", oid { tag = OID, text = value.text, first = value.first, last = value.last } }
  end
  return { OTHER_KINDS[value.tag] or "unknown" }
end

local function general_names(value)
  local names = {}
  for index, part in ipairs(parts(value)) do
    names[index] = general_name(part)
  end
  return names
end

local function uris_in(names, list)
  for _, name in ipairs(names) do
    list[#list + 1] = name[1] == "uri" and name[2] or nil
  end
end

---------------------------------------------------------------------------------------------------
-- Extensions

local function extension(certificate, wanted)
  for _, one in ipairs(certificate.extensions) do
    if one.oid == wanted then
      return read(one.value, 1, #one.value)
    end
  end
end

-- The URIs of an authority information access, by method.
local function access(certificate)
  local uris, value = {}, extension(certificate, "1.3.6.1.5.5.7.1.1")
  for _, description in ipairs(value and parts(value, SEQUENCE) or {}) do
    local pair = parts(description, SEQUENCE)
    local method = oid(pair[1])
    uris[method] = uris[method] or {}
    uris_in({ general_name(need(pair[2])) }, uris[method])
  end
  return uris
end

-- The URIs at which there are revocation lists.
local function distribution_points(certificate)
  local uris, value = {}, extension(certificate, "2.5.29.31")
  for _, point in ipairs(value and parts(value, SEQUENCE) or {}) do
    local name = parts(point, SEQUENCE)[1]
    local full = name and name.tag == 0xA0 and parts(name)[1]
    if full and full.tag == 0xA0 then
      uris_in(general_names(full), uris)
    end
  end
  return uris
end

local SHA1 = "1.3.14.3.2.26" -- what RSASSA-PSS hashes with unless it says otherwise (RFC 4055)

local function signature_hash(algorithm)
  local parameters = parts(algorithm, SEQUENCE)[2]
  for _, part in ipairs(parameters and parameters.tag == SEQUENCE and parts(parameters) or {}) do
    if part.tag == 0xA0 then
      return oid(parts(need(parts(part)[1], SEQUENCE))[1])
    end
  end
  return SHA1
end

local function extensions_of(fields, from)
  local list = {}
  for index = from, #fields do
    if fields[index].tag == 0xA3 then
      for _, one in ipairs(parts(need(parts(fields[index])[1], SEQUENCE))) do
        local members = parts(one, SEQUENCE)
        list[#list + 1] = { oid = oid(members[1]), value = content(need(members[#members], 0x04)) }
      end
    end
  end
  return list
end

local function certificate_of(der)
  local fields = parts(need(parts(read(der, 1, #der), SEQUENCE)[1], SEQUENCE))
  local version = 1
  if need(fields[1]).tag == 0xA0 then
    local number = need(parts(fields[1])[1], 0x02)
    version = need(number.last >= number.first and number).text:byte(number.last) + 1
    table.remove(fields, 1)
  end
  local made = {
    version = version, issuer = name_of(need(fields[3])), subject = name_of(need(fields[5])),
    signature_hash = signature_hash(need(fields[2])), extensions = extensions_of(fields, 7),
  }
  local names = extension(made, "2.5.29.17")
  made.alternative_names = names and general_names(need(names, SEQUENCE)) or {}
  made.has_basic_constraints = extension(made, "2.5.29.19") ~= nil
  made.access, made.distribution_points = access(made), distribution_points(made)
  return made
end

---@class moonshake.x509
---@field version integer 3 is the usual one
---@field subject { [1]: string, [2]: string }[][] RDNs in the order of the DER, each a list of
---   attributes: OID and text
---@field issuer { [1]: string, [2]: string }[][]
---@field alternative_names { [1]: string, [2]: any }[] in order: "dns", "uri" and "email" with
---   their bytes, "ip" with the address's, "id" with an OID, "directory" with RDNs; others without
---@field access table<string, string[]> URIs of the authority information access by method (OID)
---@field distribution_points string[] URIs of revocation lists
---@field has_basic_constraints boolean
---@field signature_hash string with RSASSA-PSS: the hash's OID

--- Reads a certificate.
---@param der string
---@return moonshake.x509|nil
function x509.read(der)
  local done, made = pcall(certificate_of, der)
  if not done and made ~= MALFORMED then
    error(made, 0) -- a mistake of ours
  end
  return done and made or nil
end

return x509
