-- SPDX-License-Identifier: MIT
-- What the drivers of foreign programs share. A driver's functions take the case and a table of
-- what the program is to be: `identity`, `trust` (an authority), `client_auth`, `version` (nil: 1.2
-- and 1.3), `arguments` (further ones).
local ms = require "moonshake"

local common = {}

local TRIES = 20 -- for a port that nobody else takes meanwhile

local made = setmetatable({}, { __mode = "k" }) -- case -> how many directories it has

--- A new directory of the case's.
function common.directory(case)
  made[case] = (made[case] or 0) + 1
  return ("%s/%d"):format(case.dir, made[case])
end

--- Writes a file and returns its path.
function common.write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
  return path
end

--- Saves an identity for programs: paths `certificate`, `chain`, `key`; `above`: the certificates
--- between the leaf and the root, nil if there are none.
function common.save(case, identity)
  local directory = common.directory(case)
  local certificate, chain, key = identity:save(directory)
  local above
  if #identity.chain > 1 then
    local texts = {}
    for index = 2, #identity.chain do
      texts[#texts + 1] = identity.chain[index]:pem()
    end
    above = common.write(directory .. "/above.pem", table.concat(texts))
  end
  return { certificate = certificate, chain = chain, key = key, above = above,
           directory = directory }
end

--- The same of an authority: the path of its certificate.
function common.save_trust(case, authority)
  return (authority:save(common.directory(case)))
end

--- The path of a program that may stand where only the superuser's PATH leads, or its name.
function common.find(...)
  for _, name in ipairs { ... } do
    for _, directory in ipairs { "/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/",
                                 "/opt/homebrew/bin/" } do
      local file = io.open(directory .. name)
      if file then
        file:close()
        return directory .. name
      end
    end
  end
  return (...)
end

local function free_port()
  local listener <close> = ms.tls.listen { server = {} }
  return listener.port
end

--- Calls start(port) with a port that is free, and with another where it returns nothing, since
--- somebody else has taken that one meanwhile.
function common.with_free_port(start)
  for _ = 1, TRIES do
    local port = free_port()
    local program = start(port)
    if program then
      return program, port
    end
  end
  error("no port stayed free", 0)
end

--- Sends an HTTP request and returns all that comes back, and why nothing more did.
function common.get(connection, path)
  local sent, problem = connection:send {
    data = ("GET %s HTTP/1.0\r\nHost: server.example\r\n\r\n"):format(path or "/"),
  }
  local pieces = {}
  while true do
    local data, why = connection:receive()
    if not data then
      return table.concat(pieces), why, sent or problem
    end
    pieces[#pieces + 1] = data
  end
end

return common
