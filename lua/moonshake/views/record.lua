-- SPDX-License-Identifier: MIT
-- What the links of a case came to, in words that are the same in each run: no times, no random
-- bytes, no lengths that depend on them. A certificate is its subject, with a number where several
-- have the same. (A record is what `run --record` writes; report/record.lua says what is around.)
local escape = require "moonshake.escape"
local far_of = require("moonshake.views.known").far
local json = require "dkjson"
local marks = require "moonshake.marks"
local phrase = require "moonshake.views.phrase"
local strict = require "moonshake.strict"

local record = {}

local LINE = 88 -- a list that is not longer stands on one line
local ROLES = { "client", "server" }

-- Fields of a snapshot, of what is in it and of a certificate that differ from run to run, that are
-- told elsewhere, or that are the first of a list. (The stack is in the record's head: what changes
-- from one to the other is to be compared.)
local LEFT_OUT = {
  stack = true, role = true, epoch = true, local_certificate = true, peer_certificate = true,
  text = true, subject = true, serial = true, fingerprint = true, not_before = true,
  not_after = true,
}

---------------------------------------------------------------------------------------------------
-- JSON, a field a line and fields in alphabetical order: for people who read differences

local LIST = { __jsontype = "array" }

local write

local function write_list(items, indent)
  local pieces, length, is_flat = {}, 0, true
  for index, item in ipairs(items) do
    pieces[index] = write(item, indent .. "  ")
    length = length + #pieces[index] + 2
    is_flat = is_flat and type(item) ~= "table"
  end
  if #pieces == 0 then
    return "[]"
  elseif is_flat and length <= LINE - #indent then
    return "[" .. table.concat(pieces, ", ") .. "]"
  end
  return ("[\n%s  %s\n%s]"):format(indent, table.concat(pieces, ",\n" .. indent .. "  "), indent)
end

local function write_object(map, indent)
  local names = {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names)
  for index, name in ipairs(names) do
    names[index] = ("%s: %s"):format(json.quotestring(name), write(map[name], indent .. "  "))
  end
  if #names == 0 then
    return "{}"
  end
  return ("{\n%s  %s\n%s}"):format(indent, table.concat(names, ",\n" .. indent .. "  "), indent)
end

function write(value, indent)
  if type(value) == "string" then
    return json.quotestring(escape.utf8(value))
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  return (getmetatable(value) == LIST and write_list or write_object)(value, indent)
end

--- A value of tables, strings, integers and booleans as JSON.
---@param value any lists are marked by record.list()
---@param indent? string what the lines after the first begin with
---@return string
function record.write(value, indent)
  return write(value, indent or "")
end

--- Marks a list.
---@param items any[]
---@return table
function record.list(items)
  return setmetatable(items, LIST)
end

---------------------------------------------------------------------------------------------------
-- Names of certificates

local Names = {}
Names.__index = Names

local function subject_of(certificate)
  local subject = phrase.fact(certificate, "subject")
  return not subject and "unreadable" or subject == "" and "no subject" or subject
end

-- "CN=alice", and "CN=alice (2)" for the second one of that name.
function Names:of(certificate)
  local der = certificate:der()
  if not self.by_der[der] then
    local subject = subject_of(certificate)
    local count = (self.counts[subject] or 0) + 1
    self.counts[subject] = count
    self.by_der[der] = count == 1 and subject or ("%s (%d)"):format(subject, count)
    self.list[#self.list + 1] = certificate
  end
  return self.by_der[der]
end

---------------------------------------------------------------------------------------------------
-- Snapshots

local convert

local function fields_of(value, schema, names)
  local map = {}
  for _, name in ipairs(schema.names) do
    if not LEFT_OUT[name] and value[name] ~= nil then
      map[name] = convert(value[name], schema.by_name[name].type, names)
    end
  end
  return map
end

function convert(value, kind, names)
  if rawequal(value, marks.unknown) then
    return { unknown = true }
  elseif kind == "bytes" then
    return ("%d bytes"):format(#value)
  elseif type(value) == "userdata" then
    return names:of(value)
  elseif type(value) ~= "table" then
    return value
  elseif strict.is_record(value) then
    return fields_of(value, strict.schema_of(value), names)
  end
  local items = record.list {}
  for index = 1, #value do
    items[index] = convert(value[index], kind, names)
  end
  return items
end

-- What a certificate says, without the lists of names in which there is nothing.
local function facts_of(certificate, names)
  local facts = fields_of(certificate, strict.schema_of(certificate), names)
  for _, kind in ipairs { "dns_names", "ip_addresses", "uris", "email_addresses" } do
    facts[kind] = #facts[kind] > 0 and facts[kind] or nil
  end
  return facts
end

---------------------------------------------------------------------------------------------------
-- Events

local SAY = {
  message = function(event)
    local lost = event.direction == "sent" and event.delivered == false
    return ("%s %s"):format(lost and "made and never sent" or event.direction, event.type)
  end,
  alert = function(event)
    return ("%s alert %s %s"):format(event.direction, event.level, event.name)
  end,
  selection = function(event, names)
    return "chose " .. (event.certificate and names:of(event.certificate) or "no certificate")
  end,
  verification = function(event)
    local found = event.verification
    return ("judged its peer: %s, %s"):format(
      found.verified and "no problem" or table.concat(found.problems, " "),
      found.accepted and "accepted" or "rejected")
  end,
  error = function(event)
    return ("failed during %s, told by %s: %s"):format(event.during, event.told_by, event.problem)
  end,
  data = function(event)
    return event.direction .. " data"
  end,
}

local function events_of(link, names)
  local lines = record.list {}
  for _, event in ipairs(link.events) do
    local say = SAY[event.kind] -- records are how it travelled, requests are messages, too
    lines[#lines + 1] = say and event.role .. " " .. say(event, names)
  end
  return lines
end

-- Problems of carriers: what is said of them has addresses and ports in it.
local OF_CARRIER = { connection_refused = true, connection_reset = true, name_not_found = true,
                     timeout = true, closed_early = true }

-- An end that is somewhere else: what is not known of it is not told.
local function without_unknown(map)
  for name, value in pairs(map) do
    if type(value) == "table" and value.unknown == true then
      map[name] = nil
    end
  end
  return map
end

local function end_of(snapshot, far, names)
  local made = convert(snapshot, nil, names)
  if far and far.role == snapshot.role then
    without_unknown(made)
    without_unknown(made.wire)
  elseif far and made.error and OF_CARRIER[made.error.problem] then
    made.error.message = nil
  end
  return made
end

local function link_of(link, names)
  local made, far = { failed_first = link.failed_first }, far_of(link)
  for _, role in ipairs(ROLES) do
    made[role] = {}
    for _, snapshot in ipairs(link[role].history) do
      made[role][snapshot.epoch] = end_of(snapshot, far, names)
    end
  end
  made.events = events_of(link, names)
  return made
end

---------------------------------------------------------------------------------------------------

--- The links of a case, and the certificates that they had to do with by name, as JSON.
---@param links table[]
---@param left_out integer how many links the case made before these
---@param indent? string what the lines after the first begin with
---@return string
function record.of(links, left_out, indent)
  local names = setmetatable({ by_der = {}, counts = {}, list = {} }, Names)
  local made = { links = record.list {}, links_left_out = left_out > 0 and left_out or nil,
                 certificates = {} }
  for index, link in ipairs(links) do
    made.links[index] = link_of(link, names)
  end
  for _, certificate in ipairs(names.list) do
    local readable, facts = pcall(facts_of, certificate, names)
    made.certificates[names:of(certificate)] = readable and facts or {}
  end
  return record.write(made, indent)
end

return record
