-- SPDX-License-Identifier: MIT
-- Printed text with all that differs from run to run written in one way.
local MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"

local function hex(digits)
  return #digits >= 16 and "HEX" or nil
end

local function date(month)
  return MONTHS:find(month, 1, true) and "DATE" or nil
end

--- Writes times, dates, fingerprints, serial numbers, lengths, versions, addresses, the names of
--- temporary files and how much a library offers in one way.
---@param text string
---@return string
return function(text)
  return (text:gsub("%d+%.%d%d%ds", "TIMEs")
    :gsub("in %d+%.%d%d s%f[^%w]", "in TIME s")
    :gsub("duration_ms: %d+", "duration_ms: N")
    :gsub("%d+ bytes", "N bytes")
    :gsub("%f[%w](TLSv1[.%d]*) +%d+ ", "%1 N ")
    :gsub(", %d+ jobs%f[^%w]", "")
    :gsub("%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%dZ", "DATE")
    :gsub("%d%d%d%d%-%d%d%-%d%d", "DAY")
    :gsub("%d+( cipher suites)", "N%1")
    :gsub("%d+( groups)", "N%1")
    :gsub("%a%a%a (%a%a%a) %d%d %d%d:%d%d:%d%d UTC %d+", date)
    :gsub("%f[%w]%x+%f[^%w]", hex)
    :gsub("0x%x+", "ADDRESS")
    :gsub("/[%w/._-]*/moonshake%-%w+", "TEMPORARY")
    :gsub("%f[%w](127%.0%.0%.1:)%d+", "%1PORT")
    :gsub("%f[%w](localhost:)%d+", "%1PORT")
    :gsub("%f[%w]gnutls %d[%d.]*", "gnutls VERSION")
    :gsub("%f[%w]moonshake %d[%d.]*", "moonshake VERSION"))
end
