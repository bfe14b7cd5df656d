-- SPDX-License-Identifier: MIT
-- Whether tshark reads our captures, without a setting, as the log has it: messages, alerts, data
-- and certificates in clear, and nothing of TCP to complain of.
local unit = dofile "tests/lua/harness.lua"
local live = dofile "tests/lua/live_pairs.lua"
local ms = require "moonshake"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local link_of = require "moonshake.link"
local pcapng = require "moonshake.views.pcapng"
local pki, tls = ms.pki, ms.tls
local test, equal, contains = unit.test, unit.equal, unit.contains

local TSHARK = arg[1]

-- HandshakeType (RFC 8446 section 4, RFC 5246 section 7.4); a HelloRetryRequest is a ServerHello.
local TYPES = {
  HelloRequest = 0, ClientHello = 1, ServerHello = 2, HelloRetryRequest = 2, NewSessionTicket = 4,
  EncryptedExtensions = 8, Certificate = 11, ServerKeyExchange = 12, CertificateRequest = 13,
  ServerHelloDone = 14, CertificateVerify = 15, ClientKeyExchange = 16, Finished = 20,
  KeyUpdate = 24,
}

---------------------------------------------------------------------------------------------------
-- Links, all in one capture

local ca = pki.authority { cn = "Root" }
local server = ca:issue { dns = "server.example" }
local alice = ca:issue { cn = "alice" }
local deep = pki.chain { depth = 60, leaf = { dns = "deep.example" } }

local links, streams = {}, {} -- in order; by name, what tshark counts from 0

-- One whose handshake is over.
local function add_over(name, link)
  streams[name] = #links
  links[#links + 1] = link
end

local function add(name, link)
  add_over(name, link)
  link:handshake()
  return link
end

local function mutual(version, more)
  local given = {
    server = { identity = server, trust = ca, client_auth = "require" },
    client = { identity = alice, trust = ca, server_name = "server.example" },
    versions = version,
  }
  for name, value in pairs(more or {}) do
    given[name] = value
  end
  return tls.link(given)
end

for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  local link = add(version, mutual(version))
  link:send { from = "client", data = "the first of " .. version }
  link:send { from = "server", data = "the answer in " .. version }
  if version == "TLS1.2" then
    link:renegotiate { by = "server" }
  else
    link:update_keys { by = "client", request_peer = true }
  end
  link:send { from = "client", data = "under new keys of " .. version }
  link:send { from = "server", data = "both ways in " .. version }
  local resumed = add("resumed " .. version, link:resume())
  resumed:send { from = "client", data = "resumed in " .. version }
  link:close()
  add("refused " .. version, mutual(version, {
    client = { trust = ca, server_name = "server.example" },
  }))
end
add("reauthentication", mutual "TLS1.3"):reauthenticate()
add("retry", mutual("TLS1.3", {
  client = { identity = alice, trust = ca, server_name = "server.example",
             groups = { "secp256r1", "secp384r1" } },
  server = { identity = server, trust = ca, client_auth = "require", groups = "secp384r1" },
}))
add("old", mutual "TLS1.0"):send { from = "server", data = ("much"):rep(50000) }
add("large", tls.link {
  server = { identity = deep },
  client = { trust = deep.root, server_name = "deep.example", max_depth = 100 },
  versions = "TLS1.3",
})


-- Connections: the capture of either end has what both wrote.
for _, version in ipairs { "TLS1.2", "TLS1.3" } do
  local client, theirs = live.pair(version, { identity = live.alice }, { client_auth = "require" })
  add_over("live client " .. version, client)
  add_over("live server " .. version, theirs)
  client, theirs = live.pair(version, nil, { client_auth = "require" })
  add_over("live refused client " .. version, client)
  add_over("live refused server " .. version, theirs)
end
add_over("nobody", live.client_of_nobody())
add_over("http", live.client_of(live.answers "HTTP/1.1 400 Bad Request\r\n\r\n"))

local directory = assert(files.temporary_directory())
local path = directory .. "/links.pcapng"
do
  local captured = {}
  for index, link in ipairs(links) do
    captured[index] = link_of.capture(link)
  end
  assert(pcapng.write(path, captured, "the case"))
end

---------------------------------------------------------------------------------------------------
-- What tshark says

local function tshark(options)
  local pipe = assert(io.popen(("%s -r %s %s 2>/dev/null"):format(
    escape.shell(TSHARK), escape.shell(path), options)))
  local said = pipe:read "a"
  assert(pipe:close(), "tshark failed: " .. options)
  return said
end

local FIELDS = {
  "tcp.stream", "ip.src_host", "tls.handshake.type", "tls.alert_message.desc", "frame.comment",
  "tls.handshake.certificate", "_ws.malformed", "tcp.analysis.flags", "tcp.checksum.status",
  "ip.checksum.status", "frame.protocols",
}

-- A table by FIELDS for each packet.
local packets = {}
do
  local options = { "-N n -o tcp.check_checksum:TRUE -o ip.check_checksum:TRUE -T fields",
                    "-E 'aggregator=;'" }
  for _, field in ipairs(FIELDS) do
    options[#options + 1] = "-e " .. field
  end
  for line in tshark(table.concat(options, " ")):gmatch "[^\n]+" do
    local packet, index = {}, 0
    for value in (line .. "\t"):gmatch "([^\t]*)\t" do
      index = index + 1
      packet[FIELDS[index]] = value
    end
    packets[#packets + 1] = packet
  end
end

-- The values of a field in a stream, each behind the role of who sent it.
local function told(name, field)
  local values = {}
  for _, packet in ipairs(packets) do
    if packet["tcp.stream"] == tostring(streams[name]) then
      local role = packet["ip.src_host"] == "client" and "client" or "server"
      for value in packet[field]:gmatch "[^;]+" do
        values[#values + 1] = role .. " " .. value
      end
    end
  end
  return values
end

-- In the same way what f gives for the log's events that crossed the wire.
local function logged(name, f)
  local values = {}
  local link = links[streams[name] + 1]
  local far = link_of.far(link)
  for _, event in ipairs(link.events) do
    local sent = event.direction == "sent"
    local found = (far or sent) and event.delivered ~= false and f(event)
    for _, value in ipairs(found or {}) do
      values[#values + 1] = ("%s %s"):format(sent and event.role or far.role, value)
    end
  end
  return values
end

local WITHOUT_TLS = { nobody = true, http = true }

local function same(name, field, f, at_least)
  if WITHOUT_TLS[name] then -- tshark takes the whole for something else
    return
  end
  local found, wanted = told(name, field), logged(name, f)
  if name:find "refused server" then -- it did not read what came after
    found = { table.unpack(found, 1, #wanted) }
  end
  equal(table.concat(found, "\n"), table.concat(wanted, "\n"), name)
  equal(#found >= at_least, true, name .. ": there is something to compare")
end

test("every message of the log is there in clear, in its order", function()
  for name in pairs(streams) do
    same(name, "tls.handshake.type", function(event)
      return event.kind == "message" and { (assert(TYPES[event.type], event.type)) } or nil
    end, 4)
  end
end)

test("every alert of the log is there in clear", function()
  local least = { ["TLS1.2"] = 2, ["TLS1.3"] = 2, ["refused TLS1.2"] = 1, ["refused TLS1.3"] = 1 }
  for name in pairs(streams) do
    same(name, "tls.alert_message.desc", function(event)
      return event.kind == "alert" and { event.number } or nil
    end, least[name] or 0)
  end
end)

local function hexadecimal(bytes)
  return (bytes:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

test("certificates are those of the snapshots", function()
  for name in pairs(streams) do
    same(name, "tls.handshake.certificate", function(event)
      local list = {}
      for index, certificate in ipairs(event.certificates or {}) do
        list[index] = hexadecimal(certificate:der())
      end
      return list
    end, name:find "resumed" and 0 or 1)
  end
  local function certificates(role, chain)
    local list = {}
    for index, certificate in ipairs(chain) do
      list[index] = ("%s %s"):format(role, hexadecimal(certificate:der()))
    end
    return table.concat(list, "\n")
  end
  local large = links[streams.large + 1]
  equal(#large.client.peer_certificates, 61)
  equal(table.concat(told("large", "tls.handshake.certificate"), "\n"),
        certificates("server", large.client.peer_certificates))
  local first = links[streams["TLS1.3"] + 1]
  equal(table.concat(told("TLS1.3", "tls.handshake.certificate"), "\n"),
        certificates("server", first.server.local_certificates) .. "\n"
        .. certificates("client", first.server.peer_certificates))
end)

test("application data is read, also after a renegotiation, a key update, resumed", function()
  local wanted = {}
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    wanted[version] = {
      "the first of " .. version, "the answer in " .. version, "under new keys of " .. version,
      "both ways in " .. version,
    }
    wanted["resumed " .. version] = { "resumed in " .. version }
    wanted["live client " .. version] = { "ping", "pong" }
    wanted["live server " .. version] = { "ping", "pong" }
  end
  wanted.old = { ("much"):rep(4000) }
  local options, names = { "-q" }, {}
  for name in pairs(wanted) do
    names[#names + 1] = name
    options[#options + 1] = ("-z follow,tls,raw,%d"):format(streams[name])
  end
  local said = tshark(table.concat(options, " ")):gsub("[\n\t]", "")
  for _, name in ipairs(names) do
    for _, data in ipairs(wanted[name]) do
      contains(said, hexadecimal(data))
    end
  end
end)

test("epochs, alerts and failures are told in comments", function()
  local all = table.concat(told("refused TLS1.3", "frame.comment"), "\n")
  equal(all, table.concat({
    "client epoch: initial",
    "client server failed during handshake: no_certificate",
    "server server sent alert fatal certificate_required (116)",
    "server client failed during read: peer_alert",
  }, "\n"))
  contains(table.concat(told("TLS1.2", "frame.comment"), "\n"), "server epoch: renegotiation 1\n")
end)

test("of a connection it is told who is not ours, and what came of it", function()
  local client = links[streams["live refused client TLS1.3"] + 1]
  local said = table.concat(told("live refused client TLS1.3", "frame.comment"), "\n")
  contains(said, ("the server is not ours: %s"):format(client.remote))
  contains(said, "server server sent alert fatal certificate_required (116)\n")
  contains(said, "client failed during read: peer_alert")
  said = table.concat(told("nobody", "frame.comment"), "\n")
  contains(said, "client failed during handshake: connection_refused")
  said = tshark(("-q -z follow,tcp,ascii,%d"):format(streams.http))
  contains(said, "HTTP/1.1 400 Bad Request")
end)

test("servers have the names that clients asked for", function()
  local seen = {}
  for _, packet in ipairs(packets) do
    seen[packet["ip.src_host"]] = true
  end
  equal(seen.client and seen["server.example"] and seen["deep.example"], true)
end)

test("nothing is malformed, retransmitted, lost, or wrong in its checksum", function()
  equal(#packets > 100, true)
  for number, packet in ipairs(packets) do
    local at = "packet " .. number
    equal(packet["_ws.malformed"], "", at)
    equal(packet["tcp.analysis.flags"], "", at)
    equal(packet["tcp.checksum.status"], "1", at)
    equal(packet["ip.checksum.status"], "1", at)
  end
end)

test("the case is the comment of the whole", function()
  local text = assert(files.read(path))
  contains(text:sub(1, 60), "the case")
end)

test("editcap takes the keys out, as README.md says", function()
  local editcap = TSHARK:gsub("[^/]*$", "") .. "editcap" -- it comes with tshark
  local bare = directory .. "/bare.pcapng"
  equal(os.execute(("%s --discard-all-secrets %s %s 2>/dev/null"):format(
    escape.shell(editcap), escape.shell(path), escape.shell(bare))), true)
  local text = assert(files.read(bare))
  equal(#text > 10000, true)
  contains(assert(files.read(path)), "CLIENT_HANDSHAKE_TRAFFIC_SECRET")
  equal(text:find("TRAFFIC_SECRET", 1, true), nil)
end)

assert(files.remove_tree(directory))
unit.done()
