-- SPDX-License-Identifier: MIT
-- Explanations of chains that were refused: each rule, with either end as the judge.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local explained = dofile(here .. "explained.lua")
local ms = require "moonshake"
local pki = ms.pki
local test, equal, contains = unit.test, unit.equal, unit.contains

local NOW = 1800000000
local OTHER = { client = "server", server = "client" }

-- The identity is good for both ends but for what is wrong with it.
local function leaf(issuer, given)
  local options = { cn = "leaf", dns = "server.example" }
  for name, value in pairs(given or {}) do
    options[name] = value
  end
  return issuer:issue(options)
end

-- Both versions, both senders: f(finding, sender, version) judges what this rule found.
local function each(name, rule, problem, make, f)
  test(name, function()
    for _, version in ipairs(explained.VERSIONS) do
      for _, sender in ipairs(explained.ROLES) do
        ms.clock:set(NOW)
        local identity, judge = make(sender)
        local link = explained.presented(version, sender, identity, judge)
        local found = explained.finding(link, rule)
        local label = version .. " " .. sender
        equal(found.kind, "failure", label)
        equal(found.side, OTHER[sender], label)
        equal(found.message, "Certificate", label)
        equal(found.problem, problem, label)
        contains(found.what,
                 ("the %s refuses the %s's Certificate: "):format(OTHER[sender], sender))
        contains(found.rfc, "RFC ")
        contains(found.told[OTHER[sender]], "noticed by itself in its handshake")
        contains(found.told[sender], "fatal alert bad_certificate (42)")
        equal(found.told[sender]:find("had completed its handshake", 1, true) ~= nil,
              version == "TLS1.3" and sender == "client", label)
        equal(found.certificate, link[OTHER[sender]].verification.certificate, label)
        f(explained.text(found), sender, found)
      end
    end
  end)
end

local root = explained.root
local stranger = pki.authority { cn = "Other Root" }
local sub = root:authority { cn = "Issuing CA" }

each("a root that is not trusted is named, and who is trusted instead", "root_unknown",
     "signer_not_found", function()
  return leaf(stranger)
end, function(text, sender)
  contains(text, "its root CN=Other Root is not trusted")
  contains(text, "CN=leaf was issued by CN=Other Root")
  contains(text, ("the %s trusts CN=Example Root"):format(OTHER[sender]))
  contains(text, ("trust CN=Other Root at the %s"):format(OTHER[sender]))
end)

each("a root that was sent and is not trusted is named", "root_not_trusted", "signer_not_found",
     function()
  local identity = leaf(stranger)
  return identity:with { chain = { identity, stranger } }
end, function(text)
  contains(text, "CN=Other Root is self-signed, and it is not trusted")
end)

each("the intermediate that was not sent is named, and that its issuer is trusted",
     "intermediate_not_sent", "signer_not_found", function()
  local identity = leaf(sub)
  return identity:with { chain = { identity } }
end, function(text, sender)
  contains(text, "the intermediate CN=Issuing CA is missing")
  contains(text, ("which the %s did not send"):format(sender))
  contains(text, "its own issuer CN=Example Root is trusted: with it the path would be whole")
end)

each("of an issuer that nobody knows only its name is told", "issuer_unknown", "signer_not_found",
     function()
  local made = leaf(sub)
  local orphan = pki.load { certificate = made.certificate:pem(), key = made.key:pem() }
  return function() return orphan end
end, function(text, sender)
  contains(text, "the issuer of CN=leaf is unknown")
  contains(text, "CN=Issuing CA, which was not sent and is not trusted: a missing intermediate or "
           .. "an untrusted root")
  contains(text, ("the %s trusts CN=Example Root"):format(OTHER[sender]))
end)

each("nobody who is trusted is told as such", "root_unknown", "signer_not_found", function()
  return leaf(stranger), { trust = {}, verify = true }
end, function(text, sender)
  contains(text, ("the %s trusts nobody"):format(OTHER[sender]))
end)

each("a namesake of the issuer with another key is told from it", "issuer_has_another_key",
     "signer_not_found", function()
  return leaf(pki.authority { cn = "Example Root" })
end, function(text)
  contains(text, "its issuer is trusted by name, but with another key")
  contains(text, "an authority named CN=Example Root is trusted, and it is not the one that signed")
end)

each("an issuer in the wrong place is told", "issuer_out_of_order", "signer_not_found",
     function(sender)
  local deep = pki.chain { depth = 16, leaf = { cn = "leaf", dns = "server.example" } }
  local list = { deep.certificate }
  for index = 3, #deep.chain do
    list[#list + 1] = deep.chain[index]
  end
  list[#list + 1] = deep.chain[2]
  return deep:with { chain = list }, { trust = deep.root, max_depth = 20, verify = sender and true }
end, function(text)
  contains(text, "an issuer was sent in the wrong place")
  contains(text, "GnuTLS sorts only the last 16")
end)

each("a signature that is wrong is told with both certificates", "signature_failure",
     "signature_failure", function()
  return leaf(pki.authority { cn = "Example Root" }, { omit = { "authority_key_id" } }),
    { trust = pki.authority { cn = "Example Root", omit = { "subject_key_id" } } }
end, function(text)
  contains(text, "the signature of CN=leaf was not made with the key of CN=Example Root")
end)

---------------------------------------------------------------------------------------------------
-- Constraints

each("an issuer that is no CA is named", "signer_not_ca", "signer_not_ca", function()
  return leaf(root:authority { cn = "Issuing CA", ca = false })
end, function(text)
  contains(text, "CN=Issuing CA signed CN=leaf and is no CA")
end)

each("a path length is told with its CA, what it allows and what there is", "path_length_exceeded",
     "path_length_exceeded", function()
  local limited = root:authority { cn = "Limited CA", path_length = 0 }
  return leaf(limited:authority { cn = "Upper CA" }:authority { cn = "Lower CA" })
end, function(text)
  contains(text, "CN=Limited CA allows 0 intermediates below it, and there are 2")
  contains(text, "below it: CN=Lower CA and CN=Upper CA")
  contains(text, "a path_length of at least 2")
end)

each("a name constraint is told with its CA and the name", "name_constraint_violated",
     "name_constraint_violated", function()
  return leaf(root:authority { cn = "Narrow CA", permitted = "example.org" })
end, function(text)
  contains(text, "CN=Narrow CA constrains the DNS names below it")
  contains(text, "server.example is not permitted")
end)

each("a CA that may not sign is named with its key usage", "key_usage_forbids_signing",
     "key_usage_forbids_signing", function()
  return leaf(root:authority { cn = "Mute CA", key_usage = { "cRLSign", "digitalSignature" } })
end, function(text)
  contains(text, "CN=Mute CA signed CN=leaf and may not sign certificates")
  contains(text, "it lacks keyCertSign")
end)

each("a constraint without a word of its own keeps the verification's sentence",
     "signer_constraints_failure", "signer_constraints_failure", function()
  local limited = pki.authority { cn = "Same", path_length = 0 }
  return leaf(limited:authority { cn = "Same" }), { trust = limited }
end, function(text)
  contains(text, "GnuTLS counts self-issued ones, too")
end)

each("a weak signature is named", "insecure_algorithm", "insecure_algorithm", function()
  return leaf(root, { digest = "sha1" })
end, function(text)
  contains(text, "CN=leaf is signed with ECDSA-SHA1")
end)

each("a critical extension that is not understood is named", "unknown_crit_extensions",
     "unknown_crit_extensions", function()
  return leaf(root, { extensions = { { oid = "1.2.3.4", critical = true, der = "\5\0" } } })
end, function(text)
  contains(text, "1.2.3.4")
end)

each("a chain that is too long is told with the limit and the count", "depth_exceeded",
     "depth_exceeded", function()
  local deep = pki.chain { depth = 3, leaf = { cn = "leaf", dns = "server.example" } }
  return deep, { trust = deep.root, max_depth = 2 }
end, function(text, sender)
  contains(text, ("it carries 4 certificates, and the %s accepts 2"):format(OTHER[sender]))
  contains(text, ("max_depth of the %s is 2"):format(OTHER[sender]))
  contains(text, "max_depth = 4")
end)

---------------------------------------------------------------------------------------------------
-- The leaf and the moment

each("an expired certificate is told with by how much and under which clock", "expired", "expired",
     function()
  return leaf(root, { not_before = "-40d", not_after = "-30d" }), { clock_offset = 86400 }
end, function(text, sender)
  contains(text, "CN=leaf expired 31 days ago")
  contains(text, "CN=leaf was valid until 2026-12-16T08:00:00Z")
  contains(text, ("it is 2027-01-16T08:00:00Z by the %s's clock, which is set 24 hours ahead")
           :format(OTHER[sender]))
end)

each("of several expired certificates the topmost is named first, and all are listed", "expired",
     "expired", function()
  local old = root:authority { cn = "Old CA", not_after = "-1d", not_before = "-90d" }
  return leaf(old, { not_after = "-1h", not_before = "-90d" })
end, function(text)
  contains(text, "CN=Old CA expired 24 hours ago")
  contains(text, "CN=leaf was valid until")
end)

each("a certificate of the future is told with by how much", "not_activated", "not_activated",
     function()
  return leaf(root, { not_before = "+2h" }), { clock_offset = -60 }
end, function(text, sender)
  contains(text, "CN=leaf becomes valid in 2 hours")
  contains(text, ("by the %s's clock, which is set 60 seconds back"):format(OTHER[sender]))
end)

each("a wrong purpose is told with the one that is needed", "purpose_mismatch", "purpose_mismatch",
     function(sender)
  return leaf(root, { purpose = OTHER[sender] })
end, function(text, sender)
  contains(text, ("CN=leaf is not for %s authentication"):format(sender))
  contains(text, "its extended key usage is " .. OTHER[sender])
  contains(text, ('purpose = "%s"'):format(sender))
end)

each("a purpose of an intermediate binds what it issues", "purpose_mismatch", "purpose_mismatch",
     function(sender)
  return leaf(root:authority { cn = "Purpose CA", purpose = OTHER[sender] })
end, function(text, sender)
  contains(text, ("CN=Purpose CA is not for %s authentication"):format(sender))
  contains(text, "which binds what it issues, too")
end)

local function wanted(name, given, more)
  ms.clock:set(NOW)
  local client = more or {}
  client.server_name = client.server_name or name
  local link = explained.link("TLS1.3", client, { identity = root:issue(given) })
  local found = explained.finding(link, "unexpected_owner")
  equal(found.side, "client")
  contains(found.rfc, "RFC 9525")
  contains(found.told.server, "was told in its handshake by the fatal alert bad_certificate")
  return explained.text(found)
end

test("another name is told with what was wanted and what there is", function()
  local text = wanted("other.example", { dns = { "a.example", "b.example" }, ip = "192.0.2.1" })
  contains(text, 'it wants "other.example", and CN=a.example is not for it')
  contains(text, 'the certificate has the DNS names "a.example" and "b.example"')
  contains(text, 'the certificate has the IP address "192.0.2.1"')
end)

test("a certificate without DNS names is told by its subject", function()
  contains(wanted("other.example", { cn = "plain" }), "it has no DNS name; its subject is CN=plain")
end)

test("a URI is no name of a host", function()
  local text = wanted("other.example", { uri = "spiffe://example.org/a" })
  contains(text, 'the certificate has the URI "spiffe://example.org/a"')
  contains(text, "it has no DNS name")
end)

test("a wildcard that is too short is explained", function()
  contains(wanted("a.b.example", { dns = "*.example" }),
           '"*.example" stands for one label, no more')
end)

test("an address among DNS names is explained", function()
  local text = wanted("192.0.2.1", { dns = "192.0.2.1" },
                      { server_name = "", verify_name = "192.0.2.1" })
  contains(text, "an address is looked for among IP addresses, not among DNS names")
end)

test("a name to verify that is not the one sent is told", function()
  local text = wanted("a.example", { dns = "a.example" }, { verify_name = "b.example" })
  contains(text, 'the client asked for "a.example" (server_name) and verifies "b.example"')
end)

test("a policy that says no to a valid chain is told as that", function()
  for _, sender in ipairs(explained.ROLES) do
    local link = explained.presented("TLS1.3", sender, leaf(root), { verify = function()
      return false
    end })
    local found = explained.finding(link, "policy_rejected")
    equal(found.side, OTHER[sender])
    contains(found.what, ("the %s refuses the %s's Certificate: its verify function said no")
             :format(OTHER[sender], sender))
    contains(explained.text(found), "the chain of CN=leaf is valid")
  end
end)

test("a policy that was asked is named beside the problem", function()
  local link = explained.presented("TLS1.2", "client", leaf(stranger), { verify = function(result)
    return result.verified
  end })
  contains(explained.text(explained.finding(link, "root_unknown")),
           "the server's verify function decided on it")
end)

test("each of several problems is a finding, and the short form names them all", function()
  local identity = leaf(stranger, { dns = "other.example", purpose = "client", not_after = "-1h",
                                    not_before = "-2d" })
  local link = explained.presented("TLS1.3", "server", identity)
  local short = require("moonshake.views.explain").short(link.findings)
  equal(#short <= 3, true)
  contains(short[1], "its root CN=Other Root is not trusted (RFC 5280 section 6.1); also expired, "
           .. "purpose_mismatch and unexpected_owner")
end)

---------------------------------------------------------------------------------------------------
-- What this version's ends cannot be brought to

local function refused(problem)
  for _, judge in ipairs(explained.ROLES) do
    local one, event = explained.failed(judge, "certificate_rejected", "GNUTLS_E_CERTIFICATE_ERROR")
    one.verification = { verified = false, accepted = false, problems = { problem },
                         text = "CN=x is " .. problem, path = {},
                         certificate = explained.alice.certificate }
    one.alert_sent = { level = "fatal", name = "bad_certificate", number = 42 }
    local other = { phase = "failed", failed_during = "handshake", told_by = "peer",
                    handshake_completed = false, error = { code = "GNUTLS_E_FATAL_ALERT_RECEIVED" },
                    alert_received = one.alert_sent }
    local ends = { [judge] = one, [OTHER[judge]] = other }
    local link = explained.fake(ends.client, ends.server, { event })
    local found = explained.finding(link, problem)
    equal(found.side, judge)
    contains(found.what, ("the %s refuses the %s's Certificate"):format(judge, OTHER[judge]))
    contains(explained.text(found), "CN=x is " .. problem)
    contains(found.told[OTHER[judge]], "fatal alert bad_certificate (42)")
  end
end

for _, problem in ipairs {
  "revoked", "revocation_data_superseded", "revocation_data_issued_in_future",
  "missing_ocsp_status", "invalid_ocsp_status", "mismatch", "malformed_certificate", "invalid",
} do
  test(problem .. " is told with the verification's sentence", function()
    refused(problem)
  end)
end

test("where two certificates would be named the verification's sentence stands", function()
  local one, event = explained.failed("server", "certificate_rejected",
                                      "GNUTLS_E_CERTIFICATE_ERROR")
  local other = root:issue { cn = "another", not_after = "-1d", not_before = "-2d" }
  one.verification = { verified = false, accepted = false, problems = { "expired" },
                       text = "the truth", path = { other.certificate },
                       certificate = explained.alice.certificate }
  local judged = { kind = "verification", role = "server", at = NOW }
  local link = explained.fake({}, one, { judged, event })
  local found = explained.finding(link, "expired")
  equal(found.certificate, explained.alice.certificate)
  equal(#found.why, 1)
  equal(found.why[1], "the truth")
end)

explained.all_seen(unit, { "chain_anchor", "chain_constraints", "chain_leaf" })
unit.done()
