-- SPDX-License-Identifier: MIT
-- Every certificate of a path must be valid now, not only the leaf (RFC 5280 section 6.1.3). An
-- intermediate that expires takes all leaves below it along, overnight and everywhere, while each
-- of them looks fine. Both ends of a period belong to it, to the second. The clock of a scenario
-- stands where it is put; `clock_offset` makes one end's clock differ from the other's.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }
local NOW = 1767225600 -- 2026-01-01T00:00:00Z
local DAY = 86400

-- Root, Issuing CA and leaf, of which `case.at` is valid from `from` to `to` and the rest from ten
-- days before NOW to ten days after.
local function chain_with(case, from, to)
  local function period(which, options)
    options.not_before = which == case.at and from or NOW - 10 * DAY
    options.not_after = which == case.at and to or NOW + 10 * DAY
    return options
  end
  local root = pki.authority(period("root", { cn = "Root" }))
  local issuer = root:authority(period("intermediate", { cn = "Issuing CA" }))
  local leaf = issuer:issue(period("leaf", { dns = "server.example" }))
  return leaf, { leaf = leaf, intermediate = issuer, root = root }
end

-- `case.sender` presents `identity`; its peer trusts the identity's root and has these options.
local function link_with(case, identity, options)
  local plain = pki.authority { cn = "Plain Root" }
  local ends = {
    server = { identity = plain:issue { dns = "server.example" } },
    client = { trust = plain, server_name = "server.example" },
  }
  if case.sender == "client" then
    ends.server.client_auth = "require"
  end
  ends[case.sender].identity = identity
  local judge = ends[OTHER[case.sender]]
  judge.trust = identity.root
  for name, value in pairs(options or {}) do
    judge[name] = value
  end
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  return link, link[OTHER[case.sender]]
end

local function expect_refusal(case, link, judge, problem, culprit, alert)
  expect(link.failed_first):equals(OTHER[case.sender])
  expect(judge):failed "certificate_rejected"
  expect(judge):has { told_by = "itself", failed_during = "handshake",
                      alert_sent = { level = "fatal", name = alert },
                      verification = { accepted = false, problems = { problem } } }
  expect(judge.verification.certificate):is(culprit)
  expect(judge.verification.path):has_length(3)
  expect(link[case.sender]):has { told_by = "peer", alert_received = { name = alert } }
end

ms.scenario "one certificate of the path has expired" {
  about  = "Leaf, intermediate or root: all the same. (Other libraries do not look at a root's "
    .. "dates.)",
  rfc    = "RFC 5280 section 6.1.3",
  tags   = { "chains", "validity" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "leaf", "intermediate", "root" },
             alerts = { "library", "rfc" } },
  run    = function(case)
    ms.clock:set(NOW)
    local identity, of = chain_with(case, NOW - 5 * DAY, NOW - 1)
    local link, judge = link_with(case, identity, { alerts = case.alerts })
    expect_refusal(case, link, judge, "expired", of[case.at],
                   case.alerts == "rfc" and "certificate_expired" or "bad_certificate")
    expect(judge.verification.text):matches "was valid until 2025%-12%-31T23:59:59Z"
  end,
}

ms.scenario "one certificate of the path is not valid yet" {
  about  = "A CA that was made an hour ago on a machine whose clock was fast.",
  rfc    = "RFC 5280 section 6.1.3",
  tags   = { "chains", "validity" },
  matrix = { version = VERSIONS, sender = BOTH, at = { "leaf", "intermediate", "root" } },
  run    = function(case)
    ms.clock:set(NOW)
    local identity, of = chain_with(case, NOW + 1, NOW + 5 * DAY)
    local link, judge = link_with(case, identity)
    expect_refusal(case, link, judge, "not_activated", of[case.at], "bad_certificate")
    expect(judge.verification.text):matches "is not valid before 2026%-01%-01T00:00:01Z"
  end,
}

ms.scenario "the first and the last second belong to an intermediate's validity" {
  about  = "Four handshakes around the two edges.",
  rfc    = "RFC 5280 section 4.1.2.5",
  tags   = { "chains", "validity" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    ms.clock:set(NOW)
    local identity = chain_with({ at = "intermediate" }, NOW, NOW + DAY)
    for _, step in ipairs {
      { at = NOW - 1, problem = "not_activated" }, { at = NOW }, { at = NOW + DAY },
      { at = NOW + DAY + 1, problem = "expired" },
    } do
      ms.clock:set(step.at)
      local link, judge = link_with(case, identity)
      if step.problem then
        expect(judge):failed "certificate_rejected"
        expect(judge.verification.problems):equals { step.problem }
      else
        expect(link):succeeded()
        expect(judge):verified()
      end
    end
  end,
}

ms.scenario "an end whose clock is wrong finds a good chain expired" {
  about  = "Its own chain is fine for the peer, whose clock is right; only one of the two "
    .. "complains.",
  rfc    = "RFC 5280 section 6.1.3",
  tags   = { "chains", "validity" },
  matrix = { version = VERSIONS, sender = BOTH, offset = { 11, -11 } },
  run    = function(case)
    ms.clock:set(NOW)
    local identity, of = chain_with({}, nil, nil)
    local link, judge = link_with(case, identity)
    expect(link):succeeded()
    expect(judge):verified()

    link, judge = link_with(case, identity, { clock_offset = case.offset * DAY,
                                              verify = function(result)
      return result.verified
    end })
    expect(judge):failed()
    expect(link.failed_first):equals(OTHER[case.sender])
    expect(judge):unverified(case.offset > 0 and "expired" or "not_activated")
    expect(of.root.certificate.not_after):equals(NOW + 10 * DAY)
  end,
}
