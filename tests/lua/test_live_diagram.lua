-- SPDX-License-Identifier: MIT
-- Diagrams of connections: what was sent from here is drawn as arrived only where the far end's
-- answer shows it, and nothing stands at its life line.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local live = dofile(here .. "live_pairs.lua")
local ms = require "moonshake"
local diagram = require "moonshake.views.diagram"
local tls = ms.tls
local test, equal, contains = unit.test, unit.equal, unit.contains

local OTHER = { client = "server", server = "client" }

-- Steps by name: the last one of its name.
local function steps_of(connection)
  local by_name = {}
  for _, step in ipairs(diagram.model(connection).steps) do
    by_name[step.name or step.what or "note"] = step
    if step.at then
      equal(step.at, connection.role)
    elseif step.from == connection.role then
      equal(step.fate == "arrived" or step.fate == "handed" or step.fate == "unsent", true)
    elseif step.from then
      equal(step.fate, "arrived")
    end
  end
  return by_name
end

local function draw_all(connection)
  local far, here_ = OTHER[connection.role], connection.role
  local text = connection:diagram()
  local width = #text:match "^[^\n]*"
  equal(width, 80)
  contains(text:match "^[^\n]*", far .. " " .. connection.remote)
  contains(text, "not ours")
  local mermaid = connection:diagram { format = "mermaid" }
  contains(mermaid, ("participant %s as %s "):format(far, far))
  contains(mermaid, ("participant %s\n"):format(here_))
  contains(mermaid, ("Note over %s: not ours"):format(far))
  local svg = connection:diagram { format = "svg" }
  contains(svg, ">" .. connection.remote .. "<")
  contains(svg, ">not ours<")
  return text
end

for _, version in ipairs(live.VERSIONS) do
  test("answers show what arrived in " .. version, function()
    local client, server = live.pair(version, { identity = live.alice },
                                     { client_auth = "require" })
    local text = draw_all(client)
    contains(text, "an arrow that ends early: sent, and whether it arrived is not known")
    local steps = steps_of(client)
    equal(steps.ClientHello.fate, "arrived")
    equal(steps.Certificate.from, "client")
    equal(steps.Certificate.fate, "arrived")
    equal(steps["Application Data"].from, "server")
    equal(steps["close_notify (0)"].from, "server")
    draw_all(server)
    steps = steps_of(server)
    equal(steps.ServerHello.fate, "arrived")
    equal(steps.Finished.level, version == "TLS1.3" and "handshake" or "application")
    equal(steps.NewSessionTicket.fate, "handed")
    equal(steps["Application Data"].fate, "handed")
  end)

  test("levels of what came are those of its keys in " .. version, function()
    local client = live.pair(version)
    local levels = {}
    for _, step in ipairs(diagram.model(client).steps) do
      if step.from == "server" then
        levels[step.name] = step.level
      end
    end
    equal(levels.ServerHello, "none")
    equal(levels.Certificate, version == "TLS1.3" and "handshake" or "none")
    equal(levels["Application Data"], "application")
    equal(levels["close_notify (0)"], "application")
  end)

  test("a refusal by an alert is drawn from who sent it in " .. version, function()
    local client, server = live.pair(version, nil, { client_auth = "require" })
    draw_all(client)
    local steps = steps_of(client)
    equal(steps.told.at, "client")
    if version == "TLS1.3" then
      equal(steps.Certificate.fate, "arrived") -- the alert says that it was looked at
      equal(steps.Finished.fate, "handed")
      equal(steps["certificate_required (116)"].level, "application")
    else
      equal(steps.Certificate.fate, "handed") -- decode_error says nothing of it
    end
    draw_all(server)
    steps = steps_of(server)
    equal(steps.failed.at, "server")
    equal(steps.Certificate.facts[1], "empty")
  end)
end

test("an alert in clear is drawn in clear", function()
  local steps = steps_of(live.client_of(live.answers "\21\3\3\0\2\2\40"))
  equal(steps["handshake_failure (40)"].level, "none")
  equal(steps["handshake_failure (40)"].fate, "arrived")
  equal(steps.ClientHello.fate, "handed")
end)

test("a certificate that cannot be read is drawn as one", function()
  local text = draw_all(live.client_of(live.answers(live.UNREADABLE)))
  contains(text, "a certificate that cannot be read")
end)

test("what is no TLS is drawn as what it led to", function()
  local steps = steps_of(live.client_of(live.says "SSH-2.0-OpenSSH_9.2\r\n"))
  equal(steps.ClientHello.fate, "handed")
  equal(steps.failed.text, "failed here: protocol_violation")
end)

test("a retry shows that the request for it arrived", function()
  local client, server = live.pair("TLS1.3", { groups = { "secp256r1", "secp384r1" } },
                                   { groups = "secp384r1" })
  equal(steps_of(server).HelloRetryRequest.fate, "arrived")
  equal(steps_of(client).HelloRetryRequest.fate, "arrived")
end)

test("a ticket after a certificate was asked for shows that the last flight arrived", function()
  local client = live.pair("TLS1.3", { identity = live.alice }, { client_auth = "request" })
  equal(steps_of(client).Finished.from, "client")
  equal(steps_of(client).Finished.fate, "arrived")
  client = live.pair("TLS1.3")
  equal(steps_of(client).Finished.fate, "handed") -- GnuTLS sends tickets before it has come
end)

test("a renegotiation shows that the handshake before was complete at both ends", function()
  local listener <close> = tls.listen { server = { identity = live.server, versions = "TLS1.2" } }
  local client = tls.connect { port = listener.port, client = {
    trust = live.root, server_name = "server.example", versions = "TLS1.2" } }
  local server
  ms.together(function()
    client:handshake()
    client:receive()
  end, function()
    server = listener:accept()
    server:handshake()
    server:renegotiate()
    server:send { data = "done" }
  end)
  for _, one in ipairs { client, server } do
    for _, step in ipairs(diagram.model(one).steps) do
      local is_first = step.epoch == "initial" and step.from == one.role
      equal(is_first and step.fate or "arrived", "arrived", step.name)
      if step.name == "HelloRequest" then -- a client may also begin by itself
        equal(step.fate, one.role == "server" and "handed" or "arrived")
      end
    end
    contains(one:diagram(), "= renegotiation 1 =")
  end
end)

test("where nothing has happened that is drawn, and hostile addresses do no harm", function()
  local path = "/tmp/\27[31m<script>#end;%"
  local client = tls.connect { path = path, client = {} }
  for _, format in ipairs { "text", "mermaid", "svg" } do
    local drawn = client:diagram { format = format }
    equal(drawn:find("[\27]"), nil)
    equal(drawn:find("<script", 1, true) == nil or format == "text", true)
  end
  contains(client:diagram(), "nothing has happened yet")
  contains(client:diagram(), "idle")
  client = tls.connect { path = "/" .. ("long"):rep(20), client = {} }
  equal(#client:diagram():match "^[^\n]*", 80)
end)

unit.done()
