-- SPDX-License-Identifier: MIT
-- The probe's verdict, of what a probe may have found: who refused, when we were told, what an
-- alert says by then, what to do, and what is worth a remark. No server is there.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local depth = require "moonshake.probe.depth"
local asked = require "moonshake.probe.asked"
local trouble = require "moonshake.probe.trouble"
local verdict = require "moonshake.probe.verdict"
local test, equal, contains, with = unit.test, unit.equal, unit.contains, unit.with

local NOW, DAY = 1800000000, 86400
local ALICE = { certificate = { subject = "CN=alice" } }
local REQUEST = { requirement = "required", issuers = {} }

-- An attempt that ended in this way; `epochs` of its client's history.
local function attempt(values, epochs, events)
  local history = {}
  for index, epoch in ipairs(epochs or { "initial 1" }) do
    history[index] = { epoch = epoch }
  end
  return with({ first_bytes = "\22\3\3", connection = { client = { history = history },
                                                        events = events or {} } }, values)
end

-- What is made of it.
local function judged(main, more)
  local found = with({ main = main, at = NOW, options = { place = { host = "server.example" },
                                                          server_name = "server.example" } }, more)
  verdict.add(found)
  return found, found.summary, table.concat(found.next, "|"), table.concat(found.remarks, "|")
end

local function alerted(name, stage, epochs)
  return attempt({ outcome = "refused", by = "server", stage = stage or "handshake",
                   alert = { name = name, number = 40 } }, epochs)
end

-- Our certificate as it was sent, with the rules that it breaks.
local function ours(...)
  local rules = { { rule = "purpose", holds = true, text = "for clients" } }
  for _, text in ipairs { ... } do
    rules[#rules + 1] = { rule = "issuer", holds = false, text = text }
  end
  return { identity = ALICE, asked = true, sent = true, judged = { rules = rules } }
end

---------------------------------------------------------------------------------------------------
-- Refused by the server

test("an alert says one thing where nobody asked, another without ours, another with", function()
  local WITHOUT, WITH = { request = REQUEST }, { request = REQUEST, ours = ours() }
  local UNSENT = { request = REQUEST, ours = with(ours(), { sent = false }) }
  for _, row in ipairs {
    { "handshake_failure", {}, "no cipher suite, group or scheme in common" },
    { "handshake_failure", WITHOUT, "it requires a client certificate (so say OpenSSL" },
    { "handshake_failure", WITH, "it does not accept our certificate (RabbitMQ" },
    { "handshake_failure", UNSENT, "it requires a client certificate (so say OpenSSL" },
    { "unrecognized_name", {}, "it does not know the name that we asked for" },
    { "no_application_protocol", {}, "none of the protocols that we offered" },
    { "protocol_version", {}, "none of the versions that we offered" },
    { "certificate_required", WITHOUT, "(40) in the handshake: it requires a client certificate" },
    { "certificate_required", WITH, "our certificate did not come" },
    { "bad_certificate", WITHOUT, "so say Go, Java and NSS" },
    { "bad_certificate", WITH, "it does not accept our certificate (GnuTLS and Go" },
    { "decode_error", WITHOUT, "so says GnuTLS up to TLS 1.2" },
    { "unknown_ca", WITH, "no way from our certificate to an authority that it trusts" },
    { "certificate_unknown", WITH, "(Java says so" },
    { "access_denied", WITH, "(gnutls-serv says so" },
    { "unsupported_certificate", WITH, "our certificate is not for clients" },
    { "certificate_expired", WITH, "it finds our certificate expired" },
    { "certificate_revoked", WITH, "our certificate was revoked" },
    { "internal_error", WITH, "longer than SSLVerifyDepth allows" },
    { "record_overflow", WITH, "record_overflow (40) in the handshake: a record is longer" },
    { "something new", {}, "an alert without a name" },
  } do
    local found, summary = judged(alerted(row[1]), row[2])
    equal(found.verdict, "refused")
    equal(found.by, "server")
    contains(summary, row[3])
  end
end)

test("when we were told of it is said", function()
  for wanted, main in pairs {
    ["(40) in the handshake:"] = alerted "internal_error",
    ["(40) after our handshake was complete:"] = alerted("internal_error", "after"),
    ["(40) in the renegotiation that it asked for:"] =
      alerted("internal_error", "after", { "initial 1", "renegotiation 1" }),
    ["(40) in the post-handshake authentication that it asked for:"] =
      alerted("internal_error", "after", { "initial 1", "reauthentication 1" }),
  } do
    contains(select(2, judged(main)), wanted)
  end
end)

test("a refusal without an alert is told by what came instead of it", function()
  local function refusing(answer)
    return select(2, judged(attempt { outcome = "refused", by = "server", stage = "application",
                                      answer = answer }))
  end
  equal(refusing { protocol = "http", line = "HTTP/1.1 400 No", about = "SSL certificate" },
        "refused by the server in HTTP, not in TLS: HTTP/1.1 400 No (SSL certificate)")
  equal(refusing { protocol = "postgres", line = "ERROR: no" },
        "refused by the server in PostgreSQL's protocol, not in TLS: ERROR: no")
  local closing = attempt { outcome = "refused", by = "server", stage = "after" }
  local wanted = "refused by the server without a word: it closed the connection after our "
    .. "handshake was complete"
  equal(select(2, judged(closing)), wanted)
  equal(select(2, judged(closing, { request = REQUEST })), wanted .. " (Node and gRPC do so)")
end)

test("what to do about it is to present a certificate, a fitting one, or to ask", function()
  local function step(main, more)
    return (select(3, judged(main, more)))
  end
  local refused = alerted "bad_certificate"
  equal(step(refused, { request = REQUEST }),
        "present a client certificate: --cert FILE --key FILE")
  equal(step(refused, { request = with(REQUEST, { issuers = { "CN=A", "CN=B" } }) }),
        "present a client certificate issued by CN=A and CN=B: --cert FILE --key FILE")
  equal(step(refused, { request = REQUEST, ours = ours("one", "another") }),
        "our certificate does not fit (issuer): one|our certificate does not fit (issuer): another")
  equal(step(refused, { request = REQUEST, ours = ours() }), "our certificate fits what is asked "
        .. "for: the server's log tells why it is refused; moonshake explain bad_certificate")
  local closed = attempt { outcome = "refused", by = "server", stage = "after",
                           problem = "closed_early" }
  equal(step(closed, { request = REQUEST, ours = ours() }),
        "our certificate fits what is asked for: the server's log tells why it is refused")
  equal(step(closed), "moonshake explain closed_early")
end)

test("a chain that does not verify besides is told besides", function()
  local found, _, _, remarks = judged(alerted "unknown_ca", {
    verification = { verified = false, problems = { "insecure_algorithm" } },
  })
  equal(found.by, "server")
  contains(remarks, "besides, its chain does not verify: a signature or a key in the chain is too")
end)

---------------------------------------------------------------------------------------------------
-- Refused by us

local EMPTY_LIST = { { kind = "message", type = "CertificateRequest",
                       bytes = "\13\0\0\x09\0\0\6\0\47\0\2\0\0" } }

test("we refuse for what it sent first, then for its chain", function()
  local broken = { outcome = "refused", by = "us", stage = "handshake",
                   problem = "protocol_violation", message = "an unexpected message" }
  local function refusing(values, epochs, events, more)
    local found, summary, step = judged(attempt(with(broken, values), epochs, events), more)
    equal(found.verdict, "refused")
    equal(found.by, "us")
    return summary, step
  end
  local summary, step = refusing()
  equal(summary, "refused by us in the handshake: an unexpected message (protocol_violation)")
  contains(step, "; moonshake explain protocol_violation")
  summary, step = refusing({}, nil, EMPTY_LIST)
  contains(summary, "an empty list of issuers, which is malformed in TLS 1.3")
  contains(step, "have it name some")
  contains(refusing({ problem = "bad_signature" }, nil, EMPTY_LIST), "(bad_signature)")
  contains(refusing({}, nil, { EMPTY_LIST[1], with(EMPTY_LIST[1], { bytes = "\13" }) }),
           "(protocol_violation)")
  local bad = { verification = { verified = false, problems = { "insecure_algorithm" } } }
  contains(refusing({}, nil, EMPTY_LIST, bad), "an empty list of issuers")
  contains(refusing({ outcome = "accepted" }, nil, {}, bad), "its chain does not verify")
end)

test("what is wrong with a chain is told by the exact finding, and with what to do", function()
  local function certificate(subject, from, to)
    return { subject = subject, dns_names = { "a.example" }, ip_addresses = { "192.0.2.1" },
             not_before = NOW + from * DAY, not_after = NOW + to * DAY }
  end
  local leaf, old, new = certificate("CN=x", -9, 9), certificate("CN=old", -9, -4),
                         certificate("CN=new", 5, 9)
  local function of(problems, more)
    local pieces = {}
    for index, one in ipairs(trouble.list(with({
      at = NOW, verification = { problems = problems }, chain = { leaf },
      read = { path = { leaf } },
      options = { server_name = "server.example" },
    }, more))) do
      pieces[index] = ("%s: %s"):format(one.text, one.next)
    end
    return table.concat(pieces, "|")
  end
  local function missing(what)
    return of({ "signer_not_found" }, {
      read = { path = { leaf }, missing = { what = what, subject = "CN=up", issued = "CN=x" } },
    })
  end
  equal(of({ "expired" }, { read = { path = { leaf, old, new } } }), "CN=old, expired 4 days ago; "
        .. "CN=new, not valid for another 5 days: have it renewed, or look at the clock of this "
        .. "machine")
  contains(of { "expired" }, "a certificate is no longer valid: have it renewed")
  equal(of({ "not_activated" }, { read = { path = { new } } }),
        "CN=new, not valid for another 5 days: look at the clock of this machine")
  equal(of { "unexpected_owner" }, 'it is not for the name "server.example": ask for a name that '
        .. "it is for (--servername): a.example and 192.0.2.1")
  contains(of({ "unexpected_owner" }, { options = { verify_name = "b.example",
                                                    server_name = "c.example" } }), '"b.example"')
  equal(missing "untrusted_self_signed", "its certificate is self-signed: trust it, if it is the "
        .. "right one: --ca FILE with that certificate")
  contains(missing "untrusted_root", "its root CN=up is not trusted here: trust that root")
  contains(missing "intermediate_not_sent", "the intermediate CN=up was not sent")
  contains(missing "issuer_unknown", "CN=up, the issuer of CN=x, is neither trusted here nor")
  contains(of { "invalid", "signer_constraints_failure", "path_length_exceeded" },
           "there are more intermediates below a CA than its path length allows: Issue the CA")
  contains(of { "signer_constraints_failure" }, "a constraint of an issuer is violated")
  equal(of { "something new", "invalid" }, "something new: nil")
  contains(of { "insecure_algorithm", "path_length_exceeded" }, "|there are more intermediates")
end)

---------------------------------------------------------------------------------------------------
-- Unreachable

test("a server that goes away while it is probed was there", function()
  local found, summary, step = judged(
    attempt { outcome = "unreachable", problem = "connection_refused", message = "refused" },
    { negotiated = { version = "TLS1.3" }, versions = {} })
  equal(found.verdict, "unreachable")
  equal(summary, "unreachable by now, after it had answered: refused")
  contains(step, "look whether it ended meanwhile")
end)

test("where no TLS is to be had it is said what is there, and what to do", function()
  local function unreachable(values, place)
    local found, summary, step = judged(attempt(with({ outcome = "unreachable" }, values)),
                                        place and { options = { place = place } })
    equal(found.verdict, "unreachable")
    equal(found.by, nil)
    return ("%s: %s"):format(summary, step)
  end
  local function says(text)
    return unreachable { no_tls = true, stage = "handshake", problem = "protocol_violation",
                         first_bytes = text }
  end
  for text, wanted in pairs {
    ["220 mail.example\r\nmore"] = 'says "220 mail.example": it speaks without TLS first: '
      .. "--starttls smtp",
    ["* OK ready\r\n"] = "--starttls imap", ["+OK ready\r\n"] = "--starttls pop3",
    ["HTTP/1.1 400 Bad"] = 'answers "HTTP/1.1 400 Bad": it speaks HTTP: the port for HTTPS',
    ["<html>"] = "it speaks HTTP", ["AMQP"] = 'answers "AMQP": look which protocol is spoken',
    [""] = "the server took the connection and sent nothing (protocol_violation): look whether TLS",
  } do
    contains(says(text), wanted)
  end
  contains(unreachable { no_tls = true, problem = "timeout", first_bytes = "" },
           "sent nothing (no answer in time)")
  contains(unreachable { no_tls = true, stage = "starttls", message = "no", first_bytes = "",
                         problem = "protocol_violation" },
           "unreachable: no: look whether STARTTLS is offered there")
  for problem, wanted in pairs {
    connection_refused = "nobody listens there", name_not_found = "who is asked for names",
    timeout = "for a firewall on the way", connection_reset = "ends the connection",
  } do
    contains(unreachable { problem = problem, first_bytes = "" }, problem .. ": ")
    contains(unreachable { problem = problem, first_bytes = "" }, wanted)
  end
  contains(unreachable { problem = "timeout" }, "it began to answer")
  contains(unreachable({ problem = "name_not_found" }, { path = "x" }), "whether its server runs")
  contains(unreachable { outcome = "unclear", problem = "timeout" }, "--timeout SECONDS")
end)

---------------------------------------------------------------------------------------------------
-- Accepted

test("by what we were accepted is said", function()
  local yes = attempt { outcome = "accepted" }
  local optional = { requirement = "optional", issuers = {} }
  local unknown = { requirement = "unknown", version = "TLS1.2", issuers = {} }
  local NEWER = { version = "TLS1.3" }
  for _, row in ipairs {
    { {}, "accepted; it asks for no client certificate" },
    { { request = unknown, negotiated = NEWER }, "accepted in TLS1.3 without a client certificate, "
      .. "which it asks for (and may require) in TLS1.2" },
    { { request = with(REQUEST, { version = "TLS1.2" }), negotiated = NEWER },
      "accepted in TLS1.3 without a client certificate, which it requires in TLS1.2" },
    { { ours = { identity = ALICE } }, "accepted, without asking for our certificate" },
    { { request = optional }, "accepted without a client certificate, which it asks for and" },
    { { request = REQUEST, ours = ours() }, "our certificate CN=alice, which it requires" },
    { { request = optional, ours = ours() }, "our certificate CN=alice, which it asks for" },
  } do
    local found, summary, step, remarks = judged(yes, row[1])
    equal(found.verdict, "accepted")
    contains(summary, row[2])
    equal(step .. remarks, "")
  end
  local h2 = attempt { outcome = "accepted", answer = { unheard = true } }
  contains((select(2, judged(h2, { request = unknown }))), "whether it insists in HTTP/2 is not")
  contains((select(3, judged(yes, {
    request = REQUEST, ours = with(ours(), { withheld = "issuer_not_named" }),
  }))), "keep this certificate at home")
  contains((select(4, judged(attempt { outcome = "accepted", deaf = true }))),
           "keeps it when nothing is said")
end)

test("what is worth a remark has one, and nothing else", function()
  local yes = attempt { outcome = "accepted" }
  local function strangers(trusted, ...)
    return { depth = { trusted = trusted, tried = { ... } } }
  end
  local function left(seconds)
    return { read = { left = seconds } }
  end
  local no, sent, unsent = { sent = true }, { sent = true, accepted = true, attempt = yes },
                           { accepted = true, attempt = yes }
  local LETS_IN = "it lets in whoever has a certificate: one of an authority that we made up was "
    .. "accepted"
  for _, row in ipairs {
    { strangers(false, no, sent, sent), LETS_IN }, { strangers(true, sent), "" },
    { strangers(false, unsent, no), "" },
    { { resumption = { anonymous = { outcome = "gets_past" } } },
      "a resumed session that began without a certificate gets past the request for one" },
    { { resumption = { anonymous = { outcome = "not_asked" } } }, "" },
    { left(29 * DAY), "a certificate of its chain expires in 29 days" }, { left(30 * DAY), "" },
    { left(0), "a certificate of its chain expires in 0 seconds" }, { left(-1), "" },
  } do
    equal((select(4, judged(yes, row[1]))), row[2])
  end
end)

---------------------------------------------------------------------------------------------------
-- What the verdict is made of

test("an ending has a face by which it is compared", function()
  for wanted, made in pairs {
    accepted = { outcome = "accepted", answer = { status = 200 } },
    ["alert unknown_ca (48)"] = { outcome = "refused", alert = { name = "unknown_ca", number = 48 },
                                  closed = "closed_early" },
    ["HTTP 400"] = { outcome = "refused", answer = { status = 400, line = "HTTP/1.1 400 x" } },
    ["ERROR: no"] = { outcome = "refused", answer = { line = "ERROR: no" } },
    ["closed without a word"] = { outcome = "refused", closed = "closed", problem = "timeout" },
    timeout = { outcome = "unclear", problem = "timeout" }, unclear = { outcome = "unclear" },
  } do
    equal(depth.face(made), wanted)
  end
end)

test("of what a server asked for the last is told, and what was sent for it", function()
  local function request(epoch, issuer)
    return { kind = "request", direction = "received", epoch = epoch, issuers = { issuer },
             signature_schemes = { "ed25519" } }
  end
  local function sent(...)
    return { kind = "message", type = "Certificate", direction = "sent", certificates = { ... } }
  end
  local received = { kind = "message", type = "Certificate", direction = "received",
                     certificates = { 1, 2, 3 } }
  local function told(events, word)
    local made = attempt({}, { "initial" }, events)
    local client = made.connection.client
    client.not_sent_because, client.history[1].version = word, "TLS1.3"
    local found = asked.of(made)
    return found and table.concat({
      found.when, found.version, table.concat(found.issuers), table.concat(found.signature_schemes),
      tostring(found.sent), tostring(found.not_sent_because),
    }, " ")
  end
  equal(asked.of(nil), nil)
  equal(told { received }, nil)
  equal(told({ request("initial", "CN=A") }, "issuer_not_named"),
        "handshake TLS1.3 CN=A ed25519 nil issuer_not_named")
  equal(told({ request("initial", "CN=A"), sent(1, 2), received }, "not_requested"),
        "handshake TLS1.3 CN=A ed25519 2 nil")
  equal(told { request("initial", "CN=A"), sent(1), request("renegotiation 1", "CN=B") },
        "renegotiation TLS1.3 CN=B ed25519 nil nil")
  equal(told { request("reauthentication 1", "CN=B"), sent() },
        "post_handshake TLS1.3 CN=B ed25519 0 nil")
  local unnamed = request "initial" -- up to TLS 1.1 there are no schemes
  unnamed.issuers, unnamed.signature_schemes = nil, nil
  equal(told { unnamed }, "handshake TLS1.3   nil nil")
end)

test("whether a certificate must come is told by an attempt without one", function()
  for _, row in ipairs {
    { "optional", { outcome = "accepted" } },
    { "required", { outcome = "refused", by = "server" } },
    { "unknown", { outcome = "refused", by = "us" } },
    { "unknown", { outcome = "refused", by = "server", answer = { forbidden = true } } },
    { "required", { outcome = "refused", by = "server", answer = { refuses = true } } },
    { "unknown", { outcome = "unclear" } },
  } do
    equal(asked.requirement(row[2]), row[1])
  end
end)

unit.done()
