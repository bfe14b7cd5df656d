-- SPDX-License-Identifier: MIT
-- An end may refuse to renegotiate: it answers the wish with the warning no_renegotiation, and the
-- connection goes on as it was (RFC 5246 section 7.2.2). Nothing is wrong at the end that refused;
-- the end that asked learns it from its peer. `renegotiation = "refuse"` refuses the peer's wish
-- only: an end may still ask for what it would not grant.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- A connection whose `refuser` does not renegotiate when asked.
local function link_with(case, refuser)
  local ca = pki.authority { cn = "Example Root" }
  local ends = {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca },
    client   = { identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example" },
    versions = { case.version },
  }
  ends[refuser].renegotiation = "refuse"
  local link = tls.link(ends)
  expect(link:handshake()):is_true()
  return link
end

local function expect_refusal(link, refuser)
  local asker = OTHER[refuser]
  local warning = { level = "warning", name = "no_renegotiation", number = 100 }
  expect(link.failed_first):equals(asker)
  expect(link[asker]):failed "renegotiation_refused"
  expect(link[asker]):has {
    phase = "established", handshake_completed = false, failed_during = "handshake",
    told_by = "peer", error = { code = "GNUTLS_E_WARNING_ALERT_RECEIVED" },
    alert_received = warning, alert_sent = tls.none, renegotiations = 0,
  }
  expect(link[refuser]):has {
    phase = "established", handshake_completed = false, error = tls.none, failed_during = tls.none,
    told_by = tls.none, alert_sent = warning, alert_received = tls.none, renegotiations = 0,
  }
end

local function expect_data_to_flow(link, when)
  for _, from in ipairs(BOTH) do
    expect(link:send { from = from, data = from .. when }, from):equals(from .. when)
  end
end

ms.scenario "an end that refuses to renegotiate keeps the connection" {
  about  = "A refusal is a warning, not a failure: no message of a handshake follows, data flows "
    .. "on.",
  rfc    = "RFC 5246 section 7.2.2",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.1", "TLS1.2" }, refuser = BOTH },
  run    = function(case)
    local link = link_with(case, case.refuser)
    expect_data_to_flow(link, " before")

    expect(link:renegotiate { by = OTHER[case.refuser] }):is_false()

    expect_refusal(link, case.refuser)
    for _, role in ipairs(BOTH) do
      expect(link[role].wire, role):has { sent_certificates = tls.none,
                                          received_certificates = tls.none }
    end
    expect_data_to_flow(link, " after")
    local first = link.client.history[1]
    expect(first):succeeded()
    expect(link.client.cipher_suite):equals(first.cipher_suite)
    expect(link.server.cipher_suite):equals(first.cipher_suite)
  end,
}

ms.scenario "a client that refuses keeps its certificate from a server that asks for it late" {
  about  = "Apache's per-directory case against a client that does not renegotiate (browsers do "
    .. "not): the server must do without, and answers 403 rather than wait.",
  rfc    = "RFC 5246 section 7.2.2",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, ask = { "request", "require" } },
  run    = function(case)
    local link = link_with(case, "client")

    expect(link:renegotiate { by = "server", server = { client_auth = case.ask } }):is_false()

    expect_refusal(link, "client")
    expect(link.client):has { certificate_requested = false, local_certificates = tls.none }
    expect(link.server):has { certificate_requested = false, peer_certificates = tls.none,
                              verification = tls.none }
    expect(link:send { from = "server", data = "403 Forbidden" }):equals("403 Forbidden")
  end,
}

ms.scenario "who refuses the peer's renegotiation may ask for one itself" {
  about  = "The option is about the other's wish; the other has no objection here.",
  rfc    = "RFC 5246 section 7.2.2",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, refuser = BOTH },
  run    = function(case)
    local link = link_with(case, case.refuser)

    expect(link:renegotiate { by = case.refuser }):is_true()

    expect(link):succeeded()
    for _, role in ipairs(BOTH) do
      expect(link[role], role):has { renegotiations = 1, alert_sent = tls.none,
                                     alert_received = tls.none }
    end
    expect_data_to_flow(link, " after")
  end,
}

ms.scenario "each of several wishes is refused anew" {
  about  = "Refusing must not wear the connection out; every wish is an epoch with its own "
    .. "warning.",
  rfc    = "RFC 5246 section 7.2.2",
  tags   = { "renegotiation" },
  matrix = { refuser = BOTH },
  run    = function(case)
    local link = link_with({ version = "TLS1.2" }, case.refuser)
    for round = 1, 5 do
      expect(link:renegotiate { by = OTHER[case.refuser] }, "round " .. round):is_false()
      expect(link.client.epoch):equals("renegotiation " .. round)
      expect_refusal(link, case.refuser)
      expect_data_to_flow(link, " after round " .. round)
    end
  end,
}

ms.scenario "a client that changes its mind renegotiates after a refusal" {
  about  = "The option can be changed; a refused wish leaves nothing behind that harms the next.",
  rfc    = "RFC 5246 section 7.2.2",
  tags   = { "renegotiation" },
  run    = function()
    local link = link_with({ version = "TLS1.2" }, "client")
    expect(link:renegotiate { by = "server" }):is_false()
    expect_refusal(link, "client")

    expect(link:renegotiate { by = "server", client = { renegotiation = tls.default },
                              server = { client_auth = "require" } }):is_true()

    expect(link):succeeded()
    expect(link.client):has { epoch = "renegotiation 2", renegotiations = 1,
                              certificate_requested = true }
    expect(link.server):has { epoch = "renegotiation 2", renegotiations = 1 }
    expect(link.server):verified()
    expect(link:send { from = "client", data = "after all" }):equals("after all")
  end,
}

ms.scenario "a GnuTLS client that was refused once cannot renegotiate any more" {
  about  = "The server has changed its mind, in vain: the client's transcript still begins with "
    .. "the ClientHello that was refused, the server's does not. So their Finished messages "
    .. "differ, and with an extended master secret, which covers the transcript, even their keys.",
  rfc    = "RFC 5246 section 7.4.9",
  tags   = { "renegotiation" },
  matrix = { extended_master_secret = { true, false } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example" }, renegotiation = "refuse" },
      client   = { trust = ca, server_name = "server.example" },
      versions = { "TLS1.2" }, extended_master_secret = case.extended_master_secret,
    }
    expect(link:handshake()):is_true()
    expect(link:renegotiate { by = "client" }):is_false()
    expect_refusal(link, "server")

    expect(link:renegotiate { by = "client", server = { renegotiation = tls.default } }):is_false()

    local code, alert = "GNUTLS_E_ERROR_IN_FINISHED_PACKET", "decrypt_error"
    if case.extended_master_secret then
      code, alert = "GNUTLS_E_DECRYPTION_FAILED", "bad_record_mac"
    end
    expect(link.server):failed(code)
    expect(link.server):has { phase = "failed", failed_during = "handshake", told_by = "itself",
                              alert_sent = { level = "fatal", name = alert }, renegotiations = 0 }
    expect(link.client):verified()
    expect(link.client):has { phase = "failed", handshake_completed = false, told_by = "peer",
                              alert_received = { level = "fatal", name = alert } }
  end,
}
