-- SPDX-License-Identifier: MIT
-- A TLS server that tells of each client: listens, lets each live in a function of its own beside
-- the others, and ends when it was told to.
local client = require "moonshake.serve.client"
local complain = require "moonshake.report.complain"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local groups = require "moonshake.group"
local identities = require "moonshake.serve.identities"
local loop = require "moonshake.io.loop"
local reports = require "moonshake.serve.report"
local tally = require "moonshake.runner.tally"
local tls = require "moonshake.tls"
local wait = require "moonshake.io.wait"

local serve = {}

local MOST_AT_ONCE = 4096 -- clients; who comes later waits
local LONG = 1e8 -- seconds
local SIGNALS = { "sigint", "sigterm", "sighup" }

---------------------------------------------------------------------------------------------------
-- Before anybody comes

-- Makes a folder for captures. Returns what is wrong with it: those of an earlier run are kept.
local function prepare(folder)
  local done, problem = files.make_directory(folder)
  if not done then
    return problem
  end
  for _, name in ipairs(files.names(folder) or {}) do
    if reports.is_capture(name) then
      return ("%s has %s of an earlier run: name another folder, or remove what is there"):format(
        folder, name)
    end
  end
  return nil
end

-- The options of the server's end.
local function end_for(options, made)
  local explains = options.on_refusal == "explain"
  local policy = options.client_auth
  local asks = explains and policy == "require" and "request" or policy
  local own = {
    identity = made.identity, versions = options.versions, alpn = "http/1.1", alerts = "rfc",
    client_auth = options.ask_at and "none" or asks,
    -- A client that resumes a session is asked for nothing, and there is nothing new to tell.
    -- (Without tickets GnuTLS keeps sessions up to TLS 1.2 by their ids, by which OpenSSL's clients
    -- resume them when they renegotiate: nobody would be asked then, either.)
    tickets = not options.ask_at and 0 or nil,
  }
  if policy ~= "none" then
    own.trust = made.trust
    -- What the chain is worth stands in the end's `verification`; here everybody is let in, to be
    -- told.
    own.verify = not explains or function() return true end
  end
  return own, asks
end

-- Connections take a descriptor each.
local function raise_limits()
  if package.preload["moonshake.program"] then
    require("moonshake.program").raise_descriptors()
  end
end

local function url_of(listener, path)
  if path then
    return "unix:" .. path
  end
  return ("https://%s:%d/"):format(listener.host:find(":", 1, true) and "[" .. listener.host .. "]"
                                   or listener.host, listener.port)
end

local function is_loopback(host)
  return host == "::1" or host:find "^127%." ~= nil
end

-- Returns whether somebody could be told.
local function announce(report, listener, options, made)
  local url, sentences = url_of(listener, options.path), {}
  if made.authority_path then
    local place = options.path
      and ("--unix-socket %s https://localhost/"):format(escape.shell(options.path))
      or url:gsub("127%.0%.0%.1", "localhost")
    sentences[1] = ("the authority's certificate is in %s: curl --cacert %s %s"):format(
      made.authority_path, escape.shell(made.authority_path), place)
  end
  if options.make_client then
    sentences[#sentences + 1] = ("a client's certificate and key are in %s: cert.pem and key.pem; "
      .. "for a browser client.p12 (password \"%s\")"):format(options.make_client,
                                                             identities.PASSWORD)
  end
  if not report:begin(url, { host = listener.host, port = listener.port, path = options.path,
                             authority = made.authority_path }, sentences) then
    return false
  end
  if listener.host and not is_loopback(listener.host) then
    complain(("%s is no loopback address: anyone who reaches this machine can connect")
      :format(listener.host))
  end
  if options.log then
    complain(("captures go to %s; they hold session keys: who has one reads what its "
                      .. "client sent"):format(options.log))
  end
  return true
end

---------------------------------------------------------------------------------------------------
-- While they come

-- One client, from its connection to its report. An error of ours is told, and hurts nobody else.
local function live(served, connection, number)
  local _ <close> = connection
  local one = client.new(served, connection, number)
  local _ <close> = setmetatable({}, { __close = function()
    local done, problem = pcall(one.finish, one)
    if not done then
      complain(("client %d: %s"):format(number, tostring(problem)))
    end
    served.alive = served.alive - 1
    served.room:ring()
  end })
  local done, problem = xpcall(one.live, debug.traceback, one)
  if not done then
    complain(("client %d: %s"):format(number, tostring(problem)))
  end
end

local function accept_all(served, listener, group)
  local number = 0
  while number < served.most and not served.signal do
    if served.alive >= MOST_AT_ONCE then
      served.room:await()
    end
    local connection = listener:accept { timeout = LONG }
    if connection then
      number, served.alive = number + 1, served.alive + 1
      local own = number
      group:add(function() live(served, connection, own) end)
    end
  end
  listener:close()
end

local function run(served, listener)
  local group <close> = groups.new()
  local unwatch
  unwatch = loop.on_signals(SIGNALS, function(name)
    served.signal = name
    unwatch() -- a second one ends us at once
    group:stop()
  end)
  group:add(function() accept_all(served, listener, group) end)
  group:run()
  unwatch()
end

--- Serves until so many clients came and went, or a signal comes.
---@param options table as the command line was parsed
---@return integer status
function serve.run(options)
  local made, problem = identities.make(options)
  if made and options.client_auth ~= "none" and not made.trust then
    problem = ("--client-auth %s: whose certificates are good? Name them: --ca FILE, or make one: "
               .. "--make-client DIR"):format(options.client_auth)
  elseif made and options.log then
    problem = prepare(options.log)
  end
  if problem then
    identities.remove(made or {})
    return complain(problem)
  end
  local _ <close> = setmetatable({}, { __close = function()
    identities.remove(made)
    loop.settle()
  end })
  raise_limits()
  local own, asks = end_for(options, made)
  local place = options.path and { path = options.path, server = own }
    or { host = options.host, port = options.port, server = own }
  local done, listener = pcall(tls.listen, place)
  if not done then
    return complain((tostring(listener):gsub("^tls%.listen: ", "")))
  end
  local report = reports.new(options)
  local served = {
    report = report, policy = options.client_auth, asks = asks, ask_at = options.ask_at,
    trust = made.trust, timeout = options.timeout, most = options.clients or math.huge, alive = 0,
    room = wait.bell(),
  }
  if not announce(report, listener, options, made) then
    listener:close()
    return tally.STATUS.unusable
  end
  run(served, listener)
  listener:close()
  local told = report:summarize()
  if served.signal then
    return loop.status_of(served.signal)
  elseif not told then
    return tally.STATUS.unusable
  end
  return report.counts.accepted == report.total and 0 or 1
end

return serve
