-- SPDX-License-Identifier: MIT
-- In 2009 it was found that a renegotiation was bound to nothing: an attacker could begin a
-- connection and have the victim's handshake continue it. RFC 5746 binds each handshake to the one
-- before (the renegotiation_info extension). What remains is what to do with a peer that does not
-- know it. GnuTLS has three answers: "partial" (the default: talk, never renegotiate), "safe" (do
-- not even talk) and "unsafe" (renegotiate all the same). "absent" plays the peer that predates the
-- RFC. Each scenario below is a part of the table of all pairs.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }
local KNOWING = { "partial", "safe", "unsafe" }

local function link_with(version, client, server)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, renegotiation = server },
    client   = { trust = ca, server_name = "server.example", renegotiation = client },
    versions = { version },
  }
end

ms.scenario "two ends that know RFC 5746 renegotiate under its protection" {
  about  = "Whatever either would do with an older peer: these two are protected.",
  rfc    = "RFC 5746 sections 3.5 and 3.7",
  tags   = { "renegotiation" },
  matrix = { client = KNOWING, server = KNOWING, by = BOTH },
  run    = function(case)
    local link = link_with("TLS1.2", case.client, case.server)
    expect(link:handshake()):is_true()
    expect(link.client.secure_renegotiation):is_true()
    expect(link.server.secure_renegotiation):is_true()

    expect(link:renegotiate { by = case.by }):is_true()

    expect(link):succeeded()
    expect(link.client):has { secure_renegotiation = true, renegotiations = 1 }
    expect(link.server):has { secure_renegotiation = true, renegotiations = 1 }
  end,
}

ms.scenario "an end that insists on RFC 5746 does not talk to a peer without it" {
  about  = "Refused in the first handshake, before any certificate: a client cannot see whether "
    .. "somebody else's handshake went ahead of its own.",
  rfc    = "RFC 5746 sections 4.1 and 4.3",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, insists = BOTH },
  run    = function(case)
    local link = case.insists == "client" and link_with(case.version, "safe", "absent")
      or link_with(case.version, "absent", "safe")

    expect(link:handshake()):is_false()

    local alert = { level = "fatal", name = "handshake_failure", number = 40 }
    expect(link.failed_first):equals(case.insists)
    expect(link[case.insists]):failed "GNUTLS_E_SAFE_RENEGOTIATION_FAILED"
    expect(link[case.insists]):failed "renegotiation_refused"
    expect(link[case.insists]):has { phase = "failed", handshake_completed = false,
                                     failed_during = "handshake", told_by = "itself",
                                     alert_sent = alert }
    expect(link[OTHER[case.insists]]):has { phase = "failed", handshake_completed = false,
                                            failed_during = "handshake", told_by = "peer",
                                            error = { problem = "peer_alert" },
                                            alert_received = alert }
    expect(link.client.verification):is_nil()
  end,
}

ms.scenario "by default a peer without RFC 5746 is talked to and not renegotiated with" {
  about  = "The end that knows the RFC answers the wish (its own application's, too) with the "
    .. "warning no_renegotiation. In GnuTLS that end's session is of no use afterwards.",
  rfc    = "RFC 5746 sections 4.2 and 4.4",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, lacks = BOTH, by = BOTH },
  run    = function(case)
    local link = case.lacks == "client" and link_with(case.version, "absent", "partial")
      or link_with(case.version, "partial", "absent")
    local knows = OTHER[case.lacks]
    expect(link:handshake()):is_true()
    expect(link.client.secure_renegotiation):is_false()
    expect(link.server.secure_renegotiation):is_false()

    expect(link:renegotiate { by = case.by }):is_false()

    local warning = { level = "warning", name = "no_renegotiation", number = 100 }
    expect(link.failed_first):equals(knows)
    expect(link[knows]):failed "renegotiation_refused"
    expect(link[knows]):has { phase = "failed", handshake_completed = false,
                              failed_during = "handshake", told_by = "itself",
                              error = { code = "GNUTLS_E_UNSAFE_RENEGOTIATION_DENIED" },
                              alert_sent = warning, alert_received = tls.none, renegotiations = 0 }
    expect(link[case.lacks]):failed "renegotiation_refused"
    expect(link[case.lacks]):has { phase = "established", handshake_completed = false,
                                   failed_during = "handshake", told_by = "peer",
                                   alert_received = warning, renegotiations = 0 }
    -- A server denies at the ClientHello, a client at the ServerHello, with the chain on its way.
    expect(link.server.wire.sent_certificates)
      :equals(knows == "client" and link.server.local_certificates or nil)
    expect(link.client.wire.received_certificates):is_nil()
    expect(link.client.verification):is_nil()
    local data, problem = link:send { from = case.lacks, data = "and now?" }
    expect(data):is_nil()
    expect(problem):equals("renegotiation_refused")
  end,
}

ms.scenario "an end that takes the risk renegotiates without protection" {
  about  = "Also two ends that both predate the RFC do: secure_renegotiation is what tells them "
    .. "apart.",
  rfc    = "RFC 5746 sections 4.2 and 4.4",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH,
             pair = { "unsafe-absent", "absent-unsafe", "absent-absent" } },
  run    = function(case)
    local client, server = case.pair:match "^(%a+)-(%a+)$"
    local link = link_with(case.version, client, server)
    expect(link:handshake()):is_true()
    expect(link.client.secure_renegotiation):is_false()

    expect(link:renegotiate { by = case.by }):is_true()

    expect(link):succeeded()
    expect(link.client):has { secure_renegotiation = false, renegotiations = 1 }
    expect(link.server):has { secure_renegotiation = false, renegotiations = 1 }
    expect(link:send { from = "client", data = "at my own risk" }):equals("at my own risk")
  end,
}
