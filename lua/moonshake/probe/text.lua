-- SPDX-License-Identifier: MIT
-- What a probe found, for people: the verdict, what to do, then what was seen.
local Page = require "moonshake.probe.page"
local about = require "moonshake.probe.about_server"
local asked = require "moonshake.probe.asked"
local depth = require "moonshake.probe.depth"
local escape = require "moonshake.escape"
local fit = require "moonshake.probe.fit"
local paragraph = require "moonshake.views.paragraph"
local phrase = require "moonshake.views.phrase"
local target = require "moonshake.probe.target"
local VERSIONS = require "moonshake.probe.versions"

local MOST_ISSUERS = 6
local COLOURS = { accepted = "green", refused = "red", unreachable = "red" }

---------------------------------------------------------------------------------------------------
-- Parts

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

local function deepest_of(how, below)
  return ("%s%s below %s"):format(how.more and "at least " or "",
                                  phrase.count(how.deepest, "intermediate"), below)
end

function Page:strangers(how)
  for _, group in ipairs(by_face(how.tried)) do
    self:row("strangers", ("of %s %s: %s"):format(phrase.list(group.sizes, tostring),
                                                  group.last == 1 and "certificate"
                                                    or "certificates", group.face))
  end
  self:row("deepest", how.deepest and deepest_of(how, "the root of a stranger")
           or "not to be told by strangers: --issuer FILE --issuer-key FILE of an authority that "
             .. "it trusts")
end

function Page:depth(found)
  local how = found.depth
  if not how then
    return
  end
  self:head "client chains"
  if not how.trusted then
    return self:strangers(how)
  elseif not how.deepest then
    self:row("deepest", "none: even a certificate issued by the authority itself is refused: "
             .. how.tried[1].face)
    return
  end
  self:row("deepest", deepest_of(how, "the authority"))
  local last = how.tried[1]
  for _, one in ipairs(how.tried) do
    last = not one.accepted and (last.accepted or one.intermediates < last.intermediates) and one
      or last
  end
  if not last.accepted then
    self:row("above", ("%s with %s"):format(last.face,
                                            phrase.count(last.intermediates, "intermediate")))
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
  page:hang(found.summary, COLOURS[found.verdict])
  for _, remark in ipairs(found.remarks) do
    paragraph.add(page.lines, how, "note", remark)
  end
  for _, step in ipairs(found.next) do
    paragraph.add(page.lines, how, "next", step)
  end
  about.connection(page, found)
  about.chain(page, found)
  page:request(found)
  page:ours(found)
  page:resumption(found)
  page:depth(found)
  return page.lines
end
