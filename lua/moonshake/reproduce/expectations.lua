-- SPDX-License-Identifier: MIT
-- What is expected of a step: what was seen, where ours came to the same; where not, a comment with
-- both, and what is true of ours.
local literal = require "moonshake.reproduce.literal"

local expectations = {}

local ROLES = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- What an outcome may say of an end, and the field of an end that says the same. `at`: the end at
-- which it is expected; both where it is nil.
local FIELDS = {
  { name = "version", at = "client" },
  { name = "cipher_suite", at = "client" },
  { name = "group", at = "client" },
  { name = "alpn", at = "client" },
  { name = "resumed", at = "client" },
  { name = "handshake_completed" },
  { name = "failed_during" },
  { name = "told_by" },
  { name = "alert_sent", alert = true },
  { name = "alert_received", alert = true },
  { name = "problem", path = "error.problem" },
  { name = "problems", path = "verification.problems" },
  { name = "certificate_requested", at = "client" },
  { name = "requested_issuers", at = "client" },
  { name = "not_sent_because", at = "client" },
  -- What the sender says is said only where nobody received it.
  { name = "sent", path = "wire.sent_certificates", count = true },
  { name = "received", path = "wire.received_certificates", count = true },
}

local function get(snapshot, path)
  local value = snapshot
  for name in path:gmatch "[^.]+" do
    if value == nil then
      return nil
    end
    value = value[name]
  end
  return value
end

-- What ours came to, as an outcome says it: false where there is none.
local function observed_value(field, snapshot)
  local value = get(snapshot, field.path or field.name)
  if value == nil then
    return false
  elseif field.alert then
    return { level = value.level, name = value.name }
  elseif field.count then
    return #value
  elseif type(value) == "table" then
    return table.move(value, 1, #value, 1, {})
  end
  return value
end

local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then
    return a == b
  elseif a.name then
    return a.name == b.name and a.level == b.level
  end
  return #a == #b and table.concat(a, "\0") == table.concat(b, "\0")
end

local BOOLEAN = { handshake_completed = true, resumed = true, certificate_requested = true }

local function show(field, value)
  if value == false and not BOOLEAN[field.name] then
    return "none"
  elseif field.alert then
    return value.name
  elseif type(value) == "table" then
    return #value == 0 and "{}" or table.concat(value, ", ")
  end
  return tostring(value)
end

-- The value as has{...} takes it.
local function wanted_text(field, value)
  if field.count then
    return value and "{}" or "tls.none"
  elseif value == false and not BOOLEAN[field.name] then
    return "tls.none"
  elseif field.alert then
    local made = literal.table()
    literal.add(made, "level", literal.string(value.level))
    literal.add(made, "name", literal.string(value.name))
    return made
  end
  return literal.value(value)
end

-- One field of one end: into has{...}, or a line of its own.
local function add_field(into, field, value)
  if field.count and value and value > 0 then
    into.counts[#into.counts + 1] = { field.path, value }
  elseif field.name == "problems" and value and #value == 0 then
    into.verified = true
  elseif field.name ~= "handshake_completed" or not into.content then
    literal.add(into.has, field.path or field.name, wanted_text(field, value))
  end
end

local DOES_NOT_TELL = { failed_during = true, told_by = true }

local function is_content(ours)
  return ours.handshake_completed and ours.error == nil
end

-- What is expected of an end, and what differs.
local function judge_end(role, outcome, both, differences)
  local seen, ours = outcome[role] or {}, both[role]
  local arrived = (outcome[OTHER[role]] or {}).received
  local into = { has = literal.table(), counts = {},
                 content = is_content(both.client) and is_content(both.server) }
  for _, field in ipairs(FIELDS) do
    local found = observed_value(field, ours)
    local value = seen[field.name]
    if field.at and field.at ~= role or field.name == "sent" and seen.sent == arrived then
      value = nil
    elseif value == nil and found and field.name == "problem" and seen.handshake_completed ~= nil
    then
      value = found -- no wire shows it
    end
    if value ~= nil then
      if not same(value, found) and not DOES_NOT_TELL[field.name] then
        differences[#differences + 1] = { role = role, field = field.path or field.name,
                                          seen = show(field, value), ours = show(field, found) }
      end
      add_field(into, field, found)
    end
  end
  return into
end

local function told(difference)
  return ("Seen at the %s: %s %s. Two ends of GnuTLS come to: %s."):format(
    difference.role, difference.field, difference.seen, difference.ours)
end

-- An alert that differs need not be told by its receiver, too.
local function without_echoes(differences)
  local sent, list = {}, {}
  for _, one in ipairs(differences) do
    if one.field == "alert_sent" then
      sent[OTHER[one.role]] = one
    end
  end
  for _, one in ipairs(differences) do
    local first = one.field == "alert_received" and sent[one.role]
    if not (first and first.seen == one.seen and first.ours == one.ours) then
      list[#list + 1] = one
    end
  end
  return list
end

local function split(text, lines)
  for line in text:gmatch "[^\n]+" do
    lines[#lines + 1] = line
  end
end

--- The statements that expect the outcome of a step.
---@param subject string the link's variable
---@param seen table an outcome (see source.lua)
---@param ours table of trial.run()
---@return string[] lines not indented
---@return { role: string, field: string, seen: string, ours: string }[] differences
function expectations.lines(subject, seen, ours)
  local lines, differences, ends = {}, {}, {}
  for _, role in ipairs(ROLES) do
    ends[role] = judge_end(role, seen, ours, differences)
  end
  for _, difference in ipairs(without_echoes(differences)) do
    table.move(literal.comment(told(difference), 0), 1, 10, #lines + 1, lines)
  end
  if is_content(ours.client) and is_content(ours.server) then
    lines[#lines + 1] = not seen.open and ("expect(%s):succeeded()"):format(subject) or nil
  elseif ours.failed_first then
    lines[#lines + 1] = ('expect(%s.failed_first):equals "%s"'):format(subject, ours.failed_first)
  end
  for _, role in ipairs(ROLES) do
    local one = ends[role]
    if #one.has.items > 0 then
      local before = ("expect(%s.%s):has "):format(subject, role)
      split(before .. literal.render(one.has, 0, #before), lines)
    end
    if one.verified then
      lines[#lines + 1] = ("expect(%s.%s):verified()"):format(subject, role)
    end
    for _, count in ipairs(one.counts) do
      lines[#lines + 1] = ("expect(%s.%s.%s):has_length(%d)"):format(subject, role, count[1],
                                                                     count[2])
    end
  end
  return lines, differences
end

return expectations
