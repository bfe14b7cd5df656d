-- SPDX-License-Identifier: MIT
-- Handshake messages from their bytes: what is needed of them to say what two ends were.
local der = require "moonshake.import.der"
local numbers = require "moonshake.import.numbers"
local reader = require "moonshake.import.reader"

local messages = {}

-- The random of a HelloRetryRequest (RFC 8446 section 4.1.3).
local RETRY = ("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"):gsub("%x%x",
  function(digits) return string.char(tonumber(digits, 16)) end)

local function names(kind, codes)
  local list = {}
  for index, code in ipairs(codes) do
    list[index] = numbers.name(kind, code)
  end
  return list
end

local function protocols(text)
  local list, found = text:vector(2), {}
  while list:left() > 0 do
    local protocol = list:vector(1)
    found[#found + 1] = protocol:bytes(protocol:left())
  end
  return found
end

-- Extensions by number, each to be read.
local function extensions_of(text)
  local found = {}
  if text:left() == 0 then
    return found
  end
  local list = text:vector(2)
  while list:left() > 0 do
    local number = list:number(2)
    found[number] = list:vector(2)
  end
  return found
end

local SNI, GROUPS, SCHEMES, ALPN, EXTENDED, TICKET = 0, 10, 13, 16, 23, 35
local PRE_SHARED_KEY, VERSIONS, AUTHORITIES, POST_HANDSHAKE, KEY_SHARE = 41, 43, 47, 49, 51
local SECURE = 0xFF01
local SCSV = 0x00FF -- of RFC 5746

local function server_name(text)
  local list = text:vector(2)
  while list:left() > 0 do
    local kind, name = list:number(1), list:vector(2)
    if kind == 0 then
      return name:bytes(name:left())
    end
  end
end

local READ = {}

READ[1] = function(text) -- ClientHello
  local version = text:number(2)
  text:bytes(32)
  local session_id = text:vector(1)
  local hello = { session_id = session_id:bytes(session_id:left()) }
  local suites = text:vector(2):numbers(2)
  text:vector(1)
  local found = extensions_of(text)
  hello.or_older = not found[VERSIONS]
  hello.versions = names("version", found[VERSIONS] and found[VERSIONS]:vector(1):numbers(2)
                           or { version })
  hello.cipher_suites = names("cipher_suite", suites)
  hello.groups = found[GROUPS] and names("group", found[GROUPS]:vector(2):numbers(2))
  hello.signature_schemes = found[SCHEMES]
    and names("signature_scheme", found[SCHEMES]:vector(2):numbers(2))
  hello.server_name = found[SNI] and found[SNI]:left() > 0 and server_name(found[SNI]) or nil
  hello.alpn = found[ALPN] and protocols(found[ALPN])
  hello.extended_master_secret = found[EXTENDED] ~= nil
  hello.secure_renegotiation = found[SECURE] ~= nil
  for _, suite in ipairs(suites) do
    hello.secure_renegotiation = hello.secure_renegotiation or suite == SCSV
  end
  hello.ticket = found[TICKET] ~= nil
  hello.post_handshake_auth = found[POST_HANDSHAKE] ~= nil
  return hello
end

READ[2] = function(text) -- ServerHello, HelloRetryRequest
  local version, random = text:number(2), text:bytes(32)
  local session_id = text:vector(1)
  local hello = { session_id = session_id:bytes(session_id:left()), retry = random == RETRY }
  hello.cipher_suite = numbers.name("cipher_suite", text:number(2))
  text:number(1)
  local found = extensions_of(text)
  hello.version = numbers.name("version", found[VERSIONS] and found[VERSIONS]:number(2) or version)
  hello.group = found[KEY_SHARE] and numbers.name("group", found[KEY_SHARE]:number(2)) or nil
  hello.alpn = found[ALPN] and protocols(found[ALPN])[1]
  hello.pre_shared_key = found[PRE_SHARED_KEY] ~= nil
  return hello
end

READ[8] = function(text) -- EncryptedExtensions
  local found = extensions_of(text)
  return { alpn = found[ALPN] and protocols(found[ALPN])[1] }
end

READ[11] = function(text, version) -- Certificate
  local chain = {}
  if version == "TLS1.3" then
    text:vector(1)
  end
  local list = text:vector(3)
  while list:left() > 0 do
    local one = list:vector(3)
    local bytes = one:bytes(one:left())
    chain[#chain + 1] = der.certificate(bytes) or false
    if version == "TLS1.3" then
      list:vector(2)
    end
  end
  return { chain = chain }
end

READ[12] = function(text) -- ServerKeyExchange, of ECDHE alone
  if text:left() > 3 and text:number(1) == 3 then
    return { group = numbers.name("group", text:number(2)) }
  end
  return {}
end

local function authorities(list)
  local found = {}
  while list:left() > 0 do
    local one = list:vector(2)
    found[#found + 1] = der.name(one:bytes(one:left())) or ""
  end
  return found
end

READ[13] = function(text, version) -- CertificateRequest
  if version == "TLS1.3" then
    text:vector(1)
    local found = extensions_of(text)
    return {
      issuers = found[AUTHORITIES] and authorities(found[AUTHORITIES]:vector(2)) or {},
      signature_schemes = found[SCHEMES]
        and names("signature_scheme", found[SCHEMES]:vector(2):numbers(2)),
    }
  end
  text:vector(1)
  local request = {}
  if version == "TLS1.2" then
    request.signature_schemes = names("signature_scheme", text:vector(2):numbers(2))
  end
  request.issuers = authorities(text:vector(2))
  return request
end

--- Reads a message.
---@param kind integer HandshakeType
---@param body string
---@param version string|nil the one agreed on
---@return table|nil read nil where it is malformed; without fields where nothing of it matters
function messages.read(kind, body, version)
  if not READ[kind] then
    return {}
  end
  return reader.protect(READ[kind], reader.new(body), version)
end

return messages
