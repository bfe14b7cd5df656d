-- SPDX-License-Identifier: MIT
-- What a link's ends reported and what crossed the wire, epoch by epoch, put together from
-- snapshots and events as plain tables. (state_text.lua writes it down.)
local link_module = require "moonshake.link"
local marks = require "moonshake.marks"

local certificate_state = {}

local ROLES = { "client", "server" }

---------------------------------------------------------------------------------------------------
-- Certificates get a number in the order in which they are met

local Certificates = {}
Certificates.__index = Certificates

-- The entry of a certificate: { number, certificate, uses }.
function Certificates:entry(certificate)
  local der = certificate:der()
  local entry = self.by_der[der]
  if not entry then
    entry = { number = #self.list + 1, certificate = certificate, uses = {} }
    self.by_der[der] = entry
    self.list[entry.number] = entry
  end
  return entry
end

-- The entries of a chain; nil and tls.unknown stay what they are.
function Certificates:chain(list)
  if list == nil or list == marks.unknown then
    return list
  end
  local chain = {}
  for index = 1, #list do
    chain[index] = self:entry(list[index])
  end
  return chain
end

---------------------------------------------------------------------------------------------------

-- When an end judged its peer in an epoch; else when a Certificate message passed it; else when it
-- did its last thing.
local TELLING = { verification = 3, message = 2 }

local function times_of(events)
  local times, weights = {}, {}
  for _, event in ipairs(events) do
    local key = event.epoch .. "/" .. event.role
    local weight = (event.kind ~= "message" or event.type == "Certificate")
      and TELLING[event.kind] or 1
    if weight >= (weights[key] or 0) then
      times[key], weights[key] = event.time, weight
    end
  end
  return times
end

local function same(a, b)
  if a == nil or b == nil then
    return a == b
  elseif #a ~= #b then
    return false
  end
  for index = 1, #a do
    if a[index] ~= b[index] then
      return false
    end
  end
  return true
end

-- One of the two chains of an end. `carried` is what the last messages carried as of this epoch.
local function side(certificates, reported, on_wire, carried, carried_in)
  local made = {
    reported = certificates:chain(reported), wire = certificates:chain(on_wire),
    carried = certificates:chain(carried), carried_in = carried_in,
  }
  made.is_unknown = made.reported == marks.unknown or made.wire == marks.unknown
    or made.carried == marks.unknown
  made.differs = not made.is_unknown and not same(made.reported, made.carried)
  return made
end

-- A chain that an end had to do with; `verification`: its judgement on it.
local function note_use(chain, snapshot, at, verification)
  for _, entry in ipairs(type(chain) == "table" and chain ~= marks.unknown and chain or {}) do
    local last = entry.uses[#entry.uses]
    if not (last and last.role == snapshot.role and last.epoch == snapshot.epoch
            and last.verification == verification) then
      entry.uses[#entry.uses + 1] = { role = snapshot.role, epoch = snapshot.epoch, at = at,
                                      verification = verification }
    end
  end
end

-- What an end found out about its peer's chain, with the certificates' entries.
local function verification_of(certificates, found)
  if found == nil or found == marks.unknown then
    return nil
  end
  local made = {
    verified = found.verified, accepted = found.accepted, problems = found.problems,
    text = found.text, path = certificates:chain(found.path), on_path = {},
  }
  if found.certificate ~= nil and not found.verified then
    made.at_fault = certificates:entry(found.certificate)
  end
  for _, entry in ipairs(made.path) do
    made.on_path[entry] = true
  end
  return made
end

local function end_of(certificates, snapshot, carried, at)
  local wire = snapshot.wire
  local made = { snapshot = snapshot, at = at }
  made.own = side(certificates, snapshot.local_certificates, wire.sent_certificates,
                  carried.sent, carried.sent_in)
  made.peer = side(certificates, snapshot.peer_certificates, wire.received_certificates,
                   carried.received, carried.received_in)
  made.verification = verification_of(certificates, snapshot.verification)
  made.is_judgement_unknown = snapshot.verification == marks.unknown
  local judged = made.verification
  for _, chain in ipairs { made.own.reported or {}, made.own.wire or {} } do
    note_use(chain, snapshot, at)
  end
  for _, chain in ipairs { made.peer.reported or {}, made.peer.wire or {},
                           judged and judged.path or {} } do
    note_use(chain, snapshot, at, judged)
  end
  return made
end

---@class moonshake.certificate_state
---@field epochs { name: string, client: table, server: table }[]
---   of an end: snapshot; at (its time, nil where nothing happened); own and peer, each with
---   reported, wire (of this epoch), carried (by the last message there was, in the epoch
---   carried_in), differs, is_unknown; verification (with at_fault and on_path; nil where nothing
---   was judged), is_judgement_unknown; is_far: it is somewhere else
---@field certificates { number: integer, certificate: userdata, uses: table[] }[] each once, in
---   the order in which they are met; the chains above are lists of these. A use has role, epoch,
---   at, and verification where the end judged the chain

--- What there is to tell of the certificates of a link.
---@param link table
---@return moonshake.certificate_state
function certificate_state.of(link)
  local certificates = setmetatable({ list = {}, by_der = {} }, Certificates)
  local times = times_of(link.events)
  local far = link_module.far(link)
  local histories = { client = link.client.history, server = link.server.history }
  local epochs = {}
  for number = 1, #histories.client do
    local carried = link_module.carried(link, number)
    local epoch = { name = histories.client[number].epoch }
    for _, role in ipairs(ROLES) do
      epoch[role] = end_of(certificates, histories[role][number], carried[role],
                           times[epoch.name .. "/" .. role])
      epoch[role].is_far = far ~= nil and far.role == role
    end
    epochs[number] = epoch
  end
  return { epochs = epochs, certificates = certificates.list }
end

return certificate_state
