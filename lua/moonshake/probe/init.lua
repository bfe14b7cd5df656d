-- SPDX-License-Identifier: MIT
-- The probe of a server: several connections, each an experiment, and what they show together.
local asked = require "moonshake.probe.asked"
local attempt = require "moonshake.probe.attempt"
local certificates = require "moonshake.certificates"
local chain = require "moonshake.probe.chain"
local depth = require "moonshake.probe.depth"
local native = require "moonshake.native"
local ours = require "moonshake.probe.ours"
local pki = require "moonshake.pki"
local resumption = require "moonshake.probe.resumption"
local starttls = require "moonshake.probe.starttls"
local verdict = require "moonshake.probe.verdict"
local VERSIONS = require "moonshake.probe.versions"

local probe = {}

local PROTOCOLS = { "h2", "http/1.1" }

-- What is asked is asked in HTTP/1.1: to a server that chose another protocol it is no question.
local function plainer(protocols)
  local list = {}
  for _, name in ipairs(protocols) do
    list[#list + 1] = name ~= "h2" and name or nil
  end
  return #list > 0 and list or nil
end

local function accept()
  return true -- to see all that comes, whatever its chain is
end

local function http_request(options)
  local host = options.server_name or options.place.host or "localhost"
  return ("GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: moonshake probe\r\nAccept: */*\r\n"
          .. "Connection: close\r\n\r\n"):format(options.request or "/",
                                                 host:find(":", 1, true) and "[" .. host .. "]"
                                                   or host)
end

local function context_of(options)
  return {
    place = options.place, timeout = options.timeout or 10, protocol = options.protocol,
    request = starttls.first_words(options.protocol, options.server_name)
      or http_request(options),
    progress = options.progress or function() end,
    client = {
      trust = options.trust or "system", verify = accept, server_name = options.server_name,
      verify_name = options.verify_name, alpn = options.alpn,
    },
  }
end

---------------------------------------------------------------------------------------------------
-- Attempts

local Probe = {}
Probe.__index = Probe

-- A connection on which something is said. Where the server closes it without an answer, another
-- one says nothing: who refuses us closes that as well, who does not understand us waits.
function Probe:try(label, client)
  local made = attempt.run(self.context, { label = label, client = client, talk = "ask" })
  if made.outcome == "unclear" and made.closed then
    local silent = attempt.run(self.context, { label = label, client = client, talk = "silent" })
    if silent.outcome == "accepted" then
      made.outcome, made.stage, made.deaf = "accepted", nil, true
    else
      made.outcome, made.by, made.alert = "refused", "server", silent.alert
    end
  elseif made.answer and made.answer.forbidden and not asked.of(made) then
    made.outcome, made.by, made.stage = "accepted", nil, nil -- for another reason
  end
  return made
end

-- The first attempt of all. Where HTTP/2 is chosen of what --alpn offers, the others leave it out,
-- if the server lets them.
function Probe:begin()
  local first, offered = self:try("without a certificate", {}), self.options.alpn
  local chosen = first.completed and first.connection.client.alpn or nil
  if not offered or chosen ~= "h2" then
    return first
  end
  self.found.alpn = { offered = offered, chosen = chosen }
  self.context.client.alpn = plainer(offered)
  local plain = self:try("without HTTP/2", {})
  if not asked.unheard(plain) and (plain.outcome == "accepted" or plain.answer) then
    return plain
  end
  self.context.client.alpn = offered
  return first
end

-- The version that both agreed on, whatever came later. A server may answer with one that was not
-- offered.
local function agreed(made)
  for _, event in ipairs(made.connection.events) do
    if event.kind == "message" and event.type == "ServerHello" and event.direction == "received"
    then
      return made.problem ~= "no_shared_version" and event.hello and event.hello.versions[1] or nil
    end
  end
end

-- Up to TLS 1.2 GnuTLS waits in a renegotiation for a ticket that nobody promised, if it had one
-- from the first handshake.
local WITHOUT_TICKETS = { versions = "TLS1.2", tickets = 0 }

function Probe:try_version(version)
  local known = agreed(self.first) == version
  if version == "TLS1.2" and known and #self.first.connection.client.history > 1 then
    known = false
  end
  if known then
    return self.first
  elseif version == "TLS1.2" then
    return self:try("TLS1.2", WITHOUT_TICKETS)
  elseif version == "TLS1.3" then
    return self:try("TLS1.3", { versions = version })
  end
  local made = attempt.run(self.context, { label = version, client = { versions = version },
                                           talk = "no" })
  return made.completed and asked.of(made) and self:try(version, { versions = version }) or made
end

-- Which versions it takes, and the attempts without a certificate that tell most.
function Probe:scan()
  local found = self.found
  self.by_version = {}
  for _, version in ipairs(VERSIONS) do
    local made = self:try_version(version)
    local chosen = agreed(made)
    found.versions[version] = chosen == version
    self.by_version[version] = chosen == version and made or nil
    if chosen ~= version and (made.alert or made.closed) then
      found.refusals[version] = depth.face(made)
    end
  end
  if not agreed(self.first) then
    for index = #VERSIONS, 1, -1 do
      local version = VERSIONS[index]
      if found.versions[version] then
        self.settings.versions = version
        self.first = version < "TLS1.2" and self:try(version, { versions = version })
          or self.by_version[version]
        self.by_version[version] = self.first
        break
      end
    end
  elseif self.first.outcome ~= "accepted" and found.versions["TLS1.2"]
    and agreed(self.first) == "TLS1.2" then
    self.first = self.by_version["TLS1.2"]
  end
end

-- Of those without a certificate the one in which one was asked for, the newest version first.
function Probe:with_request()
  for _, made in ipairs { self.first, self.by_version["TLS1.3"] or false,
                          self.by_version["TLS1.2"] or false } do
    local request = made and asked.of(made)
    if request then
      return request, made
    end
  end
end

---------------------------------------------------------------------------------------------------
-- What they show

function Probe:read_negotiated()
  local client = self.first.connection.client.history[1]
  self.found.negotiated = {
    version = agreed(self.first), cipher_suite = client.cipher_suite, group = client.group,
    signature_scheme = client.peer_signature_scheme, alpn = client.alpn,
  }
end

-- A handshake that breaks off before GnuTLS verifies leaves that to us.
function Probe:verify(list)
  local client = self.context.client
  return pki.verify { chain = list, trust = client.trust, purpose = "server",
                      name = client.verify_name or client.server_name }
end

function Probe:read_chain()
  local found, client = self.found, self.first.connection.client
  local list = client.history[1].wire.received_certificates
  if not list or #list == 0 then
    return
  end
  local readable = certificates.readable(list)
  found.unreadable = #readable < #list and #list - #readable or nil
  if #readable == 0 then
    return
  end
  found.chain = readable
  found.verification = client.history[1].verification or self:verify(found.chain)
  found.read = chain.read(found.chain, found.verification, found.at)
end

-- Whether a request would have come by then. In TLS 1.3 it stands before the certificate.
local function was_time_to_ask(made)
  return made.completed
    or agreed(made) == "TLS1.3"
      and #(made.connection.client.history[1].wire.received_certificates or {}) > 0
end

function Probe:read_requests()
  local found = self.found
  local request, made = self:with_request()
  found.asked = request ~= nil
  if not request then
    local seen = was_time_to_ask(self.first)
    for _, one in pairs(self.by_version) do
      seen = seen or was_time_to_ask(one)
    end
    if not seen then
      found.asked = nil
    end
    return
  end
  found.request = request
  found.request.requirement = asked.requirement(made)
  found.request.answer = made.stage == "application" and made.answer or nil
  found.request.by_version = {}
  for version, one in pairs(self.by_version) do
    local own = asked.of(one)
    found.request.by_version[version] = own and { when = own.when,
                                                  requirement = asked.requirement(one) } or nil
  end
  self.requesting = made
end

-- The options by which the request came, which need not be those of the best version.
function Probe:options_with(client)
  local made = {}
  for name, value in pairs(client) do
    made[name] = value
  end
  local request = self.found.request
  if self.requesting and agreed(self.requesting) == "TLS1.2" then
    made.versions = "TLS1.2"
    made.tickets = request.when == "renegotiation" and 0 or nil
  end
  made.versions = made.versions or self.settings.versions
  return made
end

function Probe:try_ours()
  local identity, found = self.options.identity, self.found
  if not identity then
    return
  end
  local request = found.request
  found.ours = ours.try(identity, request, found.at, function(label, client)
    return self:try(label, self:options_with(client))
  end)
  local made = found.ours.attempt
  if found.ours.sent and made.outcome == "accepted" and request
    and request.requirement == "unknown" and self.requesting.outcome ~= "accepted" then
    request.requirement = "required"
    local own = request.by_version[asked.of(made).version]
    if own then
      own.requirement = "required"
    end
  end
end

function Probe:try_alpn()
  if self.options.alpn or self.options.protocol or not self.first.completed then
    return
  end
  local made = attempt.run(self.context, { label = "ALPN", talk = "no",
                                           client = { alpn = PROTOCOLS,
                                                      versions = self.settings.versions } })
  self.found.alpn = { offered = PROTOCOLS, chosen = made.completed and made.connection.client.alpn
                        or nil, alert = made.alert }
end

function Probe:try_resumption()
  local own = self.found.ours
  self.found.resumption = resumption.try(self.context, self.by_version,
    own and own.attempt.outcome == "accepted" and own.sent and own.attempt or nil)
end

function Probe:try_depth()
  local request = self.found.request
  if not request or self.options.depth == false then
    return
  end
  local context = setmetatable({ client = self:options_with(self.context.client) },
                               { __index = self.context })
  self.found.depth = depth.try(context, request, self.options.authority)
end

--- Probes a server.
---@param options { place: table, server_name: string?, verify_name: string|false|nil, trust: any,
---  identity: userdata?, authority: userdata?, timeout: number?, protocol: string?,
---  alpn: string[]?, request: string?, depth: boolean?, is_address: boolean?,
---  progress: fun(label: string)? } protocol: of --starttls; is_address: what is to be verified is;
---  request: the path that is asked for; authority: whose key we have, to issue chains
---@return table found see json.lua
function probe.run(options)
  local self = setmetatable({ options = options, context = context_of(options), settings = {},
                              found = { at = native.clock_now(), versions = {}, refusals = {},
                                        options = options } }, Probe)
  local found = self.found
  self.first = self:begin()
  found.address = self.first.address
  local hopeless = not self.first.reached or self.first.stage == "starttls"
    or self.first.no_tls and self.first.first_bytes ~= "" or self.first.problem == "timeout"
  if not hopeless then
    self:scan()
  end
  if not hopeless and agreed(self.first) then
    self:read_negotiated()
    self:read_chain()
    self:read_requests()
    self:try_ours()
    self:try_alpn()
    self:try_resumption()
    self:try_depth()
  end
  found.main = found.ours and found.ours.attempt or self.requesting or self.first
  if found.main ~= self.first and not found.ours and self.first.outcome == "accepted" then
    found.main = self.first
  end
  verdict.add(found)
  return found
end

return probe
