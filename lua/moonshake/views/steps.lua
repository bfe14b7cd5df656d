-- SPDX-License-Identifier: MIT
-- The log of a link as the steps of a sequence diagram: what crossed the wire, each thing once, and
-- what that did to the end that saw it. Plain tables and valid UTF-8, so that they can travel as
-- JSON; what is in them is not escaped.
--
-- steps.of(link, notes) -> {
--   version   "TLS1.3", ...; nil before one was chosen
--   ends      { client = phase, server = phase }; "unknown" of an end that is somewhere else
--   far       nil, or { role =, address = } of that end
--   left_out  how many ChangeCipherSpec records were left out: TLS 1.3 sends them for middleboxes
--   steps     in an order that is that of each end, each one of
--     { kind = "message" | "alert" | "data" | "change_cipher_spec", from = role, epoch, name,
--       level   "none", "handshake" or "application": the keys that protected it
--       fate    "arrived"; "changed" on the way; "lost" on the way; "unread": the other end was
--               over before; "unsent": made, but never handed over; "strange": it arrived, and the
--               other end did not send it; "handed" over: whether it arrived only the far end knows
--       facts   texts, a few words each       lines   texts to stand below each other
--       fatal   of an alert                   count   how many of the same kind in a row
--       sent, received   positions in the log }
--     { kind = "mark", at = role, epoch, text, index, bad = boolean,
--       what = "completed" | "judged" | "failed" | "told" | "stalled" | "altered"; of a relay's
--              connection (relayed.lua) "closed" | "reset" }
--     { kind = "epoch", name }          where a later one begins
--     { kind = "note", text } }
local carriers = require "moonshake.views.carriers"
local escape = require "moonshake.escape"
local facts = require "moonshake.views.facts"
local far_steps = require "moonshake.views.far_steps"
local known = require "moonshake.views.known"
local merge = require "moonshake.views.merge"
local step_levels = require "moonshake.views.step_levels"

local steps = {}

local OTHER = { client = "server", server = "client" }
local PLAIN_ALERT = 7 -- bytes of its record: header and content

local Builder = {}
Builder.__index = Builder

-- The snapshot of an end in an epoch.
local function snapshots_of(link)
  local by_role = {}
  for _, role in ipairs { "client", "server" } do
    by_role[role] = {}
    for _, snapshot in ipairs(known.history(link, role)) do
      by_role[role][snapshot.epoch] = snapshot
    end
  end
  return function(role, epoch)
    return by_role[role][epoch]
  end
end

local function builder(link)
  local far, ends = known.far(link), {}
  for _, role in ipairs { "client", "server" } do
    ends[role] = far and far.role == role and "unknown" or link[role].phase
  end
  return setmetatable({
    snapshot = snapshots_of(link), ends = ends,
    far = far and { role = far.role, address = escape.utf8(far.address) },
    queues = { client = {}, server = {} },  -- what each end did, in its order (see merge.lua)
    pending = { client = {}, server = {} }, -- by sender and kind: steps that have not arrived
    levels = step_levels.new(far ~= nil),
    carriers = { client = carriers.new(), server = carriers.new() },
    finished = {},                          -- by role and epoch: which Finished it has seen
    data = { client = { sent = 0, received = 0 }, server = { sent = 0, received = 0 } },
    left_out = 0,
  }, Builder)
end

---------------------------------------------------------------------------------------------------
-- What crosses the wire

-- A step that an end sent.
function Builder:send(event, step)
  step.from, step.epoch, step.sent = event.role, event.epoch, event.index
  step.level = step.level or self.levels.of[event.role]
  step.bytes, step.delivered = event.bytes, event.delivered
  if step.kind == "message" or step.kind == "data" then
    self.carriers[event.role]:made(step)
  else
    self.carriers[event.role]:left(step)
  end
  step.facts, step.lines = step.facts or {}, step.lines or {}
  local queue = self.queues[event.role]
  queue[#queue + 1] = { step = step, part = "sent", index = event.index }
  local pending = self.pending[event.role]
  pending[step.kind] = pending[step.kind] or { at = 1 }
  table.insert(pending[step.kind], step)
  return step
end

-- Whether the last thing that an end did was to read a record that nobody sent so.
local function ends_altered(queue)
  return #queue > 0 and queue[#queue].step.what == "altered"
end

-- The step that an end received: the next one that was sent and fits.
function Builder:match(event, kind, name)
  local pending = self.pending[OTHER[event.role]][kind] or { at = 1 }
  local found, changed
  for at = pending.at, #pending do
    local step = pending[at]
    if step.name == name and step.delivered ~= false then
      if kind ~= "message" or step.bytes == event.bytes then
        found = at
        break
      end
      changed = changed or at
    end
  end
  local at = found or changed
  if not at then
    return nil
  end
  pending.at = at + 1
  pending[at].fate = found and "arrived" or "changed"
  return pending[at]
end

-- An end received something. `made` describes it, should its peer not have sent it.
function Builder:receive(event, made)
  local step = self:match(event, made.kind, made.name)
  if not step then
    step = made
    step.from, step.epoch = OTHER[event.role], event.epoch
    step.fate = self.far and "arrived" or "strange"
    step.level = step.level or self.levels.of[step.from]
    step.facts, step.lines = step.facts or {}, step.lines or {}
  end
  step.received = event.index
  if self.far then
    local snapshot = self.snapshot(event.role, event.epoch)
    far_steps.note(self.pending[event.role], event, {
      is_1_3 = self.levels:is_1_3(),
      is_asked = snapshot and snapshot.certificate_requested or false,
    })
  end
  local queue = self.queues[event.role]
  if step.fate ~= "arrived" and ends_altered(queue) then
    table.remove(queue) -- the step tells it
  end
  queue[#queue + 1] = { step = step, part = "received", index = event.index }
  return step
end

function Builder:mark(event, what, text, bad)
  local queue = self.queues[event.role]
  queue[#queue + 1] = {
    part = "mark", index = event.index,
    step = { kind = "mark", at = event.role, epoch = event.epoch, index = event.index,
             what = what, text = text, bad = bad or false },
  }
end

---------------------------------------------------------------------------------------------------
-- Handshake messages

-- Which of a handshake's Finished messages an end has sent and received. The later one completes
-- it; in post-handshake authentication there is but one.
function Builder:note_finished(event)
  local key = event.role .. " " .. event.epoch
  local seen = self.finished[key] or 0
  local alone = event.epoch:find "^reauthentication" ~= nil
  self.finished[key] = seen + 1
  local snapshot = self.snapshot(event.role, event.epoch)
  if snapshot and snapshot.handshake_completed and (seen == 1 or alone) then
    self:mark(event, "completed", alone and "authentication complete" or "handshake complete")
  end
end

local on = {}

function on.message(self, event)
  local told, lines = facts.of_message(event, {
    offer = self.offer,
    snapshot = function(role) return self.snapshot(role, event.epoch) end,
  })
  local made = { kind = "message", name = event.type, facts = told, lines = lines }
  if event.type == "ClientHello" then
    self.offer = event.hello
  end
  if event.direction == "sent" then
    self.last_message = self:send(event, made)
  else
    self.last_message = self:receive(event, made)
  end
  self.levels:message(event)
  if event.type == "Finished" then
    self:note_finished(event)
  end
end

-- Stands behind the message that carries it.
function on.request(self, event)
  local step = self.last_message
  local own = event.direction == "sent" or step and not step.sent
  if own and step and step.name == "CertificateRequest" then
    step.facts = facts.of_request(event)
  end
end

---------------------------------------------------------------------------------------------------
-- Records: most only carry what other events tell

-- The message before which an end's ChangeCipherSpec went out: messages are made before their
-- flight is handed over.
local function place_of_change(queue, epoch)
  for at = #queue, 1, -1 do
    local item = queue[at]
    if item.part == "sent" and item.step.name == "Finished" and item.step.epoch == epoch then
      return at
    end
  end
end

function Builder:change_cipher_spec(event)
  if self.levels:is_1_3() then
    self.left_out = self.left_out + (event.direction == "sent" and 1 or 0)
  elseif event.direction == "received" then
    self:receive(event, { kind = "change_cipher_spec", name = "ChangeCipherSpec" })
    self.levels:finish(event)
  else
    local queue = self.queues[event.role]
    local at = place_of_change(queue, event.epoch)
    self:send(event, { kind = "change_cipher_spec", name = "ChangeCipherSpec" })
    self.levels:finish(event)
    if at then
      local item = table.remove(queue)
      item.index = queue[at].index
      table.insert(queue, at, item)
      queue[at + 1].step.level = "application"
    end
  end
end

function on.record(self, event)
  local peer = OTHER[event.role]
  self.last_record = event
  if event.direction == "sent" then
    self.carriers[event.role]:sent(event)
  elseif not self.carriers[peer]:received(event) and not ends_altered(self.queues[event.role]) then
    self:mark(event, "altered", "reads a record that its peer did not send so", true)
  end
  if event.type == "change_cipher_spec" then
    self:change_cipher_spec(event)
  end
end

---------------------------------------------------------------------------------------------------
-- The rest

-- An alert that was sent before there were keys, or by an end that did not use them, is in clear.
local function is_plain(record)
  return record ~= nil and record.type == "alert" and record.length == PLAIN_ALERT
end

function on.alert(self, event)
  local made = { kind = "alert", name = ("%s (%d)"):format(event.name, event.number),
                 fatal = event.level == "fatal" }
  if event.direction == "received" then
    made.level = self.far and is_plain(self.last_record) and "none" or nil
    self:receive(event, made)
  else
    made.level = is_plain(self.carriers[event.role].last) and "none" or nil
    self:send(event, made)
  end
end

-- What was sent at once is received in pieces of a record.
function on.data(self, event)
  local made = { kind = "data", name = "Application Data",
                 facts = { ("%d bytes"):format(event.length) } }
  if event.direction == "sent" then
    local data = self.data[event.role]
    data.sent = data.sent + event.length
    self:send(event, made).ends_at = data.sent
    return
  end
  local pending = self.pending[OTHER[event.role]].data
  local data = self.data[OTHER[event.role]]
  data.received = data.received + event.length
  local step = pending and pending[pending.at]
  if not step or data.received >= step.ends_at then
    self:receive(event, made)
  end
end

function on.verification(self, event)
  self:mark(event, "judged", facts.of_verification(event.verification))
end

function on.error(self, event)
  local snapshot = self.snapshot(event.role, event.epoch)
  local late = snapshot and snapshot.handshake_completed and event.during ~= "handshake"
  local by_peer = event.told_by == "peer"
  local text = by_peer and event.problem == "peer_alert" and "told here, by the alert"
    or ("%s here: %s"):format(by_peer and "told" or "failed", event.problem)
  text = late and text .. " (its handshake was complete)" or text
  self:mark(event, by_peer and "told" or "failed", text, true)
end

function on.selection()
end

---------------------------------------------------------------------------------------------------

-- What became of what did not arrive.
function Builder:settle_fates()
  if self.far then
    return far_steps.settle(self.pending[OTHER[self.far.role]])
  end
  for role, kinds in pairs(self.pending) do
    local phase = self.ends[OTHER[role]]
    local over = phase == "failed" or phase == "closed"
    for _, pending in pairs(kinds) do
      for _, step in ipairs(pending) do
        if not step.fate then
          step.fate = step.delivered == false and "unsent"
            or self.carriers[role]:fate(step) or over and "unread" or "lost"
        end
      end
    end
  end
end

function Builder:mark_stalled(last)
  for _, role in ipairs { "client", "server" } do
    if self.ends[role] == "stalled" then
      self:mark({ role = role, epoch = last.epoch, index = last.index + 1 }, "stalled",
                "waits, and nothing comes", true)
    end
  end
end

local function is_same_ticket(a, b)
  if not a or a.name ~= "NewSessionTicket" or b.name ~= "NewSessionTicket" then
    return false
  end
  return a.from == b.from and a.fate == b.fate and a.level == b.level
    and table.concat(a.facts) == table.concat(b.facts)
end

-- Without what only this file needs, tickets in a row counted, epochs announced.
local function finish(list)
  local done, epoch = {}, list[1] and list[1].epoch
  for _, step in ipairs(list) do
    step.bytes, step.delivered, step.ends_at = nil, nil, nil
    if step.epoch and step.epoch ~= (epoch or step.epoch) then
      done[#done + 1] = { kind = "epoch", name = step.epoch }
    end
    epoch = step.epoch or epoch
    if is_same_ticket(done[#done], step) then
      done[#done].count = (done[#done].count or 1) + 1
    else
      done[#done + 1] = step
    end
  end
  return done
end

--- The steps of a link (see above).
---@param link table anything with `events` and two ends
---@param notes? { text: string, after: integer }[] what the script said, and how many events there
---  were then
---@return table
function steps.of(link, notes)
  local self, events = builder(link), link.events
  for index = 1, #events do
    on[events[index].kind](self, events[index])
  end
  self:settle_fates()
  if #events > 0 then
    self:mark_stalled(events[#events])
  end
  local told = {}
  for index, note in ipairs(notes or {}) do
    told[index] = { after = note.after, step = { kind = "note", text = escape.utf8(note.text) } }
  end
  return { version = self.levels.version, ends = self.ends, far = self.far,
           left_out = self.left_out,
           steps = finish(merge(self.queues, told)) }
end

return steps
