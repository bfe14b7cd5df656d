-- SPDX-License-Identifier: MIT
-- Which alert tells the client what was wrong? The RFCs have a word for each cause (RFC 5246
-- section 7.2.2, RFC 8446 section 6.2); GnuTLS says bad_certificate for all of them, and up to
-- TLS 1.2 decode_error for a missing one. `alerts = "rfc"` sends the RFC's alert instead. The cause
-- itself does not change, nor who notices it.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

-- What the client presents, and what the RFCs call it.
local CAUSES = {
  missing = {
    rfc = { ["TLS1.2"] = "handshake_failure", ["TLS1.3"] = "certificate_required" },
    library = { ["TLS1.2"] = "decode_error", ["TLS1.3"] = "certificate_required" },
    problem = "no_certificate",
    identity = function() return nil end,
  },
  ["unknown authority"] = {
    rfc = "unknown_ca", finding = "signer_not_found",
    identity = function() return pki.authority { cn = "Other Root" }:issue { cn = "mallory" } end,
  },
  expired = {
    rfc = "certificate_expired", finding = "expired",
    identity = function(ca)
      return ca:issue { cn = "alice", not_before = "-9d", not_after = "-1d" }
    end,
  },
  ["not yet valid"] = {
    rfc = "certificate_expired", finding = "not_activated",  -- "expired or not currently valid"
    identity = function(ca) return ca:issue { cn = "alice", not_before = "1d" } end,
  },
  ["wrong purpose"] = {
    rfc = "unsupported_certificate", finding = "purpose_mismatch",
    identity = function(ca) return ca:issue { cn = "alice", purpose = "server" } end,
  },
  ["path too long"] = {
    rfc = "bad_certificate", finding = "path_length_exceeded",
    identity = function(ca)
      local last = ca:authority { cn = "A", path_length = 0 }
      return last:authority { cn = "B" }:issue { cn = "alice" }
    end,
  },
}

local function names_of(causes)
  local names = {}
  for name in pairs(causes) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

ms.scenario "the alert names the cause, or does not" {
  about  = "The same refusals with the library's alerts and with the RFCs'.",
  rfc    = "RFC 5246 section 7.2.2; RFC 8446 section 6.2",
  tags   = { "client-auth" },
  matrix = {
    version = { "TLS1.2", "TLS1.3" }, alerts = { "library", "rfc" }, cause = names_of(CAUSES),
  },
  run    = function(case)
    local cause = CAUSES[case.cause]
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" }, trust = ca,
        client_auth = "require", alerts = case.alerts,
      },
      client   = {
        identity = cause.identity(ca), send_certificate = "always",
        trust = ca, server_name = "server.example",
      },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    local alert = cause[case.alerts] or "bad_certificate"
    if type(alert) == "table" then
      alert = alert[case.version]
    end
    expect(link.failed_first):equals "server"
    expect(link.server):has {
      told_by              = "itself",
      alert_received       = tls.none,
      ["error.problem"]    = cause.problem or "certificate_rejected",
      ["alert_sent.level"] = "fatal",
      ["alert_sent.name"]  = alert,
    }
    expect(link.client):has {
      told_by              = "peer",
      alert_sent           = tls.none,
      handshake_completed  = case.version == "TLS1.3",
      ["error.problem"]    = "peer_alert",
      ["alert_received.level"] = "fatal",
      ["alert_received.name"]  = alert,
    }
    if cause.finding then
      expect(link.server):unverified(cause.finding)
    end
  end,
}

ms.scenario "a client that rejects its server chooses the alert in the same way" {
  about  = "Here the client is the judge, and its server hears of it in the handshake.",
  rfc    = "RFC 5246 section 7.2.2; RFC 8446 section 6.2",
  tags   = { "client-auth" },
  matrix = { version = { "TLS1.2", "TLS1.3" }, alerts = { "library", "rfc" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = { identity = pki.authority { cn = "Other Root" }:issue { dns = "server.example" },
                   trust = ca, client_auth = "require" },
      client   = { trust = ca, server_name = "server.example", alerts = case.alerts },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    local alert = case.alerts == "rfc" and "unknown_ca" or "bad_certificate"
    expect(link.failed_first):equals "client"
    expect(link.client):has {
      handshake_completed = false,
      told_by             = "itself",
      ["error.problem"]   = "certificate_rejected",
      ["alert_sent.name"] = alert,
    }
    expect(link.client):unverified "signer_not_found"
    -- While it waits for the client's certificate a TLS 1.2 server of GnuTLS's calls any alert "no
    -- certificate found"; the alert itself is the truth.
    expect(link.server):has {
      handshake_completed = false,
      failed_during       = "handshake",
      told_by             = "peer",
      ["error.problem"]   = "peer_alert",
      ["error.code"]      = case.version == "TLS1.2" and "GNUTLS_E_NO_CERTIFICATE_FOUND"
                              or "GNUTLS_E_FATAL_ALERT_RECEIVED",
      ["alert_received.name"] = alert,
    }
  end,
}
