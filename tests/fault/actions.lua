-- SPDX-License-Identifier: MIT
-- What the binding can be asked, for sweep.c to run with each allocation failing in turn: a list of
-- { name =, prepare =, act = }. `prepare` (optional) runs undisturbed before every try and returns
-- what `act` gets. An action asserts that it came out right; and what it returns must, in the words
-- of the list's `describe`, be the same in every try that succeeds: a failure that was borne may
-- not have changed what is told.
local native = require "moonshake.native"
local links = native.link_methods

local DAY = 86400
local NOW = 1700000000

native.clock_set(NOW)

local function recipe(given)
  given.not_before, given.not_after = NOW - DAY, NOW + 90 * DAY
  return given
end

local function field(object, name)
  local known, value = native.field(object, name)
  assert(known, value or name)
  return value
end

local function all_fields(certificate, skipped)
  local values = {}
  for _, description in ipairs(native.fields "certificate") do
    if not skipped[description.name] then
      values[description.name] = field(certificate, description.name)
    end
  end
  return values
end

local key = assert(native.key "ecdsa-p256")
local root = assert(native.issue(recipe {
  subject = "CN=Root", ca = true, key_usage = { "keyCertSign", "cRLSign" },
}, key, nil, true))
local anchors = { field(root, "certificate") }

local function issue(name)
  return assert(native.issue(recipe {
    subject = "CN=" .. name, dns = { name }, key_usage = { "digitalSignature" },
    purposes = { "server", "client" },
  }, key, root))
end

local server, client = issue "server.example", issue "client.example"
local server_pem = native.certificate_pem(field(server, "certificate"))
local server_key_pem = native.key_pem(field(server, "key"))
local key_pem = native.key_pem(key)
local locked_pem, bag -- made when first needed: deriving keys from passwords takes its time

---------------------------------------------------------------------------------------------------
-- Links

local function options(role, given)
  local all = {
    identities = { role == "server" and server or client }, trust = anchors, verify = "always",
  }
  if role == "server" then
    all.client_auth = "require"
  else
    all.server_name, all.verify_name = "server.example", "server.example"
  end
  for name, value in pairs(given or {}) do
    all[name] = value or nil
  end
  return all
end

local function config(role, given)
  return assert(native.config(role, options(role, given)))
end

local function new_link(version, given, resumed)
  given = given or {}
  local both = { client = { versions = { version } }, server = { versions = { version } } }
  for role, list in pairs(both) do
    for name, value in pairs(given[role] or {}) do
      list[name] = value
    end
  end
  return assert(native.link(config("client", both.client), config("server", both.server), resumed))
end

local function pump(link)
  local what, detail = links.pump(link)
  if what == "raised" then
    error(detail, 0)
  end
  return assert(what, detail), detail
end

local function act(link, action, arguments)
  assert(links.begin(link, action, arguments or {}))
  local what, role = pump(link)
  while what == "asks" do
    assert(links.question(link, role))
    assert(links.answer(link, role, true))
    what, role = pump(link)
  end
  assert(what == "quiet", what)
  -- Want of memory inside GnuTLS's callbacks is told by the pump; an end that is not content
  -- then would be a lie.
  assert(assert(links.content(link) ~= nil) and links.content(link), "not content")
end

local function shake(link)
  act(link, "handshake")
  return link
end

local function established(version, given)
  return function()
    return shake(new_link(version, given))
  end
end

local actions = {}

local function action(name, run, prepare)
  actions[#actions + 1] = { name = name, act = run, prepare = prepare }
end

---------------------------------------------------------------------------------------------------
-- Words

action("names", function()
  assert(native.find("group", "P-256") == "secp256r1")
  return native.names "cipher_suite"
end)

action("words and numbers", function()
  assert(native.number("alert", "unknown_ca") == 48)
  assert(native.number("code", "GNUTLS_E_EXPIRED") == -29)
  return native.words "absence"
end)

action("descriptions of fields", function()
  local all = {}
  for _, what in ipairs { "certificate", "state", "verification", "event" } do
    all[what] = native.fields(what)
  end
  return all
end)

action("classes", function()
  assert(native.class "link".__name == "moonshake.link")
end)

action("clock and deadline", function()
  assert(native.clock_now() == NOW)
  native.deadline(1000)
  assert(native.time_left() > 0)
  native.check_time()
  native.deadline(nil)
  assert(native.time_left() == nil)
end)

action("undisturbed", function()
  assert(native.undisturbed(function(...) return select("#", ...) end)(1, nil) == 2)
end)

---------------------------------------------------------------------------------------------------
-- What an end enables

for _, kind in ipairs { "version", "cipher_suite", "group", "signature_scheme" } do
  action("enabled " .. kind, function(made)
    assert(#assert(native.enabled(made, kind)) > 0)
  end, function()
    return config("client", { versions = { "TLS1.3" } })
  end)
end

---------------------------------------------------------------------------------------------------
-- Certificates

for _, word in ipairs { "ecdsa-p256", "ed25519", "rsa-2048" } do
  action("key " .. word, function()
    assert(field(assert(native.key(word)), "bits") > 200)
  end, native.rewind)
end

action("an authority", function()
  local made = assert(native.issue(recipe { subject = "CN=Other", ca = true }, key, nil, true))
  assert(field(made, "issuer") == nil and field(made, "key") == key)
end)

action("an issued certificate with everything", function()
  local made = assert(native.issue(recipe {
    subject = "CN=all,O=Example", issuer_name = "CN=Somebody", dns = { "a.example", "b.example" },
    ip = { "127.0.0.1", "::1" }, uri = { "spiffe://example.org/a" }, email = { "a@example.org" },
    serial = "0123", key_usage = { "digitalSignature" }, purposes = { "server", "1.2.3.4" },
    ca = true, path_length = 3, digest = "sha384", permitted = { "dns:example.org" },
    excluded = { "dns:bad.example.org" }, crl_urls = { "http://example.org/crl" },
    ocsp_url = "http://example.org/ocsp", must_staple = true,
    extensions = { { oid = "1.2.3.5", critical = false, der = "\5\0" } },
    omit_subject_key_id = true, omit_authority_key_id = true,
  }, key, root))
  local certificate = field(made, "certificate")
  assert(#field(certificate, "dns_names") == 2)
  assert(field(certificate, "serial") == "0123" and field(certificate, "path_length") == 3)
  assert(field(made, "issuer") == native.authority(root))
  return all_fields(certificate, { fingerprint = true })
end)

action("an identity with another chain", function()
  local made = assert(native.identity(key, { anchors[1], anchors[1] }, root))
  assert(#field(made, "chain") == 2)
end)

action("all fields of a certificate", function(certificate)
  return all_fields(certificate, {})
end, function()
  return native.read_certificates(server_pem)[1]
end)

action("certificates read", function()
  local list = assert(native.read_certificates(server_pem .. server_pem))
  assert(#list == 2 and list[1] == list[2] and list[1] ~= anchors[1])
end)

action("certificates written", function()
  assert(assert(native.certificate_pem(anchors[1])):find "BEGIN CERTIFICATE")
  assert(#native.certificate_der(anchors[1]) > 100)
  return assert(native.certificate_text(anchors[1]))
end)

action("a key read and written", function()
  local read = assert(native.read_key(key_pem))
  assert(assert(native.key_pem(read)) == key_pem)
  assert(assert(native.key_public_pem(read)):find "BEGIN PUBLIC KEY")
end)

action("an encrypted key read and written", function()
  assert(native.key_pem(assert(native.read_key(locked_pem, "secret")), "secret"))
end, function()
  locked_pem = locked_pem or assert(native.key_pem(key, "secret"))
end)

action("an identity read", function()
  assert(field(assert(native.read_identity(server_pem, server_key_pem)), "certificate"))
end)

action("PKCS #12 read and written", function()
  assert(native.pkcs12(assert(native.read_pkcs12(bag, "secret")), "secret"))
end, function()
  bag = bag or assert(native.pkcs12(server, "secret"))
end)

action("a chain judged", function()
  local found = assert(native.verify({ field(server, "certificate") }, {
    trust = anchors, at = NOW, name = "server.example", purpose = "server", max_depth = 5,
  }))
  assert(found.verified and #found.path == 2)
  return found
end)

action("a chain judged and found bad", function()
  local found = assert(native.verify({ field(server, "certificate") }, {
    trust = anchors, at = NOW + 1000 * DAY, name = "other.example",
  }))
  assert(not found.verified)
  return found
end)

---------------------------------------------------------------------------------------------------
-- Ends

action("a client's config", function()
  assert(native.config("client", options("client", {
    versions = { "TLS1.2", "TLS1.3" }, groups = { "secp256r1", "x25519" },
    cipher_suites = { "TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256" },
    signature_schemes = { "ecdsa_secp256r1_sha256" }, alpn = { "h2", "http/1.1" },
    send_certificate = "always", renegotiation = "safe", extended_master_secret = true,
    max_depth = 9, max_message_size = 100000, alerts = "library", clock_offset = 5, tickets = 0,
    post_handshake_auth = true, identity_change = "allow",
  })))
end)

action("a server's config with sites", function()
  local site = assert(native.config("server", options("server", { client_auth = "none" })))
  assert(native.config("server", options("server", {
    issuers = { "CN=Somebody", anchors[1] }, sites = { { name = "a.example", config = site } },
    unknown_name = "reject", alpn = { "h2" }, alpn_required = true, server_preference = true,
  })))
end)

action("a config with a priority string", function()
  assert(native.config("client", { priority = "NORMAL:-VERS-TLS1.3" }))
end)

action("a link", function()
  new_link "TLS1.3"
end)

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  local in_version = " in " .. version

  action("a handshake" .. in_version, shake, function()
    return new_link(version)
  end)

  action("a whole link" .. in_version, function()
    local _ <close> = shake(new_link(version))
  end)

  action("a refused handshake" .. in_version, function(link)
    assert(links.begin(link, "handshake", {}))
    assert(pump(link) == "quiet" and not links.content(link))
    assert(links.failed_first(link) == "server")
    return link
  end, function()
    return new_link(version, { client = { identities = {} } })
  end)

  action("a choosing function" .. in_version, shake, function()
    return new_link(version, {
      client = { identities = false, choose = function(request)
        assert(#request.issuers == 1 and #request.signature_schemes > 0)
        assert(request.server_name == "server.example")
        return client
      end },
      server = { identities = false, choose = function(request)
        assert(request.issuers == nil)
        return server
      end },
    })
  end)

  action("a choosing function that makes what it gives" .. in_version, shake, function()
    return new_link(version, {
      client = { identities = false, choose = function()
        return issue "client.example"
      end },
    })
  end)

  action("a choosing function that raises" .. in_version, function(link)
    assert(links.begin(link, "handshake", {}))
    local what, message = links.pump(link)
    if what == "raised" and type(message) == "table" then
      assert(message[1] == "no")
    else
      error(message or what, 0)
    end
  end, function()
    return new_link(version, {
      client = { identities = false, choose = function()
        error { "no" }
      end },
    })
  end)

  action("a choosing function with a link of its own" .. in_version, shake, function()
    return new_link(version, {
      client = { identities = false, choose = function()
        local _ <close> = shake(new_link(version))
        return client
      end },
    })
  end)

  action("flights in pieces" .. in_version, function(link)
    assert(links.tamper(link, true))
    assert(links.begin(link, "handshake", {}))
    local what, role = assert(links.pump(link))
    while what == "flight" do
      local bytes = assert(links.take(link, role))
      for _, piece in ipairs { bytes:sub(1, 7), bytes:sub(8) } do
        assert(links.feed(link, role == "client" and "server" or "client", piece))
      end
      what, role = assert(links.pump(link))
    end
    assert(what == "quiet" and links.content(link))
    return link
  end, function()
    return new_link(version)
  end)

  action("questions" .. in_version, shake, function()
    return new_link(version, { client = { verify = "ask" }, server = { verify = "ask" } })
  end)

  action("data and keying material" .. in_version, function(link)
    act(link, "send", { from = "client", data = "hello" })
    assert(links.received(link, "server") == "hello")
    assert(#assert(links.exporter(link, "client", "EXPORTER-test", "", 32)) == 32)
  end, established(version))

  action("fields" .. in_version, function(link)
    local values = {}
    for _, description in ipairs(native.fields "state") do
      local known, value = links.field(link, "server", description.name)
      assert(known, value)
      values[description.name] = value
    end
    return values
  end, established(version))

  action("a snapshot" .. in_version, function(link)
    return assert(links.snapshot(link, "client"))
  end, established(version))

  action("a history" .. in_version, function(link)
    return assert(links.history(link, "client"))
  end, established(version))

  action("events" .. in_version, function(link)
    return assert(links.events(link))
  end, established(version))

  action("secrets" .. in_version, function(link)
    local secrets = assert(links.secrets(link))
    assert(#secrets == (version == "TLS1.3" and 5 or 1))
    return secrets
  end, established(version))

  action("a resumed link" .. in_version, function(link)
    local resumed <close> = shake(new_link(version, nil, link))
    local state = assert(links.snapshot(resumed, "client"))
    assert(state.resumed)
    return state
  end, established(version))

  action("closing" .. in_version, function(link)
    act(link, "close")
    assert(links.closed(link))
    return link
  end, established(version))

  action("disposing" .. in_version, function(link)
    assert(links.dispose(link))
    return link
  end, established(version))
end

action("a session resumed by its id", function(link)
  shake(link)
  local resumed <close> = shake(new_link("TLS1.2", { server = { tickets = 0 } }, link))
  local state = assert(links.snapshot(resumed, "client"))
  assert(state.resumed, "not resumed")
  return state
end, function()
  return new_link("TLS1.2", { server = { tickets = 0 } })
end)

action("a dissector", function(stream)
  local dissector = native.dissector()
  local found = {}
  for _, piece in ipairs { stream:sub(1, 8), stream:sub(9) } do
    table.move(assert(dissector:feed("server", piece)), 1, 8, #found + 1, found)
  end
  assert(dissector:rest "server" == "\22\3" and dissector:rest "client" == "")
  assert(#found == 2 and found[1].messages[2] == "Certificate" and found[2].alert.number == 40)
  assert(#found[1].certificates == 1 and found[1].hello == nil and found[2].certificates == nil)
  return found
end, function()
  local der = assert(native.certificate_der(field(server, "certificate")))
  local certificate = "\11" .. (">s3"):pack((">s3"):pack((">s3"):pack(der)))
  return "\22\3\3" .. (">s2"):pack("\14\0\0\0" .. certificate) .. "\21\3\3\0\2\2\40" .. "\22\3"
end)

action("last words", function()
  assert(native.last_words(1, "TOKEN", "@moonshake/"))
  assert(native.last_words(2, "TOKEN"))
  local asked, problem = native.last_words(1 << 20, "TOKEN")
  assert(not asked and problem:find("descriptor 1048576", 1, true), problem)
  return native.last_words(nil)
end)

action("renegotiation with another identity", function(link)
  assert(links.use(link, "client", config("client", { identities = { issue "other.example" } })))
  act(link, "renegotiate", { by = "server" })
  local history = assert(links.history(link, "server"))
  assert(#history == 2 and history[2].peer_certificate ~= history[1].peer_certificate)
  return link
end, established("TLS1.2", { server = { identity_change = "allow" } }))

action("reauthentication", function(link)
  act(link, "reauthenticate")
  assert(#assert(links.history(link, "server")) == 2)
  return link
end, established "TLS1.3")

action("a key update", function(link)
  act(link, "update_keys", { by = "client", request_peer = true })
  return link
end, established "TLS1.3")

action("a site", function(link)
  shake(link)
  assert(assert(links.snapshot(link, "server")).site == "server.example")
  return link
end, function()
  local site = config("server", { identities = false, choose = function()
    return server
  end })
  return new_link("TLS1.3", {
    server = { sites = { { name = "server.example", config = site } } },
  })
end)

---------------------------------------------------------------------------------------------------
-- Ends that are alone, with bytes carried by hand

local function alone(version)
  return {
    client = assert(native.link(config("client", { versions = { version } }), nil)),
    server = assert(native.link(nil, config("server", { versions = { version } }))),
  }
end

-- Carries until nobody has anything to say.
local function carry(ends)
  local moved
  repeat
    moved = false
    for from, to in pairs { client = "server", server = "client" } do
      pump(ends[from])
      local bytes = links.take(ends[from], from)
      if bytes ~= "" then
        moved = true
        assert(links.feed(ends[to], to, bytes))
      end
    end
  until not moved
end

local function shake_alone(ends)
  for _, one in pairs(ends) do
    assert(links.begin(one, "handshake", {}))
  end
  carry(ends)
  for role, one in pairs(ends) do
    assert(assert(links.standing(one, role)) == "open")
  end
  return ends
end

local function states(ends)
  return { client = assert(links.history(ends.client, "client")),
           server = assert(links.history(ends.server, "server")) }
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  action("two ends alone in " .. version, function(ends)
    shake_alone(ends)
    assert(links.begin(ends.client, "send", { from = "client", data = "hello" }))
    carry(ends)
    assert(links.received(ends.server, "server") == "hello")
    return states(ends)
  end, function()
    return alone(version)
  end)

  action("an epoch that the peer begins in " .. version, function(ends)
    local how = version == "TLS1.3" and "reauthenticate" or "renegotiate"
    assert(links.begin(ends.server, how, { by = "server" }))
    carry(ends)
    assert(links.epoch(ends.client) ~= "initial" and links.num_events(ends.client) > 0)
    assert(assert(links.content(ends.client) ~= nil) and links.content(ends.client), "not content")
    return states(ends)
  end, function()
    return shake_alone(alone(version))
  end)
end

action("an end whose carrier ends", function(ends)
  assert(links.hang_up(ends.client, "client"))
  pump(ends.client)
  assert(links.break_off(ends.server, "connection_reset", "gone"))
  assert(assert(links.snapshot(ends.server, "server")).error.problem == "connection_reset")
  return states(ends)
end, function()
  return shake_alone(alone "TLS1.3")
end)

action("flights that are handed out", function(link)
  assert(links.tamper(link, true))
  assert(links.begin(link, "handshake", {}))
  local what, role = pump(link)
  while what == "flight" do
    assert(links.feed(link, role == "client" and "server" or "client", links.take(link, role)))
    what, role = pump(link)
  end
  assert(what == "quiet")
  assert(assert(links.content(link) ~= nil) and links.content(link), "not content")
  return link
end, function()
  return new_link "TLS1.3"
end)

---------------------------------------------------------------------------------------------------
-- In words

-- Fields that are different in every handshake.
local RANDOM = {
  bytes = true, length = true, session_id = true, tls_unique = true, client_random = true,
  secret = true,
}

local describe

local function describe_table(value)
  local lines = {}
  for name, member in pairs(value) do
    lines[#lines + 1] = ("%s=%s"):format(name, RANDOM[name] and type(member) or describe(member))
  end
  table.sort(lines)
  return "{" .. table.concat(lines, ",") .. "}"
end

function describe(value)
  local class = type(value) == "userdata" and getmetatable(value).__name
  if class == "moonshake.certificate" then
    return field(value, "subject")
  elseif class == "moonshake.link" then
    local all = { events = assert(links.events(value)) }
    for _, role in ipairs { "client", "server" } do
      all[role] = assert(links.history(value, role))
    end
    return describe_table(all)
  elseif type(value) == "table" then
    return describe_table(value)
  end
  return tostring(value)
end

actions.describe = describe
return actions
