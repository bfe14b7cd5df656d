-- SPDX-License-Identifier: MIT
-- Times of certificates as text: dates, and how long they are still valid at some time.
local validity = {}

local DAY = 86400
-- Spans are told in the largest unit of which there are two.
local UNITS = { { DAY, "day" }, { 3600, "hour" }, { 60, "minute" }, { 1, "second" } }

local function formatted(format, epoch)
  local done, text = pcall(os.date, format, epoch)
  return done and text --[[@as string]] or ("%d seconds from 1970"):format(epoch)
end

--- A day in UTC: "2026-11-27".
---@param epoch integer
---@return string
function validity.date(epoch)
  return formatted("!%Y-%m-%d", epoch)
end

--- A time in UTC: "2026-11-27T15:54:46Z".
---@param epoch integer
---@return string
function validity.time(epoch)
  return formatted("!%Y-%m-%dT%H:%M:%SZ", epoch)
end

--- A span of time, rounded: "90 days".
---@param seconds integer from 0
---@return string
function validity.span(seconds)
  for _, unit in ipairs(UNITS) do
    if seconds >= 2 * unit[1] then
      return ("%d %ss"):format((seconds + unit[1] // 2) // unit[1], unit[2])
    end
  end
  return seconds == 1 and "1 second" or "0 seconds"
end

--- How a certificate's validity stands at a time: "expires in 90 days".
---@param not_before integer
---@param not_after integer the last second
---@param at integer
---@return string
function validity.standing(not_before, not_after, at)
  if at < not_before then
    return ("not valid for another %s"):format(validity.span(not_before - at))
  elseif at > not_after then
    return ("expired %s ago"):format(validity.span(at - not_after))
  end
  return ("expires in %s"):format(validity.span(not_after - at))
end

return validity
