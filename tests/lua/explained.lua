-- SPDX-License-Identifier: MIT
-- What the tests of explanations share: links that fail in one way, what is found of them, and a
-- watch over rules that no test has seen.
local ms = require "moonshake"
local explain = require "moonshake.views.explain"
local pki, tls = ms.pki, ms.tls

local explained = {}

local OTHER = { client = "server", server = "client" }
local seen = {}

explained.VERSIONS = { "TLS1.2", "TLS1.3" }
explained.ROLES = { "client", "server" }

--- A root that both ends trust, its server and its client, made once.
explained.root = pki.authority { cn = "Example Root" }
explained.server = explained.root:issue { dns = "server.example" }
explained.alice = explained.root:issue { cn = "alice" }

--- A link of both ends' usual options with these put over them, shaken. `""` stands for nothing.
function explained.link(version, client, server)
  local ends = {
    client = { trust = explained.root, server_name = "server.example" },
    server = { identity = explained.server, trust = explained.root },
    versions = version,
  }
  for role, given in pairs { client = client or {}, server = server or {} } do
    for name, value in pairs(given) do
      if value == "" then
        value = nil
      end
      ends[role][name] = value
    end
  end
  local link = tls.link(ends)
  link:handshake()
  return link
end

--- A link on which `sender` presents an identity to its peer, who judges it by these options.
function explained.presented(version, sender, identity, judge)
  local given = { client = {}, server = {} }
  given[sender].identity = identity
  given.server.client_auth = sender == "client" and "require" or nil
  given.server.issuers = sender == "client" and {} or nil
  for name, value in pairs(judge or {}) do
    given[OTHER[sender]][name] = value
  end
  return explained.link(version, given.client, given.server)
end

--- The one finding of this rule; raises where there is none, showing what was found instead.
function explained.finding(link, rule)
  local findings = link.findings
  for _, one in ipairs(findings) do
    seen[one.rule] = true
    if one.rule == rule then
      return one
    end
  end
  error(("no %s in: %s"):format(rule, table.concat(explain.told(findings), "\n")), 2)
end

--- Whether this rule found something.
function explained.has(link, rule)
  for _, one in ipairs(link.findings) do
    if one.rule == rule then
      return true
    end
  end
  return false
end

--- All that a finding says, as one text.
function explained.text(finding)
  return table.concat({ finding.what, table.concat(finding.why, "\n"), finding.next }, "\n")
end

-- What is only a table has no fields beside those it was given.
local function plain_end(role, given)
  local one = { role = role, epoch = "initial", phase = "established", wire = {} }
  for name, value in pairs(given or {}) do
    one[name] = value
  end
  one.history = { one }
  return one
end

--- What looks like a link and never was one, for what cannot be had from this stack: both ends'
--- fields (the client's `epoch` is that of all) and the events. Its `findings` are made as a link's
--- are.
function explained.fake(client, server, events, told)
  local link = { client = plain_end("client", client), server = plain_end("server", server),
                 events = events or {} }
  for index, event in ipairs(link.events) do
    event.index, event.epoch = index, link.client.epoch
  end
  link.findings = explain.of(link, told and {
    [link.client.epoch] = { client = function() return told.client or {} end,
                            server = function() return told.server or {} end },
  })
  return link
end

--- An end that failed by itself in its handshake, and the event of it.
function explained.failed(role, problem, code, more)
  local one = { phase = "failed", failed_during = "handshake", told_by = "itself",
                handshake_completed = false,
                error = { problem = problem, code = code, message = "Something is wrong." } }
  local event = { kind = "error", role = role, problem = problem, code = code,
                  message = "Something is wrong.", during = "handshake", told_by = "itself" }
  for name, value in pairs(more or {}) do
    one[name] = value
  end
  return one, event
end

--- A test by the harness: each rule of these modules was found by a test of this file.
function explained.all_seen(unit, modules)
  unit.test("each rule of these was found by a test above", function()
    for _, name in ipairs(modules) do
      for _, rule in ipairs(require("moonshake.views.rules." .. name)) do
        unit.equal(seen[rule.name], true, rule.name)
      end
    end
  end)
end

return explained
