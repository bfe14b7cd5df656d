-- SPDX-License-Identifier: MIT
-- ms.pki: authorities, identities and chains, made in memory or read from files.
local arguments = require "moonshake.arguments"
local certificates = require "moonshake.certificates"
local native = require "moonshake.native"
local options = require "moonshake.options"
local strict = require "moonshake.strict"

local pki = {}

local DAY = 86400
local YEAR = 365 * DAY
local PRIVATE = tonumber("600", 8) -- mode of a file with a private key

---------------------------------------------------------------------------------------------------
-- Issuing

local SPECIAL = '[,+"\\<>;=]'

-- A value inside an RFC 4514 name.
local function escape_value(value)
  return (value:gsub(SPECIAL, "\\%0"):gsub("^[ #]", "\\%0"):gsub(" $", "\\ "):gsub("%z", "\\00"))
end

-- The subject: said, or CN= the common name, else the first other name, else what it is.
local function subject_of(api, checked, fallback)
  if checked.cn and checked.subject then
    strict.raise(api .. ": cn and subject both name the subject: give one of them")
  elseif checked.subject then
    return checked.subject
  end
  local name = checked.cn
  for _, kind in ipairs { "dns", "uri", "email", "ip" } do
    name = name or (checked[kind] and checked[kind][1])
  end
  return "CN=" .. escape_value(name or fallback)
end

local function set_of(list)
  local set = {}
  for _, word in ipairs(list or {}) do
    set[word] = true
  end
  return set
end

-- An option that may be false for "no extension", or its default.
local function or_default(value, default)
  if value == nil then
    return default
  end
  return value or nil
end

-- The usage of a leaf's key: it signs, and an RSA key also transports keys (TLS 1.2's RSA key
-- exchange).
local function leaf_usage(key)
  return key.type == "rsa" and { "digitalSignature", "keyEncipherment" } or { "digitalSignature" }
end

-- Everything that goes into the certificate, defaults included: an absent field is not written.
local function recipe_of(api, checked, key, is_authority, fallback)
  local now, omit = native.clock_now(), set_of(checked.omit)
  local recipe = {
    subject = subject_of(api, checked, fallback),
    not_before = checked.not_before or now - DAY,
    not_after = checked.not_after or now + (is_authority and 10 * YEAR or 90 * DAY),
    key_usage = or_default(checked.key_usage,
                           is_authority and { "keyCertSign", "cRLSign" } or leaf_usage(key)),
    purposes = or_default(checked.purpose, not is_authority and { "server", "client" } or nil),
    ca = is_authority,
    must_staple = checked.must_staple or false,
    omit_subject_key_id = omit.subject_key_id or false,
    omit_authority_key_id = omit.authority_key_id or false,
  }
  for _, name in ipairs { "issuer_name", "dns", "ip", "uri", "email", "serial", "path_length",
                          "digest", "permitted", "excluded", "crl_urls", "ocsp_url",
                          "extensions" } do
    recipe[name] = checked[name]
  end
  if checked.ca ~= nil then
    recipe.ca = checked.ca
  end
  if omit.basic_constraints then
    recipe.ca = nil
  end
  if omit.key_usage then
    recipe.key_usage = nil
  end
  return recipe
end

-- Issues a certificate; `issuer` nil makes a self-signed one.
local function issue(api, given, issuer, is_authority, fallback, default_key)
  local checked = arguments.check(api, options.certificate, given)
  local key = checked.key or default_key or "ecdsa-p256"
  if type(key) == "string" then
    key = strict.check(api .. ": key", native.key(key))
  end
  local recipe = recipe_of(api, checked, key, is_authority, fallback)
  return (strict.check(api, native.issue(recipe, key, issuer, is_authority)))
end

--- pki.authority { cn =, ... }: a self-signed certificate authority. Takes what `issue` takes;
--- defaults: CA:TRUE, keyCertSign and cRLSign, no purpose, valid from "-1d" to "+10y".
---@param given? table see options.certificate
---@return userdata authority
function pki.authority(given)
  return issue("pki.authority", given, nil, true, "Root")
end

--- pki.chain { depth =, leaf =, key = }: an identity below `depth` intermediates and a root of its
--- own: `identity.authorities` are the authorities from the root down, `identity.root` the first of
--- them. `leaf` is what `issue` takes; `key` the kind of key of all that do not say their own.
---@param given table see options.chain
---@return userdata identity
function pki.chain(given)
  local checked = arguments.check("pki.chain", options.chain, given)
  local issuer = issue("pki.chain", { cn = "Root" }, nil, true, "Root", checked.key)
  for number = 1, checked.depth do
    issuer = issue("pki.chain", { cn = "Intermediate " .. number }, issuer, true, "", checked.key)
  end
  return issue("pki.chain: leaf", checked.leaf, issuer, false, "Leaf", checked.key)
end

---------------------------------------------------------------------------------------------------
-- Identities and authorities

local identity = {}

--- identity:with { chain = {...} }: the same key, presenting exactly these certificates, its own
--- among them or not: shorter, reordered, with the root, with strangers. Identities stand for their
--- certificates.
---@param given { chain: table }
---@return userdata identity (an authority, if this is one)
function identity:with(given)
  certificates.check_self("identity:with", "identity", self)
  local checked = arguments.check("identity:with", options.with, given)
  local made = strict.check("identity:with", native.identity(self.key, checked.chain, self.issuer))
  return arguments.class_of(self) == "authority" and native.authority(made) or made
end

local function pem_of(list)
  local pieces = {}
  for index, certificate in ipairs(list) do
    pieces[index] = certificate:pem()
  end
  return table.concat(pieces)
end

--- identity:save(DIR): writes cert.pem (the certificate), chain.pem (the chain, leaf first) and
--- key.pem (mode 0600) into DIR, which is made if it is not there.
---@param directory string
---@return string certificate, string chain, string key the three paths
function identity:save(directory)
  local api = "identity:save"
  certificates.check_self(api, "identity", self)
  arguments.check_one(api, { name = "directory", type = "name" }, directory)
  local files = require "moonshake.io.files"
  local base = directory:gsub("/+$", "") .. "/"
  strict.check(api, files.make_directory(directory))
  strict.check(api, files.write(base .. "cert.pem", self.certificate:pem()))
  strict.check(api, files.write(base .. "chain.pem", pem_of(self.chain)))
  strict.check(api, files.write(base .. "key.pem", self.key:pem(), PRIVATE))
  return base .. "cert.pem", base .. "chain.pem", base .. "key.pem"
end

--- identity:pkcs12 { password = }: key and chain as a PKCS #12 file's bytes.
---@param given { password: string }
---@return string
function identity:pkcs12(given)
  certificates.check_self("identity:pkcs12", "identity", self)
  local checked = arguments.check("identity:pkcs12", options.pkcs12, given)
  return (strict.check("identity:pkcs12", native.pkcs12(self, checked.password)))
end

local authority = {}
for name, method in pairs(identity) do
  authority[name] = method
end

--- authority:issue { cn =, dns =, ... }: an identity whose certificate this authority signs. See
--- options.certificate for what it takes.
---@param given? table
---@return userdata identity
function authority:issue(given)
  certificates.check_self("authority:issue", "authority", self)
  return issue("authority:issue", given, self, false, "Leaf")
end

--- authority:authority { cn =, path_length =, ... }: an authority below this one.
---@param given? table
---@return userdata authority
function authority:authority(given)
  certificates.check_self("authority:authority", "authority", self)
  return issue("authority:authority", given, self, true, "Intermediate")
end

local LATER = { crl = true, ocsp = true }

local FIELDS = {
  { name = "certificate", about = "its own certificate" },
  { name = "chain", about = "the certificates it presents, leaf first" },
  { name = "key", about = "its private key" },
  { name = "issuer", about = "the authority that signed it; nil when self-signed or loaded" },
  { name = "authorities", about = "the authorities from the root down" },
  { name = "root", about = "the first of them" },
}

-- The authorities above (and, of an authority, itself), from the root down.
local function authorities_of(object)
  local upwards = {}
  if arguments.class_of(object) == "authority" then
    upwards[1] = object
  end
  local _, issuer = native.field(object, "issuer")
  while issuer do
    upwards[#upwards + 1] = issuer
    _, issuer = native.field(issuer, "issuer")
  end
  local list = {}
  for index = #upwards, 1, -1 do
    list[#list + 1] = upwards[index]
  end
  return strict.list(list)
end

local function read(object, schema, methods, name)
  if name == "authorities" then
    return authorities_of(object)
  elseif name == "root" then
    return authorities_of(object)[1]
  elseif methods == authority and LATER[name] then
    strict.later("authority:" .. name)
  end
  return certificates.field(object, schema, methods, name)
end

local function shows_as(class)
  return function(object)
    return ("%s %s"):format(class, tostring(object.certificate))
  end
end

certificates.install("identity", strict.schema("identity", FIELDS), identity,
                     shows_as "identity", read)
certificates.install("authority", strict.schema("authority", FIELDS), authority,
                     shows_as "authority", read)

---------------------------------------------------------------------------------------------------
-- Reading and judging

-- The text of FILE_or_PEM, and who is complained about when it is no good.
local function text_of(api, name, value)
  if value:find("-----BEGIN", 1, true) then
    return value, ("%s: %s"):format(api, name)
  end
  local files = require "moonshake.io.files"
  local text = strict.check(("%s: %s"):format(api, name), files.read(value))
  return text, ("%s: %s: %s"):format(api, name, value)
end

-- A loaded identity, as an authority where its certificate is one's.
local function as_loaded(loaded)
  return loaded.certificate.is_ca and native.authority(loaded) or loaded
end

--- pki.load { certificate = FILE_or_PEM, key = FILE_or_PEM, password = }: an identity (an authority
--- where the certificate is a CA's) from a chain of any length, leaf first, and its private key.
--- Raises where one cannot be read, naming it, or where they do not belong together.
---@param given { certificate: string, key: string, password?: string }
---@return userdata identity
function pki.load(given)
  local checked = arguments.check("pki.load", options.load, given)
  local chain, chain_place = text_of("pki.load", "certificate", checked.certificate)
  local key, key_place = text_of("pki.load", "key", checked.key)
  local loaded, message = native.read_identity(chain, key, checked.password)
  if not loaded then -- which of the two is at fault?
    strict.check(chain_place, native.read_certificates(chain))
    strict.check(key_place, native.read_key(key, checked.password))
    strict.raise(("%s: %s"):format(key_place, message))
  end
  return as_loaded(loaded)
end

--- pki.load_pkcs12 { file =, password = }: an identity from a PKCS #12 file.
---@param given { file: string, password?: string }
---@return userdata identity
function pki.load_pkcs12(given)
  local checked = arguments.check("pki.load_pkcs12", options.load_pkcs12, given)
  local files = require "moonshake.io.files"
  local bytes = strict.check("pki.load_pkcs12: file", files.read(checked.file))
  return as_loaded(strict.check("pki.load_pkcs12: file: " .. checked.file,
                                native.read_pkcs12(bytes, checked.password)))
end

--- pki.certificates(FILE_or_PEM): all certificates of a file or of a PEM text, in order.
---@param source string
---@return userdata[]
function pki.certificates(source)
  local api = "pki.certificates"
  arguments.check_one(api, { name = "source", type = "file or pem" }, source)
  local text = source
  if not source:find("-----BEGIN", 1, true) then
    text = strict.check(api, require("moonshake.io.files").read(source))
    api = api .. ": " .. source
  end
  return strict.list(strict.check(api, native.read_certificates(text)))
end

local verification = strict.schema("verification", native.fields "verification")

--- pki.verify { chain =, trust =, at =, name =, purpose =, max_depth = }: judges a chain as a
--- handshake would and gives the same result: verified, accepted, problems, text, certificate,
--- path.
---@param given table see options.verify
---@return table verification
function pki.verify(given)
  local checked = arguments.check("pki.verify", options.verify, given)
  local result = strict.check("pki.verify", native.verify(checked.chain, {
    trust = checked.trust or {},
    at = checked.at,
    name = checked.name,
    purpose = checked.purpose or "any",
    max_depth = checked.max_depth,
  }))
  return strict.record(verification, result)
end

return strict.module("pki", pki)
