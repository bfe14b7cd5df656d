-- SPDX-License-Identifier: MIT
-- moonshake worker: what `moonshake run` starts to run cases in; not for people.
local channel = require "moonshake.io.channel"
local program = require "moonshake.program"
local worker = require "moonshake.runner.worker"

--- Runs the command.
---@return integer status
return function()
  return worker(program, channel.over(3), channel.over(4))
end
