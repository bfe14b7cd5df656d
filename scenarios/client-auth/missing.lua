-- SPDX-License-Identifier: MIT
-- The server asks for a certificate and the client has none, so it answers with an empty
-- Certificate message. Up to TLS 1.2 the server judges before it finishes, and the client's own
-- handshake fails. In TLS 1.3 the client sends its last flight and is done: it believes in success
-- until it reads (RFC 8446 section 4.4.2.4; golang/go#28779).
-- The alert differs too. RFC 5246 section 7.4.6 wants handshake_failure, GnuTLS sends decode_error;
-- in TLS 1.3 there is certificate_required.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local ALL_VERSIONS = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }

local function link_without_certificate(case, client_auth, alerts)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server   = {
      identity = ca:issue { dns = "server.example" }, trust = ca,
      client_auth = client_auth, alerts = alerts,
    },
    client   = { trust = ca, server_name = "server.example" },
    versions = case.version,                            -- options beside the ends apply to both
  }
end

-- Where in the log the first event with these facts stands.
local function place_of(link, facts)
  for _, event in ipairs(link.events) do
    local fits = true
    for name, value in pairs(facts) do
      fits = fits and event[name] == value
    end
    if fits then
      return event.index
    end
  end
  error("no such event", 2)
end

ms.scenario "a required client certificate never comes" {
  about  = "Who notices, when, and with which alert.",
  rfc    = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = ALL_VERSIONS, alerts = { "library", "rfc" } },
  run    = function(case)
    local link = link_without_certificate(case, "require", case.alerts)
    expect(link:handshake()):is_false()

    local tls13 = case.version == "TLS1.3"
    local alert = { level = "fatal", name = "certificate_required", number = 116 }
    if not tls13 and case.alerts == "library" then
      alert = { level = "fatal", name = "decode_error", number = 50 }       -- GnuTLS's own choice
    elseif not tls13 then
      alert = { level = "fatal", name = "handshake_failure", number = 40 }
    end
    expect(link.failed_first):equals "server"
    expect(link.server):has {
      phase               = "failed",
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "itself",
      alert_sent          = alert,
      peer_certificates   = tls.none,
      verification        = tls.none,                       -- there was nothing to verify
      ["error.problem"]   = "no_certificate",
      ["error.code"]      = tls13 and "GNUTLS_E_CERTIFICATE_REQUIRED"
                              or "GNUTLS_E_NO_CERTIFICATE_FOUND",
      ["wire.received_certificates"] = {},
    }
    expect(link.client):has {
      phase                 = "failed",
      handshake_completed   = tls13,
      failed_during         = tls13 and "read" or "handshake",
      told_by               = "peer",
      alert_received        = alert,
      certificate_requested = true,
      not_sent_because      = tls.none,                     -- it had none to keep at home
      local_certificate     = tls.none,
      ["error.problem"]     = "peer_alert",
      ["wire.sent_certificates"] = {},
    }
  end,
}

ms.scenario "a TLS 1.3 client finishes before the server has judged it" {
  about  = "The order of events: the client's Finished leaves before the refusal is written.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local link = link_without_certificate(case, "require")
    link:handshake()

    local empty = place_of(link, { role = "client", direction = "sent", type = "Certificate" })
    local finished = place_of(link, { role = "client", direction = "sent", type = "Finished" })
    local refusal = place_of(link, { role = "server", kind = "error" })
    expect(empty < finished and finished < refusal):is_true()

    -- In both versions the server has it all in hand; but only TLS 1.3 lets the client stop here.
    local server_finished = false
    for _, event in ipairs(link.events) do
      server_finished = server_finished
        or event.role == "client" and event.direction == "received" and event.type == "Finished"
    end
    expect(server_finished):equals(case.version == "TLS1.3")
    expect(link.client.handshake_completed):equals(case.version == "TLS1.3")

    local data, why = link:send { from = "client", data = "too early to celebrate" }
    expect(data):is_nil()
    expect(why):equals "no_certificate"
  end,
}

ms.scenario "a certificate that is only requested may be missing" {
  about  = "An empty Certificate message is an answer: the session goes on without a client name.",
  rfc    = "RFC 5246 section 7.4.6; RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = ALL_VERSIONS },
  run    = function(case)
    local link = link_without_certificate(case, "request")
    link:handshake()
    expect(link):succeeded()

    expect(link.client):has {
      certificate_requested = true,
      local_certificate     = tls.none,
      ["wire.sent_certificates"] = {},
    }
    expect(link.server):has {
      peer_certificates = tls.none,
      verification      = tls.none,
      ["wire.received_certificates"] = {},
    }
    expect(link):truthful()
    expect(link:send { from = "client", data = "hello" }):equals "hello"
  end,
}
