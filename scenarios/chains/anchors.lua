-- SPDX-License-Identifier: MIT
-- Where a path ends: at a trust anchor, which the receiver holds and nobody sends (RFC 5280 section
-- 6.1.1). Usually it is a self-signed root; GnuTLS takes any certificate that it was told to trust,
-- an intermediate or even the leaf. A root that is merely sent proves nothing. Only the issuer by
-- name and key counts, not the name alone.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- `case.sender` presents `identity`, its peer judges it by `trust`; shakes hands.
local function link_with(case, identity, trust)
  local plain = pki.authority { cn = "Plain Root" }
  local ends = {
    server = { identity = plain:issue { dns = "server.example" } },
    client = { trust = plain, server_name = "server.example" },
  }
  if case.sender == "client" then
    ends.server.client_auth = "require"
    ends.client.send_certificate = "always"
  end
  ends[case.sender].identity = identity
  ends[OTHER[case.sender]].trust = trust
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  expect(link[OTHER[case.sender]].peer_certificates):equals(identity.chain)
  return link, link[OTHER[case.sender]]
end

local function expect_refusal(case, link, judge, problem, path)
  expect(link.failed_first):equals(OTHER[case.sender])
  expect(judge):failed "certificate_rejected"
  expect(judge):has { told_by = "itself", failed_during = "handshake",
                      alert_sent = { level = "fatal", name = "bad_certificate" },
                      verification = { accepted = false, problems = { problem } } }
  expect(judge.verification.path):equals(path)
  expect(judge.verification.certificate):is(path[#path])
  expect(link[case.sender]):has { told_by = "peer", alert_received = { name = "bad_certificate" } }
end

ms.scenario "a trusted intermediate ends the path" {
  about  = "The root need not be known, nor what lies between. (OpenSSL does this only when asked "
    .. "for a partial chain.)",
  rfc    = "RFC 5280 section 6.1.1",
  tags   = { "chains", "anchors" },
  matrix = { version = VERSIONS, sender = BOTH, sends = { "up to the anchor", "below it" } },
  run    = function(case)
    local chain = pki.chain { depth = 3, leaf = { dns = "server.example" } }
    local c, anchor = chain.chain, chain.authorities[3]
    expect(c[3]):is(anchor)
    local identity = chain:with {
      chain = case.sends == "below it" and { c[1], c[2] } or { c[1], c[2], c[3] },
    }
    local link, judge = link_with(case, identity, anchor)
    expect(link):succeeded()
    expect(judge):verified()
    expect(judge.verification.path):equals { c[1], c[2], anchor.certificate }
  end,
}

ms.scenario "the leaf itself is trusted" {
  about  = "Pinning: whoever trusts exactly this certificate needs no CA for it.",
  rfc    = "RFC 5280 section 6.1.1",
  tags   = { "chains", "anchors" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local chain = pki.chain { depth = 1, leaf = { dns = "server.example" } }
    local identity = chain:with { chain = { chain.certificate } }
    local link, judge = link_with(case, identity, chain.certificate)
    expect(link):succeeded()
    expect(judge):verified()
    expect(judge.verification.path):equals { chain.certificate }
  end,
}

ms.scenario "a root that is sent but not trusted ends nothing" {
  about  = "Anybody can send a root. The path reaches it and stops there.",
  rfc    = "RFC 5280 section 6.1.1",
  tags   = { "chains", "anchors" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local chain = pki.chain { depth = 2, leaf = { dns = "server.example" } }
    local c, root = chain.chain, chain.root.certificate
    local identity = chain:with { chain = { c[1], c[2], c[3], root } }
    local link, judge = link_with(case, identity, pki.authority { cn = "Another Root" })
    expect_refusal(case, link, judge, "signer_not_found", { c[1], c[2], c[3], root })
    expect(judge.verification.text):equals("CN=Root is self-signed and not trusted")
  end,
}

ms.scenario "a self-signed leaf is no anchor unless it is trusted" {
  about  = "The certificate of every appliance on its first day.",
  rfc    = "RFC 5280 section 6.1.1",
  tags   = { "chains", "anchors" },
  matrix = { version = VERSIONS, sender = BOTH, trusted = { true, false } },
  run    = function(case)
    local identity = pki.authority { cn = "Appliance", dns = "server.example", ca = false,
                                     key_usage = { "digitalSignature" },
                                     purpose = { "server", "client" } }
    expect(identity.certificate.self_signed):is_true()
    expect(identity.certificate.is_ca):is_false()
    local trust = case.trusted and identity or pki.authority { cn = "Another Root" }
    local link, judge = link_with(case, identity, trust)
    if case.trusted then
      expect(link):succeeded()
      expect(judge):verified()
      expect(judge.verification.path):equals { identity.certificate }
    else
      expect_refusal(case, link, judge, "signer_not_found", { identity.certificate })
    end
  end,
}

ms.scenario "an authority of the right name with another key is not the issuer" {
  about  = "A CA that was set up anew under its old name. Where the key identifiers differ GnuTLS "
    .. "says that there is no issuer, where the leaf has none, that the signature is wrong.",
  rfc    = "RFC 5280 section 4.2.1.1",
  tags   = { "chains", "anchors" },
  matrix = { version = VERSIONS, sender = BOTH, key_identifier = { true, false } },
  run    = function(case)
    local known, anew = pki.authority { cn = "Root" }, pki.authority { cn = "Root" }
    local identity = anew:issue {
      dns = "server.example", omit = not case.key_identifier and "authority_key_id" or nil,
    }
    local link, judge = link_with(case, identity, known)
    expect(judge):failed "certificate_rejected"
    if case.key_identifier then
      expect_refusal(case, link, judge, "signer_not_found", { identity.certificate })
      expect(judge.verification.text):matches "one of that name is trusted, with another key"
    else
      expect(judge.verification.problems):equals { "signature_failure" }
      expect(judge.verification.certificate):is(identity)
      expect(judge.verification.text):matches "was not made with the key of CN=Root"
    end
  end,
}

ms.scenario "a cross-signed intermediate leads to whichever root comes first" {
  about  = "Two certificates for one intermediate's key, from an old root and from a new one. "
    .. "GnuTLS follows the first that fits and does not turn back: who trusts only the other root "
    .. "is refused, though a path is there (the trouble of 30 May 2020 and 30 September 2021).",
  rfc    = "RFC 4158 section 2.3",
  tags   = { "chains", "anchors" },
  matrix = { version = VERSIONS, sender = BOTH, trusts = { "old", "new", "both" } },
  run    = function(case)
    local old, new = pki.authority { cn = "Old Root" }, pki.authority { cn = "New Root" }
    local by_old = old:authority { cn = "Issuing CA" }
    local by_new = new:authority { cn = "Issuing CA", key = by_old.key }
    local leaf = by_old:issue { dns = "server.example" }
    local trust = ({ old = { old }, new = { new }, both = { old, new } })[case.trusts]

    local link, judge = link_with(case, leaf:with { chain = { leaf, by_old, by_new } }, trust)

    if case.trusts == "new" then
      expect_refusal(case, link, judge, "signer_not_found",
                     { leaf.certificate, by_old.certificate })
    else
      expect(link):succeeded()
      expect(judge.verification.path):equals {
        leaf.certificate, by_old.certificate, old.certificate,
      }
    end

    -- The same without the first one: the other path is fine.
    if case.trusts ~= "old" then
      link, judge = link_with(case, leaf:with { chain = { leaf, by_new } }, trust)
      expect(link):succeeded()
      expect(judge.verification.path):equals {
        leaf.certificate, by_new.certificate, new.certificate,
      }
    end
  end,
}
