-- SPDX-License-Identifier: MIT
-- A Certificate message may have up to 2^24 - 1 bytes; nobody wants to buffer that for a stranger.
-- GnuTLS takes handshakes of 128 KiB (it adds the message to all that came before it) unless told
-- otherwise (`max_message_size`), some 400 small certificates. The same limit binds what an end
-- itself may send: it then fails on its own before a byte of the chain is on the wire. The alert is
-- decode_error: no code says "too large".
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }
local SMALL, LARGE = 3000, 1048576 -- bytes: below and above what these chains take

-- `case.sender` presents a chain with this many intermediates; `options` by role of the two ends.
local function link_with(case, depth, options)
  local chain = pki.chain { depth = depth, leaf = { dns = "server.example" } }
  local plain = pki.authority { cn = "Plain Root" }
  local ends = {
    server = { identity = plain:issue { dns = "server.example" } },
    client = { trust = plain, server_name = "server.example" },
  }
  if case.sender == "client" then
    ends.server.client_auth = "require"
  end
  ends[case.sender].identity = chain
  ends[OTHER[case.sender]].trust = chain.root
  ends[OTHER[case.sender]].max_depth = depth + 1
  for role, of_role in pairs(options) do
    for name, value in pairs(of_role) do
      ends[role][name] = value
    end
  end
  local link = tls.link { client = ends.client, server = ends.server, versions = { case.version } }
  link:handshake()
  return link, chain
end

local ALERT = { level = "fatal", name = "decode_error" }

-- The sender found its own message too large: nothing of it was sent.
local function expect_failure_to_send(case, link)
  local sender, judge = link[case.sender], link[OTHER[case.sender]]
  expect(link.failed_first):equals(case.sender)
  expect(sender):failed "message_too_large"
  expect(sender):has { failed_during = "handshake", told_by = "itself", alert_sent = ALERT,
                       error = { code = "GNUTLS_E_HANDSHAKE_TOO_LARGE" },
                       wire = { sent_certificates = tls.none } }
  expect(judge):has { told_by = "peer", failed_during = "handshake", alert_received = ALERT,
                      error = { problem = "peer_alert" }, peer_certificates = tls.none,
                      verification = tls.none, wire = { received_certificates = tls.none } }
end

ms.scenario "a chain is larger than its receiver allows" {
  about  = "All of it was sent; the receiver gives up before it looks at a certificate.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "message-size" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local link, chain = link_with(case, 10, {
      [OTHER[case.sender]] = { max_message_size = SMALL },
    })
    local sender, judge = link[case.sender], link[OTHER[case.sender]]
    expect(link.failed_first):equals(OTHER[case.sender])
    expect(judge):failed "message_too_large"
    expect(judge):has { failed_during = "handshake", told_by = "itself", alert_sent = ALERT,
                        error = { code = "GNUTLS_E_HANDSHAKE_TOO_LARGE" },
                        peer_certificates = tls.none, verification = tls.none }
    expect(sender.wire.sent_certificates):equals(chain.chain)
    local late = case.sender == "client" and case.version == "TLS1.3"
    expect(sender):has { told_by = "peer", alert_received = ALERT, handshake_completed = late,
                         failed_during = late and "read" or "handshake" }
  end,
}

ms.scenario "a chain is larger than its sender may send" {
  about  = "The limit that protects an end from others also stops it: a sender with a long chain "
    .. "of its own needs room, too.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "message-size" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    local link = link_with(case, 10, { [case.sender] = { max_message_size = SMALL } })
    expect_failure_to_send(case, link)
  end,
}

ms.scenario "a chain fits where both ends have room for it" {
  about  = "The counterpart, so that the limit and nothing else made the difference.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "message-size" },
  matrix = { version = VERSIONS, sender = BOTH, room = { "default", "raised" } },
  run    = function(case)
    local size = case.room == "raised" and LARGE or nil
    local link, chain = link_with(case, 10, { client = { max_message_size = size },
                                              server = { max_message_size = size } })
    expect(link):succeeded()
    expect(link[OTHER[case.sender]]):verified()
    expect(link[OTHER[case.sender]].peer_certificates):equals(chain.chain)
  end,
}

ms.scenario "four hundred intermediates are too large by default" {
  about  = "Some 160 KiB: GnuTLS's sender refuses to send what it would refuse to receive.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "message-size", "depth" },
  matrix = { version = VERSIONS, sender = BOTH },
  run    = function(case)
    expect_failure_to_send(case, link_with(case, 400, {}))
  end,
}

ms.scenario "four hundred intermediates pass where both ends allow for them" {
  about  = "Room for the message at both ends, and for the depth at the one that judges.",
  rfc    = "RFC 8446 section 4.4.2",
  tags   = { "chains", "message-size", "depth" },
  matrix = { version = VERSIONS, sender = { "server" } },
  run    = function(case)
    local link, chain = link_with(case, 400, { client = { max_message_size = LARGE },
                                               server = { max_message_size = LARGE } })
    expect(link):succeeded()
    expect(link.client):verified()
    expect(link.client.peer_certificates):has_length(401)
    expect(link.client.verification.path):has_length(402)
    expect(link.client.verification.path[402]):is(chain.root)
    expect(link):mirrored()
  end,
}
