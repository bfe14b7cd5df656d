-- SPDX-License-Identifier: MIT
-- Stream sockets: TCP over IPv4 and IPv6, and unix sockets. What takes time is waited for by
-- io/wait.lua. What goes wrong with a peer is told by a word of the contract and a sentence.

local uv = require "luv"
local addresses = require "moonshake.io.addresses"
local loop = require "moonshake.io.loop"
local stream = require "moonshake.io.stream"
local wait = require "moonshake.io.wait"

local socket = { show = addresses.show, resolve = addresses.resolve }

local BACKLOG = 1024
local MOST_WAITING = 4096 -- accepted connections that nobody took; later ones are closed
local NEXT_ADDRESS = 0.25 -- seconds until another address is tried beside (RFC 8305 section 5)
local MOST_PATH = 103 -- bytes of a unix socket's path that every system takes

local told = addresses.told

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
local function new_race(list, port)
  return setmetatable({ addresses = list, port = port, number = 0, open = {},
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
    if not self.open[handle] or self.won.values then
      return -- the race is over
    elseif problem then
      self:drop(handle)
      self:fail(problem)
    else
      self.won:finish(handle)
    end
  end))
  if not request then
    self:drop(handle)
    self:fail(message)
  end
end

function Race:drop(handle)
  self.open[handle] = nil
  loop.close(handle)
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
      self:drop(handle)
    end
  end })
  self:try_next()
  local happened, handle, message = wait.await(self.won, seconds)
  if handle then
    self.open[handle] = nil -- it is the caller's
  end
  return happened, handle, message
end

-- libuv would cut it.
local function is_too_long(path)
  return #path > MOST_PATH and ("the path is longer than %d bytes"):format(MOST_PATH) or nil
end

local function connect_path(path, seconds)
  if is_too_long(path) then
    return nil, "name_not_found", ("%s: %s"):format(path, is_too_long(path))
  end
  local handle, answered, made = loop.keep(uv.new_pipe(false)), wait.new(), nil
  local _ <close> = setmetatable({}, { __close = function()
    if not made then
      loop.close(handle)
    end
  end })
  handle:connect(path, loop.guard(function(problem)
    answered:finish(problem)
  end))
  local happened, problem = wait.await(answered, seconds)
  if happened and not problem then
    made = stream.new(handle, path)
    return made
  elseif not happened then
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
  local list, problem, message = socket.resolve(place.host, seconds)
  if not list then
    return nil, problem, message
  end
  local happened, handle, refusal = new_race(list, place.port):run(due - loop.now())
  if not happened then
    return nil, "timeout", ("no connection to %s within %g s"):format(socket.show(place), seconds)
  elseif not handle then
    local word, sentence = told(refusal, "connection_refused")
    return nil, word, ("%s: %s"):format(socket.show(place), sentence)
  end
  return stream.new(handle)
end

---------------------------------------------------------------------------------------------------
-- Listening

local Listener = {}
Listener.__index = Listener

--- The next connection.
---@param seconds number
---@return table|nil socket nil when the time is over, or the listener is closed
function Listener:accept(seconds)
  local due, happened = loop.now() + seconds, true
  while self.handle and #self.waiting == 0 do
    if not happened then
      return nil
    end
    happened = self.news:await(math.max(0, due - loop.now())) -- others may take it
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
  self.news:ring()
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
  self.waiting[#self.waiting + 1] = stream.new(handle, path)
  self.news:ring()
end

-- libuv says "permission denied" where a directory is missing.
local function bind_path(path)
  if is_too_long(path) then
    return nil, nil, is_too_long(path)
  end
  local directory = path:match "^(.*)/[^/]*$"
  if directory and directory ~= "" and not uv.fs_stat(directory) then
    return nil, nil, "there is no directory " .. directory
  end
  local handle = loop.keep(uv.new_pipe(false))
  return handle, attempt(handle.bind, handle, path)
end

local function bind(place, seconds)
  if place.path then
    return bind_path(place.path)
  end
  local list, _, message = socket.resolve(place.host, seconds)
  if not list then
    return nil, nil, message
  end
  local handle = loop.keep(uv.new_tcp())
  return handle, attempt(handle.bind, handle, list[1], place.port)
end

--- Listens. A unix socket's file is there until the listener is closed.
---@param place { host: string?, port: integer?, path: string? } port 0: one that is free
---@param seconds number for the look-up of a name
---@return table|nil listener with its `port` and `host`
---@return string|nil message
function socket.listen(place, seconds)
  local handle, bound, message = bind(place, seconds)
  local self = setmetatable({ handle = handle, waiting = {}, news = wait.bell() }, Listener)
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
