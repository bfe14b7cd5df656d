-- SPDX-License-Identifier: MIT
-- What a Certificate message should carry: the leaf first, then each certificate's issuer; TLS 1.3
-- asks receivers to live with any order and with strangers (RFC 8446 section 4.4.2; RFC 5246
-- section 7.4.2 was strict). Real servers send everything: chains upside down, duplicates, the
-- root, a neighbour's intermediate. GnuTLS sorts what it receives. What it cannot do is invent a
-- certificate that was not sent: the most frequent mistake of all is the missing intermediate.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- `case.sender` presents exactly `list`, certificates or identities, with the key of `chain`; its
-- peer trusts the root of `chain`. Shakes hands.
local function link_with(case, chain, list, options)
  local plain = pki.authority { cn = "Plain Root" }
  local ends = {
    server = { identity = plain:issue { dns = "server.example" } },
    client = { trust = plain, server_name = "server.example" },
  }
  if case.sender == "client" then
    ends.server.client_auth = "require"
    ends.client.send_certificate = "always" -- a shorter chain may name no issuer of the request
  end
  local presented = chain:with { chain = list }
  ends[case.sender].identity = presented
  local judge = ends[OTHER[case.sender]]
  judge.trust = chain.root
  for name, value in pairs(options or {}) do
    judge[name] = value
  end
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  expect(link[case.sender].wire.sent_certificates):equals(presented.chain)
  expect(link[OTHER[case.sender]].peer_certificates):equals(presented.chain)
  return link, link[OTHER[case.sender]]
end

-- Leaf, Intermediate 3, 2, 1 below a root.
local function four()
  local chain = pki.chain { depth = 3, leaf = { dns = "server.example" } }
  local c = chain.chain
  return chain, c[1], c[2], c[3], c[4]
end

local function expect_acceptance(link, judge, path)
  expect(link):succeeded()
  expect(judge):verified()
  expect(judge.verification.path):equals(path)
  expect(link):truthful()
  expect(link):mirrored()
end

ms.scenario "an intermediate is missing" {
  about  = "The path ends at the certificate whose issuer was not sent; that is the one named. "
    .. "Clients that fetch or cache intermediates (browsers) hide this mistake, libraries do not.",
  rfc    = "RFC 5246 section 7.4.2",
  tags   = { "chains", "order" },
  matrix = { version = VERSIONS, sender = BOTH,
             missing = { "issuer of the leaf", "middle", "top", "all" },
             alerts = { "library", "rfc" } },
  run    = function(case)
    local chain, leaf, third, second, first = four()
    local list, path = table.unpack(({
      ["issuer of the leaf"] = { { leaf, second, first }, { leaf } },
      ["middle"]             = { { leaf, third, first }, { leaf, third } },
      ["top"]                = { { leaf, third, second }, { leaf, third, second } },
      ["all"]                = { { leaf }, { leaf } },
    })[case.missing])

    local link, judge = link_with(case, chain, list, { alerts = case.alerts })

    local alert = { level = "fatal",
                    name = case.alerts == "rfc" and "unknown_ca" or "bad_certificate" }
    local last = path[#path]
    expect(link.failed_first):equals(OTHER[case.sender])
    expect(judge):failed "certificate_rejected"
    expect(judge):has { told_by = "itself", failed_during = "handshake", alert_sent = alert,
                        verification = { accepted = false, problems = { "signer_not_found" },
                                         text = ("the issuer of %s (%s) was not sent and is not "
                                           .. "trusted"):format(last.subject, last.issuer) } }
    expect(judge.verification.path):equals(path)
    expect(judge.verification.certificate):is(last)
    local late = case.sender == "client" and case.version == "TLS1.3"
    expect(link[case.sender]):has { told_by = "peer", alert_received = alert,
                                    handshake_completed = late,
                                    failed_during = late and "read" or "handshake" }
  end,
}

ms.scenario "a chain in any order, with duplicates and strangers, leads to the root" {
  about  = "The leaf stands first; whatever follows is sorted by the receiver. peer_certificates "
    .. "keeps the order of the wire, verification.path is the path that was found in it.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "order" },
  matrix = { version = VERSIONS, sender = BOTH,
             order = { "upside down", "shuffled", "duplicate", "leaf twice", "stranger last",
                       "stranger in the middle", "with the root", "root in the middle" } },
  run    = function(case)
    local chain, leaf, third, second, first = four()
    local stranger = pki.authority { cn = "Stranger" }
    local list = ({
      ["upside down"]            = { leaf, first, second, third },
      ["shuffled"]               = { leaf, second, first, third },
      ["duplicate"]              = { leaf, third, third, second, first, second },
      ["leaf twice"]             = { leaf, leaf, third, second, first },
      ["stranger last"]          = { leaf, third, second, first, stranger },
      ["stranger in the middle"] = { leaf, third, stranger, second, first },
      ["with the root"]          = { leaf, third, second, first, chain.root },
      ["root in the middle"]     = { leaf, third, chain.root, second, first },
    })[case.order]

    local link, judge = link_with(case, chain, list)

    expect_acceptance(link, judge, { leaf, third, second, first, chain.root.certificate })
  end,
}

ms.scenario "a server whose leaf does not stand first cannot serve" {
  about  = "The first certificate must be the one whose key signs. Here GnuTLS finds its key unfit "
    .. "for every suite and refuses the client, before any certificate is sent.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "order" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local chain, leaf, third, second, first = four()
    local link = tls.link {
      server   = { identity = chain:with { chain = { third, leaf, second, first } } },
      client   = { trust = chain.root, server_name = "server.example" },
      versions = { case.version },
    }
    expect(link:handshake()):is_false()
    expect(link.failed_first):equals("server")
    expect(link.server):has { told_by = "itself", wire = { sent_certificates = tls.none },
                              alert_sent = { level = "fatal", name = "handshake_failure" } }
    expect(link.client):has { told_by = "peer", peer_certificates = tls.none,
                              verification = tls.none,
                              alert_received = { level = "fatal", name = "handshake_failure" } }
  end,
}

ms.scenario "GnuTLS sorts sixteen certificates of a chain and no more" {
  about  = "Upside down, 16 certificates lead to the root. Of 17, with max_depth raised, the "
    .. "sorting leaves out the first, so that its issuer at the far end is not found.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "order", "depth" },
  matrix = { version = VERSIONS, sender = BOTH, depth = { 15, 16 } },
  run    = function(case)
    local chain = pki.chain { depth = case.depth, leaf = { dns = "server.example" } }
    local list = { chain.certificate }
    for index = #chain.chain, 2, -1 do
      list[#list + 1] = chain.chain[index]
    end

    local link, judge = link_with(case, chain, list, { max_depth = 32 })

    if case.depth == 15 then
      expect(link):succeeded()
      expect(judge.verification.path):has_length(17)
      expect(judge.verification.path[17]):is(chain.root)
    else
      expect(judge):failed "certificate_rejected"
      expect(judge.verification):has { problems = { "signer_not_found" } }
      expect(judge.verification.path):equals { chain.certificate }
      expect(judge.verification.text):matches "was sent, but not right after it"
    end
  end,
}
