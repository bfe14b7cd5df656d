-- SPDX-License-Identifier: MIT
-- Where sockets lead: names and their addresses, and the words for what goes wrong on the way.

local uv = require "luv"
local loop = require "moonshake.io.loop"
local wait = require "moonshake.io.wait"

local addresses = {}

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

--- The word and the sentence for an error of luv's: a name, "NAME: sentence", or a sentence.
---@param message string
---@param otherwise string|nil the word where it is not known
---@return string|nil problem a word of the contract
---@return string sentence
function addresses.told(message, otherwise)
  local known = KNOWN[message:match "^%u[%u%d_]*"] or {}
  return known[1] or otherwise, known[2] or message
end

--- "127.0.0.1:443", "[::1]:443" or a unix socket's path, for people.
---@param place { host: string?, port: integer?, path: string? }
---@return string
function addresses.show(place)
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
function addresses.resolve(host, seconds)
  if is_literal(host) then
    return { host }
  end
  local found = wait.new()
  local request, message = uv.getaddrinfo(host, nil, { socktype = "stream" },
                                          loop.guard(function(problem, list)
    found:finish(problem, list)
  end))
  if not request then
    local problem, sentence = addresses.told(message, "name_not_found")
    return nil, problem, ("%s: %s"):format(host, sentence)
  end
  local happened, problem, list = wait.await(found, seconds)
  if not happened then
    request:cancel()
    return nil, "timeout", ("no answer to who %s is"):format(host)
  elseif not list then
    local word, sentence = addresses.told(problem, "name_not_found")
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
  local found_all, number = {}, 1
  repeat
    local before = #found_all
    for _, family in ipairs(families) do
      found_all[#found_all + 1] = family[number]
    end
    number = number + 1
  until #found_all == before
  return found_all
end

return addresses
