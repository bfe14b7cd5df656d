-- SPDX-License-Identifier: MIT
-- A server names in its request the authorities that it would accept; the names are hints for the
-- client's choice (RFC 5246 section 7.4.4, RFC 8446 section 4.2.4). GnuTLS takes them seriously: it
-- sends a certificate only if the issuer of some certificate in its chain is named, compared byte
-- for byte. A request that names nobody leaves the choice to the client.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function link_with(case, ca, server, client)
  server.identity, server.trust = ca:issue { dns = "server.example" }, server.trust or ca
  server.client_auth = "request"
  client.trust, client.server_name = ca, "server.example"
  return tls.link { server = server, client = client, versions = case.version }
end

-- The session goes on in any case; who is it, and why nobody?
local function expect_sent(link, identity, why_not)
  expect(link):succeeded()
  expect(link.client):has {
    certificate_requested = true,
    not_sent_because      = why_not or tls.none,
    local_certificates    = identity and identity.chain or tls.none,
    ["wire.sent_certificates"] = identity and identity.chain or {},
  }
  expect(link.server):has {
    peer_certificates = identity and identity.chain or tls.none,
    ["wire.received_certificates"] = identity and identity.chain or {},
  }
end

ms.scenario "a request names the authorities that the server trusts" {
  about  = "In the order of its trust, unless it is told to name others, or nobody.",
  rfc    = "RFC 5246 section 7.4.4; RFC 8446 section 4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, named = { "trust", "others", "nobody" } },
  run    = function(case)
    local ca, other = pki.authority { cn = "Example Root" }, pki.authority { cn = "Other Root" }
    local issuers = { others = { "CN=Third,O=Example", other }, nobody = {} }
    local link = link_with(case, ca, { trust = { other, ca }, issuers = issuers[case.named] }, {})
    link:handshake()

    local expected = {
      trust  = { "CN=Other Root", "CN=Example Root" },
      others = { "CN=Third,O=Example", "CN=Other Root" },
      nobody = {},
    }
    expect(link.client.requested_issuers):equals(expected[case.named])
    expect(link.server.requested_issuers):equals(expected[case.named])
  end,
}

ms.scenario "a certificate is sent when its root is named and its chain leads there" {
  about  = "The leaf's issuer is an intermediate; GnuTLS looks at every certificate of the chain.",
  rfc    = "RFC 8446 section 4.2.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, named = { "root", "intermediate" } },
  run    = function(case)
    local root = pki.authority { cn = "Example Root" }
    local issuing = root:authority { cn = "Issuing CA" }
    local alice = issuing:issue { cn = "alice" }
    local link = link_with(case, root,
      { issuers = case.named == "root" and root or issuing }, { identity = alice })
    link:handshake()
    expect(link):succeeded()

    expect_sent(link, alice)
    expect(link.server):verified()
    expect(link.server.verification.path):has_length(3)
  end,
}

ms.scenario "a leaf without its intermediate is not recognised as the root's" {
  about  = "The intermediate left at home hides the certificate from the request that names the "
    .. "root; and where it is sent, from the verifier.",
  rfc    = "RFC 5246 section 7.4.2; RFC 8446 section 4.4.2",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS, named = { "root", "intermediate" } },
  run    = function(case)
    local root = pki.authority { cn = "Example Root" }
    local issuing = root:authority { cn = "Issuing CA" }
    local alice = issuing:issue { cn = "alice" }
    local bare = alice:with { chain = { alice.certificate } }
    local link = link_with(case, root,
      { issuers = case.named == "root" and root or issuing }, { identity = bare })
    expect(link:handshake()):equals(case.named == "root")

    if case.named == "root" then
      expect_sent(link, nil, "issuer_not_named")
    else
      expect(link.client.wire.sent_certificates):equals { alice.certificate }
      expect(link.server):failed "certificate_rejected"
      expect(link.server):unverified "signer_not_found"
      expect(link.client):failed "bad_certificate"
    end
  end,
}

ms.scenario "send_certificate overrules the names in the request" {
  about  = "\"matching\" is the library's habit, \"always\" sends in spite of the names, \"never\" "
    .. "answers with an empty message though a certificate would fit.",
  rfc    = "RFC 8446 section 4.4.2.3",
  tags   = { "client-auth" },
  matrix = {
    version = VERSIONS,
    named   = { "its issuer", "another" },
    send    = { "matching", "always", "never" },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = link_with(case, ca,
      { issuers = case.named == "its issuer" and "CN=Example Root" or "CN=Somebody Else" },
      { identity = alice, send_certificate = case.send })
    link:handshake()
    expect(link):succeeded()

    if case.send == "never" then
      expect_sent(link, nil, "policy")
    elseif case.send == "matching" and case.named == "another" then
      expect_sent(link, nil, "issuer_not_named")
    else                                                    -- the trust decides, not the name
      expect_sent(link, alice)
      expect(link.server):verified()
    end
  end,
}

ms.scenario "a request that names no issuers takes the only certificate there is" {
  about  = "Nothing to match means that anything may be sent.",
  rfc    = "RFC 5246 section 7.4.4",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local alice = ca:issue { cn = "alice" }
    local link = link_with(case, ca, { issuers = {} }, { identity = alice })
    link:handshake()
    expect(link):succeeded()

    expect(link.client.requested_issuers):equals {}
    expect_sent(link, alice)
  end,
}

ms.scenario "names that read alike but are encoded otherwise do not match" {
  about  = "RFC 5280 compares names by meaning, ignoring case; GnuTLS compares their bytes.",
  rfc    = "RFC 5280 section 7.1",
  tags   = { "client-auth" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = link_with(case, ca, { issuers = "CN=EXAMPLE ROOT" },
      { identity = ca:issue { cn = "alice" } })
    link:handshake()
    expect(link):succeeded()
    expect_sent(link, nil, "issuer_not_named")
  end,
}
