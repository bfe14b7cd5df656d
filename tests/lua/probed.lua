-- SPDX-License-Identifier: MIT
-- A probe of servers of ours in this process, for its tests: dofile() returns a world of
-- identities, and functions that probe a server that goes with it.
local connection = require "moonshake.connection"
local ms = require "moonshake"
local native = require "moonshake.native"
local probe = require "moonshake.probe"
local settings = require "moonshake.settings"
local sockets = require "moonshake.io.socket"
local pki, tls = ms.pki, ms.tls

local root = pki.authority { cn = "Example Root" }
local sub = root:authority { cn = "Issuing CA" }
local server = sub:issue { dns = "server.example" }
local alice = sub:issue { cn = "alice", purpose = "client" }
local mallory = pki.authority { cn = "Other Root" }:issue { cn = "mallory" }

local OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi"

---------------------------------------------------------------------------------------------------
-- Servers

-- Answers one connection after the other, as `behave(connection)` says, until f() has returned.
local function beside(listener, behave, f)
  local over, result = false, nil
  ms.together(function()
    result = f(listener.port)
    over = true
    listener:close()
  end, function()
    while not over do
      local one = listener:accept { timeout = 30 }
      if one then
        behave(one)
      end
    end
  end)
  return result
end

local function answers(text)
  return function(one)
    if one:handshake { timeout = 5 } and one:receive { timeout = 5 } then
      one:send { data = text }
    end
    one:close()
  end
end

-- What a probe finds of a server with these options. `how`: options of the probe, `behave`.
local function probed(options, how)
  how = how or {}
  options.identity = options.identity or server
  local listener = tls.listen { server = options }
  return beside(listener, how.behave or answers(OK), function(port)
    return probe.run {
      place = { host = "127.0.0.1", port = port }, server_name = "server.example",
      verify_name = "server.example", trust = how.trust or root, timeout = how.timeout or 5,
      identity = how.identity, authority = how.authority, depth = how.depth or false,
      alpn = how.alpn,
    }
  end)
end

-- What it finds where the socket is a server's of the test: `serve(socket)` takes each.
local function probed_socket(serve, how)
  how = how or {}
  local listener = assert(sockets.listen({ host = "127.0.0.1", port = 0 }, 5))
  local over, found = false, nil
  ms.together(function()
    found = probe.run {
      place = { host = "127.0.0.1", port = listener.port }, server_name = "server.example",
      trust = root, timeout = how.timeout or 5, protocol = how.protocol, depth = false,
      identity = how.identity,
    }
    over = true
    listener:close()
  end, function()
    while not over do
      local one = listener:accept(30)
      if one then
        serve(one)
      end
    end
  end)
  return found
end

-- Options of a server that asks for a certificate.
local function asking(client_auth, more)
  local options = { client_auth = client_auth, trust = root }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

-- The end of a server on a socket, on which something may have been said. It knows of no session.
local function server_on(socket, options)
  options.identity = server
  local checked = settings.merge({}, settings.check("test", "server", options))
  local config, policy = settings.make("test", "server", checked, {})
  return connection.from(socket, { checked = checked, config = config, policy = policy,
                                   kin = native.link(nil, config) })
end

return { root = root, sub = sub, server = server, alice = alice, mallory = mallory, OK = OK,
         asking = asking, answers = answers, probed = probed, probed_socket = probed_socket,
         beside = beside, server_on = server_on }
