-- SPDX-License-Identifier: MIT
-- Certificates and names from their DER, read by the TLS library.
local base64 = require "moonshake.base64"
local native = require "moonshake.native"
local pki = require "moonshake.pki"
local reader = require "moonshake.import.reader"

local der = {}

--- A certificate; nil where it is none.
---@param bytes string
---@return userdata|nil
function der.certificate(bytes)
  local lines = base64(bytes):gsub(("."):rep(64), "%0\n"):gsub("\n$", "")
  local list = native.read_certificates(
    "-----BEGIN CERTIFICATE-----\n" .. lines .. "\n-----END CERTIFICATE-----\n")
  return list and list[1]
end

-- The next value: its tag, its content, and all of it.
local function value(text)
  local from = text.at
  local tag, length = text:number(1), text:number(1)
  if length >= 0x80 then
    length = text:number(math.max(1, math.min(length & 0x7F, 4)))
  end
  local content = text:bytes(length)
  return tag, content, text.text:sub(from, text.at - 1)
end

local function encoded(tag, content)
  local length = #content
  local size = length < 0x80 and string.char(length)
    or length < 0x100 and "\x81" .. string.char(length)
    or length < 0x10000 and "\x82" .. string.pack(">I2", length)
    or "\x83" .. string.pack(">I3", length)
  return string.char(tag) .. size .. content
end

local template -- the DER of a certificate of ours

-- A certificate of ours in which its subject is another.
local function with_subject(name)
  template = template or pki.authority { cn = "Template" }.certificate:der()
  local _, whole = value(reader.new(template))
  local outer = reader.new(whole)
  local _, signed = value(outer)
  local rest, inner, pieces = outer:bytes(outer:left()), reader.new(signed), {}
  while inner:left() > 0 do
    local _, _, all = value(inner)
    pieces[#pieces + 1] = all
  end
  pieces[6] = name -- version, serial number, signature, issuer, validity, subject, ...
  return encoded(0x30, encoded(0x30, table.concat(pieces)) .. rest)
end

--- A name as RFC 4514 has it; nil where it is none.
---@param bytes string
---@return string|nil
function der.name(bytes)
  local made = reader.protect(with_subject, bytes)
  local certificate = made and der.certificate(made)
  return certificate and certificate.subject
end

return der
