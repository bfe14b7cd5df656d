-- SPDX-License-Identifier: MIT
-- Stream sockets: TCP over IPv4 and IPv6, and unix sockets. What takes time is waited for by
-- io/wait.lua. What goes wrong with a peer is told by a word of the contract and a sentence.
--
-- A socket reads only while somebody waits for its bytes, so that a peer which sends without end is
-- held up by the kernel.

local uv = require "luv"
local loop = require "moonshake.io.loop"
local wait = require "moonshake.io.wait"

local socket = {}

local BACKLOG = 1024
local MOST_WAITING = 4096 -- accepted connections that nobody took; later ones are closed
local NEXT_ADDRESS = 0.25 -- seconds until another address is tried beside (RFC 8305 section 5)
local MOST_PATH = 103 -- bytes of a unix socket's path that every system takes
local MOST_PASSED_OVER = 1 << 16 -- bytes, at the end

-- libuv's name of an error -> the contract's word, and a sentence
local KNOWN = {
  ECONNREFUSED = { "connection_refused", "connection refused" },
  EHOSTUNREACH = { "connection_refused", "no route to the host" },
  ENETUNREACH = { "connection_refused", "the network is unreachable" },
  ECONNRESET = { "connection_reset", "connection reset by the peer" },
  EPIPE = { "connection_reset", "the peer takes nothing any more" },
  ECONNABORTED = { "connection_reset", "connection aborted" },
  ETIMEDOUT = { "timeout", "the system gave it up: no answer" },
  ENOENT = { "name_not_found", "no such file" },
  EACCES = { nil, "permission denied" },
  EADDRINUSE = { nil, "address already in use" },
  EADDRNOTAVAIL = { nil, "no address of this machine" },
  EMFILE = { nil, "too many open files" },
  EAI_NONAME = { "name_not_found", "no such name" },
  EAI_NODATA = { "name_not_found", "the name has no address" },
  EAI_AGAIN = { "name_not_found", "nobody could be asked for the name" },
  EAI_FAIL = { "name_not_found", "the name server failed" },
}

-- The word and the sentence for an error of luv's: a name, "NAME: sentence", or a sentence.
local function told(message, otherwise)
  local known = KNOWN[message:match "^%u[%u%d_]*"] or {}
  return known[1] or otherwise, known[2] or message
end

---------------------------------------------------------------------------------------------------
-- Addresses

--- "127.0.0.1:443", "[::1]:443" or a unix socket's path, for people.
---@param place { host: string?, port: integer?, path: string? }
---@return string
function socket.show(place)
  if place.path then
    return place.path
  end
  return (place.host:find(":", 1, true) and "[%s]:%d" or "%s:%d"):format(place.host, place.port)
end

local function is_literal(host)
  return host:find ":" ~= nil or host:find "^%d+%.%d+%.%d+%.%d+$" ~= nil
end

--- The addresses of a name, those of both families in turn, in the order in which the system gives
--- them (RFC 8305 section 4).
---@param host string a name or an address
---@param seconds number
---@return string[]|nil
---@return string|nil problem
---@return string|nil message
function socket.resolve(host, seconds)
  if is_literal(host) then
    return { host }
  end
  local found = wait.new()
  local request, message = uv.getaddrinfo(host, nil, { socktype = "stream" },
                                          loop.guard(function(problem, list)
    found:finish(problem, list)
  end))
  if not request then
    local problem, sentence = told(message, "name_not_found")
    return nil, problem, ("%s: %s"):format(host, sentence)
  end
  local happened, problem, list = wait.await(found, seconds)
  if not happened then
    request:cancel()
    return nil, "timeout", ("no answer to who %s is"):format(host)
  elseif not list then
    local word, sentence = told(problem, "name_not_found")
    return nil, word, ("%s: %s"):format(host, sentence)
  end
  local by_family, families = {}, {}
  for _, one in ipairs(list) do
    if not by_family[one.family] then
      by_family[one.family] = {}
      families[#families + 1] = by_family[one.family]
    end
    table.insert(by_family[one.family], one.addr)
  end
  local addresses, number = {}, 1
  repeat
    local before = #addresses
    for _, family in ipairs(families) do
      addresses[#addresses + 1] = family[number]
    end
    number = number + 1
  until #addresses == before
  return addresses
end

---------------------------------------------------------------------------------------------------
-- A connected socket

local Socket = {}
Socket.__index = Socket

local function address_of(name)
  return name and { host = name.ip, port = name.port } or nil
end

local function connected(handle, path)
  local self = setmetatable({ handle = handle, pieces = {} }, Socket)
  if path then
    self.remote = path
  else
    handle:nodelay(true)
    local remote = address_of(handle:getpeername())
    self.remote = remote and socket.show(remote) or "unknown"
  end
  return self
end

-- Says what the kernel said, once: the end or an error.
local function end_reading(self, problem, message)
  self.ended, self.end_message = problem, message
end

-- Wakes who waits for bytes.
local function wake_reader(self)
  local reader = self.reader
  self.reader = nil
  if reader then
    reader:finish()
  end
end

local function on_bytes(self, problem, piece)
  if not self.handle then -- closed in the same turn of the loop, or (luv 1.44) reset from here
    return
  end
  self.handle:read_stop()
  self.reading = false
  if piece then
    self.pieces[#self.pieces + 1] = piece
  elseif problem then
    end_reading(self, told(problem, "connection_reset"))
  else
    end_reading(self, "closed", "the peer closed the connection")
  end
  wake_reader(self)
end

--- The bytes that come next, as many as there are.
---@param seconds? number 0: only what is there; nil: as long as it takes
---@return string|nil bytes
---@return string|nil problem "timeout", "woken", "closed" (the peer's FIN) or a problem word
---@return string|nil message
function Socket:read(seconds)
  local due, happened = seconds and loop.now() + seconds, true
  while true do
    if #self.pieces > 0 then
      return table.remove(self.pieces, 1)
    elseif self.ended or self:is_closed() then
      return nil, self.ended or "closed", self.end_message or "this end closed the connection"
    elseif self.woken then
      self.woken = nil
      return nil, "woken"
    elseif not happened then
      return nil, "timeout", ("nothing came within %g s"):format(seconds)
    end
    if not self.reading then
      self.reading = true
      self.handle:read_start(loop.guard(function(problem, piece)
        on_bytes(self, problem, piece)
      end))
    end
    self.reader = self.reader or wait.new()
    -- Another function may take what comes.
    happened = wait.await(self.reader, due and math.max(0, due - loop.now()))
  end
end

--- Ends the wait of who waits for bytes, if somebody does.
function Socket:wake()
  if self.reader then
    self.woken = true
    wake_reader(self)
  end
end

--- Hands bytes to the system, which may take them later.
---@param bytes string
---@return table|nil written what io/wait.lua waits for; it happens with the system's complaint
---@return string|nil problem
---@return string|nil message
function Socket:put(bytes)
  if not self.handle then
    return nil, "closed", "this end closed the connection"
  end
  local written = wait.new()
  local request, message = self.handle:write(bytes, loop.guard(function(problem)
    if problem and self.handle then
      self.refused = self.refused or table.pack(told(problem, "connection_reset"))
    end
    written:finish(problem)
  end))
  if not request then
    self.refused = self.refused or table.pack(told(message, "connection_reset"))
    return nil, table.unpack(self.refused, 1, 2)
  end
  self.last_written = written
  return written
end

--- Waits until the system has taken all that was put.
---@param seconds number
---@return boolean|nil done
---@return string|nil problem "timeout", "closed" (by this end) or a problem word
---@return string|nil message
function Socket:flush(seconds)
  if self.last_written and not wait.await(self.last_written, seconds) then
    return nil, "timeout", ("the peer took nothing within %g s"):format(seconds)
  elseif self.refused then
    return nil, table.unpack(self.refused, 1, 2)
  elseif not self.handle then
    return nil, "closed", "this end closed the connection"
  end
  return true
end

--- Writes bytes; returns when the system has them all.
---@param bytes string
---@param seconds number
---@return boolean|nil done
---@return string|nil problem as of flush()
---@return string|nil message
function Socket:write(bytes, seconds)
  local written, problem, message = self:put(bytes)
  if not written then
    return nil, problem, message
  end
  return self:flush(seconds)
end

--- How many bytes were put that the system has not taken.
---@return integer
function Socket:num_queued()
  return self.handle and self.handle:get_write_queue_size() or 0
end

-- Closes what was let go once nothing is left to do.
local function close_if_over(self)
  if self.going and self.ended and self.shut_done then
    self:close()
  end
end

--- Says that nothing more comes from here (FIN), once what was written has gone.
function Socket:shutdown()
  if not self.handle or self.shut then
    return
  end
  self.shut = true
  self.shut_done = not self.handle:shutdown(loop.guard(function()
    self.shut_done = true
    close_if_over(self)
  end))
end

--- Says that nothing more comes, and closes it once the peer has, too: who closes with bytes unread
--- resets the connection, and what was written last may be lost with it. Does not wait; nothing
--- more can be read.
function Socket:let_go()
  local handle, passed = self.handle, 0
  if not handle or self.going then
    return
  end
  self.going = true
  self:shutdown()
  if not self.ended then
    handle:read_stop()
    handle:read_start(loop.guard(function(_, piece)
      passed = passed + #(piece or "")
      if not piece then
        self.ended = "closed"
        close_if_over(self)
      elseif passed > MOST_PASSED_OVER then
        self:close()
      end
    end))
  end
  close_if_over(self)
  wake_reader(self)
end

--- Closes it. With `rude` by a reset (RST), where the system can.
---@param rude? boolean
function Socket:close(rude)
  local handle = self.handle
  if not handle then
    return
  end
  self.handle = nil
  loop.close(handle, rude and (not self.shut or self.shut_done) and handle.close_reset or nil)
  wake_reader(self)
end

--- Whether it is closed, or let go.
function Socket:is_closed()
  return self.handle == nil or self.going == true
end

---------------------------------------------------------------------------------------------------
-- Connecting

local Race = {}
Race.__index = Race

-- What luv raises for what is no address is a failure like any other.
local function attempt(f, ...)
  local done, result, message = pcall(f, ...)
  if not done then
    return nil, (result:gsub("^.-:%d+: ", ""))
  end
  return result, message
end

-- Tries addresses one beside the other until one answers.
local function new_race(addresses, port)
  return setmetatable({ addresses = addresses, port = port, number = 0, open = {},
                        won = wait.new() }, Race)
end

function Race:fail(message)
  self.message = self.message or message
  if self.number < #self.addresses then
    self:try_next()
  elseif next(self.open) == nil then
    self.won:finish(nil, self.message)
  end
end

function Race:try_next()
  self.number = self.number + 1
  local handle = loop.keep(uv.new_tcp())
  self.open[handle] = true
  local address = self.addresses[self.number]
  local request, message = attempt(handle.connect, handle, address, self.port,
                                   loop.guard(function(problem)
    if not self.open[handle] then
      return -- the race is over
    end
    self.open[handle] = nil
    if self.won.values then -- by another, a moment ago
      loop.close(handle)
    elseif problem then
      loop.close(handle)
      self:fail(problem)
    else
      self.won:finish(handle)
    end
  end))
  if not request then
    self.open[handle] = nil
    loop.close(handle)
    self:fail(message)
  end
end

function Race:run(seconds)
  local timer = loop.timer(function()
    if self.number < #self.addresses and not self.won.values then
      self:try_next()
    end
  end, true)
  timer:set(NEXT_ADDRESS, NEXT_ADDRESS)
  local _ <close> = setmetatable({}, { __close = function()
    timer:close()
    for handle in pairs(self.open) do
      loop.close(handle)
    end
    self.open = {}
  end })
  self:try_next()
  return wait.await(self.won, seconds)
end

-- libuv would cut it.
local function is_too_long(path)
  return #path > MOST_PATH and ("the path is longer than %d bytes"):format(MOST_PATH) or nil
end

local function connect_path(path, seconds)
  if is_too_long(path) then
    return nil, "name_not_found", ("%s: %s"):format(path, is_too_long(path))
  end
  local handle, answered = loop.keep(uv.new_pipe(false)), wait.new()
  handle:connect(path, loop.guard(function(problem)
    answered:finish(problem)
  end))
  local happened, problem = wait.await(answered, seconds)
  if happened and not problem then
    return connected(handle, path)
  end
  loop.close(handle)
  if not happened then
    return nil, "timeout", ("no connection to %s within %g s"):format(path, seconds)
  end
  local word, sentence = told(problem, "connection_refused")
  return nil, word, ("%s: %s"):format(path, sentence)
end

--- Connects. A name with several addresses is tried at each.
---@param place { host: string?, port: integer?, path: string? } path: a unix socket
---@param seconds number
---@return table|nil socket
---@return string|nil problem a word of the contract
---@return string|nil message
function socket.connect(place, seconds)
  if place.path then
    return connect_path(place.path, seconds)
  end
  local due = loop.now() + seconds
  local addresses, problem, message = socket.resolve(place.host, seconds)
  if not addresses then
    return nil, problem, message
  end
  local happened, handle, refusal = new_race(addresses, place.port):run(due - loop.now())
  if not happened then
    return nil, "timeout", ("no connection to %s within %g s"):format(socket.show(place), seconds)
  elseif not handle then
    local word, sentence = told(refusal, "connection_refused")
    return nil, word, ("%s: %s"):format(socket.show(place), sentence)
  end
  return connected(handle)
end

---------------------------------------------------------------------------------------------------
-- Listening

local Listener = {}
Listener.__index = Listener

-- Wakes who waits for a connection.
local function tell_taker(self)
  local taker = self.taker
  self.taker = nil
  if taker then
    taker:finish()
  end
end

--- The next connection.
---@param seconds number
---@return table|nil socket nil when the time is over, or the listener is closed
function Listener:accept(seconds)
  local due, happened = loop.now() + seconds, true
  while self.handle and #self.waiting == 0 do
    if not happened then
      return nil
    end
    self.taker = self.taker or wait.new()
    happened = wait.await(self.taker, math.max(0, due - loop.now())) -- others may take it
  end
  return table.remove(self.waiting, 1)
end

--- Closes it, and the connections that nobody took.
function Listener:close()
  if not self.handle then
    return
  end
  loop.close(self.handle)
  self.handle = nil
  for _, one in ipairs(self.waiting) do
    one:close()
  end
  self.waiting = {}
  tell_taker(self)
end

local function on_connection(self, path)
  local handle = path and loop.keep(uv.new_pipe(false)) or loop.keep(uv.new_tcp())
  if not self.handle:accept(handle) then
    loop.close(handle)
    return
  elseif #self.waiting >= MOST_WAITING then
    loop.close(handle)
    return
  end
  self.waiting[#self.waiting + 1] = connected(handle, path)
  tell_taker(self)
end

local function bind(place, seconds)
  if place.path then
    if is_too_long(place.path) then
      return nil, nil, is_too_long(place.path)
    end
    local handle = loop.keep(uv.new_pipe(false))
    return handle, attempt(handle.bind, handle, place.path)
  end
  local addresses, _, message = socket.resolve(place.host, seconds)
  if not addresses then
    return nil, nil, message
  end
  local handle = loop.keep(uv.new_tcp())
  return handle, attempt(handle.bind, handle, addresses[1], place.port)
end

--- Listens. A unix socket's file is there until the listener is closed.
---@param place { host: string?, port: integer?, path: string? } port 0: one that is free
---@param seconds number for the look-up of a name
---@return table|nil listener with its `port` and `host`
---@return string|nil message
function socket.listen(place, seconds)
  local handle, bound, message = bind(place, seconds)
  local self = setmetatable({ handle = handle, waiting = {} }, Listener)
  if bound then
    bound, message = handle:listen(BACKLOG, loop.guard(function(problem)
      if not problem then
        on_connection(self, place.path)
      end
    end))
  end
  if not bound then
    if handle then
      loop.close(handle)
    end
    local _, sentence = told(message, "")
    return nil, ("cannot listen on %s: %s"):format(socket.show(place), sentence)
  end
  if not place.path then
    local own = handle:getsockname()
    self.host, self.port = own.ip, own.port
  end
  return self
end

return socket
