-- SPDX-License-Identifier: MIT
-- What a probe saw as the source of a scenario that shows the same in process, with certificates of
-- the same shape.
local of_link = require "moonshake.reproduce.of_link"
local source = require "moonshake.reproduce.source"
local target = require "moonshake.probe.target"
local validity = require "moonshake.views.validity"

-- What the server asked for in its first handshake. One that refuses in its own protocol lets
-- everybody in.
local function client_auth_of(found)
  local request = found.request
  if not request or request.when ~= "handshake" then
    return "none"
  end
  return (request.requirement == "optional" or request.answer) and "request" or "require"
end

local function plain(list)
  local copy = {}
  for index = 1, #list do
    copy[index] = list[index]
  end
  return copy
end

-- Why a scenario cannot show it; nil: it can.
local function impossible(found)
  if not found.negotiated and not (found.main.alert or found.main.completed) then
    return "no TLS was reached"
  end
end

local function title_of(found)
  local place = target.show(found.options.place)
  if found.by == "us" then
    return place .. " is refused by us"
  end
  return place .. (found.verdict == "refused" and " refuses us" or " accepts us")
end

-- What is known of the ends beyond what the connection shows.
local function ends_of(found)
  local client, server, ours = {}, {}, found.ours
  if found.options.verify_name ~= found.options.server_name then
    client.verify_name = found.options.verify_name
  end
  if ours then
    client.chain = plain(ours.identity.chain)
    client.send = ours.sent and ours.withheld and "always"
      or ours.withheld == "no_common_signature_scheme" and "never" or nil
  end
  if found.request and found.request.answer then
    server.verify = false
  end
  local missing = found.read and found.read.missing
  if missing and missing.what == "intermediate_not_sent" then
    server.missing, client.trust = true, "issuer"
  end
  return client, server
end

-- The probe goes on where a chain does not verify, to see all. What is kept refuses it, as a client
-- does.
local function refuse_chain(model)
  local seen = model.outcome.client
  model.client.verify, model.later = nil, {}
  model.outcome = { client = {
    version = seen.version, cipher_suite = seen.cipher_suite, handshake_completed = false,
    problem = "certificate_rejected", problems = seen.problems, received = seen.received,
  } }
end

-- A request that comes later belongs to what it begins.
local function add_request(model, request)
  local step = model.later[1]
  if not request or request.when == "handshake" or not step then
    return
  end
  step.client_auth = request.requirement == "optional" and "request" or "require"
end

--- The source of a scenario.
---@param found table of probe.run()
---@return string|nil text
---@return string|table told what ours does otherwise (see source.write()); without a text: why
return function(found)
  local reason = impossible(found)
  if reason then
    return nil, reason
  end
  local origin = {
    ("Seen by moonshake probe on %s: %s"):format(validity.date(found.at), found.summary),
  }
  if found.main.answer and found.main.answer.refuses then
    origin[2] = "The refusal came in the server's own protocol, which is not shown here: "
      .. found.main.answer.line
  end
  local client, server = ends_of(found)
  local model = of_link.model(found.main.connection, {
    title = title_of(found), origin = origin, at = found.at,
    client_auth = client_auth_of(found), client = client, server = server,
  })
  if found.by == "us" and found.main.outcome == "accepted" then
    refuse_chain(model)
  end
  add_request(model, found.request)
  return source.write(model)
end
