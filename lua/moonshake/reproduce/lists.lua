-- SPDX-License-Identifier: MIT
-- A stranger's lists of versions, suites, groups and schemes as far as this GnuTLS can be told
-- them: what it lacks is left out, then what its priority strings cannot say. Each loss is a
-- remark.
local native = require "moonshake.native"
local settings = require "moonshake.settings"

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

---------------------------------------------------------------------------------------------------
-- Cipher suites: GnuTLS crosses key exchanges with ciphers, so its lists are rectangles, one key
-- exchange after the other.

local function is_new(suite)
  return not suite:find("_WITH_", 1, true)
end

local function halves(suite)
  return suite:match "^(.-)_WITH_(.*)$"
end

local function distinct(suites, which)
  local found, seen = {}, {}
  for _, suite in ipairs(suites) do
    local half = select(which, halves(suite))
    if not seen[half] then
      seen[half] = true
      found[#found + 1] = half
    end
  end
  return found
end

-- Ciphers with their MACs, sorted as GnuTLS crosses them: all MACs of a cipher stand together.
local function by_cipher(ciphers)
  local order, macs, places = {}, {}, {}
  for index, cipher in ipairs(ciphers) do
    local name, mac = cipher:match "^(.*)_(SHA%d*)$"
    name, mac = name or cipher, mac or ""
    order[name] = order[name] or index
    macs[mac] = macs[mac] or index
    places[cipher] = { order[name], mac }
  end
  local sorted = { table.unpack(ciphers) }
  table.sort(sorted, function(a, b)
    a, b = places[a], places[b]
    return a[1] < b[1] or a[1] == b[1] and macs[a[2]] < macs[b[2]]
  end)
  return sorted
end

-- The suites of these exchanges and ciphers that were wanted, in GnuTLS's order.
local function rectangle(wanted, exchanges, ciphers)
  local made = {}
  for _, exchange in ipairs(exchanges) do
    for _, cipher in ipairs(ciphers) do
      local suite = exchange .. "_WITH_" .. cipher
      made[#made + 1] = wanted[suite] and suite or nil
    end
  end
  return made
end

-- The largest rectangle of these exchanges: from the ciphers that must be in it, others are added
-- while GnuTLS can be told.
local function grown(set, exchanges, ciphers, must, works)
  local chosen, best, seen = {}, {}, {}
  local function try(more)
    local made = rectangle(set, exchanges, more)
    if #made > #best and works(made) then
      chosen, best = more, made
    end
  end
  try(must)
  for _, cipher in ipairs(chosen) do
    seen[cipher] = true
  end
  for _, cipher in ipairs(ciphers) do
    if not seen[cipher] then
      try(table.move({ cipher }, 1, 1, #chosen + 1, { table.unpack(chosen) }))
    end
  end
  return best
end

-- The order wanted, of what is left: the ciphers that were kept need not be first.
local function in_order(best, ciphers, works)
  local set, exchanges = {}, distinct(best, 1)
  for _, suite in ipairs(best) do
    set[suite] = true
  end
  local made = rectangle(set, exchanges, ciphers)
  return works(made) and made or best
end

-- The ciphers without which nothing works: the one agreed on, and those of TLS 1.3, which GnuTLS
-- enables for the older exchanges as well.
local function needed(new, ciphers, keep)
  local wanted, must = { [keep and select(2, halves(keep)) or ""] = true }, {}
  for _, suite in ipairs(new) do
    wanted[suite:match "^TLS_(.*)$"] = true
  end
  for _, cipher in ipairs(ciphers) do
    must[#must + 1] = wanted[cipher] and cipher or nil
  end
  return must
end

-- Those of TLS 1.3 in its order, then the others: GnuTLS has one order for both.
local function new_first(new, ciphers)
  local sorted, has, seen = {}, {}, {}
  for _, cipher in ipairs(ciphers) do
    has[cipher] = true
  end
  for _, suite in ipairs(new) do
    local cipher = suite:match "^TLS_(.*)$"
    if has[cipher] then
      sorted[#sorted + 1], seen[cipher] = cipher, true
    end
  end
  for _, cipher in ipairs(ciphers) do
    sorted[#sorted + 1] = not seen[cipher] and cipher or nil
  end
  return sorted
end

local function fit_old_suites(new, wanted, keep, works)
  local set, exchanges, ciphers = {}, distinct(wanted, 1), by_cipher(distinct(wanted, 2))
  for _, suite in ipairs(wanted) do
    set[suite] = true
  end
  local best = rectangle(set, exchanges, ciphers)
  if works(best) then
    return best
  end
  ciphers = new_first(new, ciphers)
  best = rectangle(set, exchanges, ciphers)
  if works(best) then
    return best
  end
  best = {}
  local must, exchange = needed(new, ciphers, keep), keep and halves(keep)
  for count = #exchanges, 1, -1 do
    local some, holds = {}, not exchange
    for index = 1, count do
      some[index] = exchanges[index]
      holds = holds or exchanges[index] == exchange
    end
    if not holds then
      some[count] = exchange
    end
    local made = grown(set, some, ciphers, must, works)
    best = #made > #best and made or best
  end
  return in_order(best, ciphers, works)
end

local function joined(list, other)
  return table.move(other, 1, #other, #list + 1, { table.unpack(list) })
end

local function fit_suites(role, base, kept, keep)
  local new, old = {}, {}
  for _, suite in ipairs(kept) do
    table.insert(is_new(suite) and new or old, suite)
  end
  local has_old = not base.versions
  for _, version in ipairs(base.versions or {}) do
    has_old = has_old or version ~= "TLS1.3"
  end
  if not has_old then
    return new
  end
  keep = keep and not is_new(keep) and has("cipher_suites", keep) and keep or nil
  local function works(some)
    return #some > 0 and config_of(role, with(base, "cipher_suites", joined(new, some))) ~= nil
  end
  return joined(new, fit_old_suites(new, old, keep, works))
end

---------------------------------------------------------------------------------------------------
-- Others

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
