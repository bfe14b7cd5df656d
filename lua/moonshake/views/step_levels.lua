-- SPDX-License-Identifier: MIT
-- Which keys protect what an end sends: "none", "handshake" or "application", as messages and
-- ChangeCipherSpec move them. Of an end that is somewhere else what was received tells it.
local step_levels = {}

local OTHER = { client = "server", server = "client" }

local Levels = {}
Levels.__index = Levels

--- Whether TLS 1.3 was chosen.
---@return boolean
function Levels:is_1_3()
  return self.version == "TLS1.3"
end

function Levels:hello_keys(role)
  if self.of[role] == "none" then
    self.of[role] = "handshake"
  end
end

--- What a message does to the keys of those who have seen it (RFC 8446 section 7; up to TLS 1.2
--- ChangeCipherSpec does).
---@param event table
function Levels:message(event)
  if event.delivered == false then
    return
  elseif event.hello and (event.type == "ServerHello" or event.type == "HelloRetryRequest") then
    self.version = event.hello.versions[1]
  end
  if not self:is_1_3() then
    return
  elseif event.type == "ServerHello" then
    self:hello_keys(event.role)
    if self.has_far then
      self:hello_keys(OTHER[event.role])
    end
  elseif event.type == "Finished" then
    self:finish(event)
  end
end

--- The end that wrote this changes to its last keys, unless its own log tells that.
---@param event table
function Levels:finish(event)
  if event.direction == "sent" then
    self.of[event.role] = "application"
  elseif self.has_far then
    self.of[OTHER[event.role]] = "application"
  end
end

--- Of ends that have said nothing yet: `of` has the levels by role, `version` is nil.
---@param has_far boolean whether one end is somewhere else
---@return table
function step_levels.new(has_far)
  return setmetatable({ of = { client = "none", server = "none" }, has_far = has_far }, Levels)
end

return step_levels
