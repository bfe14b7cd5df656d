-- SPDX-License-Identifier: MIT
-- A stranger's lists of versions, suites, groups and schemes as far as this GnuTLS can be told
-- them: what it lacks is left out, then what its priority strings cannot say. Each loss is a
-- remark.
local native = require "moonshake.native"
local settings = require "moonshake.settings"
local suites = require "moonshake.reproduce.suites"

local lists = {}

local KIND = { versions = "version", cipher_suites = "cipher_suite", groups = "group",
               signature_schemes = "signature_scheme" }
local CALLED = { versions = "versions", cipher_suites = "cipher suites", groups = "groups",
                 signature_schemes = "signature schemes" }

-- GnuTLS's words for "all" leave out what it does not like; and what does not fit together, drops
-- versions.
local EVERYTHING = {
  "NONE:+VERS-ALL:+CIPHER-ALL:+MAC-ALL:+KX-ALL:+GROUP-ALL:+SIGN-ALL",
  "NONE:+VERS-TLS1.2:+CIPHER-ALL:+3DES-CBC:+ARCFOUR-128:+NULL:+SHA1:+SHA256:+SHA384:+MD5:+AEAD:"
    .. "+ECDHE-ECDSA:+ECDHE-RSA:+DHE-RSA:+RSA:+GROUP-ALL:+SIGN-ALL",
}

-- The config of an end with these options, or nil where they could not work.
local function config_of(role, given)
  local done, config = pcall(function()
    return (settings.make("import", role, settings.check("import", role, given), {}))
  end)
  return done and config or nil
end

local function with(base, name, list)
  local made = {}
  for key, value in pairs(base) do
    made[key] = value
  end
  made[name] = list
  return made
end

local known = {} -- by option: the names that this GnuTLS has, as a list and as a set

--- All names of a kind that this GnuTLS has.
---@param name string an option: "cipher_suites"
---@return string[]
function lists.all(name)
  if not known[name] then
    known[name] = {}
    for _, priority in ipairs(EVERYTHING) do
      local config = config_of("server", { priority = priority })
      for _, one in ipairs(config and native.enabled(config, KIND[name]) or {}) do
        if not known[name][one] then
          known[name][one] = true
          table.insert(known[name], one)
        end
      end
    end
  end
  return known[name]
end

local function has(name, word)
  return lists.all(name)[word]
end

local function same(list, other)
  return table.concat(list, " ") == table.concat(other, " ")
end

-- Those that this GnuTLS has, each once; those that it lacks.
local function sift(name, wanted)
  local kept, lacking, seen = {}, {}, {}
  for _, word in ipairs(wanted) do
    if not seen[word] then
      seen[word] = true
      local into = has(name, word) and kept or lacking
      -- Numbers without a name are GREASE (RFC 8701) or private, and signals are no suites.
      if into == kept or not word:find "^0x" and not word:find "_SCSV$" then
        into[#into + 1] = word
      end
    end
  end
  return kept, lacking
end

local function fit_suites(role, base, kept, keep)
  local has_old = not base.versions
  for _, version in ipairs(base.versions or {}) do
    has_old = has_old or version ~= "TLS1.3"
  end
  if not has_old then
    return suites.new(kept)
  end
  return suites.fit(kept, keep and has("cipher_suites", keep) and keep or nil, function(some)
    return config_of(role, with(base, "cipher_suites", some)) ~= nil
  end)
end

-- What can be told of a list, one name after the other; curves stand before finite fields.
local function fit_others(role, base, name, kept, remarks)
  local sorted, fields = {}, {}
  for _, word in ipairs(kept) do
    table.insert(word:find "^ffdhe" and fields or sorted, word)
  end
  table.move(fields, 1, #fields, #sorted + 1, sorted)
  if config_of(role, with(base, name, sorted)) then
    return sorted
  end
  local more = name == "groups" and #fields == 0
    and table.move({ "ffdhe2048", "ffdhe3072" }, 1, 2, #sorted + 1, { table.unpack(sorted) })
  if more and config_of(role, with(base, name, more)) then
    remarks[#remarks + 1] = ("The %s offers DHE suites and no group for them, which GnuTLS does "
      .. "not do: ffdhe2048 and ffdhe3072 are added."):format(role)
    return more
  end
  local chosen = {}
  for _, word in ipairs(sorted) do
    chosen[#chosen + 1] = word
    if not config_of(role, with(base, name, chosen)) and #chosen > 1 then
      chosen[#chosen] = nil
    end
  end
  return chosen
end

local function missing_from(list, wanted)
  local set, gone = {}, {}
  for _, word in ipairs(list) do
    set[word] = true
  end
  for _, word in ipairs(wanted) do
    gone[#gone + 1] = not set[word] and word or nil
  end
  return gone
end

local function listed(words)
  return table.concat(words, ", ")
end

local function tell(remarks, role, name, kept, made)
  local gone = missing_from(made, kept)
  local added = missing_from(kept, made)
  made = #added > 0 and missing_from(added, made) or made
  if #gone > 0 then
    remarks[#remarks + 1] = ("GnuTLS cannot be told exactly the %s of the %s; without %s."):format(
      CALLED[name], role, listed(gone))
  elseif not same(made, kept) then
    remarks[#remarks + 1] = ("The %s of the %s stood in an order that GnuTLS cannot be told.")
      :format(CALLED[name], role)
  end
end

--- What to say of a list.
---@param role "client"|"server"
---@param base table the options of the end that are decided, `versions` among them
---@param name string "versions", "cipher_suites", "groups" or "signature_schemes"
---@param wanted string[] IANA's names
---@param keep? string the one that was agreed on, which must not be lost
---@return string[]|nil list nil: say nothing, it is what GnuTLS does by itself
---@return string[] remarks sentences about what is not the same
---@return boolean possible false: nothing of the list can be had, or nothing works without it
function lists.fit(role, base, name, wanted, keep)
  local remarks = {}
  local kept, lacking = sift(name, wanted)
  if #lacking > 0 then
    remarks[1] = ("This GnuTLS lacks %s of the %s: %s."):format(CALLED[name], role,
                                                                listed(lacking))
  end
  if #kept == 0 then
    return nil, remarks, #wanted == 0
  end
  local config = config_of(role, base)
  if config and same(native.enabled(config, KIND[name]), kept) then
    return nil, remarks, true
  end
  local made = kept
  if not config_of(role, with(base, name, kept)) then
    made = name == "cipher_suites" and fit_suites(role, base, kept, keep)
      or fit_others(role, base, name, kept, remarks)
    if not config_of(role, with(base, name, made)) then
      remarks[#remarks + 1] = ("GnuTLS cannot be told the %s of the %s: %s."):format(
        CALLED[name], role, listed(kept))
      return nil, remarks, name == "groups" or name == "signature_schemes"
    end
    tell(remarks, role, name, kept, made)
  end
  return made, remarks, true
end

return lists
