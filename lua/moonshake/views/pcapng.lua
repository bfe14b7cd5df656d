-- SPDX-License-Identifier: MIT
-- Captures: what the ends of links wrote as a pcapng file (draft-ietf-opsawg-pcapng) that Wireshark
-- and tshark open decrypted, for the secrets stand in it. A link is a TCP connection, each record
-- that was handed to the carrier a packet; what else happened is told in comments.
local native = require "moonshake.native"
local escape = require "moonshake.escape"
local key_log = require "moonshake.key_log"
local tcp = require "moonshake.views.tcp"

local pcapng = {}

local OTHER = { client = "server", server = "client" }
local MOST_TEXT = 1000 -- bytes; of a name a viewer wants less still

---------------------------------------------------------------------------------------------------
-- Blocks

local SECTION_HEADER, INTERFACE, NAMES, PACKET, SECRETS = 0x0A0D0D0A, 1, 4, 6, 10
local COMMENT, INTERFACE_NAME, RESOLUTION, APPLICATION = 1, 2, 9, 4 -- options
local ETHERNET, TLS_KEY_LOG, IPV4_NAME = 1, 0x544C534B, 1
local NANOSECONDS = "\9"

local function padded(bytes)
  return bytes .. ("\0"):rep(-#bytes % 4)
end

local function block(kind, body)
  local length = #body + 12
  return ("<I4I4"):pack(kind, length) .. body .. ("<I4"):pack(length)
end

-- Options, or records of names: code, length, value, and an end; pairs without value are left out.
local function options(pairs_of)
  local made = {}
  for _, pair in ipairs(pairs_of) do
    if pair[2] then
      made[#made + 1] = ("<I2I2"):pack(pair[1], #pair[2]) .. padded(pair[2])
    end
  end
  return #made > 0 and table.concat(made) .. ("<I2I2"):pack(0, 0) or ""
end

-- Foreign text as one line of valid UTF-8 without controls, and not longer than it may be.
local function text(foreign)
  local line = escape.line(foreign)
  if #line <= MOST_TEXT then
    return line
  end
  local last = MOST_TEXT
  while last > 0 and (line:byte(last + 1) & 0xC0) == 0x80 do -- within a character
    last = last - 1
  end
  return line:sub(1, last) .. "..."
end

local function section_header(comment)
  return block(SECTION_HEADER, ("<I4I2I2i8"):pack(0x1A2B3C4D, 1, 0, -1) .. options {
    { COMMENT, comment and text(comment) },
    { APPLICATION, ("moonshake %s (%s)"):format(native.version, native.stack) },
  })
end

-- They have to stand before the packets that they decrypt.
local function secrets_block(captured)
  local lines = {}
  for index, link in ipairs(captured) do
    lines[index] = key_log.text(link.secrets)
  end
  local log = table.concat(lines)
  return log ~= "" and block(SECRETS, ("<I4I4"):pack(TLS_KEY_LOG, #log) .. padded(log)) or ""
end

local function interface_block()
  return block(INTERFACE, ("<I2I2I4"):pack(ETHERNET, 0, 0) .. options {
    { INTERFACE_NAME, "moonshake" }, { RESOLUTION, NANOSECONDS },
  })
end

-- `names`: the servers', by number.
local function names_block(names)
  local records = { { IPV4_NAME, tcp.client_address .. "client\0" } }
  for host, name in ipairs(names) do
    records[#records + 1] = { IPV4_NAME, tcp.server_address(host) .. text(name) .. "\0" }
  end
  return block(NAMES, options(records))
end

local function packet_block(packet, nanoseconds)
  local comments = {}
  for index, comment in ipairs(packet.comments) do
    comments[index] = { COMMENT, text(comment) }
  end
  local frame = packet.frame
  return block(PACKET, ("<I4I4I4I4I4"):pack(0, nanoseconds >> 32, nanoseconds & 0xFFFFFFFF,
                                            #frame, #frame) .. padded(frame) .. options(comments))
end

---------------------------------------------------------------------------------------------------
-- Packets of a link

-- While the events of a link are gone through:
--   packets   what there is so far, each { frame, at = seconds, comments }
--   written   by role, the packets that its peer has not read yet: { bytes, packet }
--   last      by role, the packet that it wrote last   read  and the one that it read last
--   closing   roles in the order in which they said close_notify, or were seen to be gone
--   phases    by role, what became of it; of a far end only what was seen
local Conversation = {}
Conversation.__index = Conversation

function Conversation:add(frame, at)
  local packet = { frame = frame, at = at, comments = {}, number = #self.packets + 1 }
  self.packets[packet.number] = packet
  return packet
end

-- Puts a comment at a packet; where there is none yet, at the last of those that open the
-- connection. A new epoch is told before what is first told of it.
function Conversation:tell(packet, comment)
  packet = packet or self.packets[math.min(3, #self.packets)]
  if not packet then -- a name that leads nowhere
    return
  end
  local comments = packet.comments
  if self.new_epoch then
    comments[#comments + 1] = "epoch: " .. self.new_epoch
    self.new_epoch = nil
  end
  comments[#comments + 1] = comment
end

-- The packet that an end wrote or read last, whichever is later.
function Conversation:latest(role)
  local wrote, read = self.last[role], self.read[role]
  if wrote and read then
    return wrote.number > read.number and wrote or read
  end
  return wrote or read
end

function Conversation:write(role, bytes, at)
  for index, frame in ipairs(self.connection:data(role, bytes)) do
    local packet = self:add(frame, at)
    if index == 1 then
      self:tell(packet)
    end
    self.last[role] = packet
  end
  table.insert(self.written[role], { bytes = bytes, packet = self.last[role] })
end

-- Who wrote what crossed the wire in an event; nil where the event of the writer itself tells that.
-- Of a far end there is none: what it wrote is what was received here.
function Conversation:writer(event)
  if event.direction == "sent" then
    return event.role
  end
  return self.far and OTHER[event.role] or nil
end

-- What was lost on the way was never read, and what was changed nobody wrote.
function Conversation:take(event)
  local waiting = self.written[OTHER[event.role]]
  for index, written in ipairs(waiting) do
    if written.bytes == event.bytes then
      self.read[event.role] = written.packet
      table.move(waiting, index + 1, #waiting + index, 1)
      return
    end
  end
end

-- What the error of the end that is here tells of the far one: that it spoke no TLS, and how it
-- left.
function Conversation:see_far(event, at)
  local far = self.far
  if #self.written[far.role] == 0 and #far.first_bytes > 0 and not self.read[OTHER[far.role]] then
    self:write(far.role, far.first_bytes, at)
    self:tell(self.last[far.role], "no record of TLS: the first bytes that came")
  end
  if event.problem == "connection_reset" then
    self.phases[far.role] = "failed"
  elseif event.problem == "closed_early" and event.told_by == "peer" then
    self.phases[far.role] = "closed"
  end
  if self.phases[far.role] then
    self.closing[#self.closing + 1] = far.role
  end
end

-- The packets before anything was said. An error in place of a ClientHello is that of who could not
-- connect.
function Conversation:begin(event, at)
  local failed = self.far and self.far.role == "server" and event.kind == "error"
  local frames = not failed and self.connection:open()
    or event.problem == "name_not_found" and {}
    or self.connection:attempt(event.problem == "connection_refused")
  for _, frame in ipairs(frames) do
    self:add(frame, at)
  end
  if self.far then
    self:tell(nil, ("the %s is not ours: %s; the addresses here are made up"):format(
      self.far.role, self.far.address))
  end
  self.is_open = not failed
end

-- kind -> what becomes of an event
local SEE = {
  record = function(self, event, at)
    local writer = self:writer(event)
    if writer then
      self:write(writer, event.bytes, at)
    end
    if event.direction == "received" then
      self:take(event)
    end
  end,
  alert = function(self, event)
    local writer = self:writer(event)
    if writer then -- what its arrival led to is an error of its own
      self:tell(self.last[writer], ("%s sent alert %s %s (%s)"):format(
        writer, event.level, event.name, event.number))
    end
    if writer and event.name == "close_notify" then
      self.closing[#self.closing + 1] = writer
      self.phases[writer] = self.phases[writer] or "closed"
    end
  end,
  verification = function(self, event)
    local result = event.verification
    if not result.accepted then
      local why = result.verified and "by its policy" or table.concat(result.problems, ", ")
      self:tell(self.read[event.role], ("%s rejected its peer's certificate: %s"):format(
        event.role, why))
    end
  end,
  error = function(self, event, at)
    if self.far then
      self:see_far(event, at)
    end
    self:tell(self:latest(event.role), ("%s failed during %s: %s"):format(
      event.role, event.during, event.problem))
  end,
  -- Of a relay's connection (relayed_capture.lua): what was not kept, what there is to say, and how
  -- a side ended.
  gap = function(self, event)
    self.connection:skip(event.role, event.length)
  end,
  remark = function(self, event)
    self:tell(event.role and self.last[event.role] or self.packets[#self.packets], event.text)
  end,
  ["end"] = function(self, event, at)
    local how = event.how == "reset" and "reset" or "finish"
    self:add(self.connection[how](self.connection, event.role), at)
  end,
}

-- The end of the connection as the ends' phases tell it: who closed, finishes; who failed, resets.
function Conversation:finish(link, at)
  local order = self.closing
  order[#order + 1] = link.failed_first
  order[#order + 1] = "client"
  order[#order + 1] = "server"
  local done = {}
  for _, role in ipairs(order) do
    local phase = self.phases[role]
    if phase == "stalled" and not done[role] then
      self:tell(self:latest(role), role .. " stalled")
    elseif phase == "failed" and not done[role] then
      self:add(self.connection:reset(role), at)
      return
    elseif phase == "closed" and not done[role] then
      self:add(self.connection:finish(role), at)
      done.last = role
    end
    done[role] = true
  end
  if done.last then
    self:add(self.connection:acknowledge(OTHER[done.last]), at)
  end
end

-- The time of the carrier, which has the case's clock, at an event of one end; to be called for all
-- of them in order. A clock that nobody moved counts whole seconds: that one began while an end
-- worked is no second in which nothing happened.
local function carriers_time(clock_offset)
  local at, last
  return function(event)
    local now = event.time - clock_offset(event)
    at = at and (now - last == 1 and at or at + now - last) or now
    last = now
    return at
  end
end

-- What became of the ends, by role; of a far end that is yet to be seen.
local function phases_of(link)
  local phases = { client = link.phases.client, server = link.phases.server }
  if link.far then
    phases[link.far.role] = nil
  end
  return phases
end

local function packets_of(link, host)
  local self = setmetatable({
    connection = tcp.connection(link.number, host), packets = {}, closing = {}, far = link.far,
    written = { client = {}, server = {} }, last = {}, read = {}, phases = phases_of(link),
  }, Conversation)
  local time_of, at, epoch = carriers_time(link.clock_offset), nil, nil
  for index, event in ipairs(link.events) do
    at = time_of(event)
    if index == 1 then
      self:begin(event, at)
    end
    if event.epoch ~= epoch then
      epoch, self.new_epoch = event.epoch, event.epoch
    end
    local see = SEE[event.kind]
    if see then
      see(self, event, at)
    end
  end
  if self.is_open then
    self:finish(link, at)
  end
  return self.packets
end

---------------------------------------------------------------------------------------------------
-- Files

-- A server for each name; without one it is called "server".
local function hosts_of(captured)
  local names, hosts = {}, {}
  for _, link in ipairs(captured) do
    local name = link.server_name or "server"
    if not hosts[name] then
      names[#names + 1] = name
      hosts[name] = #names
    end
  end
  return names, hosts
end

--- The capture of links. Of a connection the records that were received are packets of the far end,
--- in the order of the log.
---@param captured table[] each as link.capture() gives it:
---   number    tells connections apart      events   all of them
---   secrets   see key_log.text()           phases   of the ends, by role
---   clock_offset(event)   by which the clock of the end that did it differs
---   server_name, failed_first              as those fields, or nil
---   far       the end that is somewhere else (link.far()), or nil
---@param comment string|nil of the whole file
---@return string
function pcapng.of(captured, comment)
  local names, hosts = hosts_of(captured)
  local made = {
    section_header(comment), interface_block(), secrets_block(captured), names_block(names),
  }
  local count = 0 -- a microsecond lies between two packets
  for _, link in ipairs(captured) do
    for _, packet in ipairs(packets_of(link, hosts[link.server_name or "server"])) do
      count = count + 1
      local at = math.floor(packet.at * 1000000000) -- a relay's clock has fractions
      made[#made + 1] = packet_block(packet, at + count * 1000)
    end
  end
  return table.concat(made)
end

local PRIVATE = 384 -- 0600: the keys are in it

--- Writes the capture of links to a file that only this user can read, if it is a new one.
---@param path string
---@param captured table[] see pcapng.of()
---@param comment string|nil
---@return true|nil
---@return string|nil problem
function pcapng.write(path, captured, comment)
  local replacement = require "moonshake.io.replacement" -- few cases need luv
  local file, problem = replacement.open(path, PRIVATE)
  if not file then
    return nil, problem
  end
  file:write(pcapng.of(captured, comment))
  return file:commit()
end

return pcapng
