-- SPDX-License-Identifier: MIT
-- What it comes to: accepted, refused or unreachable, in one sentence, and what to do next.
local alerts = require "moonshake.views.words.alerts"
local asked = require "moonshake.probe.asked"
local phrase = require "moonshake.views.phrase"
local problems = require "moonshake.views.words.problems"
local trouble = require "moonshake.probe.trouble"
local validity = require "moonshake.views.validity"

local verdict = {}

local SOON = 30 * 86400 -- seconds of validity that are worth a word

-- An alert where a certificate was asked for and none came, and where ours came: what it says then,
-- by which servers it is sent.
local WITHOUT = {
  certificate_required = "it requires a client certificate",
  handshake_failure = "it requires a client certificate (so say OpenSSL, Apache, HAProxy and "
    .. "RabbitMQ up to TLS 1.2)",
  bad_certificate = "it requires a client certificate (so say Go, Java and NSS)",
  decode_error = "it requires a client certificate (so says GnuTLS up to TLS 1.2)",
}
local WITH = {
  unknown_ca = "it finds no way from our certificate to an authority that it trusts",
  bad_certificate = "it does not accept our certificate (GnuTLS and Go say so whatever is wrong)",
  certificate_unknown = "it does not accept our certificate (Java says so whatever is wrong)",
  access_denied = "it does not accept our certificate (gnutls-serv says so whatever is wrong)",
  unsupported_certificate = "our certificate is not for clients, or of a kind that is not taken",
  certificate_expired = "it finds our certificate expired, or not valid yet",
  certificate_revoked = "our certificate was revoked",
  handshake_failure = "it does not accept our certificate (RabbitMQ and rustls say so)",
  internal_error = "Apache says so where our chain is longer than SSLVerifyDepth allows",
  certificate_required = "our certificate did not come, or was not taken for one",
}
local ELSE = {
  handshake_failure = "most likely there is no cipher suite, group or scheme in common",
  unrecognized_name = "it does not know the name that we asked for",
  no_application_protocol = "it speaks none of the protocols that we offered (ALPN)",
  protocol_version = "it has none of the versions that we offered",
}

local function meaning(found, name)
  local special = ELSE
  if found.ours and found.ours.sent then
    special = WITH
  elseif found.request then
    special = WITHOUT
  end
  local word = alerts[name]
  return special[name] or word and trouble.continued(word.means) or "an alert without a name"
end

local EPOCHS = { renegotiation = "in the renegotiation that it asked for",
                 reauthentication = "in the post-handshake authentication that it asked for" }

-- When we were told.
local function moment(attempt)
  local history = attempt.connection.client.history
  local epoch = EPOCHS[history[#history].epoch:match "^%a+"]
  return epoch or attempt.stage == "handshake" and "in the handshake"
    or "after our handshake was complete"
end

---------------------------------------------------------------------------------------------------
-- Sentences

local PORTS = { ["220"] = "smtp", ["* OK"] = "imap", ["+OK"] = "pop3" }

local SILENT = { timeout = " (no answer in time)", closed_early = ", but closed it",
                 connection_reset = ", but reset it" }

-- What a port that does not begin with TLS says, and what it probably is.
local function not_tls(attempt)
  local first = attempt.first_bytes
  if first == "" then
    return "unreachable: the server took the connection and sent nothing"
      .. (SILENT[attempt.problem] or (" (%s)"):format(attempt.problem)),
      { "look whether TLS is spoken there, and from the first byte on (else: --starttls)",
        attempt.problem ~= "timeout" and "some servers refuse a ClientHello so: look at "
          .. "--servername, and at what they log" or nil }
  end
  local line = phrase.quoted(first:match "^[^\r\n]*")
  for start, protocol in pairs(PORTS) do
    if first:sub(1, #start) == start then
      return ("unreachable: no TLS there, the server says %s"):format(line),
             { ("it speaks without TLS first: --starttls %s"):format(protocol) }
    end
  end
  local is_http = first:find "^HTTP/" or first:find "^<"
  return ("unreachable: no TLS there, the server answers %s"):format(line),
         { is_http and "it speaks HTTP: the port for HTTPS is another one"
             or "look which protocol is spoken on this port" }
end

local UNREACHABLE = {
  connection_refused = "nobody listens there, or a firewall says so: look at host and port",
  name_not_found = "look how it is spelt, and who is asked for names",
  timeout = "look at the address, and for a firewall on the way",
  connection_reset = "somebody on the way ends the connection",
}

-- What to do where there was no TLS to be had.
local function way_on(attempt, place, protocol)
  if attempt.stage == "starttls" and attempt.problem == "protocol_violation" then
    return "look whether STARTTLS is offered there, and for whom"
  elseif attempt.stage == "starttls" then
    return ("look whether %s is spoken there; where TLS comes first, leave --starttls out"):format(
      protocol)
  elseif attempt.problem == "timeout" and attempt.first_bytes ~= "" then
    return "it began to answer: look whether it is busy, or give it more time: --timeout SECONDS"
  elseif attempt.problem == "name_not_found" and place.path then
    return "look how it is spelt, and whether its server runs"
  end
  return UNREACHABLE[attempt.problem]
end

local function unreachable(found, attempt)
  local message = phrase.plain(attempt.message or attempt.problem)
  if found.negotiated then
    return "unreachable by now, after it had answered: " .. message,
           { "look whether it ended meanwhile, or bears only so many connections of one address" }
  elseif attempt.no_tls and attempt.stage ~= "starttls" then
    return not_tls(attempt)
  end
  return "unreachable: " .. message,
         { way_on(attempt, found.options.place, found.options.protocol) }
end

local function issuer_hint(found)
  local issuers = found.request.issuers
  return #issuers > 0 and " issued by " .. phrase.list(issuers) or ""
end

-- The rules that our certificate breaks.
local function unfit(ours)
  local list = {}
  for _, rule in ipairs(ours.judged.rules) do
    if not rule.holds then
      list[#list + 1] = ("our certificate does not fit (%s): %s"):format(rule.rule, rule.text)
    end
  end
  return list
end

-- What to do about a refusal by the server.
local function next_of_refusal(found, attempt)
  local ours = found.ours
  if found.request and not ours then
    return { ("present a client certificate%s: --cert FILE --key FILE"):format(
      issuer_hint(found)) }
  elseif not ours or not ours.judged then
    local word = attempt.alert and alerts[attempt.alert.name]
    return { word and word.next and trouble.continued(word.next) or attempt.problem
      and "moonshake explain " .. attempt.problem or nil }
  end
  local list = unfit(ours)
  if #list == 0 then
    local word = attempt.alert and alerts[attempt.alert.name]
    list[1] = "our certificate fits what is asked for: the server's log tells why it is refused"
      .. (word and "; moonshake explain " .. attempt.alert.name or "")
  end
  return list
end

local CALLED = { http = "HTTP", postgres = "PostgreSQL's protocol" }

local function refused_by_server(found, attempt)
  local summary
  if attempt.alert then
    summary = ("refused by the server with the alert %s %s: %s"):format(
      phrase.alert(attempt.alert), moment(attempt), meaning(found, attempt.alert.name))
  elseif attempt.answer then
    local answer = attempt.answer
    local about = answer.about and not answer.line:find(answer.about, 1, true) and answer.about
    summary = ("refused by the server in %s, not in TLS: %s%s"):format(
      CALLED[answer.protocol] or answer.protocol, phrase.plain(answer.line),
      about and " (" .. phrase.plain(about) .. ")" or "")
  else
    summary = ("refused by the server without a word: it closed the connection %s%s"):format(
      moment(attempt), found.request and " (Node and gRPC do so)" or "")
  end
  return summary, next_of_refusal(found, attempt)
end

-- Whether the last request names issuers by an empty list, which TLS 1.3 has no way to say.
local function names_nobody_wrongly(attempt)
  local last
  for _, event in ipairs(attempt.connection.events) do
    last = event.kind == "message" and event.type == "CertificateRequest" and event or last
  end
  return attempt.problem == "protocol_violation" and last ~= nil
    and last.bytes:find("\0\47\0\2\0\0", 1, true) ~= nil
end

-- The handshake could not go on for us, whatever its chain is.
local function broken_off(attempt)
  if names_nobody_wrongly(attempt) then
    return "refused by us in the handshake: its request for a certificate has an empty list of "
      .. "issuers, which is malformed in TLS 1.3 (GnuTLS, Go and Java refuse it)",
      { "OpenSSL sends that where it is told to name no issuers: have it name some" }
  end
  local word = problems[attempt.problem]
  return ("refused by us %s: %s (%s)"):format(moment(attempt), phrase.plain(attempt.message),
                                              attempt.problem),
         { word and trouble.continued(word.next) .. "; moonshake explain " .. attempt.problem }
end

local function distrusted(found)
  local steps, list = {}, trouble.list(found)
  for index, one in ipairs(list) do
    steps[#steps + 1] = one.next
    if index > 1 then
      found.remarks[#found.remarks + 1] = "besides, " .. one.text
    end
  end
  return "refused by us, its chain does not verify: " .. list[1].text, steps
end

---------------------------------------------------------------------------------------------------
-- Accepted

-- What to do where GnuTLS, and perhaps others, would not have sent it.
local KEPT = {
  issuer_not_named = "clients that go by the issuers named (Go, Java, GnuTLS, browsers) keep this "
    .. "certificate at home: have the server name its issuer",
  key_usage = "GnuTLS keeps a certificate at home whose key usage does not allow to sign: have one "
    .. "issued that has digitalSignature",
  library_choice = "GnuTLS keeps this certificate at home (it takes rsa_pss_rsae_* alone for a "
    .. "wish for RSA-PSS keys): have the server list rsa_pkcs1_sha256, too",
}

local function accepted_with_ours(found)
  local request, ours = found.request, found.ours
  local subject = phrase.subject(ours.identity.certificate)
  if not ours.sent then
    return ("accepted without our certificate %s, which was asked for and not sent"):format(
      subject), unfit(ours)
  end
  return ("accepted with our certificate %s, which it %s"):format(
    subject, request.requirement == "required" and "requires" or "asks for"),
    { KEPT[ours.withheld] }
end

local function accepted(found, attempt)
  if attempt.deaf then
    found.remarks[#found.remarks + 1] =
      "it closes the connection when it is spoken to in HTTP, and keeps it when nothing is said"
  end
  if found.ours and found.ours.asked then
    return accepted_with_ours(found)
  elseif found.ours then
    return "accepted, without asking for our certificate", {}
  elseif not found.request then
    return "accepted; it asks for no client certificate", {}
  elseif found.request.requirement == "unknown" and asked.unheard(attempt) then
    return "accepted by TLS without a client certificate, which it asks for; whether it insists in "
      .. "HTTP/2 is not seen", {}
  elseif found.request.requirement == "optional" then
    return "accepted without a client certificate, which it asks for and does not require", {}
  end
  return ("accepted in %s without a client certificate, which it %s in %s"):format(
    found.negotiated.version,
    found.request.requirement == "required" and "requires" or "asks for (and may require)",
    found.request.version), {}
end

-- What lets in whom it should not.
local function add_holes(found)
  local depth, past = found.depth, found.resumption and found.resumption.anonymous
  if past and past.outcome == "gets_past" then
    found.remarks[#found.remarks + 1] =
      "a resumed session that began without a certificate gets past the request for one"
  end
  for _, one in ipairs(depth and not depth.trusted and depth.tried or {}) do
    if one.sent and one.accepted and not asked.unheard(one.attempt) then
      found.remarks[#found.remarks + 1] =
        "it lets in whoever has a certificate: one of an authority that we made up was accepted"
      break
    end
  end
end

-- Its chain where something else ended it.
local function add_distrust(found)
  local texts = {}
  for index, one in ipairs(trouble.list(found)) do
    texts[index] = one.text
    found.next[#found.next + 1] = one.next
  end
  found.remarks[#found.remarks + 1] = "besides, its chain does not verify: "
    .. table.concat(texts, "; ")
end

local function add_expiry(found)
  local read = found.read
  if read and read.left and read.left >= 0 and read.left < SOON then
    found.remarks[#found.remarks + 1] = ("a certificate of its chain expires in %s"):format(
      validity.span(read.left))
  end
end

--- Adds `verdict` ("accepted", "refused", "unreachable"), `by`, `summary`, `next` (a list) and
--- `remarks` (a list).
---@param found table
function verdict.add(found)
  local main = found.main
  found.remarks = {}
  local verified = not found.verification or found.verification.verified
  if main.outcome == "unreachable" or main.outcome == "unclear" then
    found.verdict = "unreachable"
    found.summary, found.next = unreachable(found, main)
  elseif main.outcome == "refused" and main.by == "server" then
    found.verdict, found.by = "refused", "server"
    found.summary, found.next = refused_by_server(found, main)
  elseif main.outcome == "refused" then
    found.verdict, found.by = "refused", "us"
    found.summary, found.next = broken_off(main)
  elseif not verified then
    found.verdict, found.by = "refused", "us"
    found.summary, found.next = distrusted(found)
  else
    found.verdict = "accepted"
    found.summary, found.next = accepted(found, main)
  end
  if main.outcome == "refused" and not verified then
    add_distrust(found)
  end
  add_holes(found)
  add_expiry(found)
end

return verdict
