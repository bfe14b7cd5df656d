-- SPDX-License-Identifier: MIT
-- A CA may be confined to names: permitted subtrees, excluded subtrees, or both (RFC 5280 section
-- 4.2.1.10). Each kind of name is confined for itself: a CA that may issue for example.org only may
-- still issue for any IP address, unless that is constrained as well. Excluded beats permitted, and
-- what an intermediate permits cannot widen what its issuer permitted. The constraints bind
-- whatever lies below, and GnuTLS applies those of the trusted root, too.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local OTHER = { client = "server", server = "client" }
local PROBLEMS = { "signer_constraints_failure", "name_constraint_violated" }

-- Root and Issuing CA, of which `at` is constrained.
local function authorities(at, constraints)
  local root_options, ca_options = { cn = "Root" }, { cn = "Issuing CA" }
  for name, value in pairs(constraints) do
    (at == "root" and root_options or ca_options)[name] = value
  end
  local root = pki.authority(root_options)
  return root, root:authority(ca_options)
end

-- `case.sender` presents `identity` and its peer judges it; a client verifies no name, so that only
-- the constraints decide. Shakes hands.
local function link_with(case, identity)
  local plain = pki.authority { cn = "Plain Root" }
  local ends = { server = { identity = plain:issue { dns = "server.example" } },
                 client = { trust = plain, verify_name = false } }
  if case.sender == "client" then
    ends.server.client_auth = "require"
  end
  ends[case.sender].identity = identity
  ends[OTHER[case.sender]].trust = identity.root
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  return link, link[OTHER[case.sender]]
end

local function expect_verdict(link, judge, accepted, culprit, label)
  if accepted then
    expect(link, label):succeeded()
    expect(judge, label):verified()
  else
    expect(judge, label):failed "certificate_rejected"
    expect(judge, label):has { told_by = "itself", failed_during = "handshake",
                               alert_sent = { level = "fatal", name = "bad_certificate" },
                               verification = { accepted = false, problems = PROBLEMS } }
    expect(judge.verification.certificate, label):is(culprit)
    expect(judge.verification.path, label):has_length(3)
  end
end

-- A table of leaves' names, judged below one set of constraints. `kind`: as verification.text says.
local function judge_all(case, constraints, kind, leaves)
  local root, issuer = authorities(case.at, constraints)
  for _, one in ipairs(leaves) do
    local names, accepted = one[1], one[2]
    local identity = issuer:issue(names)
    local link, judge = link_with(case, identity)
    local label = identity.certificate.subject
    expect_verdict(link, judge, accepted, case.at == "root" and root or issuer, label)
    if not accepted then
      expect(judge.verification.text, label):matches("constrains the " .. kind .. " below it")
    end
  end
end

local MATRIX = { version = VERSIONS, sender = { "client", "server" },
                 at = { "intermediate", "root" } }

ms.scenario "permitted DNS names" {
  about  = "The name itself and everything below it; whole labels only; all names of the "
    .. "certificate must fit. Without a DNS name GnuTLS judges the common name.",
  rfc    = "RFC 5280 section 4.2.1.10",
  tags   = { "chains", "name-constraints" },
  matrix = MATRIX,
  run    = function(case)
    judge_all(case, { permitted = { dns = "corp.example" } }, "DNS names", {
      { { dns = "corp.example" }, true },
      { { dns = "www.corp.example" }, true },
      { { dns = "a.b.corp.example" }, true },
      { { dns = "www.other.example" }, false },
      { { dns = "example" }, false },
      { { dns = "notcorp.example" }, false },
      { { dns = { "www.corp.example", "www.other.example" } }, false },
      { { cn = "www.other.example" }, false },
      { { ip = "192.0.2.7", cn = "www.corp.example" }, true }, -- another kind of name: free
    })
  end,
}

ms.scenario "excluded DNS names" {
  about  = "The mirror of permitted ones: one bad name is enough.",
  rfc    = "RFC 5280 section 4.2.1.10",
  tags   = { "chains", "name-constraints" },
  matrix = MATRIX,
  run    = function(case)
    judge_all(case, { excluded = { dns = "corp.example" } }, "DNS names", {
      { { dns = "corp.example" }, false },
      { { dns = "www.corp.example" }, false },
      { { dns = "www.other.example" }, true },
      { { dns = "notcorp.example" }, true },
      { { dns = { "www.other.example", "www.corp.example" } }, false },
    })
  end,
}

ms.scenario "excluded beats permitted" {
  about  = "A hole in what is permitted.",
  rfc    = "RFC 5280 section 4.2.1.10",
  tags   = { "chains", "name-constraints" },
  matrix = MATRIX,
  run    = function(case)
    judge_all(case, { permitted = { dns = "example" }, excluded = { dns = "corp.example" } },
              "DNS names", {
      { { dns = "www.other.example" }, true },
      { { dns = "www.corp.example" }, false },
      { { dns = "www.example.org" }, false },
    })
  end,
}

ms.scenario "permitted and excluded IP addresses" {
  about  = "Networks, not names; addresses of the other family are another matter.",
  rfc    = "RFC 5280 section 4.2.1.10",
  tags   = { "chains", "name-constraints" },
  matrix = { version = VERSIONS, sender = { "client", "server" },
             at = { "intermediate", "root" }, family = { "IPv4", "IPv6" } },
  run    = function(case)
    local network, inside, outside = "192.0.2.0/24", "192.0.2.255", "192.0.3.0"
    if case.family == "IPv6" then
      network, inside, outside = "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"
    end
    judge_all(case, { permitted = { ip = network } }, "IP addresses", {
      { { ip = inside }, true },
      { { ip = outside }, false },
      { { ip = { inside, outside } }, false },
      { { dns = "www.corp.example" }, true }, -- no address, nothing to judge
    })
    judge_all(case, { excluded = { ip = network } }, "IP addresses", {
      { { ip = inside }, false },
      { { ip = outside }, true },
    })
  end,
}

ms.scenario "permitted and excluded mail addresses" {
  about  = "A host name stands for all mailboxes of that host.",
  rfc    = "RFC 5280 section 4.2.1.10",
  tags   = { "chains", "name-constraints" },
  matrix = MATRIX,
  run    = function(case)
    judge_all(case, { permitted = { email = "example.org" } }, "mail addresses", {
      { { email = "alice@example.org", cn = "alice" }, true },
      { { email = "alice@example.com", cn = "alice" }, false },
      { { dns = "www.corp.example" }, true },
    })
    judge_all(case, { excluded = { email = "example.org" } }, "mail addresses", {
      { { email = "alice@example.org", cn = "alice" }, false },
      { { email = "alice@example.com", cn = "alice" }, true },
    })
  end,
}

ms.scenario "what an intermediate permits cannot widen what its issuer permits" {
  about  = "Only what all of them permit is permitted; the first that objects is named.",
  rfc    = "RFC 5280 section 6.1.4",
  tags   = { "chains", "name-constraints" },
  matrix = { version = VERSIONS, sender = { "client", "server" } },
  run    = function(case)
    local root = pki.authority { cn = "Root", permitted = { dns = "example" } }
    local narrow = root:authority { cn = "Narrow CA", permitted = { dns = "corp.example" } }
    local wide = root:authority { cn = "Wide CA", permitted = { dns = "example.org" } }
    for _, one in ipairs {
      { narrow:issue { dns = "www.corp.example" } },
      { narrow:issue { dns = "www.other.example" }, narrow },
      { wide:issue { dns = "www.example.org" }, root },
      { wide:issue { dns = "www.corp.example" }, wide },
    } do
      local identity, culprit = one[1], one[2]
      local link, judge = link_with(case, identity)
      expect_verdict(link, judge, not culprit, culprit, tostring(identity))
    end
  end,
}
