-- SPDX-License-Identifier: MIT
-- Asking for TLS on a connection that begins without: as few words of the protocol as it takes.
-- What is said once TLS is there, to see whether we are let in, is harmless and needs no account.
local loop = require "moonshake.io.loop"

local starttls = {}

local LONGEST = 1 << 16 -- bytes that a server may say before TLS

-- Words with a server before TLS. What goes wrong is thrown as { problem, message } and caught
-- in starttls.ask().
local Talk = {}
Talk.__index = Talk

local function fail(problem, message)
  error({ problem = problem, message = message }, 0)
end

function Talk:more()
  local left = self.due - loop.now()
  local bytes, problem, message = self.socket:read(math.max(0, left))
  if problem == "closed" then
    fail("closed_early", ("%s: the server closed the connection before TLS"):format(self.name))
  elseif problem == "timeout" then
    fail(problem, ("%s: the server did not %s in time"):format(
      self.name, self.text == "" and "answer" or "come to the end of its answer"))
  elseif not bytes then
    fail(problem, ("%s: %s"):format(self.name, message))
  elseif #self.text + #bytes > LONGEST then
    fail("message_too_large", self.name .. ": the server talks without end before TLS")
  end
  self.text = self.text .. bytes
end

function Talk:line()
  local line, rest = self.text:match "^([^\n]*)\n(.*)$"
  while not line do
    self:more()
    line, rest = self.text:match "^([^\n]*)\n(.*)$"
  end
  self.text = rest
  return (line:gsub("\r$", ""))
end

function Talk:say(bytes)
  local done, problem, message = self.socket:write(bytes, math.max(0, self.due - loop.now()))
  if not done then
    fail(problem, ("%s: %s"):format(self.name, message))
  end
end

-- The refusal of a server, in its own words.
function Talk:refused(line)
  fail("protocol_violation", ("%s: the server answers: %s"):format(self.name, line))
end

-- All up to this, which it ends with.
function Talk:through(wanted)
  local _, stop = self.text:find(wanted, 1, true)
  while not stop do
    self:more()
    _, stop = self.text:find(wanted, 1, true)
  end
  local text = self.text:sub(1, stop)
  self.text = self.text:sub(stop + 1)
  return text
end

-- The last line of a reply of SMTP or FTP.
function Talk:reply(wanted)
  local line
  repeat
    line = self:line()
  until not line:find "^%d%d%d%-"
  if line:sub(1, #wanted) ~= wanted then
    self:refused(line)
  end
end

local ASK = {}

function ASK.smtp(talk)
  talk:reply "220"
  talk:say "EHLO probe.invalid\r\n"
  talk:reply "250"
  talk:say "STARTTLS\r\n"
  talk:reply "220"
end

function ASK.ftp(talk)
  talk:reply "220"
  talk:say "AUTH TLS\r\n"
  talk:reply "234"
end

function ASK.imap(talk)
  local line = talk:line()
  if not line:find "^%* OK" then
    talk:refused(line)
  end
  talk:say "a STARTTLS\r\n"
  repeat
    line = talk:line()
  until not line:find "^%*"
  if not line:find "^a OK" then
    talk:refused(line)
  end
end

function ASK.pop3(talk)
  for _, word in ipairs { false, "STLS\r\n" } do
    if word then
      talk:say(word)
    end
    local line = talk:line()
    if not line:find "^%+OK" then
      talk:refused(line)
    end
  end
end

-- One message in BER, whose length fits into four bytes (Active Directory always takes so many).
function Talk:ber()
  local function has(count)
    while #self.text < count do
      self:more()
    end
  end
  has(2)
  local length, head = self.text:byte(2), 2
  if length > 0x80 then
    head = 2 + length - 0x80
    if head > 6 then
      fail("protocol_violation", self.name .. ": the server's answer is too long")
    end
    has(head)
    length = string.unpack(">I" .. head - 2, self.text, 3)
  end
  has(head + length)
  local body = self.text:sub(head + 1, head + length)
  self.text = self.text:sub(head + length + 1)
  return body
end

local START_TLS = "1.3.6.1.4.1.1466.20037" -- RFC 4511 section 4.14

function ASK.ldap(talk)
  talk:say("\x30\x1d\x02\x01\x01\x77\x18\x80\x16" .. START_TLS)
  local body = talk:ber()
  local code = body:match "^\x02\x01\x01\x78..-\x0a\x01(.)"
  if code ~= "\0" then
    talk:refused(code and ("result %d"):format(code:byte()) or "something that is no LDAP")
  end
end

local function stream(name)
  return ("<?xml version='1.0'?><stream:stream to='%s' xmlns='jabber:client' version='1.0' "
          .. "xmlns:stream='http://etherx.jabber.org/streams'>"):format(name or "localhost")
end

function ASK.xmpp(talk)
  talk:say(stream(talk.server_name))
  talk:through "</stream:features>"
  talk:say "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
  local answer = talk:through ">"
  if not answer:find("<proceed", 1, true) then
    talk:refused(answer)
  end
end

function ASK.postgres(talk)
  talk:say(string.pack(">I4I4", 8, 80877103)) -- SSLRequest
  while talk.text == "" do
    talk:more()
  end
  if talk.text ~= "S" then
    talk:refused(talk.text == "N" and "N (no TLS here)" or talk.text)
  end
  talk.text = ""
end

-- A start-up message of PostgreSQL: who needs a certificate is refused in the answer.
local function startup()
  local body = string.pack(">I4zzzzB", 196608, "user", "probe", "database", "probe", 0)
  return string.pack(">I4", #body + 4) .. body
end

-- A search for nothing but the root.
local ROOT_DSE = "\x30\x25\x02\x01\x02\x63\x20\x04\x00\x0a\x01\x00\x0a\x01\x00\x02\x01\x00"
  .. "\x02\x01\x00\x01\x01\x00\x87\x0bobjectClass\x30\x00"

local FIRST_WORDS = {
  ftp = "FEAT\r\n", imap = "a CAPABILITY\r\n", ldap = ROOT_DSE, pop3 = "CAPA\r\n",
  postgres = startup(), smtp = "EHLO probe.invalid\r\n",
}

--- What is said first once TLS is there; nil without a protocol.
---@param protocol string|nil
---@param name string|nil of the server
---@return string|nil
function starttls.first_words(protocol, name)
  return protocol == "xmpp" and stream(name) or FIRST_WORDS[protocol]
end

--- Asks for TLS.
---@param socket table of io/socket.lua
---@param protocol string
---@param how { name: string?, seconds: number } name: of the server
---@return boolean|nil done
---@return string|nil problem a word of the contract
---@return string|nil message
function starttls.ask(socket, protocol, how)
  local talk = setmetatable({ socket = socket, due = loop.now() + how.seconds, text = "",
                              name = protocol, server_name = how.name }, Talk)
  local done, failure = pcall(function()
    ASK[protocol](talk)
    if talk.text ~= "" then -- it would be taken for what came under TLS
      fail("protocol_violation", protocol .. ": the server went on talking before TLS")
    end
  end)
  if done then
    return true
  elseif type(failure) ~= "table" or not failure.problem then
    error(failure, 0)
  end
  return nil, failure.problem, failure.message
end

return starttls
