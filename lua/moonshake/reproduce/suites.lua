-- SPDX-License-Identifier: MIT
-- Cipher suites as far as GnuTLS can be told them. It crosses key exchanges with ciphers, so its
-- lists are rectangles, one key exchange after the other.
local suites = {}

local function is_new(suite)
  return not suite:find("_WITH_", 1, true)
end

local function halves(suite)
  return suite:match "^(.-)_WITH_(.*)$"
end

local function distinct(list, which)
  local found, seen = {}, {}
  for _, suite in ipairs(list) do
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

--- The largest part of a list that GnuTLS takes, in an order that it takes.
---@param kept string[] suites that this GnuTLS has, in the order wanted
---@param keep string|nil the one that must not be lost
---@param works fun(some: string[]): boolean whether it takes these
---@return string[]
function suites.fit(kept, keep, works)
  local new, old = {}, {}
  for _, suite in ipairs(kept) do
    table.insert(is_new(suite) and new or old, suite)
  end
  keep = keep and not is_new(keep) and keep or nil
  return joined(new, fit_old_suites(new, old, keep, function(some)
    return #some > 0 and works(joined(new, some))
  end))
end

--- Those of TLS 1.3.
---@param kept string[]
---@return string[]
function suites.new(kept)
  local list = {}
  for _, suite in ipairs(kept) do
    list[#list + 1] = is_new(suite) and suite or nil
  end
  return list
end

return suites
