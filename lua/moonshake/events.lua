-- SPDX-License-Identifier: MIT
-- Events as lines for people: those of a link, and those of a lost process's last words. Of the
-- latter more may be absent, and a certificate is a table (see core/log/last_events.h).
local diff = require "moonshake.diff"
local escape = require "moonshake.escape"

local events = {}

local function name_of(certificate)
  if type(certificate) ~= "table" then
    return tostring(certificate)
  elseif not certificate.subject then
    return "a certificate"
  end
  local subject = certificate.subject == "" and "no subject" or certificate.subject
  local fingerprint = certificate.fingerprint
  return fingerprint and ("%s (%s)"):format(subject, fingerprint:sub(1, 16)) or subject
end

local function names_of(certificates)
  if #certificates == 0 then
    return "empty"
  end
  local names = {}
  for index = 1, math.min(#certificates, 3) do
    names[index] = name_of(certificates[index])
  end
  if #certificates > 3 then
    names[4] = ("... %d in all"):format(#certificates)
  end
  return table.concat(names, ", ")
end

-- kind -> what happened, without who and when
local TELL = {
  record = function(event)
    return ("%s record %s, %s bytes"):format(event.direction, event.type, event.length)
  end,
  message = function(event)
    local what = event.certificates and names_of(event.certificates)
      or ("%s bytes"):format(event.length or "some")
    local lost = event.direction == "sent" and event.delivered == false
    return ("%s %s: %s"):format(lost and "made but never sent" or event.direction, event.type, what)
  end,
  alert = function(event)
    return ("%s alert %s %s (%s)"):format(event.direction, event.level, event.name, event.number)
  end,
  request = function(event)
    local issuers = event.issuers
    if not issuers then
      return event.direction .. " a certificate request"
    end
    return ("%s a certificate request naming %s"):format(
      event.direction, #issuers == 0 and "no issuers" or diff.show(issuers))
  end,
  selection = function(event)
    return event.certificate and "chose to present " .. name_of(event.certificate)
      or "chose to present no certificate"
  end,
  verification = function(event)
    local result = event.verification
    local problems = result.verified and "no problem" or table.concat(result.problems, ", ")
    return ("judged its peer: %s, %s"):format(problems,
                                              result.accepted and "accepted" or "rejected")
  end,
  error = function(event)
    return ("failed during %s, told by %s: %s, %s: %s"):format(
      event.during, event.told_by, event.problem, event.code, event.message)
  end,
  data = function(event)
    return ("%s %s bytes of data"):format(event.direction, event.length or "some")
  end,
}

--- An event on one line.
---@param event table
---@return string
function events.line(event)
  return ("%3d %s %s"):format(event.index, event.role, TELL[event.kind](event))
end

--- The last events of each end, in order, without the records that carried them.
---@param all table[]
---@param count integer how many of each end
---@return string[]
function events.last(all, count)
  local left, lines = { client = count, server = count }, {}
  for index = #all, 1, -1 do
    local event = all[index]
    if event.kind ~= "record" and left[event.role] > 0 then
      left[event.role] = left[event.role] - 1
      table.insert(lines, 1, events.line(event))
    end
  end
  return lines
end

--- The events of a process's last words, as they were decoded. What is none is left out: who was
--- overwritten may write anything.
---@param list any
---@return string[]
function events.told(list)
  local lines = {}
  for _, event in ipairs(type(list) == "table" and list or {}) do
    local done, line = pcall(function()
      if event.kind == "selection" and event.certificate == nil then
        event.certificate = {} -- unknown; none would be false
      end
      return escape.line(events.line(event))
    end)
    if done then
      lines[#lines + 1] = line
    end
  end
  return lines
end

return events
