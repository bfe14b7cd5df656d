-- SPDX-License-Identifier: MIT
-- The probe where there is no TLS, or none at once: what answers then, and how TLS is asked for.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local live = dofile(here .. "live_pairs.lua")
local as_json = require "moonshake.probe.json"
local as_text = require "moonshake.probe.text"
local dkjson = require "dkjson"
local ms = require "moonshake"
local probe = require "moonshake.probe"
local starttls = require "moonshake.probe.starttls"
local write = require "moonshake.probe.scenario"
local world = dofile(here .. "probed.lua")
local test, equal, contains = unit.test, unit.equal, unit.contains
local asking, probed_socket = world.asking, world.probed_socket
local server, alice, tls = world.server, world.alice, ms.tls

local PLAIN = { width = 200, paint = function(text) return text end }

---------------------------------------------------------------------------------------------------
-- No TLS

test("what is not TLS is unreachable, and said to be what it is", function()
  local function says(text)
    return function(socket)
      socket:write(text, 5)
      socket:let_go()
    end
  end
  local found = probed_socket(says "HTTP/1.1 400 Bad Request\r\n\r\n")
  equal(found.verdict, "unreachable")
  contains(found.summary, 'answers "HTTP/1.1 400 Bad Request"')
  contains(found.next[1], "HTTPS")
  found = probed_socket(says "220 mail.example ESMTP\r\n")
  contains(found.next[1], "--starttls smtp")
  found = probed_socket(says "\27[2J\255")
  contains(found.summary, "\\x1B[2J")
  found = probed_socket(function(socket) socket:close() end)
  equal(found.verdict, "unreachable", found.summary)
  contains(found.summary, "sent nothing")
end)

test("whatever comes that looks like TLS and is none has an end and a name", function()
  local function sends(bytes)
    return probed_socket(function(socket)
      socket:write(bytes, 5)
      socket:let_go()
    end, { timeout = 2 })
  end
  local found = sends "\21\3\3\0\2\2\40"
  contains(found.summary, "handshake_failure (40) in the handshake: most likely there is no cipher")
  contains(found.next[1], "compare both lists")
  equal(found.by, "server")
  found = sends "\22\3\3\255\255"
  equal(found.by, "us")
  contains(found.summary, "protocol_violation")
  found = sends(("\21\3\3\0\2\1\0"):rep(100))
  equal(found.verdict, "refused", found.summary)
  found = sends("\22\3\3\0\5hello" .. ("\22\3\3\0\255" .. ("x"):rep(255)):rep(20))
  equal(found.verdict, "refused", found.summary)
  found = sends(("x"):rep(1 << 20))
  equal(found.verdict, "unreachable", found.summary)
end)

test("a server whose certificate cannot be read is refused for it, and kept as far as it can be",
     function()
  local found = probed_socket(live.answers(live.UNREADABLE))
  equal(found.verdict, "refused", found.summary)
  equal(found.by, "us")
  contains(found.summary, "certificate_rejected")
  contains(table.concat(as_text(found, PLAIN), "\n"),
           "beside     1 certificate that cannot be read")
  local told = dkjson.decode(as_json(found))
  equal(told.unreadable, 1)
  equal(told.chain, nil)
  contains(write(found), "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256")
end)

test("one that never answers is waited for as long as was said", function()
  local held = {}
  local found = probed_socket(function(socket) held[#held + 1] = socket end, { timeout = 0.2 })
  equal(found.verdict, "unreachable")
  contains(found.summary, "no answer in time")
  equal(#held, 1)
  held = {}
  found = probed_socket(function(socket)
    held[#held + 1] = socket
    socket:write("\22\3\3\64\0\2\0\63", 5)
  end, { timeout = 0.5 })
  equal(found.verdict, "unreachable", found.summary)
  contains(found.next[1], "it began to answer")
end)

test("a port where nobody listens, and a name that nobody knows", function()
  local listener = tls.listen { server = { identity = server } }
  local port = listener.port
  listener:close()
  local found = probe.run { place = { host = "127.0.0.1", port = port }, timeout = 5 }
  equal(found.verdict, "unreachable")
  contains(found.summary, "connection refused")
  equal(found.negotiated, nil)
  found = probe.run { place = { path = "nobody.sock" }, timeout = 5 }
  equal(found.verdict, "unreachable")
  contains(found.next[1], "whether its server runs")
end)

---------------------------------------------------------------------------------------------------
-- STARTTLS

-- A talk before TLS: what is expected and what is said in turn; then the talk is over.
local function speaks(lines)
  return function(socket)
    local text = ""
    for _, line in ipairs(lines) do
      if line.says then
        socket:write(line.says, 5)
      else
        while not text:find(line.hears, 1, true) do
          local bytes = socket:read(5)
          if not bytes then
            return socket:close()
          end
          text = text .. bytes
        end
        text = ""
      end
    end
    if not lines.stays then
      socket:let_go()
    end
  end
end

local LDAP_OK = "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"

local TALKS = {
  ftp = { { says = "220-x\r\n220 FTP\r\n" }, { hears = "AUTH TLS\r\n" } },
  ldap = { { hears = "1.3.6.1.4.1.1466.20037" } },
  xmpp = { { hears = "<stream:stream to='server.example'" },
           { says = "<?xml version='1.0'?><stream:stream><stream:features>"
               .. "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/></stream:features>" },
           { hears = "<starttls " } },
  smtp = { { says = "220-mail\r\n220 mail ESMTP\r\n" }, { hears = "EHLO probe.invalid\r\n" },
           { says = "250-mail\r\n250 STARTTLS\r\n" }, { hears = "STARTTLS\r\n" } },
  imap = { { says = "* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n" },
           { hears = "a STARTTLS\r\n" } },
  pop3 = { { says = "+OK ready\r\n" }, { hears = "STLS\r\n" } },
  postgres = { { hears = "\0\0\0\8\4\210\22\47" } },
}
local YES = {
  ftp = "234 yes\r\n", imap = "* x\r\na OK begin\r\n", ldap = LDAP_OK, pop3 = "+OK\r\n",
  postgres = "S", smtp = "220 go ahead\r\n",
  xmpp = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
}
local NO = {
  ftp = "534 no\r\n", imap = "a BAD what?\r\n", pop3 = "-ERR\r\n", postgres = "N",
  ldap = LDAP_OK:gsub("\x0a\x01\x00", "\x0a\x01\x34"), smtp = "454 not now\r\n",
  xmpp = "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>",
}

local function talk(protocol, last, stays)
  local lines = table.move(TALKS[protocol], 1, #TALKS[protocol], 1, { stays = stays })
  lines[#lines + 1] = { says = last }
  return lines
end

test("STARTTLS that is refused is told in the server's words", function()
  for protocol, no in pairs(NO) do
    local found = probed_socket(speaks(talk(protocol, no)), { protocol = protocol })
    equal(found.verdict, "unreachable", protocol)
    contains(found.summary, protocol .. ": the server answers: "
             .. (protocol == "ldap" and "result 52" or no:match "^[^\r]*"):sub(1, 30))
  end
end)

test("a server that greets with a refusal is told so", function()
  local NEVER = { smtp = "554 no", ftp = "421 busy", imap = "* BYE", pop3 = "-ERR" }
  for protocol, line in pairs(NEVER) do
    local found = probed_socket(speaks { { says = line .. "\r\n" } }, { protocol = protocol })
    contains(found.summary, protocol .. ": the server answers: " .. line)
    contains(found.next[1], "look whether STARTTLS is offered there")
  end
end)

test("LDAP tells lengths in one byte or in several, as Active Directory does", function()
  local function answer(head, inner)
    return head .. "\x02\x01\x01\x78" .. inner .. "\x0a\x01\x00\x04\x00\x04\x00"
  end
  local function told(bytes)
    return probed_socket(speaks(talk("ldap", bytes)), { protocol = "ldap" }).summary
  end
  local well = answer("\x30\x84\0\0\0\x10", "\x84\0\0\0\x07") -- Active Directory's
  for _, bytes in ipairs {
    answer("\x30\x81\x0c", "\x07"), answer("\x30\x82\0\x0d", "\x81\x07"), well,
  } do
    contains(told(bytes), "took the connection and sent nothing")
  end
  contains(told(well:gsub("\x0a\x01\0", "\x0a\x01\x34")), "ldap: the server answers: result 52")
  contains(told "\x30\x85", "the server's answer is too long")
  contains(told("\x30\x84\xff\xff\xff\xff" .. ("x"):rep(100000)), "talks without end")
  contains(told "\x30\x02hi", "something that is no LDAP")
end)

test("what comes in clear behind the agreement is not taken for what came under TLS", function()
  local found = probed_socket(speaks(talk("smtp", YES.smtp .. "250 injected\r\n")),
                              { protocol = "smtp" })
  contains(found.summary, "went on talking before TLS")
end)

test("a server that ends before TLS, or talks without end, is told so", function()
  local found = probed_socket(speaks { { says = "220 x\r\n" } }, { protocol = "smtp" })
  contains(found.summary, "closed the connection before TLS")
  contains(found.next[1], "look whether smtp is spoken there; where TLS comes first")
  found = probed_socket(speaks { { says = ("x"):rep(100000) } }, { protocol = "imap" })
  contains(found.summary, "talks without end")
  contains(as_text(found, PLAIN)[2], "talks without end")
  equal(table.concat(as_text(found, PLAIN), "\n"):find("connection\n", 1, true), nil)
  found = probed_socket(speaks { { says = "SSH-2.0-OpenSSH_9.2\r\n" } }, { protocol = "postgres" })
  contains(found.summary, "the server answers: SSH-2.0")
end)

-- A socket with these pieces, behind which nothing comes in time.
local function slow(...)
  local pieces = { ... }
  return { read = function()
    local piece = table.remove(pieces, 1)
    return piece, not piece and "timeout" or nil, not piece and "nothing came" or nil
  end }
end

test("a server that is slow before TLS is told to be, and whether it had begun", function()
  for told, socket in pairs { ["did not answer in time"] = slow(),
                              ["did not come to the end of its answer in time"] = slow "220-" } do
    local done, problem, message = starttls.ask(socket, "smtp", { seconds = 5 })
    equal(done, nil)
    equal(problem, "timeout")
    equal(message, "smtp: the server " .. told)
  end
end)

test("behind STARTTLS the same is found, and the protocol is spoken on", function()
  local asks = { ftp = "FEAT", imap = "a CAPABILITY", ldap = "objectClass", pop3 = "CAPA",
                 postgres = "user\0probe", smtp = "EHLO", xmpp = "<stream:stream" }
  for protocol, yes in pairs(YES) do
    local heard = {}
    local found = probed_socket(function(socket)
      speaks(talk(protocol, yes, true))(socket)
      local one = world.server_on(socket, asking "require")
      if one:handshake { timeout = 5 } then
        heard[#heard + 1] = one:receive { timeout = 5 }
        one:send { data = "250 well\r\n" }
      end
      one:close()
    end, { protocol = protocol, identity = alice })
    equal(found.request.requirement, "required", protocol)
    contains(table.concat(heard), asks[protocol])
  end
end)

unit.done()
