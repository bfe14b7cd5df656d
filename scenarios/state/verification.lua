-- SPDX-License-Identifier: MIT
-- The verdict on a peer's chain, in detail: verified (is the chain good?), accepted (was the peer
-- let in?), the problems by name, the certificate that carries the first violated constraint, the
-- path that was built, and a sentence. GnuTLS gives one status word; "expired" in it does not say
-- which certificate. Nobody judged (`verify = false`, resumption, no certificate) is nil.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, identity, client)
  client.server_name, client.trust = "server.example", ca
  return tls.link {
    server = { identity = identity }, client = client, versions = case.version,
  }
end

ms.scenario "a good chain is verified along its path" {
  about  = "The path leads from the leaf to the anchor that was trusted, whether or not the server "
    .. "sent that anchor.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS, depth = { 0, 1, 3 }, root = { "left out", "sent" } },
  run    = function(case)
    local deep = pki.chain { depth = case.depth, leaf = { dns = "server.example" } }
    local path = { table.unpack(deep.chain) }
    path[#path + 1] = deep.root.certificate
    local identity = case.root == "sent" and deep:with { chain = path } or deep
    local link = link_with(case, deep.root, identity, {})
    expect(link:handshake()):is_true()

    expect(link.client):verified()
    expect(link.client.verification):has {
      verified = true, accepted = true, problems = {}, path = path, certificate = tls.none,
    }
    expect(link.client.peer_certificates):has_length(#identity.chain)
  end,
}

ms.scenario "the certificate at fault is named, wherever it stands" {
  about  = "GnuTLS says \"expired\"; the reader wants to know whose.",
  rfc    = "RFC 5280 section 6.1.3",
  tags   = { "state" },
  matrix = { version = VERSIONS, expired = { "leaf", "intermediate", "root" } },
  run    = function(case)
    local function days(which)
      return which == case.expired and "-1d" or nil
    end
    local root = pki.authority { cn = "Example Root", not_before = "-9d", not_after = days "root" }
    local issuing = root:authority {
      cn = "Issuing CA", not_before = "-9d", not_after = days "intermediate",
    }
    local host = issuing:issue {
      dns = "server.example", not_before = "-9d", not_after = days "leaf",
    }
    local link = link_with(case, root, host, {})
    expect(link:handshake()):is_false()

    local at_fault = { leaf = host, intermediate = issuing, root = root }
    expect(link.client):unverified "expired"
    expect(link.client.verification.certificate):is(at_fault[case.expired])
    expect(link.client.verification):has {
      accepted = false,
      path = { host.certificate, issuing.certificate, root.certificate },
    }
    expect(link.client.verification.text):contains(at_fault[case.expired].certificate.subject)
  end,
}

ms.scenario "several problems are all named" {
  about  = "Expired, of the wrong name and for the wrong purpose: one run names the three.",
  rfc    = "RFC 5280 section 6.1.3; RFC 9525 section 6",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root", not_before = "-9d" }
    local host = ca:issue {
      dns = "other.example", purpose = "client", not_before = "-9d", not_after = "-1d",
    }
    local link = link_with(case, ca, host, {})
    expect(link:handshake()):is_false()

    for _, problem in ipairs { "expired", "unexpected_owner", "purpose_mismatch" } do
      expect(link.client):unverified(problem)
      expect(link.client.verification.problems):contains(problem)
    end
    expect(link.client.verification.problems):has_length(3)
  end,
}

ms.scenario "a function may accept what is not verified, and the report says both" {
  about  = "Policy decides acceptance only: the chain does not become better by it.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "state" },
  matrix = { version = VERSIONS, accepts = { true, false } },
  run    = function(case)
    local host = pki.authority { cn = "Other Root" }:issue { dns = "server.example" }
    local asked = {}
    local link = link_with(case, pki.authority { cn = "Example Root" }, host, {
      verify = function(verdict)
        asked[#asked + 1] = {
          verified = verdict.verified, peer = verdict.peer_certificates[1],
          server_name = verdict.server_name,
        }
        return case.accepts
      end,
    })
    expect(link:handshake()):equals(case.accepts)

    expect(asked):has_length(1)
    expect(asked[1]):has { verified = false, server_name = "server.example" }
    expect(asked[1].peer):is(host)
    expect(link.client.verification):has {
      verified = false, accepted = case.accepts, problems = { "signer_not_found" },
    }
    if not case.accepts then
      expect(link.client):failed "certificate_rejected"
    end
  end,
}

ms.scenario "a function may reject what is verified" {
  about  = "The usual allow-list: the chain is good and the peer is not wanted.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "state" },
  matrix = { version = VERSIONS, client = { "alice", "mallory" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" }, trust = ca, client_auth = "require",
        verify = function(verdict)
          return verdict.verified and verdict.peer_certificates[1].principal == "CN=alice"
        end,
      },
      client   = { identity = ca:issue { cn = case.client }, trust = ca,
                   server_name = "server.example" },
      versions = case.version,
    }
    expect(link:handshake()):equals(case.client == "alice")

    expect(link.server.verification):has {
      verified = true, accepted = case.client == "alice", problems = {},
    }
    if case.client == "mallory" then
      expect(link.server):failed "certificate_rejected"
      expect(link.client):failed "peer_alert"
    end
  end,
}

ms.scenario "what nobody judged is nil and not good" {
  about  = "GnuTLS's status is 0, \"no problem\", where verification never ran.",
  tags   = { "state" },
  matrix = { version = VERSIONS, why = { "switched off", "no trust", "resumed" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local host = ca:issue { dns = "server.example" }
    local trust = case.why ~= "no trust" and ca or nil
    local verify                                            -- nil: verifies where it has trust
    if case.why == "switched off" then
      verify = false
    end
    local link = link_with(case, trust, host, { verify = verify })
    expect(link:handshake()):is_true()
    if case.why == "resumed" then
      expect(link.client):verified()
      link = link:resume()
      expect(link:handshake()):is_true()
      expect(link.client.resumed):is_true()
    end

    expect(link.client.verification):is_nil()
    expect(link.client).no:verified()
    expect(link.client).no:unverified "signer_not_found"
    expect(link.client.peer_certificate):is(host)
  end,
}

ms.scenario "the same chain gets the same verdict without a handshake" {
  about  = "pki.verify and a handshake are one judge: problems, path and culprit agree.",
  rfc    = "RFC 5280 section 6.1",
  tags   = { "state" },
  matrix = { version = VERSIONS, chain = { "good", "stranger", "expired", "wrong name" } },
  run    = function(case)
    ms.clock:advance(0) -- it stands still from here on: both judge at one moment
    local ca = pki.authority { cn = "Example Root", not_before = "-9d" }
    local signer = case.chain == "stranger" and pki.authority { cn = "Other Root" } or ca
    local host = signer:issue {
      dns        = case.chain == "wrong name" and "other.example" or "server.example",
      not_before = "-9d", not_after = case.chain == "expired" and "-1d" or nil,
    }
    local link = link_with(case, ca, host, {})
    expect(link:handshake()):equals(case.chain == "good")

    local verdict = pki.verify {
      chain = host, trust = ca, name = "server.example", purpose = "server",
    }
    local seen = link.client.verification
    expect(seen.verified):equals(verdict.verified)
    expect(seen.problems):equals(verdict.problems)
    expect(seen.path):equals(verdict.path)
    expect(seen.certificate):equals(verdict.certificate)
    expect(seen.text):equals(verdict.text)
  end,
}
