-- SPDX-License-Identifier: MIT
-- A client in lines for a terminal: escaped, and as wide as that.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local messages = require "moonshake.views.facts"
local paragraph = require "moonshake.views.paragraph"
local phrase = require "moonshake.views.phrase"
local validity = require "moonshake.views.validity"

local text = {}

local LABEL = 8

local ENDINGS = {
  closed = "the client closed it",
  closed_early = "the client ended the stream without a close_notify",
  connection_reset = "the client reset the connection",
  idle = "the client asked nothing more",
  answered = "closed by the server after its answer",
  stopped = "the server was stopped",
}

local MOST = 6 -- words of a list in a terminal
local MOST_LINES = 999

local function joined(list, none)
  return list and #list > 0 and table.concat(list, ", ") or none
end

-- The first words of a list.
local function some(list, most)
  if not list or #list <= most + 1 then
    return joined(list, "none named")
  end
  return ("%s and %d more"):format(table.concat(list, ", ", 1, most), #list - most)
end

--- What a client offers, as pairs of a name and a text.
---@param offered table|nil
---@param most? integer words of a list; all if not said, and the suites by their names
---@return string[][]
function text.offered(offered, most)
  most = most or math.huge
  if not offered then
    return {}
  end
  local alpn = {}
  for index, name in ipairs(offered.alpn or {}) do
    alpn[index] = phrase.plain(name)
  end
  local name = offered.server_name
  local list = {
    { "offers", table.concat({
      joined(messages.named(offered.versions or {}), "no version"),
      phrase.count(#offered.cipher_suites, "cipher suite"),
      name and "SNI " .. phrase.plain(name) or "no SNI",
      "ALPN " .. joined(alpn, "none"),
      "post-handshake authentication: " .. (offered.post_handshake_auth and "yes" or "no"),
    }, "; ") },
    { "groups", some(messages.named(offered.groups or {}), most) },
    { "schemes", some(messages.named(offered.signature_schemes or {}), most) },
  }
  if most == math.huge then
    list[#list + 1] = { "suites", joined(offered.cipher_suites, "none") }
  end
  return list
end

--- The certificate that a client sent, as pairs.
---@param told table as facts.certificate() gives it
---@return string[][]
function text.certificate(told)
  local asked = "for no certificate"
  if told.asked then
    asked = ("for a certificate, %s, naming %s"):format(told.asked,
                                                       phrase.list(told.names or {}, nil, "nobody"))
  end
  local list = { { "asked", asked } }
  for index, one in ipairs(told.sent or {}) do
    list[#list + 1] = { index == 1 and "sent" or "", one.subject
      and ("%s, issued by %s, valid until %s"):format(phrase.subject(one), phrase.plain(one.issuer),
                                                      validity.date(one.not_after))
      or phrase.subject(one) }
  end
  if told.resumed then
    list[#list + 1] = { "", "with the session that it resumed, not in this handshake" }
  elseif told.asked and not told.sent then
    list[#list + 1] = { "sent", "nothing before it was over" }
  elseif told.asked and #told.sent == 0 then
    list[#list + 1] = { "sent", "no certificate" }
  end
  if told.verified ~= nil then
    list[#list + 1] = { "verified", told.verified and "yes: the chain is good"
      or ("no: %s: %s"):format(joined(told.problems, "not trusted"), told.text or "") }
  elseif told.sent and #told.sent > 0 then
    list[#list + 1] = { "verified", "not judged" }
  end
  return list
end

-- That a client closes in order, the end of its connection tells.
local function alert(out, who, one)
  if one and one.name ~= "close_notify" then
    out[#out + 1] = { "alert", ("%s sent %s %s"):format(who, one.level, phrase.alert(one)) }
  end
end

--- What both agreed on, in a line; nil where they did not.
---@param told table
---@return string|nil
function text.agreed(told)
  return told.version and told.cipher_suite and joined({
    told.version, told.cipher_suite, told.group or nil,
  }) .. (told.alpn and ", ALPN " .. phrase.plain(told.alpn) or "")
    .. (told.resumed and ", resumed" or "")
end

-- What it came to in a few words.
local function verdict(told)
  if told.outcome == "accepted" then
    return "accepted"
  elseif told.outcome == "refused" then
    return "refused by the server: " .. (told.refusal or told.error).problem
  elseif told.outcome == "refused_server" then
    return "the client refused the server: " .. told.alert_received.name
  end
  return told.error and "failed: " .. told.error.problem or "failed"
end

local COLOURS = { accepted = "green", refused = "red", refused_server = "red", failed = "yellow" }

local function add_pairs(out, list, how)
  for _, pair in ipairs(list) do
    paragraph.add(out, how, pair[1], pair[2], LABEL)
  end
end

local function add_reasons(list, told)
  for index, line in ipairs(told.explanation) do
    list[#list + 1] = { index == 1 and "why" or "", line }
  end
  if told.error and #told.explanation == 0 then
    list[#list + 1] = { "why", ("%s: %s"):format(told.error.problem, told.error.message) }
  end
end

--- Who a client is and what it came to: after its handshake, and where that was its end.
---@param told table see facts.lua
---@param how { width: integer, paint: fun(text: string, colour: string): string }
---@return string[]
function text.report(told, how)
  local out = { how.paint(("client %d, %s: %s"):format(
    told.number, escape.line(told.address), escape.line(verdict(told))), COLOURS[told.outcome]) }
  local list = text.offered(told.offered, MOST)
  list[#list + 1] = { "agreed", text.agreed(told) or "nothing" }
  table.move(text.certificate(told.certificate), 1, MOST_LINES, #list + 1, list)
  alert(list, "the client", told.alert_received)
  alert(list, "the server", told.alert_sent)
  add_reasons(list, told)
  add_pairs(out, list, how)
  return out
end

--- What a client asked for, in a line; and what came of it.
---@param number integer the client's
---@param request table { method =, target =, status = }
---@param made table|nil the answer: `certificate` if the client was asked for it now, `sentence`
---@param how table
---@return string[]
function text.request(number, request, made, how)
  local what = request.method and escape.short(request.method, 16) .. " "
    .. escape.short(request.target, 60) or "what is no request"
  local out = { ("client %d: %s: %s"):format(number, what, request.status or "no answer") }
  if made and made.certificate then
    add_pairs(out, text.certificate(made.certificate), how)
  end
  if made and made.sentence then
    add_pairs(out, { { "why", made.sentence } }, how)
  end
  return out
end

-- What the server or the client made of what came after the handshake, if that was the end.
local function add_late(list, told)
  if told.outcome ~= "accepted" and not told.refusal then
    table.move(text.certificate(told.certificate), 1, MOST_LINES, #list + 1, list)
    alert(list, "the client", told.alert_received)
    alert(list, "the server", told.alert_sent)
    add_reasons(list, told)
  end
end

--- How the connection ended.
---@param told table
---@param how table
---@return string[]
function text.ending(told, how)
  local ended = told.ended or "closed"
  local list = {}
  local out = columns.hang(escape.line(("client %d: %s; %s, ended: %s"):format(
    told.number, verdict(told), phrase.count(told.num_requests, "request"),
    ENDINGS[ended] or ended)), how.width)
  add_late(list, told)
  add_pairs(out, list, how)
  return out
end

--- Everything about a client, for whoever asked for a page without a browser.
---@param told table
---@param heading string
---@return string
function text.page(told, heading)
  local how = { width = 100, paint = function(one) return one end }
  local out = { escape.line(heading), "" }
  table.move(text.report(told, how), 1, MOST_LINES, #out + 1, out)
  return table.concat(out, "\n") .. "\n"
end

return text
