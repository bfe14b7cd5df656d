-- SPDX-License-Identifier: MIT
-- From the options that a script gave an end to the settings that the core takes: defaults filled
-- in, policies wrapped, sites spelled out.
local arguments = require "moonshake.arguments"
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local options = require "moonshake.options"
local strict = require "moonshake.strict"

local settings = {}

-- What an end does where nothing is said. (Where the core's own default is meant, nothing is.)
local DEFAULTS = {
  client_auth = "none",
  send_certificate = "matching",
  identity_change = "refuse",
  server_preference = false,
  alpn_required = false,
  extended_master_secret = true,
  renegotiation = "partial",
  post_handshake_auth = true,
  alerts = "library",
  clock_offset = 0,
  unknown_name = "ignore",
}

-- Options that the core has under the same name.
local PLAIN = {}
for _, name in ipairs {
  "server_name", "issuers", "versions", "cipher_suites", "groups", "signature_schemes", "tickets",
  "max_depth", "max_message_size", "priority",
} do
  PLAIN[name] = true
end
for name in pairs(DEFAULTS) do
  PLAIN[name] = true
end

local REQUEST = strict.schema("request", {
  { name = "issuers", about = "the names of acceptable issuers, RFC 4514; nil at a server" },
  { name = "signature_schemes", about = "IANA names, in the peer's order" },
  { name = "server_name", about = "the name that the client sent, or nil" },
})

-- A script's choosing function as the core calls it: the answer is checked.
local function chooser(api, choose)
  return function(request)
    local chosen = choose(strict.record(REQUEST, request))
    if chosen ~= nil and not arguments.is_identity(chosen) then
      strict.raise(("%s: identity: the function must return an identity or nil, got %s"):format(
        api, arguments.describe(chosen)))
    end
    return chosen
  end
end

local function verify_policy(checked)
  local verify = checked.verify
  if verify == nil then
    verify = checked.trust ~= nil
  end
  return type(verify) == "function" and "ask" or verify and "always" or "never"
end

local function name_to_verify(checked)
  if checked.verify_name == nil then
    return checked.server_name
  end
  return checked.verify_name or nil
end

-- The core's settings of one end, without its sites.
local function plain(api, checked)
  local made = { verify = verify_policy(checked), trust = checked.trust }
  if type(checked.identity) == "function" then
    made.choose, made.identities = chooser(api, checked.identity), {}
  else
    made.identities = checked.identity or {}
  end
  made.verify_name = name_to_verify(checked)
  if checked.alpn and #checked.alpn > 0 then
    made.alpn = checked.alpn
  end
  for name, value in pairs(DEFAULTS) do
    made[name] = value
  end
  for name, value in pairs(checked) do
    if PLAIN[name] then
      made[name] = value
    end
  end
  return made
end

---------------------------------------------------------------------------------------------------
-- Sites

local function check_site(api, name, given)
  if type(name) ~= "string" or not (name:match "^[^*]+$" or name:match "^%*%.[^*]+$") then
    strict.raise(('%s: sites: a key is a server name, exact or "*.example", got %s'):format(
      api, arguments.describe(name)))
  end
  local place = ('%s: sites["%s"]'):format(api, name)
  if type(given) == "table" and getmetatable(given) == nil then
    for _, option in ipairs(options.ends) do
      if given[option.name] ~= nil and not option.site and not option.later then
        strict.raise(("%s: %s cannot differ from site to site"):format(place, option.name))
      end
    end
  end
  return arguments.check(place, options.site, given)
end

local function check_sites(api, given)
  local sites = {}
  for name, site in pairs(given) do
    sites[name] = check_site(api, name, site)
  end
  return sites
end

-- The sites as the core takes them, in alphabetical order. Options changed since the link was made
-- hold at every site.
local function make_sites(api, role, checked, changed)
  local names, list = {}, {}
  for name in pairs(checked.sites) do
    names[#names + 1] = name
  end
  table.sort(names)
  for index, name in ipairs(names) do
    local merged = settings.merge(checked, {})
    for option, value in pairs(checked.sites[name]) do
      if not changed[option] then
        merged[option] = value
      end
    end
    local place = ('%s: sites["%s"]'):format(api, name)
    list[index] = {
      name = name,
      config = strict.check(place, native.config(role, plain(place, merged))),
    }
  end
  return list
end

---------------------------------------------------------------------------------------------------

--- What an end goes by, for those who explain what it did: every option that was given or has a
--- default, those of its site put over its own; `verify_policy` ("never", "always", "ask") and
--- `name_to_verify` (or nil); `enabled(kind)` lists the names of that kind that are enabled, in
--- order of preference.
---@param checked table
---@param changed table<string, boolean> options that hold at every site
---@param config userdata
---@param site string|nil the key of the site in force
---@return table
function settings.in_force(checked, changed, config, site)
  local options_of_site = checked.sites and checked.sites[site] or {}
  local merged = settings.merge(DEFAULTS, checked)
  for name, value in pairs(options_of_site) do
    if not changed[name] then
      merged[name] = value
    end
  end
  merged.verify_policy, merged.name_to_verify = verify_policy(merged), name_to_verify(merged)
  merged.enabled = function(kind)
    return native.enabled(config, kind, site)
  end
  return merged
end

--- Checks the options of one end. Values may be tls.default, which stays.
---@param api string "tls.link: server"
---@param role "client"|"server"
---@param given any
---@return table checked
function settings.check(api, role, given)
  local checked = arguments.check(api, options.ends, given, role, marks.default)
  if checked.sites ~= nil and checked.sites ~= marks.default then
    checked.sites = check_sites(api, checked.sites)
  end
  return checked
end

--- Checks changed options of one end: those that are fixed for a link's life raise.
---@param api string "link:renegotiate: server"
---@param role "client"|"server"
---@param given any
---@return table checked
function settings.check_changes(api, role, given)
  if type(given) == "table" then
    for _, option in ipairs(options.ends) do
      if option.fixed and given[option.name] ~= nil then
        strict.raise(("%s: %s is fixed for a link's life"):format(api, option.name))
      end
    end
  end
  return settings.check(api, role, given)
end

-- What tls.link takes: options that both ends have, beside the ends themselves.
local SHARED = { table.unpack(options.ends) }
table.move(options.pair, 1, #options.pair, #SHARED + 1, SHARED)

local ONE_SIDED = {}
for _, option in ipairs(options.ends) do
  ONE_SIDED[option.name] = option.role
end

--- Options that hold for both ends: only such as both have.
---@param api string
---@param given table
---@return table checked
function settings.check_shared(api, given)
  for name in pairs(given) do
    local role = ONE_SIDED[name]
    if role then
      strict.raise(('%s: "%s" is an option of the %s: put it into %s = {...}'):format(
        api, name, role, role))
    end
  end
  return arguments.check(api, SHARED, given, nil, marks.default)
end

--- Options with others put over them; tls.default takes one away.
---@param base table
---@param changes table
---@return table
function settings.merge(base, changes)
  local merged = {}
  for name, value in pairs(base) do
    merged[name] = value
  end
  for name, value in pairs(changes) do
    if rawequal(value, marks.default) then
      value = nil
    end
    merged[name] = value
  end
  return merged
end

--- Makes the native config of an end. What the core finds wrong raises at the script's line.
---@param api string "tls.link: server"
---@param role "client"|"server"
---@param checked table
---@param changed table<string, boolean> options changed since the link was made
---@return userdata config
---@return function|nil policy the script's verify function
function settings.make(api, role, checked, changed)
  local made = plain(api, checked)
  if checked.sites then
    made.sites = make_sites(api, role, checked, changed)
  end
  local config = strict.check(api, native.config(role, made))
  return config, type(checked.verify) == "function" and checked.verify or nil
end

return settings
