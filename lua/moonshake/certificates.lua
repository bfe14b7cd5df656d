-- SPDX-License-Identifier: MIT
-- What scripts see of certificates and keys: their fields and methods, put on the native classes.
local arguments = require "moonshake.arguments"
local escape = require "moonshake.escape"
local native = require "moonshake.native"
local options = require "moonshake.options"
local strict = require "moonshake.strict"

local certificates = {}

-- Raises unless a method was called with a colon on an object of its class.
local function check_self(api, class, self)
  local found = arguments.class_of(self)
  if found ~= class and not (class == "identity" and found == "authority") then
    strict.raise(("%s: to be called with a colon, on %s"):format(
      api, class:match("^[aeiou]") and "an " .. class or "a " .. class))
  end
end
certificates.check_self = check_self

-- The value of a native field; raises for one that the schema lacks.
local function field(object, schema, methods, name)
  if not schema.by_name[name] then
    strict.no_field(schema, name, methods)
  end
  local known, value = native.field(object, name)
  if not known then
    strict.raise(("%s: %s: %s"):format(schema.kind, name, tostring(value)))
  end
  return strict.wrap(value)
end
certificates.field = field

--- Puts fields and methods on a native class.
---@param class string
---@param schema moonshake.schema
---@param methods table<string, function>
---@param show fun(object: userdata): string
function certificates.install(class, schema, methods, show, read)
  local metatable = native.class(class)
  metatable.__schema = schema
  metatable.__tostring = show
  metatable.__pairs = strict.each
  metatable.__newindex = function()
    strict.raise(class .. ": is read-only")
  end
  metatable.__index = function(object, name)
    local method = methods[name]
    if method then
      return method
    end
    return (read or field)(object, schema, methods, name)
  end
end

---------------------------------------------------------------------------------------------------
-- Certificates: subject, issuer, serial, fingerprint, not_before, not_after, dns_names,
-- ip_addresses, uris, email_addresses, is_ca, path_length, key_usage, purposes, key_type, key_bits,
-- signature_algorithm, principal, self_signed (see native.fields "certificate").

local certificate = {}

--- certificate:pem(): the certificate as PEM.
---@return string
function certificate:pem()
  check_self("certificate:pem", "certificate", self)
  return (strict.check("certificate:pem", native.certificate_pem(self)))
end

--- certificate:der(): the certificate's bytes.
---@return string
function certificate:der()
  check_self("certificate:der", "certificate", self)
  return (strict.check("certificate:der", native.certificate_der(self)))
end

--- certificate:text(): everything that it says, in many lines for people.
---@return string
function certificate:text()
  check_self("certificate:text", "certificate", self)
  return (strict.check("certificate:text", native.certificate_text(self)))
end

-- "CN=alice (0123456789abcdef)": who it is, and the first digits of its fingerprint.
local function show_certificate(object)
  local known, subject = native.field(object, "subject")
  local _, fingerprint = native.field(object, "fingerprint")
  if not known or not fingerprint then
    return "a certificate that cannot be read"
  end
  return ("%s (%s)"):format(subject == "" and "no subject" or escape.line(subject),
                            fingerprint:sub(1, 16))
end

certificates.install("certificate",
                     strict.schema("certificate", native.fields "certificate"),
                     certificate, show_certificate)

--- The certificates of a list that can be read: a peer may send anything as one.
---@param list any[] certificates, or tables with their fields
---@return any[]
function certificates.readable(list)
  local found = {}
  for index = 1, #list do
    local one = list[index]
    found[#found + 1] = (type(one) == "table" or native.field(one, "subject")) and one or nil
  end
  return found
end

---------------------------------------------------------------------------------------------------
-- Keys: type, bits.

local key = {}

--- key:pem { password = }: the private key as PEM (PKCS #8), encrypted where a password is given.
---@param given? { password?: string }
---@return string
function key:pem(given)
  check_self("key:pem", "key", self)
  local checked = arguments.check("key:pem", { options.password }, given)
  return (strict.check("key:pem", native.key_pem(self, checked.password)))
end

--- key:public_pem(): the public key as PEM.
---@return string
function key:public_pem()
  check_self("key:public_pem", "key", self)
  return (strict.check("key:public_pem", native.key_public_pem(self)))
end

local function show_key(object)
  local _, type_word = native.field(object, "type")
  local _, bits = native.field(object, "bits")
  return ("key %s, %d bits"):format(type_word, bits)
end

certificates.install("key", strict.schema("key", {
  { name = "type", about = "the word that key takes, without the size for RSA" },
  { name = "bits", about = "size of the key" },
}), key, show_key)

return certificates
