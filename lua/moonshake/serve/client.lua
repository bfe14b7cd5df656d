-- SPDX-License-Identifier: MIT
-- The life of one client: its handshake, its requests and their answers, its end. Whatever it does,
-- that is told, and nothing of it reaches another client.
local answer = require "moonshake.serve.answer"
local asking = require "moonshake.serve.asking"
local connections = require "moonshake.connection"
local http = require "moonshake.serve.http"
local wait = require "moonshake.io.wait"

local client = {}

local IDLE = 30 -- seconds that a connection may stay without a request
local MOST_REQUESTS = 64 -- on a connection, whose log grows with each
local MOST_BYTES = 2 << 20 -- that it may send in all
local MOST_EVENTS = 50000 -- that it may cause, in records however small
local MOST_KEPT = 16 -- requests that are told
local LEAST = 0.001 -- seconds
local FAREWELL = 2 -- seconds that are given to a client to end its stream, too

local Client = {}
Client.__index = Client

--- A client that has connected.
---@param served table what holds for all of them, see init.lua
---@param connection table
---@param number integer
---@return table with `ended`, how the connection did: "closed" (by the client), "idle", "answered"
---   (by this end, after its answer), "stopped", or a problem word
function client.new(served, connection, number)
  return setmetatable({
    served = served, connection = connection, number = number, requests = {}, num_requests = 0,
    bytes = 0,
  }, Client)
end

local function receive(self, seconds)
  if self.bytes > MOST_BYTES or connections.num_events(self.connection) > MOST_EVENTS then
    return nil, "message_too_large"
  end
  local data, why = self.connection:receive { timeout = math.max(LEAST, seconds) }
  self.bytes = self.bytes + #(data or "")
  return data, why
end

local function send(self, bytes)
  local sent, why = self.connection:send { data = bytes, timeout = self.served.timeout }
  if not sent then
    self.ended = why
  end
  return sent
end

-- Keeps what was asked for, and tells it, with the answer that was made, if any: has it been sent?
local function note(self, request, made, sent)
  local one = { status = sent and made.status or nil }
  if request then
    one.method, one.target = request.method, request.target
  end
  self.requests[#self.requests + 1] = one
  if #self.requests > MOST_KEPT then
    table.remove(self.requests, 1)
  end
  self.served.report:request(self, one, made)
end

-- Answers, and says whether another request may follow.
local function reply(self, request, made, may_follow)
  local keep_alive = may_follow and request.keep_alive and self.num_requests < MOST_REQUESTS
  local sent = send(self, http.answer(request, made, keep_alive))
  note(self, request, made, sent)
  if sent and not keep_alive then
    self.ended = "answered"
  end
  return sent and keep_alive
end

-- The body of a request, which nobody needs; false where it does not come.
local function pass_over_body(self, request, reader)
  if request.expects and not send(self, http.CONTINUE) then
    return false
  end
  local done, why = reader:body(request, self.served.timeout)
  if not done then
    self.ended = why
  end
  return done
end

local function serve(self)
  local reader = http.reader(function(seconds) return receive(self, seconds) end, wait.now)
  local goes_on = true
  while goes_on do
    local request, why, status, sentence = reader:head(IDLE, self.served.timeout)
    self.num_requests = self.num_requests + ((request or why == "bad") and 1 or 0)
    if why == "bad" then
      reply(self, nil, answer.to_bad(status, sentence), false)
      return
    elseif not request then
      self.ended = why == "timeout" and "idle" or why
      return
    elseif not pass_over_body(self, request, reader) then
      note(self, request)
      return
    end
    local made = answer.to(self, request)
    if not made then
      note(self, request)
      self.ended = self.connection.server.error and self.connection.server.error.problem
      return
    end
    goes_on = reply(self, request, made, true)
  end
end

-- Ends the connection, in order even where the client did it first, which may read on. Waits a
-- little for a client that did not: what it has not read yet would be lost by a reset.
local function part(self)
  local connection, phase = self.connection, self.connection.server.phase
  if phase == "established" or phase == "closed" then
    connection:close { timeout = LEAST }
  end
  if phase ~= "established" then
    return
  end
  local due = wait.now() + FAREWELL
  while self.ended ~= "stopped" and self.bytes <= MOST_BYTES and wait.now() < due do
    if not receive(self, due - wait.now()) then
      return
    end
  end
end

--- Lives it. Reports to served.report as it goes.
function Client:live()
  local connection, served = self.connection, self.served
  if not connection:handshake { timeout = served.timeout } then
    local failure = connection.server.error
    self.ended = failure and failure.problem or "closed_early"
    return
  end
  self.refusal = asking.judge_handshake(self)
  served.report:client(self)
  serve(self)
  part(self)
end

--- Ends it, however far it came.
function Client:finish()
  if not self.ended then
    self.ended = "stopped"
    part(self)
  end
  self.served.report:ended(self)
end

return client
