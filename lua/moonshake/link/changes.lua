-- SPDX-License-Identifier: MIT
-- Options that change while a link lives, and what its ends went by in each epoch.
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local settings = require "moonshake.settings"
local strict = require "moonshake.strict"

local changes = {}

local natives = native.link_methods

--- Keeps by which options the epoch that has just begun goes.
---@param state table
---@param epoch string
function changes.note_told(state, epoch)
  state.told[epoch] = {}
  for _, role in ipairs(state.roles) do
    state.told[epoch][role] = { checked = state.checked[role], changed = state.changed[role],
                                config = state.configs[role] }
  end
end

local function changed_names(before, given)
  local changed = settings.merge(before, {})
  for name, value in pairs(given) do
    changed[name] = not rawequal(value, marks.default) or nil
  end
  return changed
end

--- What an end would be with some options changed: made and checked, but not in force.
---@param state table a link's inside
---@param place string who complains: "link:renegotiate: server"
---@param role "client"|"server"
---@param given table checked options
---@return table
function changes.of_end(state, place, role, given)
  local changed = changed_names(state.changed[role], given)
  local checked = settings.merge(state.checked[role], given)
  local config, policy = settings.make(place, role, checked, changed)
  return { checked = checked, changed = changed, config = config, policy = policy }
end

--- The same for both ends, by role.
---@param state table a link's inside
---@param api string
---@param given table by role: the script's tables of options
---@return table<string, table>
function changes.ends(state, api, given)
  local made = {}
  for _, role in ipairs(state.roles) do
    if given[role] then
      local place = ("%s: %s"):format(api, role)
      made[role] = changes.of_end(state, place, role,
                               settings.check_changes(place, role, given[role]))
    end
  end
  return made
end

-- Puts configs in force; on failure those of before again.
local function use(state, api, made)
  for _, role in ipairs(state.roles) do
    if made[role] then
      local done, message = natives.use(state.native, role, made[role].config)
      if not done then
        natives.use(state.native, state.roles[1], state.configs[state.roles[1]])
        strict.raise(("%s: %s: %s"):format(api, role, message))
      end
    end
  end
end

--- Begins an action with changed options, which stay. If it cannot begin, nothing has changed.
---@param state table
---@param api string
---@param action string a word of natives.begin
---@param args table
---@param made table<string, table> by role, of changes.of_end()
function changes.begin(state, api, action, args, made)
  use(state, api, made)
  local begun, message = natives.begin(state.native, action, args)
  for role, new in pairs(made) do
    if begun then
      state.checked[role], state.changed[role] = new.checked, new.changed
      state.configs[role], state.policies[role] = new.config, new.policy
    else
      natives.use(state.native, role, state.configs[role])
    end
  end
  strict.check(api, begun, message)
  local known, epoch = natives.field(state.native, state.roles[1], "epoch")
  if known then
    changes.note_told(state, epoch)
  end
end

-- The client_auth in force at a server with these options.
local function client_auth(state, checked, changed)
  local known, site = natives.field(state.native, "server", "site")
  local options_of_site = known and site and checked.sites and checked.sites[site]
  if options_of_site and options_of_site.client_auth and not changed.client_auth then
    return options_of_site.client_auth
  end
  return checked.client_auth or "none"
end

--- Begins TLS 1.3's post-handshake authentication: where the server would ask for nothing it asks
--- with "request", for this time.
---@param state table
---@param api string
---@param made table<string, table> by role, of changes.ends()
---@return fun() afterwards to be called when it is over
function changes.begin_reauthentication(state, api, made)
  local server = made.server or { checked = state.checked.server, changed = state.changed.server }
  if client_auth(state, server.checked, server.changed) ~= "none" then
    changes.begin(state, api, "reauthenticate", {}, made)
    return function() end
  end
  made.server = made.server or changes.of_end(state, api .. ": server", "server", {})
  local lasting = made.server.config
  made.server.config = settings.make(api .. ": server", "server",
                                     settings.merge(server.checked, { client_auth = "request" }),
                                     settings.merge(server.changed, { client_auth = true }))
  changes.begin(state, api, "reauthenticate", {}, made)
  return function()
    state.configs.server = lasting
    natives.use(state.native, "server", lasting) -- fails only once the link is over
  end
end

--- The options of a link that offers this one's session, by role: this one's but for those given.
---@param state table
---@param api string
---@param pair table by role: the script's tables of options
---@return table checked
---@return table changed
function changes.for_resumption(state, api, pair)
  local checked, changed = {}, {}
  for _, role in ipairs(state.roles) do
    local given = settings.check(("%s: %s"):format(api, role), role, pair[role])
    checked[role] = settings.merge(state.checked[role], given)
    changed[role] = given.sites and {} or changed_names(state.changed[role], given)
  end
  return checked, changed
end

--- What the ends were told, for those who explain: by epoch and role, see settings.in_force().
---@param state table
---@return table
function changes.told(state)
  local told = {}
  for epoch, roles in pairs(state.told) do
    told[epoch] = {}
    for role, one in pairs(roles) do
      told[epoch][role] = function(site)
        return settings.in_force(one.checked, one.changed, one.config, site)
      end
    end
  end
  return told
end

return changes
