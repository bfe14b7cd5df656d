-- SPDX-License-Identifier: MIT
-- What a handshake message says, in the few words that a diagram has room for: what was offered,
-- what was chosen, whose chain. What is usual is not said.
local phrase = require "moonshake.views.phrase"

local facts = {}

local FEW = 3 -- names of a list that are told; of a longer one there is the number
local FEW_CERTIFICATES = 4

-- A list that is short enough to be told, or how long it is: "x25519, secp256r1", "9 groups".
local function few(names, what)
  if #names > FEW then
    return ("%d %s"):format(#names, what)
  end
  return table.concat(names, ", ")
end

-- The first names of a list whose first ones say most.
local function first(names, separator)
  local told = table.concat(names, separator, 1, math.min(#names, FEW))
  return #names > FEW and ("%s and %d more"):format(told, #names - FEW) or told
end

local function has(names, wanted)
  for _, name in ipairs(names or {}) do
    if name == wanted then
      return true
    end
  end
  return false
end

local function is_older_than_1_3(hello)
  return hello.or_older or #hello.versions > 1 or not has(hello.versions, "TLS1.3")
end

local GREASE = "^0x(%xa)%1$" -- RFC 8701: means nothing, and tries whether a peer bears the unknown

--- Names as people are told them: with a word for what means nothing.
---@param names string[]
---@return string[]
function facts.named(names)
  local told = {}
  for index, name in ipairs(names) do
    told[index] = name:find(GREASE) and "GREASE" or name
  end
  return told
end

--- The suites of a hello: neither what only signals something, nor what means nothing.
---@param hello table
---@return string[]
function facts.suites(hello)
  local names = {}
  for _, name in ipairs(hello.cipher_suites) do
    if not name:find "_SCSV$" and not name:find(GREASE) then
      names[#names + 1] = name
    end
  end
  return names
end

-- Protections that everybody has today.
local function add_missing(list, hello)
  if hello.extended_master_secret == false then
    list[#list + 1] = "no extended_master_secret"
  end
  if hello.secure_renegotiation == false then
    list[#list + 1] = "no renegotiation_info"
  end
end

---------------------------------------------------------------------------------------------------
-- Messages

local TELL = {}

-- Which earlier session a ClientHello offers, if that can be seen.
local function offered_session(hello)
  if hello.pre_shared_key then
    return "offers a session (pre_shared_key)"
  elseif hello.ticket_presented then
    return "offers a session (ticket)"
  elseif hello.or_older and #hello.session_id > 0 then
    return "offers a session (session id)"
  end
end

function TELL.ClientHello(event)
  local hello = event.hello
  local list = {
    table.concat(facts.named(hello.versions), ", ") .. (hello.or_older and " or older" or ""),
  }
  local function add(...)
    list[#list + 1] = table.concat { ... }
  end
  if hello.server_name then
    add("SNI ", hello.server_name)
  end
  if hello.alpn then
    add("ALPN ", first(hello.alpn, ", "))
  end
  add(few(facts.suites(hello), "cipher suites"))
  if hello.groups then
    add(#hello.groups > FEW and "" or "groups ", few(facts.named(hello.groups), "groups"))
  end
  if hello.key_shares then
    add(#hello.key_shares == 0 and "no key share"
        or "key_share " .. first(facts.named(hello.key_shares), ", "))
  end
  if hello.signature_schemes and #hello.signature_schemes <= FEW then
    add("signatures ", few(hello.signature_schemes))
  end
  list[#list + 1] = offered_session(hello)
  if hello.early_data then
    add "early_data"
  end
  if is_older_than_1_3(hello) then
    add_missing(list, hello)
  end
  return list
end

local function add_answers(list, hello)
  if hello.alpn then
    list[#list + 1] = "ALPN " .. first(hello.alpn, ", ")
  end
  if hello.early_data then
    list[#list + 1] = "accepts early_data"
  end
end

-- Up to TLS 1.2 a session is resumed where its id comes back.
local function resumes(hello, offer)
  return hello.pre_shared_key or hello.versions[1] ~= "TLS1.3" and offer ~= nil
    and #hello.session_id > 0 and hello.session_id == offer.session_id
end

function TELL.ServerHello(event, context)
  local hello = event.hello
  local list = { hello.versions[1], hello.cipher_suites[1], hello.groups and hello.groups[1] }
  if resumes(hello, context.offer) then
    list[#list + 1] = "resumes the session"
  end
  add_answers(list, hello)
  add_missing(list, hello)
  return list
end

function TELL.HelloRetryRequest(event)
  local hello = event.hello
  return { hello.versions[1], hello.cipher_suites[1],
           hello.groups and "wants a key_share of " .. hello.groups[1] }
end

function TELL.EncryptedExtensions(event)
  local list = {}
  add_answers(list, event.hello)
  return list
end

-- TLS 1.2's; what it carries depends on the suite, which the ends know.
function TELL.ServerKeyExchange(_, context)
  local client = context.snapshot "client"
  return { client and client.group, client and client.peer_signature_scheme }
end

-- A certificate in a line. Its issuer is named where that is not `after`, the next one.
local function line_of(certificate, after)
  local subject, issuer = phrase.fact(certificate, "subject"), phrase.fact(certificate, "issuer")
  if not subject then
    return phrase.subject(certificate)
  end
  subject = subject == "" and "(no subject)" or subject
  if phrase.fact(certificate, "self_signed") then
    return subject .. ", self-signed"
  elseif after and phrase.fact(after, "subject") == issuer then
    return subject
  end
  return ("%s, issued by %s"):format(subject, issuer)
end

-- The chain as it was sent, a certificate a line.
local function chain(list)
  local lines = {}
  for index, certificate in ipairs(list) do
    if index == FEW_CERTIFICATES and #list > FEW_CERTIFICATES then
      lines[#lines + 1] = ("... %d certificates in all"):format(#list)
      break
    end
    lines[#lines + 1] = line_of(certificate, list[index + 1])
  end
  return lines
end

function TELL.Certificate(event, context)
  if #event.certificates > 0 then
    return nil, chain(event.certificates)
  elseif not event.bytes:find "\0\0\0$" then -- the length of an empty list
    return { "malformed" }
  end
  local client = event.role == "client" and context.snapshot "client"
  local why = client and client.not_sent_because
  return { "empty", why and ("its own stays at home: " .. why) or nil }
end

function TELL.CertificateVerify(event)
  return { event.signature_schemes and event.signature_schemes[1] }
end

function TELL.HelloRequest()
  return { "asks for a renegotiation" }
end

function TELL.KeyUpdate(event)
  return { event.bytes == "\1" and "update_requested" or nil }
end

local function duration(seconds)
  if seconds % 3600 == 0 and seconds > 0 then
    return ("%d h"):format(seconds // 3600)
  end
  return ("%d s"):format(seconds)
end

function TELL.NewSessionTicket(event)
  local bytes = event.bytes
  return { #bytes >= 4 and "lifetime " .. duration(string.unpack(">I4", bytes)) or nil }
end

function TELL.CertificateStatus()
  return { "OCSP response" }
end

local NEEDS_HELLO = {
  ClientHello = true, ServerHello = true, HelloRetryRequest = true, EncryptedExtensions = true,
}

-- Without the holes of what is not told.
local function compact(list, most)
  local kept = {}
  for index = 1, most do
    kept[#kept + 1] = list[index]
  end
  return kept
end

--- What a message says.
---@param event table of kind "message"
---@param context { offer: table?, snapshot: fun(role: string): table? } the `hello` of the
---  ClientHello before it; an end's snapshot of this epoch
---@return string[] facts a few words each
---@return string[] lines that stand one below the other: a chain
function facts.of_message(event, context)
  local tell = TELL[event.type]
  if not tell then
    return {}, {}
  elseif NEEDS_HELLO[event.type] and not event.hello then
    return { "malformed" }, {}
  end
  local list, lines = tell(event, context)
  return compact(list or {}, 16), lines or {}
end

--- What a certificate request names.
---@param event table of kind "request"
---@return string[]
function facts.of_request(event)
  if not event.issuers then
    return { "malformed" }
  end
  local named = first(event.issuers, "; ")
  local list = { #event.issuers == 0 and "names no issuer" or "names " .. named }
  local schemes = event.signature_schemes
  if schemes and #schemes <= FEW then
    list[2] = "signatures " .. few(schemes)
  end
  return list
end

--- What an end found when it judged its peer's chain.
---@param verification table
---@return string text
---@return boolean bad whether it rejected the chain
function facts.of_verification(verification)
  local problems = table.concat(verification.problems, ", ")
  if verification.accepted then
    return verification.verified and "verified: the chain is good"
      or ("accepted by its policy, though " .. problems), false
  end
  return verification.verified and "rejected by its policy, though the chain is good"
    or "rejected: " .. problems, true
end

return facts
