-- SPDX-License-Identifier: MIT
-- What each end reports when somebody between the two changes, cuts, swaps or keeps what they send
-- (RFC 8446 appendix E.1, RFC 5246 appendix F.1). Nothing of it may be accepted; and who waits for
-- what does not come has stalled, which is no error.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function new_link(case)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server = { identity = ca:issue { dns = "server.example" }, trust = ca,
               client_auth = "require" },
    client = { identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example" },
    versions = case.version,
  }
end

ms.scenario "a changed hello is noticed by what is signed or sealed with it" {
  about  = "One bit of a random. Up to TLS 1.2 the server's signature covers both randoms; in TLS "
    .. "1.3 the keys come from them, so that the client cannot open what follows, and the server "
    .. "not the alert that tells it so.",
  rfc    = "RFC 5246 section 7.4.3",
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS, hello = { "ClientHello", "ServerHello" } },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.flip { at = case.hello, byte = 20, bit = 0 })
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    expect(link.failed_first):equals "client"
    expect(link.client):has {
      ["error.problem"] = tls13 and "protocol_violation" or "bad_signature",
      handshake_completed = false, failed_during = "handshake", told_by = "itself",
    }
    expect(link.server):has {
      ["error.problem"] = tls13 and "protocol_violation" or "peer_alert",
      handshake_completed = false, told_by = tls13 and "itself" or "peer",
    }
    expect(link.client.wire.sent_certificates):is_nil()
  end,
}

ms.scenario "a changed certificate is not accepted" {
  about  = "One bit of the signature under the server's certificate. Up to TLS 1.2 it travels in "
    .. "the clear, and the client judges what it got; in TLS 1.3 the record does not open.",
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.flip { at = "Certificate", from = "server", byte = -10, bit = 0 })
    expect(link:handshake()):is_false()

    if case.version == "TLS1.3" then
      expect(link.client):failed "protocol_violation"
      expect(link.client.verification):is_nil()
      expect(link.client.wire.received_certificates):is_nil()
    else
      expect(link.client):failed "certificate_rejected"
      expect(link.client.verification.problems):contains "signature_failure"
      expect(link.client.wire.received_certificates)
        .no:equals(link.server.wire.sent_certificates)
    end
    expect(link.server):failed "peer_alert"
  end,
}

ms.scenario "a Finished that does not come is waited for" {
  about  = "Both ends wait up to TLS 1.2. In TLS 1.3 the client has had all that it needs: it "
    .. "believes in success, and the server has stalled.",
  rfc    = "RFC 8446 section 4.4.4",
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.drop { at = "Finished", from = "client" })
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    expect(link.server):has { phase = "stalled", error = tls.none, handshake_completed = false }
    expect(link.client):has { phase = tls13 and "established" or "stalled", error = tls.none,
                              handshake_completed = tls13 }
    expect(link.failed_first):is_nil()
  end,
}

ms.scenario "a changed Finished is refused" {
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS, from = { "client", "server" } },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.flip { at = "Finished", from = case.from, seed = 7 })
    expect(link:handshake()):is_false()

    local reader = case.from == "client" and "server" or "client"
    expect(link.failed_first):equals(reader)
    expect(link[reader]):has { ["error.problem"] = "protocol_violation", told_by = "itself",
                               handshake_completed = false }
    expect(link[case.from]):has { ["error.problem"] = "peer_alert", told_by = "peer" }
  end,
}

ms.scenario "bytes that come one by one are a handshake" {
  about  = "A record is whole when its last byte has come, whatever the pieces are.",
  rfc    = "RFC 8446 section 5.1",
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS, at = { "Certificate", "all" } },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.split { size = 1, at = case.at ~= "all" and case.at or nil })
    expect(link:handshake()):is_true()
    expect(link):succeeded()
    expect(link):truthful()
    expect(link):mirrored()
  end,
}

ms.scenario "a certificate of which the end is missing is waited for" {
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS, after = { 0, 3, 5, 100 } },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.cut { at = "Certificate", from = "server", after = case.after })
    expect(link:handshake()):is_false()
    for _, role in ipairs { "client", "server" } do
      expect(link[role]):has { phase = "stalled", error = tls.none }
    end
    expect(link.server.wire.sent_certificates):has_length(1)
    expect(link.client.wire.received_certificates):is_nil()
  end,
}

ms.scenario "messages that change places are refused" {
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = new_link(case)
    link:tamper(tls.faults.reorder { at = "Certificate", from = "server" })
    expect(link:handshake()):is_false()
    expect(link.client):failed "protocol_violation"
    expect(link.server):failed "peer_alert"
  end,
}

ms.scenario "a close that is kept from the peer is not known to it" {
  about  = "The truncation attack: without close_notify the peer cannot tell the end of the data "
    .. "from a cut, and GnuTLS says nothing until the carrier ends, too.",
  rfc    = "RFC 8446 section 6.1",
  tags   = { "state", "tampering" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = new_link(case)
    expect(link:handshake()):is_true()
    link:tamper(tls.faults.drop { at = "alert", from = "server" })
    link:close { by = "server" }
    expect(link.server):has { phase = "closed", alert_sent = { name = "close_notify" } }
    expect(link.client):has { phase = "established", alert_received = tls.none }
  end,
}
