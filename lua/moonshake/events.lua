-- SPDX-License-Identifier: MIT
-- Events as lines for people.
local diff = require "moonshake.diff"

local events = {}

local function names_of(certificates)
  if #certificates == 0 then
    return "empty"
  end
  local names = {}
  for index = 1, math.min(#certificates, 3) do
    names[index] = tostring(certificates[index])
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
      or ("%s bytes"):format(event.length)
    local lost = event.direction == "sent" and event.delivered == false
    return ("%s %s: %s"):format(lost and "made but never sent" or event.direction, event.type, what)
  end,
  alert = function(event)
    return ("%s alert %s %s (%s)"):format(event.direction, event.level, event.name, event.number)
  end,
  request = function(event)
    local issuers = event.issuers or {}
    return ("%s a certificate request naming %s"):format(
      event.direction, #issuers == 0 and "no issuers" or diff.show(issuers))
  end,
  selection = function(event)
    return event.certificate and "chose to present " .. tostring(event.certificate)
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
    return ("%s %s bytes of data"):format(event.direction, event.length)
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

return events
