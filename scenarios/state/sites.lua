-- SPDX-License-Identifier: MIT
-- One server, several sites, each with its own rules: certificate, client authentication, trust,
-- protocols, versions. The site is chosen by the name in the ClientHello before anything else in it
-- is acted on (RFC 6066 section 3), and both ends' reports tell which rules were in force.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }

local function hosting(case, ca, server, client)
  server.identity = ca:issue { dns = "default.example" }
  server.trust, client.trust = server.trust or ca, ca
  return tls.link { server = server, client = client, versions = case.version }
end

ms.scenario "an exact name, a wildcard or the server itself" {
  about  = "The exact name comes first; a wildcard stands for one label and no more; a name that "
    .. "nobody listed, or none, gets the server's own certificate.",
  rfc    = "RFC 9525 section 6.3",
  tags   = { "state" },
  matrix = {
    version = VERSIONS,
    name    = { "www.example", "WWW.example", "a.shop.example", "vip.shop.example", "shop.example",
                "a.b.shop.example", "other.example", "none" },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local sites = {
      ["www.example"]      = { identity = ca:issue { dns = "www.example" } },
      ["*.shop.example"]   = { identity = ca:issue { dns = "*.shop.example" } },
      ["vip.shop.example"] = { identity = ca:issue { dns = "vip.shop.example" } },
    }
    local site = ({
      ["www.example"] = "www.example", ["WWW.example"] = "www.example",
      ["a.shop.example"] = "*.shop.example", ["vip.shop.example"] = "vip.shop.example",
    })[case.name]
    local link = hosting(case, ca, { sites = sites }, {
      server_name = case.name ~= "none" and case.name or nil,
      verify_name = not site and "default.example" or nil,
    })
    expect(link:handshake()):is_true()

    expect(link.server.site):equals(site)
    expect(link.client):verified()
    local used = site or "default.example"
    expect(link.server.local_certificate.dns_names):equals { used }
    expect(link.client.wire.received_certificates[1].dns_names):equals { used }
    expect(link.client.site):is_nil()                       -- a server's business
    if case.name == "none" then
      expect(link.server.server_name):is_nil()
    else
      expect(link.server.server_name):equals(case.name)
    end
  end,
}

ms.scenario "an unknown name is ignored or rejected" {
  about  = "Ignored, the client gets the default certificate and finds the wrong name in it; "
    .. "rejected, it is told so before any certificate is sent. No name at all is not unknown.",
  rfc    = "RFC 6066 section 3",
  tags   = { "state" },
  matrix = {
    version      = VERSIONS,
    unknown_name = { "ignore", "reject" },
    name         = { "other.example", "www.example", "none" },
  },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = hosting(case, ca, {
      unknown_name = case.unknown_name,
      sites = { ["www.example"] = { identity = ca:issue { dns = "www.example" } } },
    }, { server_name = case.name ~= "none" and case.name or nil })
    expect(link:handshake()):equals(case.name ~= "other.example")

    if case.name ~= "other.example" then
      expect(link):succeeded()
      expect(link.server.site):equals(case.name == "www.example" and "www.example" or nil)
    elseif case.unknown_name == "ignore" then
      expect(link.failed_first):equals "client"
      expect(link.client):unverified "unexpected_owner"
      expect(link.server):failed "bad_certificate"
      expect(link.server.server_name):equals "other.example"
    else
      expect(link.failed_first):equals "server"
      expect(link.server):failed "unknown_server_name"
      expect(link.server.alert_sent):has { level = "fatal", name = "unrecognized_name" }
      expect(link.server):has {
        server_name = "other.example", site = tls.none, local_certificate = tls.none,
        ["wire.sent_certificates"] = tls.none,
      }
      expect(link.client):failed "unrecognized_name"
      expect(link.client):has {
        told_by = "peer", failed_during = "handshake", handshake_completed = false,
        peer_certificate = tls.none, verification = tls.none,
      }
    end
  end,
}

ms.scenario "only the site that wants client certificates asks for them" {
  about  = "Client authentication by name: the admin site requires, the public one is silent, and "
    .. "each names the authority that it trusts itself.",
  rfc    = "RFC 8446 section 4.3.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, name = { "admin.example", "public.example" },
             client = { "alice", "anonymous" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local staff = pki.authority { cn = "Staff Root" }
    local alice = case.client == "alice" and staff:issue { cn = "alice" } or nil
    local link = hosting(case, ca, {
      sites = {
        ["admin.example"]  = { identity = ca:issue { dns = "admin.example" },
                               client_auth = "require", trust = staff },
        ["public.example"] = { identity = ca:issue { dns = "public.example" } },
      },
    }, { server_name = case.name, identity = alice })
    local admin = case.name == "admin.example"
    expect(link:handshake()):equals(not admin or alice ~= nil)

    expect(link.server.site):equals(case.name)
    expect(link.client.certificate_requested):equals(admin)
    expect(link.client.requested_issuers):equals(admin and { "CN=Staff Root" } or nil)
    if admin and alice then
      expect(link.server):verified()
      expect(link.server.peer_certificate):is(alice)
      expect(link.server.verification.path):equals { alice.certificate, staff.certificate }
    else
      expect(link.server.peer_certificate):is_nil()
      expect(link.client.not_sent_because):equals(alice and "not_requested" or nil)
    end
    if admin and not alice then
      expect(link.server):failed "no_certificate"
      expect(link.server.wire.received_certificates):equals {}
    end
  end,
}

ms.scenario "a client that is welcome at one site is a stranger at the next" {
  about  = "Each site judges by its own trust; the others' does not help.",
  rfc    = "RFC 8446 section 4.4.2.4",
  tags   = { "state" },
  matrix = { version = VERSIONS, name = { "a.example", "b.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local root_a, root_b = pki.authority { cn = "Root A" }, pki.authority { cn = "Root B" }
    local function site(name, trust)
      return { identity = ca:issue { dns = name }, client_auth = "require", trust = trust }
    end
    local link = hosting(case, ca, {
      sites = {
        ["a.example"] = site("a.example", root_a), ["b.example"] = site("b.example", root_b),
      },
    }, {
      server_name = case.name, identity = root_a:issue { cn = "alice" },
      send_certificate = "always",
    })
    expect(link:handshake()):equals(case.name == "a.example")

    expect(link.server.site):equals(case.name)
    if case.name == "a.example" then
      expect(link.server):verified()
    else
      expect(link.server):failed "certificate_rejected"
      expect(link.server):unverified "signer_not_found"
    end
  end,
}

ms.scenario "sites differ in protocols, suites and tickets" {
  about  = "ALPN is read before GnuTLS's own late callback for names, so that a naive server "
    .. "negotiates the wrong site's protocol.",
  rfc    = "RFC 7301 section 3.2",
  tags   = { "state" },
  matrix = { version = VERSIONS, name = { "new.example", "old.example", "none" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local tls13 = case.version == "TLS1.3"
    local suite = tls13 and "TLS_AES_128_GCM_SHA256" or "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    local link = hosting(case, ca, {
      alpn  = "http/1.1",
      sites = {
        ["new.example"] = { identity = ca:issue { dns = "new.example" },
                            alpn = { "h2", "http/1.1" } },
        ["old.example"] = { identity = ca:issue { dns = "old.example" }, cipher_suites = suite,
                            tickets = 0 },
      },
    }, { server_name = case.name ~= "none" and case.name or nil, alpn = { "h2", "http/1.1" } })
    expect(link:handshake()):is_true()

    local protocol = case.name == "new.example" and "h2" or "http/1.1"
    expect(link.server.alpn):equals(protocol)
    expect(link.client.alpn):equals(protocol)
    if case.name == "old.example" then
      expect(link.client):has { cipher_suite = suite, tickets_received = 0 }
    else
      expect(link.client.cipher_suite):matches "AES_256"
      expect(link.client.tickets_received):equals(tls13 and 2 or 1)
    end
    expect(link.server.cipher_suite):equals(link.client.cipher_suite)
  end,
}

ms.scenario "a site may be of another version than the server" {
  about  = "The name decides before the version is chosen.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "state" },
  matrix = { name = { "old.example", "new.example", "default.example" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local link = hosting({}, ca, {
      sites = {
        ["old.example"] = { identity = ca:issue { dns = "old.example" }, versions = "TLS1.2" },
        ["new.example"] = { identity = ca:issue { dns = "new.example" }, versions = "TLS1.3" },
      },
    }, { server_name = case.name })
    expect(link:handshake()):is_true()

    local version = case.name == "old.example" and "TLS1.2" or "TLS1.3"
    expect(link.client.version):equals(version)
    expect(link.server.version):equals(version)
    expect(link.client):verified()
  end,
}
