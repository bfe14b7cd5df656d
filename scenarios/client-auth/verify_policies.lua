-- SPDX-License-Identifier: MIT
-- Gateways decide for themselves whom they let in: by URI (SPIFFE), by fingerprint, or "log only".
-- A `verify` function gets the verification result with the peer's chain, after the checks and
-- before the answer, and decides acceptance only: what was found stays as it is. It is called once
-- for a handshake in which the peer sent a certificate, and not for an empty message.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, verify, client)
  client.trust, client.server_name = ca, "server.example"
  return tls.link {
    server   = {
      identity = ca:issue { dns = "server.example" }, trust = ca, verify = verify,
      client_auth = "request",
    },
    client   = client,
    versions = case.version,
  }
end

-- Refused by the server, and the client heard of it.
local function expect_refused(case, link)
  local tls13 = case.version == "TLS1.3"
  expect(link.failed_first):equals "server"
  expect(link.server):has {
    told_by             = "itself",
    ["error.problem"]   = "certificate_rejected",
    ["alert_sent.name"] = "bad_certificate",
  }
  expect(link.client):has {
    handshake_completed = tls13,
    failed_during       = tls13 and "read" or "handshake",
    told_by             = "peer",
    ["alert_received.name"] = "bad_certificate",
  }
end

ms.scenario "a policy admits workloads by their URI" {
  about  = "SPIFFE: the trust domain's authority vouches for both, the policy wants one of them.",
  rfc    = "RFC 5280 section 4.2.1.6",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, workload = { "billing", "intern" } },
  run    = function(case)
    local ca = pki.authority { cn = "example.org" }
    local workload = ca:issue { uri = "spiffe://example.org/" .. case.workload }
    local seen = {}
    local link = link_with(case, ca, function(result)
      seen[#seen + 1] = result.peer_certificates[1].principal
      return result.verified and seen[1] == "spiffe://example.org/billing"
    end, { identity = workload })
    local admitted = case.workload == "billing"
    expect(link:handshake()):equals(admitted)

    expect(seen):equals { "spiffe://example.org/" .. case.workload }        -- called once
    expect(link.server.peer_certificate):is(workload)
    expect(link.server.verification):has {
      verified = true, accepted = admitted, problems = {},                  -- nothing wrong with it
    }
    if admitted then
      expect(link):succeeded()
    else
      expect_refused(case, link)
    end
  end,
}

ms.scenario "a policy that only reports lets a bad certificate pass" {
  about  = "\"Log, do not enforce\", as gateways are migrated: accepted is not verified.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, wrong = { "expired", "purpose_mismatch", "signer_not_found" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local issuer = case.wrong == "signer_not_found" and pki.authority { cn = "Other Root" } or ca
    local alice = issuer:issue {
      cn = "alice",
      not_before = "-9d", not_after = case.wrong == "expired" and "-1d" or "9d",
      purpose = case.wrong == "purpose_mismatch" and "server" or "client",
    }
    local told = {}
    local link = link_with(case, ca, function(result)
      for _, problem in ipairs(result.problems) do
        told[#told + 1] = problem
      end
      return true
    end, { identity = alice, send_certificate = "always" })
    link:handshake()
    expect(link):succeeded()

    expect(told):equals { case.wrong }
    expect(link.server.verification):has {
      verified = false, accepted = true, problems = { case.wrong },
    }
    expect(link.server.verification.certificate):is(alice)
    expect(link.server).no:verified()
    expect(link.server):unverified(case.wrong)
  end,
}

ms.scenario "a policy pins one certificate and refuses its renewed sister" {
  about  = "Both verify; the policy is stricter than the rules. This is how rotation breaks.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, shown = { "pinned", "renewed" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local pinned = ca:issue { cn = "alice" }
    local renewed = ca:issue { cn = "alice", key = pinned.key }     -- the same key, another serial
    local shown = case.shown == "pinned" and pinned or renewed
    local link = link_with(case, ca, function(result)
      return result.peer_certificates[1].fingerprint == pinned.certificate.fingerprint
    end, { identity = shown })
    expect(link:handshake()):equals(case.shown == "pinned")

    expect(link.server.peer_certificate):is(shown)
    expect(link.server.verification):has {
      verified = true, accepted = case.shown == "pinned",
    }
    if case.shown == "renewed" then
      expect_refused(case, link)
    end
  end,
}

ms.scenario "a policy is not asked about a certificate that was not sent" {
  about  = "An empty message is no certificate to judge; \"require\" is what refuses it.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local calls = 0
    local link = link_with(case, ca, function()
      calls = calls + 1
      return false
    end, {})
    link:handshake()
    expect(link):succeeded()

    expect(calls):equals(0)
    expect(link.server):has { verification = tls.none, ["wire.received_certificates"] = {} }
  end,
}

ms.scenario "a client's policy judges the server before its own certificate leaves" {
  about  = "The name and the chain are at hand; a refusal here keeps the client anonymous.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, accepts = { true, false } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local names = {}
    local link = link_with(case, ca, nil, {
      identity = alice,
      verify   = function(result)
        names[#names + 1] = result.server_name
        return case.accepts
      end,
    })
    expect(link:handshake()):equals(case.accepts)

    expect(names):equals { "server.example" }
    expect(link.client.verification):has { verified = true, accepted = case.accepts }
    if case.accepts then
      expect(link):succeeded()
      expect(link.server.peer_certificate):is(alice)
    else
      expect(link.failed_first):equals "client"
      expect(link.client):has {
        handshake_completed = false,
        told_by          = "itself",
        not_sent_because = "failed_before",
        ["error.problem"] = "certificate_rejected",
        ["wire.sent_certificates"] = tls.none,
      }
      expect(link.server):has {
        told_by = "peer",
        ["error.problem"] = "peer_alert",
        ["alert_received.name"] = "bad_certificate",
        peer_certificate = tls.none,
      }
    end
  end,
}

ms.scenario "a policy that breaks is the script's error, not the peer's" {
  about  = "Its error is raised by the action that ran it, and never becomes a verdict.",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = link_with(case, ca, function(result)
      return result.peer_certificates[1].common_name == "alice"     -- there is no such field
    end, { identity = ca:issue { cn = "alice" } })
    expect(function() link:handshake() end):raises "common_name"

    local other = link_with(case, ca, function() return "yes" end,
      { identity = ca:issue { cn = "alice" } })
    expect(function() other:handshake() end):raises "must return true or false"
  end,
}
