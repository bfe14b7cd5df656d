-- SPDX-License-Identifier: MIT
-- Not everybody who has a certificate may issue one. An issuer's certificate must say that it is a
-- CA (basicConstraints) and, where it lists what its key is for, that it signs certificates
-- (keyUsage keyCertSign). Without these two checks every owner of a certificate could issue himself
-- one for any name, and for years some libraries let them (CVE-2002-0862).
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- `case.sender` presents a leaf below an intermediate made with these options (or below the root
-- itself, for `case.at`); its peer judges. Shakes hands.
local function link_with(case, options)
  local root_options, ca_options = { cn = "Root" }, { cn = "Issuing CA" }
  for name, value in pairs(options) do
    (case.at == "root" and root_options or ca_options)[name] = value
  end
  local root = pki.authority(root_options)
  local issuer = root:authority(ca_options)
  local identity = issuer:issue { dns = "server.example" }
  local plain = pki.authority { cn = "Plain Root" }
  local ends = {
    server = { identity = plain:issue { dns = "server.example" } },
    client = { trust = plain, server_name = "server.example" },
  }
  if case.sender == "client" then
    ends.server.client_auth = "require"
  end
  ends[case.sender].identity = identity
  ends[OTHER[case.sender]].trust = root
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  local judge = link[OTHER[case.sender]]
  expect(judge.verification.path):equals {
    identity.certificate, issuer.certificate, root.certificate,
  }
  return link, judge, case.at == "root" and root or issuer
end

local function expect_refusal(case, link, judge, problems, culprit)
  expect(link.failed_first):equals(OTHER[case.sender])
  expect(judge):failed "certificate_rejected"
  expect(judge):has { told_by = "itself", failed_during = "handshake",
                      alert_sent = { level = "fatal", name = "bad_certificate" },
                      verification = { accepted = false, problems = problems } }
  expect(judge.verification.certificate):is(culprit)
  expect(link[case.sender]):has { told_by = "peer", alert_received = { name = "bad_certificate" } }
end

ms.scenario "an issuer that says it is no CA is refused" {
  about  = "CA:FALSE is what every leaf says.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "issuers" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "intermediate", "root" } },
  run    = function(case)
    local link, judge, culprit = link_with(case, { ca = false })
    expect(culprit.certificate.is_ca):is_false()
    expect_refusal(case, link, judge, { "signer_not_ca" }, culprit)
    expect(judge.verification.text):matches "its basic constraints say so"
  end,
}

ms.scenario "an issuer that does not say whether it is a CA" {
  about  = "The same as no CA, says the RFC. GnuTLS agrees for an intermediate; a self-signed one "
    .. "it takes for one of the version 1 roots, which could not say it.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "issuers" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "intermediate", "root" } },
  run    = function(case)
    local link, judge, issuer = link_with(case, { omit = { "basic_constraints" } })
    expect(issuer.certificate.is_ca):is_false()
    if case.at == "intermediate" then
      expect_refusal(case, link, judge, { "signer_not_ca" }, issuer)
      expect(judge.verification.text):matches "it has no basic constraints"
    else
      expect(link):succeeded()
      expect(judge):verified()
    end
  end,
}

ms.scenario "an issuer whose key may not sign certificates is refused" {
  about  = "Signing data or revocation lists is another thing than signing certificates.",
  rfc    = "RFC 5280 section 4.2.1.3",
  tags   = { "chains", "issuers", "key-usage" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "intermediate", "root" },
             usage = { "digitalSignature", "cRLSign" } },
  run    = function(case)
    local link, judge, culprit = link_with(case, { key_usage = { case.usage } })
    expect(culprit.certificate):has { is_ca = true, key_usage = { case.usage } }
    expect_refusal(case, link, judge,
                   { "signer_constraints_failure", "key_usage_forbids_signing" }, culprit)
    expect(judge.verification.text):matches "its key usage lacks keyCertSign"
  end,
}

ms.scenario "an issuer without key usage may sign" {
  about  = "Absent means unrestricted, unlike basic constraints.",
  rfc    = "RFC 5280 section 4.2.1.3",
  tags   = { "chains", "issuers", "key-usage" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "intermediate", "root" } },
  run    = function(case)
    local link, judge, issuer = link_with(case, { omit = { "key_usage" } })
    expect(issuer.certificate.key_usage):is_nil()
    expect(link):succeeded()
    expect(judge):verified()
  end,
}

ms.scenario "an intermediate's extended key usage binds what it issues" {
  about  = "The RFC speaks of the certificate's own key; GnuTLS, like most, requires an "
    .. "intermediate that lists purposes to list the one at hand, and there even \"any\" is not "
    .. "enough. A root's purposes are not looked at.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "chains", "issuers" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "intermediate", "root" },
             purpose = { "server", "client", "both", "any" } },
  run    = function(case)
    local link, judge, issuer = link_with(case, { purpose = case.purpose })
    local fits = case.purpose == case.sender or case.purpose == "both"
    if case.at == "intermediate" and not fits then
      expect_refusal(case, link, judge, { "purpose_mismatch" }, issuer)
      expect(judge.verification.text):matches "its extended key usage binds what it issues, too"
    else
      expect(link):succeeded()
      expect(judge):verified()
    end
  end,
}

ms.scenario "a leaf's extended key usage says what it is for" {
  about  = "Here \"any\" is enough, and so is saying nothing.",
  rfc    = "RFC 5280 section 4.2.1.12",
  tags   = { "chains", "issuers" },
  matrix = { version = VERSIONS, sender = BOTH,
             purpose = { "server", "client", "both", "any", false } },
  run    = function(case)
    local root = pki.authority { cn = "Root" }
    local leaf = root:issue { dns = "server.example", purpose = case.purpose }
    local other = root:issue { dns = "server.example" }
    local link = tls.link {
      server   = { identity = case.sender == "server" and leaf or other, trust = root,
                   client_auth = "require" },
      client   = { identity = case.sender == "client" and leaf or other, trust = root,
                   server_name = "server.example" },
      versions = { case.version },
    }
    link:handshake()
    local judge = link[OTHER[case.sender]]
    if case.purpose == OTHER[case.sender] then
      expect_refusal(case, link, judge, { "purpose_mismatch" }, leaf)
    else
      expect(link):succeeded()
      expect(judge):verified()
    end
  end,
}
