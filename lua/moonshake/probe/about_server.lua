-- SPDX-License-Identifier: MIT
-- What a probe tells of the server: the connection and its chain.
local chain = require "moonshake.probe.chain"
local escape = require "moonshake.escape"
local phrase = require "moonshake.views.phrase"
local validity = require "moonshake.views.validity"
local VERSIONS = require "moonshake.probe.versions"

local about = {}

local OF_VERSION = "alert protocol_version (70)"

-- How a version was refused, where it is not simply lacked.
local function refusals(page, found, all)
  local faces, of_face = {}, {}
  for index = #VERSIONS, 1, -1 do
    local face = found.refusals[VERSIONS[index]]
    if face and (all or index > 2 and face ~= OF_VERSION) then
      faces[#faces + 1] = not of_face[face] and face or nil
      of_face[face] = of_face[face] or {}
      table.insert(of_face[face], VERSIONS[index])
    end
  end
  for _, face in ipairs(faces) do
    page:row("", ("%s: %s"):format(phrase.list(of_face[face]), face))
  end
end

local function versions(page, found)
  local has, lacks = {}, {}
  for index = #VERSIONS, 1, -1 do
    local version = VERSIONS[index]
    if found.versions[version] ~= nil then
      table.insert(found.versions[version] and has or lacks, version)
    end
  end
  page:row("versions", #has == 0 and "none of those that were tried"
           or table.concat(has, ", ") .. (#lacks > 0 and "; not " .. table.concat(lacks, ", ")
                                          or ""))
  refusals(page, found, #has == 0)
end

--- The connection: versions, what was agreed on, what was answered.
---@param page table
---@param found table of probe.run()
function about.connection(page, found)
  local shared = found.negotiated
  if not shared and next(found.refusals) == nil then
    return
  end
  page:head "connection"
  versions(page, found)
  if not shared then
    return
  end
  local list = { shared.version }
  for _, name in ipairs { "cipher_suite", "group", "signature_scheme" } do
    list[#list + 1] = shared[name]
  end
  page:row("chosen", table.concat(list, ", "))
  if shared.alpn or found.alpn and found.alpn.chosen then
    page:row("ALPN", phrase.plain(shared.alpn or found.alpn.chosen))
  end
  local answer = found.main.answer
  if answer then
    page:row("answer", phrase.plain(answer.line)
             .. (answer.server and " (" .. phrase.plain(answer.server) .. ")" or ""))
  elseif found.main.silent then
    page:row("answer", "none, and the connection stays open")
  end
end

local function names_of(certificate)
  local names = {}
  for _, field in ipairs { "dns_names", "ip_addresses", "uris", "email_addresses" } do
    for _, name in ipairs(certificate[field]) do
      names[#names + 1] = name
    end
  end
  return names
end

local function key_of(certificate)
  local name = certificate.key_type
  return name:find "^rsa" and ("%s %d"):format(name, certificate.key_bits) or name
end

local function add_certificate(page, found, index, certificate)
  local remarks = found.read.remarks[index]
  page:row(tostring(index), phrase.subject(certificate)
           .. (#remarks > 0 and ": " .. table.concat(remarks, ", ") or ""))
  page:row("", ("issued by %s"):format(certificate.self_signed and "itself"
                                       or phrase.issuer(certificate)))
  page:row("", ("%s, %s, %s (%s)"):format(
    key_of(certificate), certificate.signature_algorithm,
    validity.standing(certificate.not_before, certificate.not_after, found.at),
    validity.date(certificate.not_after)))
  local names = index == 1 and names_of(certificate) or {}
  if #names > 0 then
    page:row("", "for " .. phrase.list(names))
  end
end

--- Its chain.
---@param page table
---@param found table
function about.chain(page, found)
  if not found.chain and not found.unreadable then
    return
  end
  local verification = found.verification
  local verified = verification and verification.verified
  page:head("its chain: " .. (verified and "verified" or "does not verify"),
            verified and "bold" or "red")
  for index, certificate in ipairs(found.chain or {}) do
    add_certificate(page, found, index, certificate)
  end
  if found.unreadable then
    page:row("beside", phrase.count(found.unreadable, "certificate") .. " that cannot be read")
  end
  for _, problem in ipairs(verification and verification.problems or {}) do
    local words = chain.openssl(problem, found.chain, found.options.is_address)
    page:row("problem", problem .. (#words > 0 and "; OpenSSL: " .. table.concat(words, "; ")
                                    or ""))
  end
  local missing = found.read and found.read.missing
  if missing and missing.what == "intermediate_not_sent" then
    page:row("missing", ("the intermediate %s"):format(phrase.plain(missing.subject)))
  elseif verification and not verified then
    page:row("", escape.short(verification.text, 300))
  end
end

return about
