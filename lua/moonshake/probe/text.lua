-- SPDX-License-Identifier: MIT
-- What a probe found, for people: the verdict, what to do, then what was seen.
local asked = require "moonshake.probe.asked"
local chain = require "moonshake.probe.chain"
local columns = require "moonshake.views.columns"
local depth = require "moonshake.probe.depth"
local escape = require "moonshake.escape"
local fit = require "moonshake.probe.fit"
local paragraph = require "moonshake.views.paragraph"
local phrase = require "moonshake.views.phrase"
local target = require "moonshake.probe.target"
local validity = require "moonshake.views.validity"

local LABEL = 10 -- columns
local MOST_ISSUERS = 6
local COLOURS = { accepted = "green", refused = "red", unreachable = "red" }
local VERSIONS = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }

local Page = {}
Page.__index = Page

function Page:head(text, colour)
  self.lines[#self.lines + 1] = ""
  for index, line in ipairs(columns.wrap(escape.line(text), self.how.width)) do
    self.lines[#self.lines + 1] = self.how.paint(index == 1 and line or "  " .. line,
                                                 colour or "bold")
  end
end

function Page:row(label, text)
  -- paragraph.add() makes its own labels narrower
  local indent = "  " .. columns.pad(label, LABEL) .. " "
  for index, line in ipairs(columns.wrap(escape.line(text), self.how.width - #indent)) do
    self.lines[#self.lines + 1] = self.how.paint(index == 1 and indent or (" "):rep(#indent), "dim")
      .. line
  end
end

---------------------------------------------------------------------------------------------------
-- Parts

local function versions_of(found)
  local has, lacks = {}, {}
  for index = #VERSIONS, 1, -1 do
    local version = VERSIONS[index]
    if found.versions[version] ~= nil then
      table.insert(found.versions[version] and has or lacks, version)
    end
  end
  return table.concat(has, ", ") .. (#lacks > 0 and "; not " .. table.concat(lacks, ", ") or "")
end

function Page:connection(found)
  local shared = found.negotiated
  if not shared then
    return
  end
  self:head "connection"
  self:row("versions", versions_of(found))
  local list = { shared.version }
  for _, name in ipairs { "cipher_suite", "group", "signature_scheme" } do
    list[#list + 1] = shared[name]
  end
  self:row("chosen", table.concat(list, ", "))
  if shared.alpn or found.alpn and found.alpn.chosen then
    self:row("ALPN", phrase.plain(shared.alpn or found.alpn.chosen))
  end
  local answer = found.main.answer
  if answer then
    self:row("answer", phrase.plain(answer.line)
             .. (answer.server and " (" .. phrase.plain(answer.server) .. ")" or ""))
  elseif found.main.silent then
    self:row("answer", "none, and the connection stays open")
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

function Page:certificate(found, index, certificate)
  local remarks = found.read.remarks[index]
  self:row(tostring(index), phrase.subject(certificate)
           .. (#remarks > 0 and ": " .. table.concat(remarks, ", ") or ""))
  self:row("", ("issued by %s"):format(certificate.self_signed and "itself"
                                       or phrase.issuer(certificate)))
  self:row("", ("%s, %s, %s (%s)"):format(
    key_of(certificate), certificate.signature_algorithm,
    validity.standing(certificate.not_before, certificate.not_after, found.at),
    validity.date(certificate.not_after)))
  local names = index == 1 and names_of(certificate) or {}
  if #names > 0 then
    self:row("", "for " .. phrase.list(names))
  end
end

function Page:chain(found)
  if not found.chain and not found.unreadable then
    return
  end
  local verification = found.verification
  local verified = verification and verification.verified
  self:head("its chain: " .. (verified and "verified" or "does not verify"),
            verified and "bold" or "red")
  for index, certificate in ipairs(found.chain or {}) do
    self:certificate(found, index, certificate)
  end
  if found.unreadable then
    self:row("beside", phrase.count(found.unreadable, "certificate") .. " that cannot be read")
  end
  for _, problem in ipairs(verification and verification.problems or {}) do
    local words = chain.openssl(problem, found.chain, found.options.is_address)
    self:row("problem", problem .. (#words > 0 and "; OpenSSL: " .. table.concat(words, "; ")
                                    or ""))
  end
  local missing = found.read and found.read.missing
  if missing and missing.what == "intermediate_not_sent" then
    self:row("missing", ("the intermediate %s"):format(phrase.plain(missing.subject)))
  elseif verification and not verified then
    self:row("", escape.short(verification.text, 300))
  end
end

local REQUIREMENTS = { required = "required", optional = "optional",
                       unknown = "asked for (whether it must come cannot be told)" }

function Page:request(found)
  local request = found.request
  if not found.negotiated then
    return
  elseif not request then
    self:head(found.asked == false and "client certificate: not asked for"
              or "client certificate: the handshake was over before one could be asked for")
    return
  end
  self:head("client certificate: " .. REQUIREMENTS[request.requirement])
  for index = #VERSIONS, 1, -1 do
    local one = request.by_version[VERSIONS[index]]
    if one then
      self:row(VERSIONS[index], ("%s, %s"):format(asked.WORDS[one.when],
                                                  REQUIREMENTS[one.requirement]))
    elseif found.versions[VERSIONS[index]] and index >= 3 then
      self:row(VERSIONS[index], "not asked for")
    end
  end
  for index, issuer in ipairs(request.issuers) do
    if index > MOST_ISSUERS then
      self:row("", ("and %d more (--json has all)"):format(#request.issuers - MOST_ISSUERS))
      break
    end
    self:row(index == 1 and "issuers" or "", phrase.plain(issuer))
  end
  if #request.issuers == 0 then
    self:row("issuers", "none named: any")
  end
  if #request.signature_schemes > 0 then
    self:row("schemes", phrase.list(request.signature_schemes))
  end
end

function Page:senders(sent_by)
  local send, keep = {}, {}
  for _, stack in ipairs(sent_by and fit.STACKS or {}) do
    table.insert(sent_by[stack[1]] and send or keep, stack[2])
  end
  if sent_by then
    self:row("sent by", phrase.list(send, nil, "nobody")
             .. (#keep > 0 and "; kept at home by " .. phrase.list(keep) or ""))
  end
end

function Page:ours(found)
  local ours = found.ours
  if not ours then
    return
  end
  self:head("our certificate: " .. (ours.asked and not ours.sent and "not sent"
                                    or depth.face(ours.attempt)))
  self:row("subject", phrase.subject(ours.identity.certificate))
  if not ours.asked then
    self:row("sent", "no: nobody asked for it")
    return
  end
  for _, rule in ipairs(ours.judged.rules) do
    if not rule.holds then
      self:row("unfit", phrase.plain(rule.rule) .. ": " .. escape.short(rule.text, 300))
    end
  end
  if ours.judged.fits then
    self:row("fits", "yes, by issuer, signature scheme, key usage, purpose and validity")
  end
  self:senders(ours.judged.sent_by)
  if ours.withheld == "failed_before" then
    self:row("here", "the handshake was over before it could be sent")
  elseif ours.withheld then
    self:row("here", ("GnuTLS keeps it at home (%s)%s"):format(ours.withheld, ours.sent
                       and "; it was sent all the same" or ", and cannot be made to send it"))
  end
end

local PAST = {
  no_session = "there is no session to be had without a certificate",
  not_resumed = "a session without a certificate is not resumed",
  asked_again = "in a resumed session without a certificate one is asked for again",
  not_asked = "a session that began without a certificate goes on without: nobody is asked again",
  gets_past = "a session that began without a certificate gets past the request",
  refused = "a resumed session without a certificate is refused",
}

-- What becomes of a session without a certificate: once, or for each version that differs.
function Page:past(anonymous)
  local by_version = anonymous.by_version
  if (by_version["TLS1.3"] or anonymous.outcome) == (by_version["TLS1.2"] or anonymous.outcome) then
    return self:row("without", PAST[anonymous.outcome])
  end
  self:row("without", "TLS1.3: " .. PAST[by_version["TLS1.3"]])
  self:row("", "TLS1.2: " .. PAST[by_version["TLS1.2"]])
end

function Page:resumption(found)
  local resumption = found.resumption
  if not resumption then
    return
  end
  local has, lacks = {}, {}
  for index = #VERSIONS, 1, -1 do
    local resumed = resumption.versions[VERSIONS[index]]
    if resumed ~= nil then
      table.insert(resumed and has or lacks, VERSIONS[index])
    end
  end
  self:head "resumption"
  if #has + #lacks > 0 then
    self:row("sessions", (#has > 0 and "resumed in " .. table.concat(has, ", ") or "never resumed")
             .. (#has > 0 and #lacks > 0 and "; not in " .. table.concat(lacks, ", ") or ""))
  elseif not resumption.anonymous then
    self:row("sessions", "none offered")
  end
  if resumption.anonymous then
    self:past(resumption.anonymous)
  end
  local ours = resumption.ours
  if ours then
    self:row("with ours", not ours.resumed and "the session is not resumed"
             or ours.asked and "asked for again in the resumed session"
             or ours.accepted and "remembered: not asked for again"
             or "the resumed session is refused")
  end
end

-- Attempts in a row that ended in the same way.
local function by_face(tried)
  local groups = {}
  for _, one in ipairs(tried) do
    local face, group = one.sent and one.face or "not sent", groups[#groups]
    if not group or group.face ~= face then
      group = { face = face, sizes = {} }
      groups[#groups + 1] = group
    end
    group.last = one.certificates
    group.sizes[#group.sizes + 1] = one.certificates
  end
  return groups
end

function Page:depth(found)
  local how = found.depth
  if not how then
    return
  end
  self:head "client chains"
  if how.trusted then
    self:row("deepest", how.deepest == nil
             and "none: not even a certificate issued by the authority itself is accepted"
             or ("%s%s below the authority"):format(how.more and "at least " or "",
                                                    phrase.count(how.deepest, "intermediate")))
    local last = how.tried[#how.tried]
    for _, one in ipairs(how.tried) do
      last = not one.accepted and (not last or last.accepted or one.intermediates
        < last.intermediates) and one or last
    end
    if not last.accepted then
      self:row("above", ("%s with %s"):format(last.face,
                                              phrase.count(last.intermediates, "intermediate")))
    end
    return
  end
  for _, group in ipairs(by_face(how.tried)) do
    self:row("strangers", ("of %s %s: %s"):format(phrase.list(group.sizes, tostring),
                                                  group.last == 1 and "certificate"
                                                    or "certificates", group.face))
  end
end

--- The lines.
---@param found table of probe.run()
---@param how { width: integer, paint: fun(text: string, colour: string): string }
---@return string[]
return function(found, how)
  local page = setmetatable({ lines = {}, how = how }, Page)
  local place = target.show(found.options.place)
  local address = not found.options.place.path and found.address
  page.lines[1] = escape.line(place) .. (address and address ~= place and (" (%s)"):format(address)
                                         or "")
  for index, line in ipairs(columns.wrap(escape.line(found.summary), how.width)) do
    page.lines[#page.lines + 1] = how.paint(index == 1 and line or "  " .. line,
                                            COLOURS[found.verdict])
  end
  for _, remark in ipairs(found.remarks) do
    paragraph.add(page.lines, how, "note", remark)
  end
  for _, step in ipairs(found.next) do
    paragraph.add(page.lines, how, "next", step)
  end
  page:connection(found)
  page:chain(found)
  page:request(found)
  page:ours(found)
  page:resumption(found)
  page:depth(found)
  return page.lines
end
