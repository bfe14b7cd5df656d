-- SPDX-License-Identifier: MIT
-- ms.clock: the time that certificates and tickets are judged by, for the case that runs.
local arguments = require "moonshake.arguments"
local native = require "moonshake.native"
local options = require "moonshake.options"
local strict = require "moonshake.strict"

local clock = {}

local function check_self(api, self)
  if self ~= clock then
    strict.raise(api .. ": to be called with a colon")
  end
end

--- ms.clock:set(epoch): the time is now `epoch`, in seconds since 1970-01-01T00:00:00Z, and stands
--- still from here on. Validity, session tickets and relative dates ("+90d") count from it.
---@param epoch integer
function clock:set(epoch)
  check_self("ms.clock:set", self)
  native.clock_set(arguments.check_one("ms.clock:set", options.clock.epoch, epoch))
end

--- ms.clock:advance(seconds): moves the time by as many seconds, backwards when negative. It stands
--- still from here on.
---@param seconds integer
function clock:advance(seconds)
  check_self("ms.clock:advance", self)
  native.clock_set(native.clock_now()
                   + arguments.check_one("ms.clock:advance", options.clock.seconds, seconds))
end

--- ms.clock:now(): seconds since the epoch.
---@return integer
function clock:now()
  check_self("ms.clock:now", self)
  return native.clock_now()
end

return strict.module("ms.clock", clock)
