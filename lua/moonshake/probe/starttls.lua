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

-- The last line of an SMTP reply.
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

function ASK.postgres(talk)
  talk:say(string.pack(">I4I4", 8, 80877103)) -- SSLRequest
  while talk.text == "" do
    talk:more()
  end
  local answer = talk.text:sub(1, 1)
  if answer ~= "S" then
    talk:refused(answer == "N" and "N (no TLS here)" or talk.text)
  end
  talk.text = talk.text:sub(2)
end

-- A start-up message of PostgreSQL: who needs a certificate is refused in the answer.
local function startup()
  local body = string.pack(">I4zzzzB", 196608, "user", "probe", "database", "probe", 0)
  return string.pack(">I4", #body + 4) .. body
end

--- What is said first once TLS is there.
starttls.FIRST_WORDS = {
  smtp = "EHLO probe.invalid\r\n", imap = "a CAPABILITY\r\n", pop3 = "CAPA\r\n",
  postgres = startup(),
}

--- The protocols that are known, in alphabetical order.
starttls.PROTOCOLS = { "imap", "pop3", "postgres", "smtp" }

--- Asks for TLS.
---@param socket table of io/socket.lua
---@param protocol string
---@param seconds number
---@return boolean|nil done
---@return string|nil problem a word of the contract
---@return string|nil message
function starttls.ask(socket, protocol, seconds)
  local talk = setmetatable({ socket = socket, due = loop.now() + seconds, text = "",
                              name = protocol }, Talk)
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
