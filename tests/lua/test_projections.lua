-- SPDX-License-Identifier: MIT
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local raw_names = dofile(here .. "raw_names.lua")
local json = require "dkjson"
local ms = require "moonshake"
local native = require "moonshake.native"
local options = require "moonshake.options"
local go = require "moonshake.views.projections.go"
local python = require "moonshake.views.projections.python"
local x509 = require "moonshake.views.projections.x509"
local pki, tls, clock = ms.pki, ms.tls, ms.clock
local test, equal, contains, raises = unit.test, unit.equal, unit.contains, unit.raises

local NOW = 1700000000 -- 2023-11-14T22:13:20Z
clock:set(NOW)

local root = pki.authority { cn = "Root" }
local sub = root:authority { cn = "Issuing CA", path_length = 0 }
local alice = sub:issue {
  subject = "CN=alice,O=Ex\\, Inc.,C=DE", uri = "spiffe://example.org/alice", purpose = "client",
}
local site = root:issue { dns = "server.example", uri = "spiffe://example.org/site" }

local function made(more)
  local given = {
    client = { identity = alice, trust = root, server_name = "server.example" },
    server = { identity = site, trust = root, client_auth = "require" },
  }
  for name, value in pairs(more or {}) do
    if type(value) == "table" and given[name] then
      for option, setting in pairs(value) do
        given[name][option] = setting
      end
    else
      given[name] = value
    end
  end
  return tls.link(given)
end

-- A server that was shown this certificate and believes nothing.
local function shown(identity)
  local link = made { client = { identity = identity, send_certificate = "always" },
                      server = { verify = false, client_auth = "request" } }
  equal(link:handshake(), true)
  return link.server
end

local function list(values)
  return table.concat(values, ",")
end

---------------------------------------------------------------------------------------------------
-- The names

test("a misspelt projection is told with the nearest, and so is a field", function()
  local link = made()
  raises('end:as: projection: unknown word "og" (did you mean "go"?); it takes one of "channelz", '
         .. '"envoy", "go", "python"', function() link.client:as "og" end)
  raises("end:as: projection: wants one of", function() link.client:as() end)
  raises("end:as_json: projection: unknown word", function() link.client:as_json "java" end)
  raises("end:as: to be called with a colon, on an end of a link", function()
    link.client.as "go"
  end)
  raises('tls.ConnectionState: unknown field "Versoin" (did you mean "Version"?)', function()
    return link.client:as "go".Versoin
  end)
  raises('getpeercert(): unknown field "subjectAltNames"', function()
    link:handshake()
    return link.client:as "python".getpeercert.subjectAltNames
  end)
  raises("is read-only", function() link.client:as "envoy".principal = "me" end)
  raises('unknown field "az" (did you mean "as"?)', function() return link.client.az end)
end)

test("every projection can be had in every state of a link", function()
  local function all(link)
    for _, name in ipairs(options.projection.words) do
      for _, role in ipairs { "client", "server" } do
        equal(type(link[role]:as(name)), "table")
        local decoded, behind = json.decode(link[role]:as_json(name))
        equal(type(decoded), "table", tostring(behind))
      end
    end
  end
  local link = made { versions = "TLS1.2" }
  all(link)
  link:handshake()
  all(link)
  link:close()
  all(link)
  local resumed = link:resume {}
  resumed:handshake()
  equal(resumed.client.resumed, true)
  all(resumed)
  local failed = made { client = { trust = alice.certificate } }
  equal(failed:handshake(), false)
  all(failed)
end)

---------------------------------------------------------------------------------------------------
-- Go

test("Go: a state has Go's names and values", function()
  local link = made { versions = "TLS1.3", alpn = { "h2" }, groups = "x25519",
                      cipher_suites = "TLS_CHACHA20_POLY1305_SHA256" }
  equal(link:handshake(), true)
  local state = link.server:as "go"
  equal(state.Version, 0x0304)
  equal(state.CipherSuite, 0x1303)
  equal(state.CurveID, 29)
  equal(state.HandshakeComplete, true)
  equal(state.DidResume, false)
  equal(state.NegotiatedProtocol, "h2")
  equal(state.NegotiatedProtocolIsMutual, true)
  equal(state.ServerName, "server.example")
  equal(state.ECHAccepted, false)
  equal(state.HelloRetryRequest, false)
  equal(state.TLSUnique, nil)
  equal(state.OCSPResponse, tls.unknown)
  equal(state.SignedCertificateTimestamps, tls.unknown)
  equal(#state.PeerCertificates, 2)
  equal(#state.VerifiedChains, 1)
  equal(#state.VerifiedChains[1], 3)
  equal(state.VerifiedChains[1][3].Raw, root.certificate:der())
  equal(#state.LocalCertificate, 1)
  equal(state.LocalCertificate[1], site.certificate:der())
end)

test("Go: before a handshake numbers are 0, texts empty and lists nil", function()
  local state = made().client:as "go"
  equal(state.Version, 0)
  equal(state.CipherSuite, 0)
  equal(state.CurveID, 0)
  equal(state.HandshakeComplete, false)
  equal(state.NegotiatedProtocol, "")
  equal(state.ServerName, "")
  equal(state.PeerCertificates, nil)
  equal(state.VerifiedChains, nil)
  equal(state.LocalCertificate, nil)
  contains(made().client:as_json "go", '"PeerCertificates":null,"VerifiedChains":null,')
end)

test("Go: a second ClientHello shows", function()
  local link = made { versions = "TLS1.3", client = { groups = { "secp256r1", "secp384r1" } },
                      server = { groups = "secp384r1" } }
  equal(link:handshake(), true)
  equal(link.client:as "go".HelloRetryRequest, true)
  equal(link.server:as "go".HelloRetryRequest, true)
  equal(link.server:as "go".CurveID, 24)
end)

test("Go: of a resumed session what was verified cannot be told, and nothing was presented",
     function()
  local first = made { versions = "TLS1.2" }
  first:handshake()
  equal(#first.client:as "go".TLSUnique, 12)
  local link = first:resume {}
  link:handshake()
  local state = link.server:as "go"
  equal(state.DidResume, true)
  equal(state.LocalCertificate, nil)
  equal(#state.PeerCertificates, 2)
  equal(state.VerifiedChains, tls.unknown)
  -- A stack may go on telling its own: Go would not.
  local other = { resumed = true, local_certificates = site.chain, handshake_completed = true }
  equal(go.of(other, {}).LocalCertificate, nil)
  other.resumed = false
  equal(#go.of(other, {}).LocalCertificate, 1)
end)

test("Go: a chain that was not verified is none of VerifiedChains", function()
  local state = shown(alice:with { chain = { alice } }):as "go"
  equal(#state.PeerCertificates, 1)
  equal(state.VerifiedChains, nil)
end)

test("Go: a certificate has Go's names and values", function()
  local certificate = shown(alice):as "go".PeerCertificates[1]
  equal(certificate.Raw, alice.certificate:der())
  equal(certificate.Version, 3)
  equal(certificate.Subject, "CN=alice,O=Ex\\, Inc.,C=DE")
  equal(certificate.Issuer, "CN=Issuing CA")
  equal(certificate.NotBefore, "2023-11-13T22:13:20Z")
  equal(certificate.NotAfter, "2024-02-12T22:13:20Z")
  equal(certificate.KeyUsage, 1)
  equal(list(certificate.ExtKeyUsage), "2")
  equal(certificate.UnknownExtKeyUsage, nil)
  equal(certificate.BasicConstraintsValid, true)
  equal(certificate.IsCA, false)
  equal(certificate.MaxPathLen, -1)
  equal(certificate.MaxPathLenZero, false)
  equal(certificate.DNSNames, nil)
  equal(list(certificate.URIs), "spiffe://example.org/alice")
  equal(certificate.PublicKeyAlgorithm, 3)
  equal(certificate.SignatureAlgorithm, 10)
end)

test("Go: basic constraints, usages and serial numbers are told as Go does", function()
  local function told(given)
    local chain = { alice, root:issue(given) } -- whatever its key may do
    return shown(alice:with { chain = chain }):as "go".PeerCertificates[2]
  end
  local bare = told { cn = "bare", omit = "basic_constraints", key_usage = false, purpose = false,
                      serial = "ff" }
  equal(bare.BasicConstraintsValid, false)
  equal(bare.MaxPathLen, 0)
  equal(bare.KeyUsage, 0)
  equal(bare.ExtKeyUsage, nil)
  equal(bare.SerialNumber, "255")
  local other = told { cn = "other", key_usage = { "keyCertSign", "decipherOnly" },
                       purpose = { "any", "1.3.6.1.5.5.7.3.9", "1.2.3" }, ca = true,
                       path_length = 3, serial = "0100000000000000000000000000000000000000" }
  equal(other.KeyUsage, 32 + 256)
  equal(list(other.ExtKeyUsage), "0,9")
  equal(list(other.UnknownExtKeyUsage), "1.2.3")
  equal(other.MaxPathLen, 3)
  equal(other.MaxPathLenZero, false)
  equal(other.SerialNumber, "5708990770823839524233143877797980545530986496", "2 to the 152nd")
  equal(told({ cn = "zeros", serial = "3b9aca00" }).SerialNumber, "1000000000")
end)

test("Go: keys and signatures have its numbers", function()
  local function algorithms(kind, digest)
    local ca = pki.authority { cn = kind, key = kind, digest = digest }
    local certificate = shown(ca:issue { cn = "x", key = kind, digest = digest })
      :as "go".PeerCertificates[1]
    return certificate.PublicKeyAlgorithm .. " " .. certificate.SignatureAlgorithm
  end
  equal(algorithms("rsa-2048", "sha384"), "1 5")
  equal(algorithms("ecdsa-p384", "sha512"), "3 12")
  equal(algorithms "ed25519", "4 16")
  equal(algorithms("rsa-pss-2048", "sha256"), "0 13")
  equal(algorithms("rsa-pss-2048", "sha512"), "0 15")
end)

test("Go: what a stack cannot tell stays that", function()
  local unknown = tls.unknown
  local told = go.of({
    version = unknown, cipher_suite = unknown, group = unknown, alpn = unknown,
    peer_certificates = unknown, verification = unknown, resumed = unknown,
    local_certificates = unknown,
  }, {})
  for _, name in ipairs { "Version", "CipherSuite", "CurveID", "NegotiatedProtocol", "DidResume",
                          "PeerCertificates", "VerifiedChains", "LocalCertificate" } do
    equal(told[name], unknown, name)
  end
  equal(go.of({ cipher_suite = "0xFEFF" }, {}).CipherSuite, 0xFEFF, "a suite without a name")
end)

---------------------------------------------------------------------------------------------------
-- channelz

test("channelz: suite and certificates, and nothing where there is nothing", function()
  local link = made { versions = "TLS1.3", client = { identity = {} },
                      server = { client_auth = "none" } }
  equal(link.client:as "channelz".tls, nil)
  equal(link.client:as_json "channelz", "{}")
  link:handshake()
  local security = link.client:as "channelz".tls
  equal(security.standard_name, link.client.cipher_suite)
  equal(security.other_name, nil)
  equal(security.local_certificate, nil)
  equal(security.remote_certificate, site.certificate:der())
  local pem = site.certificate:pem():gsub("%-%-%-%-%-[^\n]*\n", ""):gsub("\n", "")
  equal(link.client:as_json "channelz", ('{"tls":{"standard_name":"%s","remote_certificate":"%s"}}')
        :format(security.standard_name, pem))
end)

test("channelz: a suite without a name, and what cannot be told", function()
  local channelz = require "moonshake.views.projections.channelz"
  equal(channelz.of { cipher_suite = "0xFEFF" }.tls.other_name, "0xFEFF")
  equal(channelz.of { cipher_suite = "0xFEFF" }.tls.standard_name, nil)
  local told = channelz.of { cipher_suite = tls.unknown, peer_certificate = tls.unknown }.tls
  equal(told.standard_name, tls.unknown)
  equal(told.remote_certificate, tls.unknown)
end)

---------------------------------------------------------------------------------------------------
-- Envoy

-- Elements as { { key, value }, ... } by Envoy's rules: `,` between elements, `;` between pairs, a
-- value in quotes in which \" is a quote.
-- To some readers a backslash stands before any character, as in
-- the quoted strings of HTTP.
local function parse(header, backslash_escapes_all)
  local elements, at = { {} }, 1
  repeat
    local key, after = header:match("^(%a+)=()", at)
    assert(key, "no key at " .. header:sub(at))
    local value = {}
    if header:sub(after, after) == '"' then
      at = after + 1
      while header:sub(at, at) ~= '"' do
        assert(at <= #header, "a quote that does not end")
        local pair = header:sub(at, at + 1)
        if pair == '\\"' or backslash_escapes_all and pair:sub(1, 1) == "\\" then
          at = at + 1
        end
        value[#value + 1] = header:sub(at, at)
        at = at + 1
      end
      at = at + 1
    else
      value[1], at = header:match("^([^,;=]*)()", after)
    end
    table.insert(elements[#elements], { key, table.concat(value) })
    local separator = header:sub(at, at)
    assert(separator == "" or separator == "," or separator == ";", "rubbish: " .. header:sub(at))
    elements[#elements + 1] = separator == "," and {} or nil
    at = at + 1
  until separator == ""
  return elements
end

local function decoded(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function keys_of(element)
  local keys = {}
  for index, pair in ipairs(element) do
    keys[index] = pair[1]
  end
  return table.concat(keys, " ")
end

test("Envoy: the header has every detail in Envoy's order", function()
  local link = made()
  link:handshake()
  local told = link.server:as "envoy"
  equal(told.principal, "spiffe://example.org/alice")
  local elements = parse(told.x_forwarded_client_cert)
  equal(#elements, 1)
  equal(keys_of(elements[1]), "By Hash Cert Chain Subject URI")
  local values = {}
  for index, pair in ipairs(elements[1]) do
    values[index] = pair[2]
  end
  equal(values[1], "spiffe://example.org/site")
  equal(values[2], alice.certificate.fingerprint)
  equal(decoded(values[3]), alice.certificate:pem())
  equal(decoded(values[4]), alice.certificate:pem() .. sub.certificate:pem())
  equal(values[5], "CN=alice,O=Ex\\, Inc.,C=DE")
  equal(values[6], "spiffe://example.org/alice")
  contains(told.x_forwarded_client_cert, ';Subject="CN=alice')
  equal(told.x_forwarded_client_cert:find "[%c ]" ~= nil, true, "the space of Ex, Inc.")
end)

test("Envoy: without a peer certificate there is neither", function()
  local link = made { server = { client_auth = "none" } }
  link:handshake()
  equal(link.server:as "envoy".x_forwarded_client_cert, nil)
  equal(link.server:as "envoy".principal, nil)
  equal(link.client:as "envoy".principal, "spiffe://example.org/site", "the server's")
end)

test("Envoy: URI and Subject are there even where they are empty, and each name once", function()
  local told = shown(root:issue { subject = "", dns = { "a.example", "b.example" } }):as "envoy"
  equal(told.principal, "a.example")
  local element = parse(told.x_forwarded_client_cert)[1]
  equal(keys_of(element), "By Hash Cert Chain Subject URI DNS DNS")
  equal(element[5][2], "")
  contains(told.x_forwarded_client_cert, ';Subject="";URI=;DNS=a.example;DNS=b.example')
end)

test("Envoy: what a stack cannot tell stays that", function()
  local envoy = require "moonshake.views.projections.envoy"
  equal(envoy.of { peer_certificates = tls.unknown }.principal, tls.unknown)
  equal(envoy.of { peer_certificates = tls.unknown }.x_forwarded_client_cert, tls.unknown)
  local told = envoy.of { peer_certificates = alice.chain, local_certificate = tls.unknown }
  equal(told.x_forwarded_client_cert:sub(1, 5), "Hash=")
end)

test("Envoy: no name can add a pair, an element or a header", function()
  local evil = {
    ";Hash=00", ',By=x;Hash=00', 'x";Hash=00;URI="', "\\", '\\"', '\\\\";Hash=00', "x;\\",
    "\r\nx-evil: 1", "\0", "\u{202E}", "\xFF", '"', "=", " ", "a%0D",
  }
  for _, text in ipairs(evil) do
    local identity = root:issue {
      cn = "a" .. text:gsub("\xFF", "") .. "b",
      extensions = raw_names.extension { { "uri", text }, { "dns", text } },
    }
    local header = shown(identity):as "envoy".x_forwarded_client_cert
    equal(header:find "[^\x20-\x7E]", nil, "printable ASCII")
    for _, backslash_escapes_all in ipairs { false, true } do
      local elements = parse(header, backslash_escapes_all)
      equal(#elements, 1, header)
      equal(keys_of(elements[1]), "By Hash Cert Chain Subject URI DNS")
      equal(elements[1][2][2], identity.certificate.fingerprint)
      equal(decoded(elements[1][6][2]), decoded(identity.certificate.uris[1]))
      equal(decoded(elements[1][7][2]), decoded(identity.certificate.dns_names[1]))
    end
  end
end)

---------------------------------------------------------------------------------------------------
-- Python

test("Python: what a socket's methods return", function()
  local link = made { versions = "TLS1.2", alpn = "h2",
                      cipher_suites = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" }
  equal(link:handshake(), true)
  local client, server = link.client:as "python", link.server:as "python"
  equal(client.version, "TLSv1.2")
  equal(list(client.cipher), "ECDHE-ECDSA-AES256-GCM-SHA384,TLSv1.2,256")
  equal(client.session_reused, false)
  equal(client.selected_alpn_protocol, "h2")
  equal(client.server_hostname, "server.example")
  equal(server.server_hostname, nil)
  equal(#server.get_channel_binding, 12)
  equal(#server.get_unverified_chain, 2)
  equal(#server.get_verified_chain, 3)
  equal(server.get_verified_chain[3], root.certificate:der())
end)

test("Python: a certificate has its dictionary, tuples as lists", function()
  local link = made()
  link:handshake()
  equal(json.encode(json.decode(link.server:as_json "python").getpeercert.subject),
        '[[["countryName","DE"]],[["organizationName","Ex, Inc."]],[["commonName","alice"]]]')
  local told = link.server:as "python".getpeercert
  equal(told.issuer[1][1][2], "Issuing CA")
  equal(told.version, 3)
  equal(told.serialNumber, alice.certificate.serial:upper())
  equal(told.notBefore, "Nov 13 22:13:20 2023 GMT")
  equal(told.notAfter, "Feb 12 22:13:20 2024 GMT")
  equal(told.subjectAltName[1][1], "URI")
  equal(told.OCSP, nil)
end)

test("Python: nil is no certificate, an empty dictionary one that was not validated", function()
  local link = made { server = { client_auth = "none" } }
  equal(link.client:as "python".getpeercert, nil)
  equal(link.client:as "python".version, nil)
  equal(link.client:as "python".cipher, nil)
  link:handshake()
  equal(link.server:as "python".getpeercert, nil)
  equal(link.server:as "python".get_verified_chain, nil)
  local server = shown(alice)
  equal(pairs(server:as "python".getpeercert)(), nil)
  contains(server:as_json "python", '"getpeercert":{},')
  equal(#server:as "python".get_verified_chain, 2, "as it was sent")
  link = made { client = { identity = alice:with { chain = { alice } },
                           send_certificate = "always" },
                server = { verify = function() return true end } }
  equal(link:handshake(), true)
  equal(pairs(link.server:as "python".getpeercert)(), nil, "found wrong, and accepted")
  equal(link.server:as "python".get_verified_chain, nil)
end)

test("Python: what a stack cannot tell stays that", function()
  local unknown = tls.unknown
  local told = python.of {
    version = unknown, cipher_suite = unknown, peer_certificate = unknown,
    peer_certificates = unknown, verification = unknown, role = "client",
  }
  for _, name in ipairs { "version", "cipher", "getpeercert", "get_verified_chain",
                          "get_unverified_chain" } do
    equal(told[name], unknown, name)
  end
  equal(list(python.cipher "TLS_RSA_WITH_3DES_EDE_CBC_SHA"), "DES-CBC3-SHA,SSLv3,112")
  equal(python.cipher "0xFEFF", unknown)
end)

test("Python: whether the peer of a resumed session was validated cannot be told", function()
  local first = made { versions = "TLS1.2" }
  first:handshake()
  local link = first:resume {}
  link:handshake()
  equal(link.server:as "python".session_reused, true)
  equal(link.server:as "python".getpeercert, tls.unknown)
  equal(link.server:as "python".get_verified_chain, tls.unknown)
  contains(link.server:as_json "python", '"getpeercert":{"unknown":true}')
end)

---------------------------------------------------------------------------------------------------
-- Hostile certificates

local HOSTILE = "\27[31m\u{202E}\u{9B}\"\\,;=|\r\n\0\xFF"

test("hostile names in every place give valid JSON that says the same as the table", function()
  local identity = root:issue {
    cn = HOSTILE:gsub("\xFF", ""), extensions = raw_names.extension {
      { "uri", HOSTILE }, { "dns", HOSTILE }, { "email", HOSTILE }, { "ip", HOSTILE },
      { "id", HOSTILE }, { "directory", raw_names.der(0x30, "") },
    },
  }
  local server = shown(identity)
  for _, name in ipairs(options.projection.words) do
    local text = server:as_json(name)
    equal(utf8.len(text) ~= nil, true, name .. ": UTF-8")
    equal(text:find "%c", nil, name .. ": a control character")
    equal(type(json.decode(text)), "table")
  end
  local told = json.decode(server:as_json "go").PeerCertificates[1]
  equal(told.URIs[1], server:as "go".PeerCertificates[1].URIs[1])
end)

test("whatever a certificate's bytes are, reading them ends without an error", function()
  local der = root:issue {
    subject = "CN=a,O=b", dns = "a.example", uri = "x:y", email = "m@x", ip = "::1",
    ocsp_url = "http://o", crl_urls = "http://c",
  }.certificate:der()
  equal(x509.read(der).version, 3)
  local seed = 1
  local function random(most)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return seed // 256 % most + 1
  end
  local unreadable = 0
  for _ = 1, 4000 do
    local bytes = { der:byte(1, -1) }
    for _ = 1, random(4) do
      bytes[random(#bytes)] = random(256) - 1
    end
    local changed = string.char(table.unpack(bytes)):sub(1, random(8) == 1 and random(#der) or -1)
    local read = x509.read(changed)
    unreadable = unreadable + (read and 0 or 1)
  end
  equal(unreadable > 1000 and unreadable < 3999, true, unreadable .. " of 4000")
  for length = 0, #der - 1 do
    equal(x509.read(der:sub(1, length)), nil, "cut after " .. length)
  end
end)

native.clock_reset()
unit.done()
