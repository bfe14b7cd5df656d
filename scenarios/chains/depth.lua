-- SPDX-License-Identifier: MIT
-- How long may a chain be? RFC 5280 sets no limit, every library has one, and no two count alike:
-- intermediates only, certificates sent, with the root or without it. GnuTLS counts the
-- certificates that the peer sent, leaf included, and takes 16 unless told otherwise (`max_depth`).
-- So 15 intermediates pass and 16 do not, when the root stays at home; a root that is sent along
-- takes one of the 16 places. The limit is met before anything is verified.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- `case.sender` presents `chain`, whose leaf is for server.example; its peer judges it by `trust`,
-- with these options.
local function link_with(case, chain, trust, options)
  local plain = pki.authority { cn = "Plain Root" }
  local ends = {
    server = { identity = plain:issue { dns = "server.example" } },
    client = { trust = plain, server_name = "server.example" },
  }
  if case.sender == "client" then
    ends.server.client_auth = "require"
  end
  ends[case.sender].identity = chain
  ends[OTHER[case.sender]].trust = trust
  for name, value in pairs(options or {}) do
    ends[OTHER[case.sender]][name] = value
  end
  return tls.link { client = ends.client, server = ends.server, versions = { case.version } }
end

local function deep(depth)
  return pki.chain { depth = depth, leaf = { dns = "server.example" } }
end

-- The chain as sent, and the root that it leads to.
local function path_of(chain)
  local path = table.move(chain.chain, 1, #chain.chain, 1, {})
  path[#path + 1] = chain.root.certificate
  return path
end

local function expect_acceptance(case, link, chain)
  local sender, judge = link[case.sender], link[OTHER[case.sender]]
  expect(link):succeeded()
  expect(judge):verified()
  expect(judge.verification.problems):equals {}
  expect(judge.verification.path):equals(path_of(chain))
  expect(judge.verification.text):matches(("path of %d certificates"):format(#chain.chain + 1))
  expect(sender.wire.sent_certificates):equals(chain.chain)
  expect(sender.local_certificates):equals(chain.chain)
  expect(judge.peer_certificates):equals(chain.chain)
  expect(link):truthful()
  expect(link):mirrored()
end

local function expect_refusal(case, link, chain, limit)
  local sender, judge = link[case.sender], link[OTHER[case.sender]]
  local alert = { level = "fatal", name = "bad_certificate" }
  expect(link.failed_first):equals(OTHER[case.sender])
  expect(judge):failed "certificate_rejected"
  expect(judge):unverified "depth_exceeded"
  expect(judge):has {
    failed_during = "handshake", told_by = "itself", alert_sent = alert,
    handshake_completed = false, error = { code = "GNUTLS_E_CERTIFICATE_ERROR" },
    verification = { accepted = false, problems = { "depth_exceeded" }, certificate = tls.none,
                     text = ("the chain has %d certificates, the limit is %d"):format(
                       #chain.chain, limit) },
  }
  -- All of it was sent and received all the same.
  expect(sender.wire.sent_certificates):equals(chain.chain)
  expect(judge.peer_certificates):equals(chain.chain)
  -- A TLS 1.3 client is done before the server has judged its chain.
  local late = case.sender == "client" and case.version == "TLS1.3"
  expect(sender):has { told_by = "peer", alert_received = alert, handshake_completed = late,
                       failed_during = late and "read" or "handshake" }
end

ms.scenario "a chain of up to fifteen intermediates is accepted" {
  about  = "Sixteen certificates with the leaf: exactly GnuTLS's limit.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "chains", "depth" },
  matrix = { version = VERSIONS, sender = BOTH, depth = { 0, 1, 2, 8, 14, 15 } },
  run    = function(case)
    local chain = deep(case.depth)
    expect(chain.chain):has_length(case.depth + 1)
    local link = link_with(case, chain, chain.root)
    expect(link:handshake()):is_true()
    expect_acceptance(case, link, chain)
  end,
}

ms.scenario "a chain of sixteen intermediates or more is refused" {
  about  = "One certificate too many is as bad as eighty-five; the sender sends all of them.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "chains", "depth" },
  matrix = { version = VERSIONS, sender = BOTH, depth = { 16, 17, 32, 100 } },
  run    = function(case)
    local chain = deep(case.depth)
    local link = link_with(case, chain, chain.root)
    expect(link:handshake()):is_false()
    expect_refusal(case, link, chain, 16)
  end,
}

ms.scenario "max_depth raises the limit to exactly what it says" {
  about  = "It counts certificates as sent: N intermediates need N + 1.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "chains", "depth" },
  matrix = { version = VERSIONS, sender = BOTH, depth = { 16, 17, 32, 100 }, room = { 0, -1 } },
  run    = function(case)
    local chain = deep(case.depth)
    local limit = case.depth + 1 + case.room
    local link = link_with(case, chain, chain.root, { max_depth = limit })
    expect(link:handshake()):equals(case.room == 0)
    if case.room == 0 then
      expect_acceptance(case, link, chain)
    else
      expect_refusal(case, link, chain, limit)
    end
  end,
}

ms.scenario "max_depth lowers the limit to exactly what it says" {
  about  = "A limit of 1 takes a leaf that a trusted root signed, and nothing deeper.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "chains", "depth" },
  matrix = { version = VERSIONS, sender = BOTH, limit = { 1, 2, 3 }, over = { 0, 1 } },
  run    = function(case)
    local chain = deep(case.limit - 1 + case.over)
    local link = link_with(case, chain, chain.root, { max_depth = case.limit })
    expect(link:handshake()):equals(case.over == 0)
    if case.over == 0 then
      expect_acceptance(case, link, chain)
    else
      expect_refusal(case, link, chain, case.limit)
    end
  end,
}

ms.scenario "a root that is sent along takes one of the places" {
  about  = "Fifteen intermediates pass; the same with their root are seventeen certificates.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "depth" },
  matrix = { version = VERSIONS, sender = BOTH, depth = { 14, 15 } },
  run    = function(case)
    local chain = deep(case.depth)
    local longer = chain:with { chain = path_of(chain) }
    local link = link_with(case, longer, chain.root)
    expect(link:handshake()):equals(case.depth == 14)
    local judge = link[OTHER[case.sender]]
    if case.depth == 14 then
      expect(link):succeeded()
      expect(judge.peer_certificates):has_length(16)
      expect(judge.verification.path):equals(path_of(chain))
    else
      expect_refusal(case, link, longer, 16)
    end
  end,
}

ms.scenario "the limit is the judge's alone" {
  about  = "A sender may present what it would not accept.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "chains", "depth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local chain = deep(10)
    local link = tls.link {
      server   = { identity = chain, max_depth = 1 },
      client   = { trust = chain.root, server_name = "server.example" },
      versions = { case.version },
    }
    expect(link:handshake()):is_true()
    expect(link.client):verified()
    expect(link.client.peer_certificates):has_length(11)
  end,
}
