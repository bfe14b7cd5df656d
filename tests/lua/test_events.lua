-- SPDX-License-Identifier: MIT
-- Events as lines: those of a link, and those of a process's last words, of which less is known.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local events = require "moonshake.events"
local ms = require "moonshake"
local test, equal = unit.test, unit.equal

-- The line of one event of last words.
local function told(event)
  event.index, event.role = 7, "client"
  return events.told({ event })[1]
end

test("an event of last words reads as that of a link", function()
  equal(told { kind = "message", direction = "sent", delivered = true, type = "Finished",
               length = 48 },
        "  7 client sent Finished: 48 bytes")
  equal(told { kind = "message", direction = "sent", delivered = false, type = "Finished",
               length = 48 },
        "  7 client made but never sent Finished: 48 bytes")
  equal(told { kind = "alert", direction = "received", level = "fatal", name = "bad_certificate",
               number = 42 },
        "  7 client received alert fatal bad_certificate (42)")
  equal(told { kind = "error", during = "read", told_by = "peer", problem = "peer_alert",
               code = "GNUTLS_E_X", message = "so it is" },
        "  7 client failed during read, told by peer: peer_alert, GNUTLS_E_X: so it is")
  equal(told { kind = "data", direction = "sent", length = 3 }, "  7 client sent 3 bytes of data")
  equal(told { kind = "verification",
               verification = { verified = false, accepted = true, problems = { "expired" } } },
        "  7 client judged its peer: expired, accepted")
end)

test("certificates are named as far as they are known", function()
  local function certificates(list)
    return told { kind = "message", direction = "sent", type = "Certificate", length = 9,
                  certificates = list }
  end
  local known = { subject = "CN=a", fingerprint = ("0123456789"):rep(6) }
  equal(certificates { known, { subject = "CN=b" }, {} },
        "  7 client sent Certificate: CN=a (0123456789012345), CN=b, a certificate")
  equal(certificates { known, known, known, known }:match "[^,]+$", " ... 4 in all")
  equal(certificates { { subject = "" } }, "  7 client sent Certificate: no subject")
  equal(certificates {}, "  7 client sent Certificate: empty")
  equal(certificates(nil), "  7 client sent Certificate: 9 bytes")
end)

test("a selection tells none from unknown", function()
  equal(told { kind = "selection", certificate = false },
        "  7 client chose to present no certificate")
  equal(told { kind = "selection", certificate = { subject = "CN=a" } },
        "  7 client chose to present CN=a")
  equal(told { kind = "selection", certificate = {} }, "  7 client chose to present a certificate")
  equal(told { kind = "selection" }, "  7 client chose to present a certificate")
end)

test("a request whose issuers are unknown names neither some nor none", function()
  equal(told { kind = "request", direction = "received" },
        "  7 client received a certificate request")
  equal(told { kind = "request", direction = "received", issuers = {} },
        "  7 client received a certificate request naming no issuers")
end)

test("a link's events read as before", function()
  local ca = ms.pki.authority { cn = "Root" }
  local link = ms.tls.link {
    server = { identity = ca:issue { dns = "server.example" }, trust = ca,
               client_auth = "request" },
    client = { trust = ca, server_name = "server.example" },
    versions = "TLS1.2",
  }
  link:handshake()
  local text = table.concat(events.last(link.events, 100), "\n")
  for _, line in ipairs {
    'server sent a certificate request naming { "CN=Root" }',
    "server chose to present CN=server.example (",
    "client chose to present no certificate",
    "client sent Certificate: empty",
    "client judged its peer: no problem, accepted",
  } do
    unit.contains(text, line)
  end
end)

test("an event tells what a hello says, and what a CertificateVerify is signed with", function()
  local ca = ms.pki.authority { cn = "Root" }
  local link = ms.tls.link {
    server = { identity = ca:issue { dns = "server.example" }, alpn = "h2" },
    client = { trust = ca, server_name = "server.example", alpn = { "h2", "http/1.1" } },
    versions = "TLS1.3", groups = "x25519", cipher_suites = "TLS_AES_128_GCM_SHA256",
  }
  link:handshake()
  local messages = {}
  for _, event in ipairs(link.events) do
    if event.kind == "message" and event.direction == "sent" then
      messages[event.type] = messages[event.type] or event
    end
  end
  local function list_of(texts)
    return table.concat(texts, " ")
  end
  local offer, answer = messages.ClientHello.hello, messages.ServerHello.hello
  equal(offer.server_name, "server.example")
  equal(list_of(offer.alpn), "h2 http/1.1")
  equal(list_of(offer.key_shares), "x25519")
  equal(offer.or_older, false)
  equal(list_of(answer.versions), "TLS1.3")
  equal(list_of(answer.cipher_suites), "TLS_AES_128_GCM_SHA256")
  equal(list_of(messages.EncryptedExtensions.hello.alpn), "h2")
  equal(messages.Finished.hello, nil)
  equal(list_of(messages.CertificateVerify.signature_schemes), "ecdsa_secp256r1_sha256")
  unit.raises("server_name", function() return offer.sever_name end)
end)

test("what a lost process wrote is escaped, and what is no event left out", function()
  equal(told { kind = "data", direction = "\27[31m\n", length = 3 },
        "  7 client \\x1B[31m\\x0A 3 bytes of data")
  local subject = { subject = "CN=\27[31m" }
  equal(told { kind = "selection", certificate = subject },
        "  7 client chose to present CN=\\x1B[31m")
  equal(#events.told(nil), 0)
  equal(#events.told "text", 0)
  equal(#events.told { 1, "x", {}, { kind = "nonsense" }, { kind = "message" },
                       { index = {}, role = 1, kind = "data" },
                       { index = 1, role = "client", kind = "verification" } }, 0)
  equal(#events.told { {}, { index = 1, role = "client", kind = "data", direction = "sent" } }, 1)
end)

unit.done()
