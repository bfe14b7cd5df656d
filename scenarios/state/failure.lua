-- SPDX-License-Identifier: MIT
-- What each end reports after a handshake that failed, and how the two reports differ. The end that
-- judged knows the cause; its peer knows an alert, which says less; and up to TLS 1.2 both are
-- still in the handshake, while a TLS 1.3 client may have finished its own before it is told
-- (RFC 8446 section 4.4.4). What was learnt before the failure stays reported.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, client, server)
  local ca, stranger = pki.authority { cn = "Example Root" }, pki.authority { cn = "Other Root" }
  local alice, host = ca:issue { cn = "alice" }, ca:issue { dns = "server.example" }
  client.identity, client.server_name = alice, client.server_name or "server.example"
  client.trust = client.trust == "stranger" and stranger or ca
  server.identity, server.client_auth = host, "require"
  server.trust = server.trust == "stranger" and stranger or ca
  return tls.link { server = server, client = client, versions = case.version }, alice, host
end

ms.scenario "a server certificate that the client rejects leaves two accounts" {
  about  = "The client names the cause, the server only an alert. In TLS 1.3 the client had chosen "
    .. "its own certificate already: GnuTLS reports it as the local one, and it was never sent.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, alice, host = link_with(case, { trust = "stranger" }, {})
    expect(link:handshake()):is_false()

    expect(link.failed_first):equals "client"
    expect(link.client):unverified "signer_not_found"
    expect(link.client):has {
      phase = "failed", handshake_completed = false,
      failed_during = "handshake", told_by = "itself",
      ["error.problem"] = "certificate_rejected",
      ["error.code"]    = "GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR",
      ["error.number"]  = -348,
      alert_sent        = { level = "fatal", name = "bad_certificate", number = 42 },
      alert_received    = tls.none,
      peer_certificates = host.chain,                       -- rejected, and still who it was
      local_certificate = case.version == "TLS1.3" and alice.certificate or tls.none,
      not_sent_because  = "failed_before",
      wire = { sent_certificates = tls.none, received_certificates = host.chain },
    }
    expect(link.server):has {
      phase = "failed", handshake_completed = false,
      failed_during = "handshake", told_by = "peer",
      ["error.problem"] = "peer_alert",
      alert_sent        = tls.none,
      alert_received    = { level = "fatal", name = "bad_certificate", number = 42 },
      local_certificates = host.chain,
      peer_certificates = tls.none,
      verification      = tls.none,
      wire = { sent_certificates = host.chain, received_certificates = tls.none },
    }
  end,
}

ms.scenario "a client certificate that the server rejects is noticed late by its owner" {
  about  = "The server's account is one in both versions. A TLS 1.3 client says \"completed\" and "
    .. "\"failed\": it had sent its last message, and the answer was the alert.",
  rfc    = "RFC 8446 section 4.4.4",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, alice, host = link_with(case, {}, { trust = "stranger", issuers = {} })
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    expect(link.failed_first):equals "server"
    expect(link.server):unverified "signer_not_found"
    expect(link.server):has {
      phase = "failed", handshake_completed = false,
      failed_during = "handshake", told_by = "itself",
      ["error.problem"] = "certificate_rejected",
      alert_sent        = { level = "fatal", name = "bad_certificate", number = 42 },
      alert_received    = tls.none,
      peer_certificates = alice.chain,
      wire = { sent_certificates = host.chain, received_certificates = alice.chain },
    }
    expect(link.client):verified()                          -- it had no complaint of its own
    expect(link.client):has {
      phase = "failed", handshake_completed = tls13,
      failed_during = tls13 and "read" or "handshake", told_by = "peer",
      ["error.problem"] = "peer_alert",
      ["error.code"]    = "GNUTLS_E_FATAL_ALERT_RECEIVED",
      alert_received    = { level = "fatal", name = "bad_certificate", number = 42 },
      alert_sent        = tls.none,
      local_certificates = alice.chain,
      peer_certificates = host.chain,
      not_sent_because  = tls.none,
      tickets_received  = 0,
      wire = { sent_certificates = alice.chain, received_certificates = host.chain },
    }
  end,
}

ms.scenario "a handshake that found no common version has negotiated nothing" {
  about  = "No suite, no group, no certificate at either end, and one lonely hello on the wire.",
  rfc    = "RFC 8446 appendix D.1; RFC 5246 appendix E.1",
  tags   = { "state" },
  matrix = { newer = { "client", "server" } },
  run    = function(case)
    local version = { [case.newer] = "TLS1.3",
                      [case.newer == "client" and "server" or "client"] = "TLS1.2" }
    local link = link_with({}, { versions = version.client }, { versions = version.server })
    expect(link:handshake()):is_false()

    expect(link.server):failed "no_shared_version"
    expect(link.server.told_by):equals "itself"
    expect(link.client):failed "handshake_failure"          -- the RFC's is protocol_version
    expect(link.client):has { told_by = "peer", handshake_completed = false }
    for _, role in ipairs { "client", "server" } do
      expect(link[role]):has {
        phase = "failed", cipher_suite = tls.none, group = tls.none, resumed = false,
        local_certificate = tls.none, peer_certificate = tls.none, verification = tls.none,
        certificate_requested = false,
        wire = { sent_certificates = tls.none, received_certificates = tls.none },
      }
    end
  end,
}

ms.scenario "a name that does not match is the certificate's fault only at the client" {
  about  = "The server presented what it has and hears \"bad_certificate\"; only the client knows "
    .. "that the name was the problem, and which certificate had it.",
  rfc    = "RFC 9525 section 6",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link, _, host = link_with(case, { server_name = "other.example" }, {})
    expect(link:handshake()):is_false()

    expect(link.client):unverified "unexpected_owner"
    expect(link.client.verification):has {
      accepted = false, verified = false, problems = { "unexpected_owner" },
    }
    expect(link.client.verification.certificate):is(host)
    expect(link.client.verification.text):contains "server.example"
    expect(link.client.verification.text):contains "other.example"
    expect(link.server):failed "peer_alert"
    expect(link.server):has { verification = tls.none, server_name = "other.example" }
  end,
}

ms.scenario "on a failed link nothing flows, and the reason is given again" {
  about  = "Whoever tries to use it hears the problem of the end that failed first.",
  rfc    = "RFC 8446 section 6.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, from = { "client", "server" } },
  run    = function(case)
    local link = link_with(case, {}, { trust = "stranger", issuers = {} })
    expect(link:handshake()):is_false()

    local data, problem = link:send { from = case.from, data = "anybody there?" }
    expect(data):is_nil()
    expect(problem):equals "certificate_rejected"
    expect(link.server.error.problem):equals "certificate_rejected"
    expect(link.client.error.problem):equals "peer_alert"
    expect(link.failed_first):equals "server"
  end,
}
