-- SPDX-License-Identifier: MIT
-- One certificate as the options that make its like: what `pki.authority`, `authority:authority`
-- and `authority:issue` take. What they do by themselves is not said; what they cannot say is a
-- remark.
local marks = require "moonshake.marks"
local literal = require "moonshake.reproduce.literal"
local native = require "moonshake.native"
local x509 = require "moonshake.views.projections.x509"

local certificate = {}

local HOUR, DAY = 3600, 86400

local KEYS = {}
for _, word in ipairs(native.key_words) do
  KEYS[word] = true
end

-- The word for a key of this kind and size, and what is not the same then.
local function key_word(kind, bits)
  bits = bits or 0
  if KEYS[kind] then
    return kind
  elseif kind == "rsa-pss" then
    return "rsa-pss-2048", bits ~= 2048 and ("its RSA-PSS key has %d bits"):format(bits) or nil
  elseif kind == "rsa" then
    for _, size in ipairs { 2048, 3072, 4096 } do
      if bits <= size then
        return "rsa-" .. size, bits ~= size and ("its RSA key has %d bits"):format(bits) or nil
      end
    end
    return "rsa-4096", ("its RSA key has %d bits"):format(bits)
  end
  return "ecdsa-p256", ("its key is of another type: %s, %d bits"):format(tostring(kind), bits)
end
certificate.key_word = key_word

local OF_CURVE = {
  ["ecdsa-with-SHA384"] = "ecdsa-p384", ["ecdsa-with-SHA512"] = "ecdsa-p521",
  Ed25519 = "ed25519", Ed448 = "ed448",
}

--- The word for the key that must have signed a certificate whose issuer nobody has seen.
---@param signature string signature_algorithm
---@return string word
function certificate.signer_key(signature)
  if OF_CURVE[signature] then
    return OF_CURVE[signature]
  elseif signature:upper():find "PSS" then
    return "rsa-pss-2048"
  end
  return signature:upper():find "RSA" and "rsa-2048" or "ecdsa-p256"
end

local PREFERRED = { ["ecdsa-p384"] = "sha384", ["ecdsa-p521"] = "sha512" }
local DIGESTS = { sha1 = true, sha224 = true, sha256 = true, sha384 = true, sha512 = true,
                  md5 = true }

-- The digest to name, where the issuer's key would not choose it.
local function digest_of(signature, signer)
  if signer:find "^ed" then
    return nil
  end
  local word = signature:lower():gsub("-", ""):match "sha%d+" or signature:lower():match "md5"
  if not word or not DIGESTS[word] or word == (PREFERRED[signer] or "sha256") then
    return nil
  elseif word == "md5" and not signer:find "^rsa" then
    return nil
  end
  return word
end

-- A point in time as so many days (hours) before or after another: at least one.
local function relative(seconds)
  local sign = seconds < 0 and "-" or "+"
  seconds = math.abs(seconds)
  if seconds >= DAY then
    return ("%s%dd"):format(sign, seconds // DAY)
  end
  return ("%s%dh"):format(sign, math.max(1, seconds // HOUR))
end

-- Validity, where it was not valid then: what was valid stays so.
local function add_validity(options, found, at)
  local length = math.max(DAY, found.not_after - found.not_before)
  if found.not_after < at then
    local ago = found.not_after - at
    literal.add(options, "not_before", literal.string(relative(ago - length)))
    literal.add(options, "not_after", literal.string(relative(ago)))
  elseif found.not_before > at then
    local ahead = found.not_before - at
    literal.add(options, "not_before", literal.string(relative(ahead)))
    literal.add(options, "not_after", literal.string(relative(ahead + length)))
  end
end

local function same_set(list, other)
  local found = {}
  for _, word in ipairs(list) do
    found[word] = true
  end
  for _, word in ipairs(other) do
    if not found[word] then
      return false
    end
  end
  return #list == #other
end

local function usage_by_default(is_authority, key)
  if is_authority then
    return { "keyCertSign", "cRLSign" }
  elseif key:find "^rsa%-%d" then
    return { "digitalSignature", "keyEncipherment" }
  end
  return { "digitalSignature" }
end

local function add_purpose(options, found, is_authority)
  local purposes = found.purposes
  if not purposes then
    if not is_authority then
      literal.add(options, "purpose", "false")
    end
  elseif is_authority or not same_set(purposes, { "server", "client" }) then
    literal.add(options, "purpose", literal.value(purposes, true))
  end
end

local function add_usage(options, found, is_authority, key)
  if not found.key_usage then
    literal.add(options, "key_usage", "false")
  elseif not same_set(found.key_usage, usage_by_default(is_authority, key)) then
    literal.add(options, "key_usage", literal.value(found.key_usage, true))
  end
end

local function add_basic(options, found, read, is_authority)
  if read and not read.has_basic_constraints then
    if is_authority then
      literal.add(options, "omit", '"basic_constraints"')
    end
  elseif found.is_ca ~= is_authority then
    literal.add(options, "ca", tostring(found.is_ca))
  end
  if found.path_length then
    literal.add(options, "path_length", tostring(found.path_length))
  end
end

local function escape_value(value)
  return (value:gsub('[,+"\\<>;=]', "\\%0"):gsub("^[ #]", "\\%0"):gsub(" $", "\\ "))
end

-- The common name of a subject that has nothing else.
local function lone_cn(subject)
  local value = subject:match "^CN=(.*)$"
  if value and value ~= "" then
    local plain = value:gsub("\\(.)", "%1")
    if escape_value(plain) == value and not value:find "\\%x%x" then
      return plain
    end
  end
end

-- Whether the factory can write this subject.
local function can_write(subject)
  local key = native.key "ecdsa-p256"
  local now = native.clock_now()
  return key and native.issue({ subject = subject, not_before = now, not_after = now + DAY,
                                must_staple = false, omit_subject_key_id = false,
                                omit_authority_key_id = false }, key, nil, true) ~= nil
end

--- Adds a subject: cn, or all of it; nothing where the first other name says the same.
---@param options table literal.table()
---@param subject string RFC 4514
---@param first_name string|nil
---@return string|nil remark
function certificate.add_subject(options, subject, first_name)
  local cn = lone_cn(subject)
  if cn and cn == first_name then
    return nil
  elseif cn and can_write(subject) then
    literal.add(options, "cn", literal.string(cn))
  elseif subject == "" or can_write(subject) then
    literal.add(options, "subject", literal.string(subject))
  else
    literal.add(options, "cn", literal.string(first_name or "a name that cannot be written"))
    return ("its subject cannot be written: %s"):format(subject)
  end
end

-- Name constraints, and critical extensions that nobody knows: only the text tells of them.
local CONSTRAINED = { DNSname = "dns", RFC822Name = "email", URI = "uri", IPAddress = "ip" }

local function add_constraints(options, text)
  local block = text:match "\n\t\tName Constraints[^\n]*:\n(.-)\n\t\t%S" or text:match
    "\n\t\tName Constraints[^\n]*:\n(.-)\n\t%S"
  if not block then
    return
  end
  local lists, current = { permitted = {}, excluded = {} }, nil
  for line in block:gmatch "[^\n]+" do
    local heading = line:match "^%s*(%a+):$"
    local kind, name = line:match "^%s*([%w ]+):%s*(%S+)$"
    kind = kind and CONSTRAINED[kind:gsub(" ", "")]
    if heading == "Permitted" or heading == "Excluded" then
      current = lists[heading:lower()]
    elseif kind and current then
      current[kind] = current[kind] or {}
      table.insert(current[kind], name)
    end
  end
  for _, which in ipairs { "permitted", "excluded" } do
    local made = literal.table()
    for _, kind in ipairs { "dns", "email", "uri", "ip" } do
      if lists[which][kind] then
        literal.add(made, kind, literal.value(lists[which][kind], true))
      end
    end
    literal.add(options, which, #made.items > 0 and made or nil)
  end
end

local function add_critical(options, text)
  local list = literal.table()
  for oid in text:gmatch "\n\t\tUnknown extension ([%d.]+) %(critical%)" do
    local extension = literal.table()
    literal.add(extension, "oid", literal.string(oid))
    literal.add(extension, "critical", "true")
    literal.add(extension, "der", [["\x05\x00"]])
    literal.add(list, nil, extension)
  end
  literal.add(options, "extensions", #list.items > 0 and list or nil)
end

--- Whether everything of a certificate can be read: a stranger may send anything.
---@param found userdata
---@return boolean
function certificate.readable(found)
  return (pcall(function()
    for _, value in pairs(found) do
      assert(value ~= marks.unknown) -- reading it may raise, too
    end
    return found:text()
  end))
end

local NAMES = { { "dns", "dns_names" }, { "ip", "ip_addresses" }, { "uri", "uris" },
                { "email", "email_addresses" } }

--- The options of a certificate like this one.
---@param found userdata certificate
---@param how { at: integer, authority: boolean, signer: string } when it was seen; whether it is
---  made as an authority; the word of the key that signs it
---@return table options literal.table()
---@return string[] remarks what is not the same, each a sentence's end: "its RSA key has 1024 bits"
---@return string key the word of its key
function certificate.options(found, how)
  local options, remarks = literal.table(), {}
  local key, remark = key_word(found.key_type, found.key_bits)
  remarks[#remarks + 1] = remark
  local first = found.dns_names[1] or found.uris[1] or found.email_addresses[1]
    or found.ip_addresses[1]
  remarks[#remarks + 1] = certificate.add_subject(options, found.subject, first)
  for _, pair in ipairs(NAMES) do
    local names = {}
    for _, name in ipairs(found[pair[2]]) do
      if utf8.len(name) and name ~= "" then
        names[#names + 1] = name
      else
        remarks[#remarks + 1] = "its name cannot be written: " .. literal.string(name)
      end
    end
    literal.add(options, pair[1], #names > 0 and literal.value(names, true) or nil)
  end
  if key ~= "ecdsa-p256" then
    literal.add(options, "key", literal.string(key))
  end
  add_validity(options, found, how.at)
  add_purpose(options, found, how.authority)
  add_usage(options, found, how.authority, key)
  add_basic(options, found, x509.read(found:der()), how.authority)
  local digest = digest_of(found.signature_algorithm, how.signer or key)
  literal.add(options, "digest", digest and literal.string(digest))
  local text = found:text()
  add_constraints(options, text)
  add_critical(options, text)
  return options, remarks, key
end

return certificate
