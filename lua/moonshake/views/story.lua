-- SPDX-License-Identifier: MIT
-- One epoch of a link, as explanations look at it: both ends' snapshots, the events, and what the
-- ends were told. A story is a table with
--   epoch, index, last   its name, its place in the history, and whether it is the current one
--   client, server       both ends as snapshots (or what has their fields)
--   events               the events of this epoch, in order
--   told                 by role: the options in force (settings.in_force()); empty: not known
--   before               the story of the epoch before, nil for the first
--   fault                nil, or { role =, ... }: the first error of this epoch and whose it is
--   far                  nil, or the end that is somewhere else, as known.lua gives it: its
--                        snapshot has what is known, and lacks what only its own stack could tell
local known = require "moonshake.views.known"

local story = {}

local OTHER = { client = "server", server = "client" }

local Story = {}
Story.__index = Story

-- The first error event of the epoch, with the role of its end.
local function fault_of(events)
  for _, event in ipairs(events) do
    if event.kind == "error" then
      return event
    end
  end
end

local function events_of(all, epoch)
  local events = {}
  for _, event in ipairs(all) do
    if event.epoch == epoch then
      events[#events + 1] = event
    end
  end
  return events
end

-- `told` may know the epoch by functions of the site in force.
local function told_in(told, one)
  local given, made = told[one.epoch] or {}, {}
  for role in pairs(OTHER) do
    made[role] = given[role] and given[role](one[role].site) or {}
  end
  return made
end

--- All epochs of a link, in order.
---@param link table
---@param told? table by epoch and role: a function of the site that answers with options
---@return table[]
function story.of(link, told)
  local stories, all = {}, link.events
  local clients, servers = known.history(link, "client"), known.history(link, "server")
  for index = 1, #clients do
    local epoch = clients[index].epoch
    local events = events_of(all, epoch)
    local one = setmetatable({
      epoch = epoch, index = index, last = index == #clients,
      client = clients[index], server = servers[index], events = events, fault = fault_of(events),
      far = known.far(link),
    }, Story)
    one.told, one.before = told_in(told or {}, one), stories[index - 1]
    stories[index] = one
  end
  return stories
end

--- The other role.
---@param role "client"|"server"
function Story.other(_, role)
  return OTHER[role]
end

--- Whether an end is somewhere else.
---@param role "client"|"server"
---@return boolean
function Story:is_far(role)
  return self.far ~= nil and self.far.role == role
end

--- An end as the subject of a sentence: "the server", or "the server, which is not ours,".
---@param role "client"|"server"
---@return string
function Story:named(role)
  return self:is_far(role) and ("the %s, which is not ours,"):format(role) or "the " .. role
end

local function fits(event, facts)
  for name, value in pairs(facts) do
    if event[name] ~= value then
      return false
    end
  end
  return true
end

--- The first event with these facts, from `from` on.
---@param facts table
---@param from? integer index in the log; default the epoch's first
---@return table|nil
function Story:first(facts, from)
  for _, event in ipairs(self.events) do
    if event.index >= (from or 0) and fits(event, facts) then
      return event
    end
  end
end

--- The last event with these facts.
---@param facts table
---@param until_ integer|nil index in the log; default the epoch's last
---@return table|nil
function Story:last_of(facts, until_)
  for index = #self.events, 1, -1 do
    local event = self.events[index]
    if event.index <= (until_ or math.huge) and fits(event, facts) then
      return event
    end
  end
end

--- A message that reached an end: the last of its kind.
---@param role "client"|"server"
---@param type string
---@return table|nil
function Story:received(role, type)
  return self:last_of { role = role, kind = "message", direction = "received", type = type }
end

--- What the last ClientHello offered, as the server got it; else as the client sent it.
---@return table|nil
function Story:offer()
  local message = self:received("server", "ClientHello")
    or self:last_of { role = "client", kind = "message", type = "ClientHello" }
  return message and message.hello
end

--- Whether this is TLS 1.3: negotiated, or on the way to be.
---@return boolean
function Story:is_1_3()
  local version = self.client.version or self.server.version
  if version then
    return version == "TLS1.3"
  end
  local offer, enabled = self:offer(), self.told.client.enabled
  local offered = offer and offer.versions or enabled and enabled "version" or {}
  for _, one in ipairs(offered) do
    if one == "TLS1.3" then
      return true
    end
  end
  return false
end

--- Picks by the version: the clause of TLS 1.3, or that of the versions before.
---@param older string
---@param newer string
---@return string
function Story:clause(older, newer)
  return self:is_1_3() and newer or older
end

--- The error, if this end's was the first and has this problem.
---@param problem string
---@param role? "client"|"server" any
---@return table|nil
function Story:failed(problem, role)
  local fault = self.fault
  return fault and fault.problem == problem and (not role or fault.role == role) and fault or nil
end

--- The judgement of an end on its peer's chain, and who sent that. Nil: it judged none.
---@param role "client"|"server" who judged
---@return { role: string, sender: string, verification: table, at: integer?, sent: table }|nil
function Story:judgement(role)
  local verification = self[role].verification
  if verification == nil then
    return nil
  end
  local event = self:last_of { role = role, kind = "verification" }
  return {
    role = role, sender = OTHER[role], verification = verification,
    at = event and event.at, sent = self[role].wire.received_certificates or {},
  }
end

return story
