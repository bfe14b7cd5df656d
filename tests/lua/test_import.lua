-- SPDX-License-Identifier: MIT
-- Handshake messages and names as moonshake import reads them: the same as the log has, and of what
-- was cut or changed nothing that breaks it.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local der = require "moonshake.import.der"
local history = require "moonshake.import.history"
local messages = require "moonshake.import.messages"
local model = require "moonshake.import.model"
local reproduced = dofile((arg[0]:match ".*/" or "") .. "reproduced.lua")
local source = require "moonshake.reproduce.source"
local pki, tls = ms.pki, ms.tls
local test, equal = unit.test, unit.equal

local TYPES = { HelloRequest = 0, ClientHello = 1, ServerHello = 2, HelloRetryRequest = 2,
                NewSessionTicket = 4, EncryptedExtensions = 8, Certificate = 11,
                ServerKeyExchange = 12, CertificateRequest = 13, ServerHelloDone = 14,
                CertificateVerify = 15, ClientKeyExchange = 16, Finished = 20 }

local root = pki.authority { cn = "Example Root" }

local function link_of(version)
  local link = tls.link {
    server = { identity = root:issue { dns = "server.example" }, trust = root,
               client_auth = "require", issuers = { root, "CN=Other,O=Ex\\, Inc." }, alpn = "h2" },
    client = { identity = root:issue { cn = "alice" }, trust = root,
               server_name = "server.example", alpn = { "h2", "http/1.1" } },
    versions = version,
  }
  link:handshake()
  return link
end

local links = { link_of "TLS1.0", link_of "TLS1.2", link_of "TLS1.3" }

-- Calls f(event, HandshakeType, body) for each message that an end sent.
local function each_message(link, f)
  for _, event in ipairs(link.events) do
    if event.kind == "message" and event.direction == "sent" then
      local body = event.bytes
      f(event, assert(TYPES[event.type], event.type), body)
    end
  end
end

local function joined(list)
  return list and table.concat(list, " ")
end

test("hellos say what the log says of them", function()
  for _, link in ipairs(links) do
    each_message(link, function(event, kind, body)
      local read = messages.read(kind, body, link.client.version)
      if kind == 1 then
        for _, name in ipairs { "versions", "cipher_suites", "groups", "signature_schemes",
                                "alpn" } do
          equal(joined(read[name]), joined(event.hello[name]), name)
        end
        for _, name in ipairs { "server_name", "session_id", "or_older", "ticket",
                                "extended_master_secret", "secure_renegotiation",
                                "post_handshake_auth" } do
          equal(read[name], event.hello[name], name)
        end
      elseif kind == 2 then
        equal(read.version, event.hello.versions[1])
        equal(read.cipher_suite, event.hello.cipher_suites[1])
        equal(read.group, (event.hello.groups or {})[1])
      end
    end)
  end
end)

test("certificates and requests are those of the log", function()
  for _, link in ipairs(links) do
    local certificates, requests = 0, 0
    each_message(link, function(event, kind, body)
      local read = messages.read(kind, body, link.client.version)
      if kind == 11 then
        certificates = certificates + 1
        equal(#read.chain, #event.certificates)
        for index, one in ipairs(read.chain) do
          equal(one:der(), event.certificates[index]:der())
        end
      elseif kind == 13 then
        requests = requests + 1
        equal(joined(read.issuers), joined(link.client.requested_issuers))
        equal(joined(read.signature_schemes), joined(link.client.requested_signature_schemes))
      elseif kind == 12 then
        equal(read.group, link.client.group)
      end
    end)
    equal(certificates, 2)
    equal(requests, 1)
  end
end)

test("what is cut or changed anywhere is read or refused", function()
  for _, link in ipairs(links) do
    each_message(link, function(_, kind, body)
      for length = 0, #body - 1, 1 + #body // 20 do
        messages.read(kind, body:sub(1, length), link.client.version)
      end
      for at = 1, #body, 1 + #body // 20 do
        for _, byte in ipairs { "\0", "\1", "\xFF" } do
          messages.read(kind, body:sub(1, at - 1) .. byte .. body:sub(at + 1), link.client.version)
        end
      end
    end)
  end
end)

test("certificates that were compressed are told of", function()
  local told = history.read {
    { role = "client", kind = "message", type = 1,
      body = "\3\3" .. ("x"):rep(32) .. "\0\0\2\x13\1\1\0" },
    { role = "server", kind = "message", type = 25, body = "\0\1\0\0\0" },
  }
  equal(told.unreadable, "the certificates of the server, which were compressed")
end)

test("names that are none give nil", function()
  equal(der.name "", nil)
  equal(der.name "\x30\x80", nil)
  equal(der.name "\x30\x03\x31\x01", nil)
  equal(der.certificate "\x30\x00", nil)
end)

test("a history is what was said, in any order that a peer likes", function()
  local said = {}
  each_message(links[2], function(event, kind, body)
    said[#said + 1] = { role = event.role, kind = "message", type = kind, body = body }
  end)
  equal(#history.read(said).list, 1)
  equal(history.read(said).list[1].version, "TLS1.2")
  for first = 1, #said do
    for last = first, #said do
      history.read(table.move(said, first, last, 1, {}))
      history.read { said[last], said[first], said[last], { role = "client", kind = "encrypted" },
                     { role = "server", kind = "alert", level = 2, number = 40 },
                     { role = "server", kind = "change" }, said[first],
                     { role = "client", kind = "encrypted alert" } }
    end
  end
end)

-- What was said, some of it changed, left out, repeated or by the other end: the same each time.
local function disturbed(said, random)
  local list = {}
  for _, message in ipairs(said) do
    local one, chance = {}, random(20)
    for key, value in pairs(message) do
      one[key] = value
    end
    if chance <= 4 and #one.body > 0 then
      local at = random(#one.body)
      one.body = one.body:sub(1, at - 1) .. string.char(random(256) - 1) .. one.body:sub(at + 1)
    elseif chance == 5 then
      one.role = one.role == "client" and "server" or "client"
    elseif chance == 6 then
      list[#list + 1] = said[random(#said)]
    elseif chance == 7 then
      list[#list + 1] = { role = one.role, kind = "alert", level = random(2),
                          number = random(130) }
    elseif chance == 8 then
      list[#list + 1] = { role = one.role, kind = "encrypted" }
    end
    list[#list + 1] = chance ~= 9 and one or nil
  end
  return list
end

test("whatever was said, a scenario that loads is written", function()
  local state = 1
  local function random(most) -- Numerical Recipes' generator
    state = (state * 1664525 + 1013904223) & 0xFFFFFFFF
    return (state >> 8) % most + 1
  end
  local stream = { number = 0, at = ms.clock:now(), client = "192.0.2.1", client_port = "1",
                   server = "192.0.2.2", server_port = "2" }
  for index = 1, 30 do
    local said = {}
    each_message(links[index % 3 + 1], function(event, kind, body)
      said[#said + 1] = { role = event.role, kind = "message", type = kind, body = body }
    end)
    local told = history.read(disturbed(said, random))
    if told.list[1] and told.list[1].hello then
      local text = source.write((model.make(told, stream, "Made of noise.")))
      reproduced.check_lines(text)
      assert(load(text))
    end
  end
end)

unit.done()
