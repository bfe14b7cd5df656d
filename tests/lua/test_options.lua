-- SPDX-License-Identifier: MIT
-- What tls.link and the actions say to options that cannot be.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local options = require "moonshake.options"
local pki, tls = ms.pki, ms.tls
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local ca = pki.authority { cn = "Root" }
local server = ca:issue { dns = "server.example" }

local function complains(part, given)
  return raises(part, function()
    local _ = tls.link(given)
  end)
end

test("a misspelt option is told at the script's line, with the nearest", function()
  local message = raises("tls.link: server: unknown option", function()
    local _ = tls.link { server = { cleint_auth = "none" } }
  end)
  contains(message, ("test_options.lua:%d: tls.link: server: unknown option \"cleint_auth\" "
                     .. "(did you mean \"client_auth\"?)"):format(unit.line() - 3))
end)

test("a misspelt end or shared option is told", function()
  complains('tls.link: unknown option "sever" (did you mean "server"?)', { sever = {} })
  complains('tls.link: unknown option "version" (did you mean "versions"?)', { version = "TLS1.2" })
end)

test("a table of options is a plain one, and a name has no NUL", function()
  complains("tls.link: wants a table of options, got", setmetatable({}, {}))
  complains("tls.link: client: wants a table of options, got", { client = tls.none })
  local link = tls.link { server = { identity = server } }
  raises("link:handshake: wants a table of options, got tls.none", function()
    link:handshake(tls.none)
  end)
  complains("server_name: wants a name, got", { client = { server_name = "a\0b" } })
  complains("server_name: wants a name, got", { client = { server_name = "" } })
end)

test("an address is no server_name, and no DNS name of a constraint", function()
  for _, address in ipairs { "192.0.2.7", "2001:db8::1" } do
    complains("which server_name cannot carry (RFC 6066 section 3): give it as verify_name",
              { client = { server_name = address } })
  end
  raises('pki.authority: permitted: "dns:example" is no DNS name', function()
    local _ = pki.authority { cn = "X", permitted = { "dns:example" } }
  end)
end)

test("a wrong issuer, a long name, a list with a hole are told where they are", function()
  complains("tls.link: server: issuers: ",
            { server = { identity = server, issuers = "nonsense" } })
  complains("tls.link: client: server_name: a DNS name has at most 253 bytes",
            { client = { server_name = ("x"):rep(300) } })
  complains("tls.link: alpn: wants a list (items 1, 2, ... and no hole)",
            { client = {}, server = { identity = server }, alpn = { "a", nil, "b" } })
  complains("tls.link: alpn: wants a list", { server = { identity = server },
                                              alpn = { h2 = true } })
end)

test("an option of the other role says whose it is", function()
  complains('tls.link: client: "client_auth" is an option of the server',
            { client = { client_auth = "none" } })
  complains('tls.link: server: "server_name" is an option of the client',
            { server = { server_name = "x" } })
  complains('tls.link: "client_auth" is an option of the server', { client_auth = "none" })
end)

test("what is not part of this version says so", function()
  for _, name in ipairs { "crls", "ocsp", "psk", "raw_public_keys", "early_data",
                          "record_size_limit" } do
    complains(("tls.link: client: %s is not part of this version"):format(name),
              { client = { [name] = {} } })
  end
  complains("DTLS1.2 is not part of this version", { versions = "DTLS1.2" })
  complains('stack "openssl" is not part of this version', { server = { stack = "openssl" } })
  local link = tls.link { server = { stack = "gnutls" } }
  raises("ocsp_response is not part of this version",
         function() return link.client.ocsp_response end)
  raises("early_data is not part of this version", function()
    return link.server:snapshot().early_data
  end)
end)

test("an unknown word names the nearest and what there is", function()
  complains('tls.link: server: client_auth: unknown word "reqire" (did you mean "require"?); it '
            .. 'takes one of "none", "request", "require"', { server = { client_auth = "reqire" } })
  complains("tls.link: client: send_certificate: unknown word",
            { client = { send_certificate = "" } })
end)

test("an unknown suite, group, scheme or version names the nearest", function()
  complains('cipher_suites: unknown cipher suite "TLS_AES_128_GCM_SHA265" (did you mean '
            .. '"TLS_AES_128_GCM_SHA256"?)', { cipher_suites = { "TLS_AES_128_GCM_SHA265" } })
  complains('groups: unknown group "x25591" (did you mean "x25519"?)', { groups = "x25591" })
  complains('signature_schemes: unknown signature scheme "ed2551"',
            { signature_schemes = "ed2551" })
  complains('versions: unknown version "TLS1.4"', { versions = { "TLS1.4" } })
end)

test("other spellings of a name are understood", function()
  local link = tls.link { server = { identity = server }, versions = "TLSv1.2",
                          client = { cipher_suites = "ECDHE-ECDSA-AES128-GCM-SHA256" } }
  link:handshake()
  equal(link.client.cipher_suite, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
end)

test("a wrong type names the option, what is wanted and what came", function()
  complains('tls.link: server: tickets: wants an integer from 0 to 255, got "2" (a string)',
            { server = { tickets = "2" } })
  complains("tickets: wants an integer from 0 to 255, got 256 (a number)",
            { server = { tickets = 256 } })
  complains("tickets: wants an integer from 0 to 255, got 1.5 (a number)",
            { server = { tickets = 1.5 } })
  complains("max_depth: wants an integer from 1 to", { max_depth = 0 })
  complains("verify: wants true, false or a function, got \"yes\"", { verify = "yes" })
  complains("identity: wants an identity, got", { identity = "server.pem" })
  complains("identity: wants an identity, got CN=server.example",
            { server = { identity = server.certificate } })
  complains("trust: wants authorities, identities, certificates or \"system\", got \"all\"",
            { trust = "all" })
  complains("server_name: wants a name, got \"\"", { client = { server_name = "" } })
  complains("verify_name: wants a name or false, got true", { client = { verify_name = true } })
  complains("alpn: wants a string, got 2", { alpn = { "h2", 2 } })
  complains("tls.link: server: wants a table of options, got", { server = server })
  complains("tls.link: wants a table of options, got nil", nil)
  complains("options have names, got an item at [1]", { { server = {} } })
end)

test("an empty list of versions, suites, groups or schemes is an error", function()
  for _, name in ipairs { "versions", "cipher_suites", "groups", "signature_schemes" } do
    complains(name .. ": is an empty list", { [name] = {} })
    complains(name .. ": is an empty list", { server = { [name] = {} } })
  end
end)

test("a name that stands twice in a list is an error", function()
  complains("versions: TLS1.2 stands in it twice", { versions = { "TLS1.2", "TLSv1.2" } })
end)

test("at most 8 protocols of at most 31 bytes", function()
  complains("alpn: takes at most 8, got 9",
            { alpn = { "1", "2", "3", "4", "5", "6", "7", "8", "9" } })
  complains("alpn: wants protocols of 1 to 31 bytes", { alpn = ("x"):rep(32) })
  complains("alpn: wants protocols of 1 to 31 bytes", { alpn = "" })
end)

test("what the core finds wrong has the end and the option in front", function()
  complains("tls.link: server: versions: ",
            { server = { versions = { "TLS1.1", "TLS1.3" } } })
  complains("tls.link: client: cipher_suites: ",
            { client = { versions = "TLS1.3", cipher_suites = "TLS_RSA_WITH_AES_128_CBC_SHA" } })
end)

test("sites take what may differ by name, and names", function()
  complains('tls.link: server: sites["a.example"]: unknown option "identiy" (did you mean '
            .. '"identity"?)', { server = { sites = { ["a.example"] = { identiy = server } } } })
  complains('sites["a.example"]: verify cannot differ from site to site',
            { server = { sites = { ["a.example"] = { verify = false } } } })
  complains("sites: a key is a server name", { server = { sites = { server } } })
  complains("sites: a key is a server name", { server = { sites = { ["a.*"] = {} } } })
  complains('sites["a.example"]: wants a table of options',
            { server = { sites = { ["a.example"] = server } } })
end)

test("an end's own option wins over a shared one, and tls.default takes that back", function()
  local link = tls.link { versions = "TLS1.2", server = { identity = server },
                          client = { versions = { "TLS1.2", "TLS1.3" } } }
  link:handshake()
  equal(link.client.version, "TLS1.2")
  link = tls.link { versions = "TLS1.2", server = { identity = server, versions = tls.default },
                    client = { versions = tls.default } }
  link:handshake()
  equal(link.client.version, "TLS1.3")
end)

test("what is fixed for a link's life cannot be changed by renegotiation", function()
  local link = tls.link { versions = "TLS1.2", server = { identity = server } }
  link:handshake()
  for name, value in pairs { identity_change = "allow", post_handshake_auth = false,
                             alpn = { "h2" } } do
    raises(("link:renegotiate: client: %s is fixed for a link's life"):format(name), function()
      link:renegotiate { by = "client", client = { [name] = value } }
    end)
  end
  raises("sites is fixed", function()
    link:renegotiate { by = "client", server = { sites = {} } }
  end)
end)

test("actions check their options", function()
  local link = tls.link { server = { identity = server } }
  raises("link:renegotiate: by is missing", function() link:renegotiate {} end)
  raises('link:renegotiate: by: unknown word "sever"', function()
    link:renegotiate { by = "sever" }
  end)
  raises('link:send: unknown option "form" (did you mean "from"?)', function()
    link:send { form = "client", data = "x" }
  end)
  raises("link:send: data is missing", function() link:send { from = "client" } end)
  raises("link:update_keys: request_peer: wants true or false", function()
    link:update_keys { by = "client", request_peer = 1 }
  end)
  raises('link:handshake: unknown option "client"', function() link:handshake { client = {} } end)
  raises("link:close: to be called with a colon", function() link.close { by = "client" } end)
  raises("link:reauthenticate: unknown option", function()
    link:reauthenticate { by = "server" }
  end)
end)

test("every option has a name, a type and a meaning", function()
  for table_name, entries in pairs(options) do
    for _, option in ipairs(entries) do
      if type(option) == "table" and not option.later and table_name ~= "password" then
        equal(type(option.name), "string", table_name)
        equal(type(option.type), "string", option.name)
        equal(type(option.about), "string", option.name)
      end
    end
  end
end)

unit.done()
