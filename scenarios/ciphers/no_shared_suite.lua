-- SPDX-License-Identifier: MIT
-- No suite in common. The server notices, on the ClientHello, and all that the client gets is the
-- alert handshake_failure (RFC 5246 section 7.4.1.3, RFC 8446 section 4.1.1), the same as for most
-- other mistakes. OpenSSL's server says "no shared cipher"; a client written in Go says "remote
-- error: tls: handshake failure", and so it met RSA-key-exchange-only servers when Go 1.22 stopped
-- offering such suites.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

-- The server's end names the cause; the client's has the alert and nothing more.
local function expect_no_shared_suite(link)
  local alert = { level = "fatal", name = "handshake_failure", number = 40 }
  expect(link.failed_first):equals "server"
  expect(link.server):has {
    phase               = "failed",
    handshake_completed = false,
    failed_during       = "handshake",
    told_by             = "itself",
    cipher_suite        = tls.none,
    alert_sent          = alert,
    ["error.problem"]   = "no_shared_cipher_suite",
    ["error.code"]      = "GNUTLS_E_NO_CIPHER_SUITES",
    ["wire.sent_certificates"] = tls.none,
  }
  expect(link.client):has {
    phase               = "failed",
    handshake_completed = false,
    failed_during       = "handshake",
    told_by             = "peer",
    cipher_suite        = tls.none,
    alert_received      = alert,
    alert_sent          = tls.none,
    peer_certificate    = tls.none,
    verification        = tls.none,
    ["error.problem"]   = "peer_alert",
    ["error.code"]      = "GNUTLS_E_FATAL_ALERT_RECEIVED",
  }
end

ms.scenario "two ends without a common suite part at the ClientHello" {
  about  = "The server's word is precise; \"handshake failure\" is all that RFCs have.",
  rfc    = "RFC 5246 section 7.4.1.3; RFC 8446 section 4.1.1",
  tags   = { "ciphers" },
  matrix = { version = { "TLS1.2", "TLS1.3" }, alerts = { "library", "rfc" } },
  run    = function(case)
    local suites = {
      ["TLS1.2"] = {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
      },
      ["TLS1.3"] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384" },
    }
    local ca = pki.authority { cn = "Example Root" }
    local for_server, for_client = table.unpack(suites[case.version])
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" }, cipher_suites = for_server,
        alerts = case.alerts,
      },
      client   = { trust = ca, server_name = "server.example", cipher_suites = for_client },
      versions = case.version,
    }
    expect(link:handshake()):is_false()
    expect_no_shared_suite(link)
  end,
}

ms.scenario "a server with RSA key exchange alone meets a client with ECDHE alone" {
  about  = "Go's \"remote error: tls: handshake failure\": certificate, cipher and version fit, "
    .. "the key exchange does not. Allowing one RSA suite at the client mends it.",
  rfc    = "RFC 5246 section 7.4.1.3; RFC 9325 section 4.1",
  tags   = { "ciphers" },
  matrix = { client = { "ECDHE", "ECDHE and RSA" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local offered = { "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" }
    if case.client == "ECDHE and RSA" then
      offered[2] = "TLS_RSA_WITH_AES_128_GCM_SHA256"
    end
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "legacy.example", key = "rsa-2048" },
        cipher_suites = "TLS_RSA_WITH_AES_128_GCM_SHA256",
      },
      client   = { trust = ca, server_name = "legacy.example", cipher_suites = offered },
      versions = "TLS1.2",
    }
    expect(link:handshake()):equals(case.client ~= "ECDHE")

    if case.client == "ECDHE" then
      expect_no_shared_suite(link)
    else
      expect(link):succeeded()
      expect(link.client):has {
        cipher_suite = "TLS_RSA_WITH_AES_128_GCM_SHA256",
        group = tls.none, peer_signature_scheme = tls.none,
      }
    end
  end,
}

ms.scenario "a common suite does not help a server without the certificate for it" {
  about  = "Up to TLS 1.2 the suite names the kind of key; TLS 1.3 took that out of the suite.",
  rfc    = "RFC 5246 section 7.4.2; RFC 8446 section 1.2",
  tags   = { "ciphers" },
  matrix = { key = { "ecdsa-p256", "rsa-2048" }, suite = { "ECDSA", "RSA" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local suite = ("TLS_ECDHE_%s_WITH_AES_128_GCM_SHA256"):format(case.suite)
    local link = tls.link {
      server   = { identity = ca:issue { dns = "server.example", key = case.key } },
      client   = { trust = ca, server_name = "server.example", cipher_suites = suite },
      versions = "TLS1.2",
    }
    local fits = (case.key == "rsa-2048") == (case.suite == "RSA")
    expect(link:handshake()):equals(fits)

    if fits then
      expect(link.client.cipher_suite):equals(suite)
    else
      expect_no_shared_suite(link)
    end
  end,
}

ms.scenario "a server without a certificate can use no suite" {
  about  = "The same alert for another reason, which only the server knows.",
  rfc    = "RFC 5246 section 7.4.2; RFC 8446 section 4.4.2",
  tags   = { "ciphers" },
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local link = tls.link {
      server   = {},
      client   = { server_name = "server.example" },
      versions = case.version,
    }
    expect(link:handshake()):is_false()

    expect(link.failed_first):equals "server"
    expect(link.server):has {
      told_by = "itself", local_certificate = tls.none, ["error.problem"] = "identity_unusable",
    }
    expect(link.client):has {
      told_by = "peer", ["error.problem"] = "peer_alert",
      ["alert_received.name"] = "handshake_failure",
    }
  end,
}

ms.scenario "a restricted end meets an unrestricted one without trouble" {
  about  = "The control of this file: take one restriction away and the handshake succeeds.",
  rfc    = "RFC 8446 section 4.1.1",
  tags   = { "ciphers" },
  matrix = { version = { "TLS1.2", "TLS1.3" }, restricted = { "client", "server", "neither" } },
  run    = function(case)
    local ca = pki.authority { cn = "Example Root" }
    local suite = case.version == "TLS1.3" and "TLS_AES_128_GCM_SHA256"
                    or "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"
    local link = tls.link {
      server   = {
        identity = ca:issue { dns = "server.example" },
        cipher_suites = case.restricted == "server" and suite or nil,
      },
      client   = {
        trust = ca, server_name = "server.example",
        cipher_suites = case.restricted == "client" and suite or nil,
      },
      versions = case.version,
    }
    link:handshake()
    expect(link):succeeded()
    if case.restricted == "neither" then                    -- GnuTLS prefers the longer key
      expect(link.client.cipher_suite):matches "AES_256_GCM_SHA384$"
    else
      expect(link.client.cipher_suite):equals(suite)
    end
    expect(link.server.cipher_suite):equals(link.client.cipher_suite)
  end,
}
