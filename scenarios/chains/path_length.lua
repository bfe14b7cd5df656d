-- SPDX-License-Identifier: MIT
-- A CA's certificate may say how many intermediates may follow it: pathLenConstraint, in the basic
-- constraints (RFC 5280 section 4.2.1.9). 0 means that it issues leaves only; absent means any
-- number. The leaf does not count, and by section 6.1.4 (l) neither does a self-issued certificate
-- (issuer and subject the same name: how CAs roll their keys over). GnuTLS counts those, too.
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
  end
  ends[case.sender].identity = identity
  ends[OTHER[case.sender]].trust = trust
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  return link, link[OTHER[case.sender]]
end

-- The leaf's path: what issued what, down from the root.
local function path_of(identity)
  local path = { identity.certificate }
  local authorities = identity.authorities
  for index = #authorities, 1, -1 do
    path[#path + 1] = authorities[index].certificate
  end
  return path
end

local function expect_acceptance(link, judge, identity)
  expect(link):succeeded()
  expect(judge):verified()
  expect(judge.verification.path):equals(path_of(identity))
end

-- `carrier`: the authority whose constraint is violated.
local function expect_refusal(case, link, judge, identity, carrier, problems)
  expect(link.failed_first):equals(OTHER[case.sender])
  expect(judge):failed "certificate_rejected"
  expect(judge):has {
    told_by = "itself", failed_during = "handshake",
    alert_sent = { level = "fatal", name = "bad_certificate" },
    verification = { verified = false, accepted = false, problems = problems },
  }
  expect(judge.verification.certificate):is(carrier)
  expect(judge.verification.path):equals(path_of(identity))
  expect(link[case.sender]):has { told_by = "peer", alert_received = { name = "bad_certificate" } }
end

local EXCEEDED = { "signer_constraints_failure", "path_length_exceeded" }

ms.scenario "an intermediate's path length allows that many below it" {
  about  = "0 allows a leaf, 1 another CA with its leaf. The leaf itself does not count.",
  rfc    = "RFC 5280 section 4.2.1.9",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH, path_length = { 0, 1, 2 } },
  run    = function(case)
    local root = pki.authority { cn = "Root" }
    local issuer = root:authority { cn = "Limited CA", path_length = case.path_length }
    expect(issuer.certificate.path_length):equals(case.path_length)
    for number = 1, case.path_length do
      issuer = issuer:authority { cn = "CA " .. number }
    end
    local identity = issuer:issue { dns = "server.example" }
    local link, judge = link_with(case, identity, root)
    expect_acceptance(link, judge, identity)
  end,
}

ms.scenario "an intermediate's path length is exceeded by one" {
  about  = "GnuTLS calls this, name constraints and key usage by one name; the problem that "
    .. "follows it is the exact one, and the certificate is the one that carries the constraint.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH, path_length = { 0, 1, 2 } },
  run    = function(case)
    local root = pki.authority { cn = "Root" }
    local limited = root:authority { cn = "Limited CA", path_length = case.path_length }
    local issuer = limited
    for number = 1, case.path_length + 1 do
      issuer = issuer:authority { cn = "CA " .. number }
    end
    local identity = issuer:issue { dns = "server.example" }
    local link, judge = link_with(case, identity, root)
    expect_refusal(case, link, judge, identity, limited, EXCEEDED)
    expect(judge.verification.text):matches("^CN=Limited CA allows " .. case.path_length)
  end,
}

ms.scenario "a root's path length counts like any other" {
  about  = "RFC 5280 leaves the anchor's own constraints out of the path; GnuTLS, like most, "
    .. "applies them.",
  rfc    = "RFC 5280 section 6.1.1",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH, intermediates = { 0, 1 } },
  run    = function(case)
    local root = pki.authority { cn = "Root", path_length = 0 }
    local issuer = case.intermediates == 0 and root or root:authority { cn = "CA 1" }
    local identity = issuer:issue { dns = "server.example" }
    local link, judge = link_with(case, identity, root)
    if case.intermediates == 0 then
      expect_acceptance(link, judge, identity)
    else
      expect_refusal(case, link, judge, identity, root, EXCEEDED)
      expect(judge.verification.text):equals(
        "CN=Root allows 0 intermediates below it, there is 1")
    end
  end,
}

ms.scenario "no path length allows any number" {
  about  = "Absent is not 0.",
  rfc    = "RFC 5280 section 4.2.1.9",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local chain = pki.chain { depth = 12, leaf = { dns = "server.example" } }
    for _, authority in ipairs(chain.authorities) do
      expect(authority.certificate.path_length):is_nil()
    end
    local link, judge = link_with(case, chain, chain.root)
    expect_acceptance(link, judge, chain)
  end,
}

ms.scenario "a generous path length below a strict one gives nothing back" {
  about  = "The smallest that is left counts; an intermediate cannot widen what its issuer "
    .. "allowed.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local root = pki.authority { cn = "Root" }
    local strict = root:authority { cn = "Strict CA", path_length = 0 }
    local identity = strict:authority { cn = "Generous CA", path_length = 9 }
      :issue { dns = "server.example" }
    local link, judge = link_with(case, identity, root)
    expect_refusal(case, link, judge, identity, strict, EXCEEDED)
  end,
}

ms.scenario "GnuTLS counts a self-issued intermediate that does not count" {
  about  = "By the RFC this path is valid: CAs issue to their own name when they change keys. "
    .. "GnuTLS refuses it. The exact problem is missing, for no path length is exceeded, and text "
    .. "says why.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "intermediate", "root" } },
  run    = function(case)
    local root = pki.authority { cn = "Root", path_length = case.at == "root" and 0 or nil }
    local limited = root
    if case.at == "intermediate" then
      limited = root:authority { cn = "Limited CA", path_length = 0 }
    end
    local rolled = limited:authority { subject = limited.certificate.subject }
    expect(rolled.certificate.issuer):equals(rolled.certificate.subject)
    expect(rolled.certificate.self_signed):is_false()
    local identity = rolled:issue { dns = "server.example" }
    local link, judge = link_with(case, identity, root)
    expect_refusal(case, link, judge, identity, limited, { "signer_constraints_failure" })
    expect(judge.verification.text):matches "there are no more, but GnuTLS counts self%-issued ones"
  end,
}

ms.scenario "a self-issued intermediate is fine where the path length has room for it" {
  about  = "What a CA that rolls its keys over has to allow for with GnuTLS.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "path-length" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local root = pki.authority { cn = "Root" }
    local limited = root:authority { cn = "Limited CA", path_length = 1 }
    local identity = limited:authority { cn = "Limited CA" }:issue { dns = "server.example" }
    local link, judge = link_with(case, identity, root)
    expect_acceptance(link, judge, identity)
  end,
}
