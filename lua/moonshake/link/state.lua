-- SPDX-License-Identifier: MIT
-- What is inside every link, whoever carries its bytes: the tables that scripts see hide it under a
-- key that is private to the files of this folder and those that make links.
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"

local state = {}

-- Under it stands:
--   roles     the ends that are here: { "client", "server" }, or one of them
--   native    the native link          checked   options in force, by role
--   configs   native configs, by role  policies  verify functions, by role
--   changed   sets of the options changed since the link was made, by role
--   client, server   the ends          events    the last answer of link.events
--   acting    the action that runs     broken    the action in which a policy raised
--   earlier   what Certificate messages of the resumed session carried (reported.lua)
--   told      by epoch and role: the options that were in force { checked, changed, config }
--   tamper    the tamper function      transit   what is known of flights (transit.lua)
--   number    which link of the case   logged    how many of its secrets stand in the key log
local STATE = {}

local classes = {} -- metatable -> what such a link is called in complaints

--- Makes `class` a metatable of links, called `name` in complaints.
---@param class table
---@param name string "link"
function state.class(class, name)
  classes[class] = name
end

--- Whether a value is a link, of whichever kind.
---@param value any
---@return boolean
function state.is_link(value)
  return type(value) == "table" and classes[getmetatable(value)] ~= nil
end

--- The inside of a link.
---@param self table
---@return table
function state.of(self)
  return rawget(self, STATE)
end

--- The same, of what must be a link of this class: raises for all else.
---@param self any
---@param class table
---@param api string who complains: "link:handshake"
---@return table
function state.check(self, class, api)
  strict.called_on(api, self, class, "a " .. classes[class])
  return rawget(self, STATE)
end

local OTHER = { client = "server", server = "client" }

--- What no event tells of an end that is somewhere else: its `role`, its `address`, the
--- `first_bytes` that came from it, should they be no TLS, and how many it `sent`. Nil where both
--- ends are here, and for what only has a link's fields.
---@param self table
---@return { role: "client"|"server", address: string, first_bytes: string, sent: integer }|nil
function state.far(self)
  local made = state.is_link(self) and rawget(self, STATE)
  if not made or #made.roles > 1 then
    return nil
  end
  return {
    role = OTHER[made.roles[1]], address = made.remote,
    first_bytes = made.first_bytes, sent = made.received,
  }
end

local made_outside = 0 -- links that are no case's

--- Makes the table that scripts see of an inside. The case that runs closes it when it ends, by
--- close(inside). The case keeps the two functions, which must not keep the link.
---@param class table
---@param inside table
---@param busy fun(inside: table): boolean whether it cannot be looked into now
---@param close fun(inside: table)
---@return table
function state.new(class, inside, busy, close)
  local self = setmetatable({ [STATE] = inside }, class)
  local case = scenario.current()
  if case then
    -- Weak: a case may make thousands of links, and those it let go are gone already.
    local held = setmetatable({ self }, { __mode = "v" })
    case:on_close(function()
      if held[1] then
        close(rawget(held[1], STATE))
      end
    end, function()
      return held[1] and not busy(rawget(held[1], STATE)) and held[1] or nil
    end)
  end
  made_outside = made_outside + (case and 0 or 1)
  inside.number = case and case:num_links() or made_outside
  return self
end

return state
