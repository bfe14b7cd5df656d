-- SPDX-License-Identifier: MIT
-- link:tamper: what the function sees, what its answers do, and what its errors do.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local ms = require "moonshake"
local pki, tls = ms.pki, ms.tls
local test, equal, raises, contains = unit.test, unit.equal, unit.raises, unit.contains

local ca = pki.authority { cn = "Root" }
local server, client = ca:issue { dns = "server.example" }, ca:issue { cn = "alice" }
local VERSIONS = { "TLS1.0", "TLS1.2", "TLS1.3" }

local function new_link(version, more)
  local given = {
    server = { identity = server, trust = ca, client_auth = "require" },
    client = { identity = client, trust = ca, server_name = "server.example" },
    versions = version,
  }
  for role, options in pairs(more or {}) do
    for name, value in pairs(options) do
      given[role][name] = value
    end
  end
  return tls.link(given)
end

-- From now on tells the link's flights, a line each: "client ClientHello".
local function told(link, lines)
  link:tamper(function(flight)
    lines[#lines + 1] = flight.from .. " " .. table.concat(flight.messages, " ")
  end)
end

-- A whole life.
local function live(link, version)
  local content = { link:handshake() }
  if version == "TLS1.3" then
    table.insert(content, (link:reauthenticate()))
    table.insert(content, (link:update_keys { by = "client", request_peer = true }))
  else
    table.insert(content, (link:renegotiate { by = "server" }))
  end
  table.insert(content, link:send { from = "server", data = ("x"):rep(40000) } ~= nil)
  table.insert(content, (link:close()))
  for index, well in ipairs(content) do
    equal(well, true, "action " .. index)
  end
end

local function log_of(link)
  local lines = {}
  for index, event in ipairs(link.events) do
    lines[index] = table.concat({ event.role, event.kind, tostring(event.type), event.epoch,
                                  tostring(event.direction), tostring(event.delivered) }, " ")
  end
  return table.concat(lines, "\n")
end

test("a function that answers nothing changes nothing", function()
  for _, version in ipairs(VERSIONS) do
    local plain, seen = new_link(version), new_link(version)
    local pieces = new_link(version)
    told(seen, {})
    pieces:tamper(function(flight)
      local list = {}
      for byte in flight.bytes:gmatch "." do
        list[#list + 1] = byte
      end
      return list
    end)
    live(plain, version)
    live(seen, version)
    live(pieces, version)
    equal(log_of(seen) == log_of(plain), true, version)
  end
end)

test("a flight names its messages, also where they are encrypted", function()
  local lines, link = {}, new_link "TLS1.2"
  told(link, lines)
  live(link, "TLS1.2")
  local hello = "server ServerHello Certificate ServerKeyExchange CertificateRequest "
    .. "ServerHelloDone"
  local answer = "client Certificate ClientKeyExchange CertificateVerify Finished"
  equal(table.concat(lines, "\n"), table.concat({
    "client ClientHello", hello, answer, "server NewSessionTicket Finished",
    "server HelloRequest", "client ClientHello", hello, answer, "server NewSessionTicket Finished",
    "server ", "client ", "server ",
  }, "\n"))
  lines, link = {}, new_link "TLS1.3"
  told(link, lines)
  live(link, "TLS1.3")
  equal(table.concat(lines, "\n"), table.concat({
    "client ClientHello",
    "server ServerHello EncryptedExtensions CertificateRequest Certificate CertificateVerify "
      .. "Finished",
    "client Certificate CertificateVerify Finished", "server NewSessionTicket NewSessionTicket",
    "server CertificateRequest", "client Certificate CertificateVerify Finished",
    "client KeyUpdate", "server KeyUpdate", "server ", "client ", "server ",
  }, "\n"))
end)

test("a flight tells each of its records", function()
  local link = new_link "TLS1.3"
  local first
  link:tamper(function(flight)
    first = flight.from == "server" and first or flight
    if flight.from == "server" and not flight.records[1].encrypted then
      local records = flight.records
      equal(#records, 7)
      equal(records[1].type, "handshake")
      equal(records[1].version, "TLS1.2")
      equal(records[1].messages[1], "ServerHello")
      equal(records[1].hello.versions[1], "TLS1.3")
      equal(records[4].hello, nil)
      equal(records[2].type, "change_cipher_spec")
      equal(#records[2].messages, 0)
      equal(records[4].type, "application_data")
      equal(records[4].encrypted, true)
      equal(records[4].messages[1], "CertificateRequest")
      local bytes = {}
      for index, record in ipairs(records) do
        equal(record.length, #record.bytes)
        bytes[index] = record.bytes
      end
      equal(table.concat(bytes), flight.bytes)
    end
  end)
  link:handshake()
  raises("is read-only", function() first.bytes = "" end)
  raises("read-only", function() first.messages[1] = "Finished" end)
  raises('unknown field "message" (did you mean "messages"?)', function() return first.message end)
  equal(first.connection, nil)
end)

test("an alert is told where it is encrypted, too", function()
  for _, version in ipairs(VERSIONS) do
    local link = new_link(version, { server = { trust = pki.authority { cn = "Other" } } })
    local alert
    link:tamper(function(flight)
      alert = flight.records[1].alert or alert
    end)
    link:handshake()
    equal(alert.level, "fatal")
    equal(alert.name, link.server.alert_sent.name)
    equal(alert.number, link.server.alert_sent.number)
  end
end)

test("a message of many records is named where it ends", function()
  for _, version in ipairs { "TLS1.2", "TLS1.3" } do
    local deep = pki.chain { depth = 40, leaf = { dns = "server.example" } }
    local link = new_link(version, { server = { identity = deep }, client = { verify = false } })
    local names = {}
    link:tamper(function(flight)
      for _, record in ipairs(flight.from == "server" and flight.records or {}) do
        names[#names + 1] = record.messages[1] or record.type
      end
    end)
    equal(link:handshake(), true)
    contains(table.concat(names, " "), version == "TLS1.2"
      and "ServerHello handshake Certificate ServerKeyExchange CertificateRequest"
      or "ServerHello change_cipher_spec EncryptedExtensions CertificateRequest application_data "
        .. "Certificate CertificateVerify Finished")
  end
end)

test("a flight that is dropped stalls, and one whose bytes are others is refused", function()
  for _, version in ipairs(VERSIONS) do
    local link = new_link(version)
    link:tamper(function(flight) return flight.from == "client" and nil end)
    equal(link:handshake(), false)
    equal(link.client.phase, "stalled")
    equal(link.server.phase, "stalled")

    link = new_link(version)
    link:tamper(function(flight)
      return flight.from == "server" and "HTTP/1.0 400 Bad Request\r\n" or nil
    end)
    equal(link:handshake(), false)
    equal(link.client.error.problem, "protocol_violation")
  end
end)

test("pieces arrive one after the other, and an empty list is nothing", function()
  local link = new_link "TLS1.2"
  link:tamper(function(flight)
    if flight.messages[1] == "ClientHello" then
      return { "\21\3\3\0\2\1\90", "", flight.bytes } -- a warning first
    end
  end)
  equal(link:handshake(), true)
  equal(link.server.alert_received.name, "user_canceled")

  link = new_link "TLS1.2"
  link:tamper(function() return {} end)
  equal(link:handshake(), false)
  equal(link.server.phase, "stalled")
end)

test("it is taken off again, from inside the function too", function()
  local link = new_link "TLS1.3"
  local count = 0
  link:tamper(function()
    count = count + 1
    if count == 2 then
      link:tamper(nil)
    end
  end)
  equal(link:handshake(), true)
  equal(count, 2)
  link:tamper(function(flight)
    count = count + 1
    equal(table.concat(flight.messages), "") -- and not what went by meanwhile
    equal(#flight.records, 1)
  end)
  equal(link:send { from = "client", data = "x" }, "x")
  equal(count, 3)
  link:tamper(false)
  equal(link:send { from = "client", data = "x" }, "x")
  equal(count, 3)
end)

test("a resumed link is not tampered with", function()
  local link = new_link "TLS1.3"
  local count = 0
  link:tamper(function() count = count + 1 end)
  link:handshake()
  local before = count
  equal(link:resume():handshake(), true)
  equal(count, before)
end)

test("the function works beside one that verifies", function()
  local asked = 0
  local link = new_link("TLS1.3", { client = { verify = function(result)
    asked = asked + 1
    return result.verified
  end } })
  link:tamper(tls.faults.split { size = 1 })
  equal(link:handshake(), true)
  equal(asked, 1)
end)

test("a function that raises ends the link, and the action raises its error", function()
  for _, version in ipairs(VERSIONS) do
    local link = new_link(version)
    local line
    link:tamper(function(flight)
      if flight.from == "server" then
        line = unit.line() + 1
        error "not with me"
      end
    end)
    local message = raises("not with me", function() link:handshake() end)
    contains(message, (":%d:"):format(line))
    equal(link.client.phase, "stalled")
    raises("unusable since a function raised an error in link:handshake", function()
      link:close()
    end)
    equal(#link.events > 0, true)
  end
end)

test("a wrong answer is told at the action", function()
  for answer, complaint in pairs {
    [5] = "got 5 (a number)", [true] = "got true", [{ x = 1 }] = "got a table",
    [{ "a", 5 }] = "piece 2 of a list: wants bytes, got 5 (a number)",
  } do
    local link = new_link "TLS1.3"
    link:tamper(function() return answer end)
    local line = unit.line() + 1
    local message = raises(complaint, function() link:handshake() end)
    contains(message, (":%d: link:handshake: tamper: "):format(line))
  end
end)

test("what is no function is refused, and so is acting inside of one", function()
  local link = new_link "TLS1.3"
  raises("link:tamper: wants a function, or nil to take it off, got 5 (a number)", function()
    link:tamper(5)
  end)
  raises("got true", function() link:tamper(true) end)
  link:tamper(function() link:close() end)
  raises("busy: link:close cannot run inside a function that link:handshake called", function()
    link:handshake()
  end)
end)

test("the deadline ends a function that does not end", function()
  local native = require "moonshake.native"
  local link = new_link "TLS1.3"
  link:tamper(function() while true do end end) -- luacheck: ignore
  native.deadline(0.02)
  local done, message = pcall(link.handshake, link)
  native.deadline(nil)
  equal(done, false)
  equal(message, native.deadline_message)
end)

test("an explanation tells what was not read as it was sent", function()
  local rows = {
    { tls.faults.flip { at = "Finished", from = "server" }, "where Finished was to come the client "
        .. "read what the server did not send so: a record was changed on the way" },
    { tls.faults.flip { at = "ClientHello", byte = 20 }, "where ClientHello was to come the server "
        .. "read what the client did not send so: a record was changed on the way" },
    { tls.faults.drop { at = "Certificate", from = "server" },
      "a record came before others that were sent earlier, if these came at all" },
  }
  for _, row in ipairs(rows) do
    local link = new_link "TLS1.3"
    link:tamper(row[1])
    link:handshake()
    equal(link.findings[1].rule, "changed_on_the_way")
    contains(link.findings[1].what, row[2])
    contains(link.findings[1].what, ("where %s was to come"):format(link.findings[1].message))
    contains(link.findings[1].next, "look at who is between the two")
  end
  local link = new_link "TLS1.2"
  local first
  link:tamper(function(flight)
    if flight.from == "server" and not first then
      first = flight.records[1].bytes
      return { first, first, flight.bytes:sub(#first + 1) }
    end
  end)
  link:handshake()
  contains(link.findings[1].what, "a record came a second time")
end)

unit.done()
