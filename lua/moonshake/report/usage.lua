-- SPDX-License-Identifier: MIT
-- Which certificates a run presented: how often and by whom, which had little validity left, which
-- chains were longer than needed. People get a text, a file JSON. What a case has to tell is made
-- in its worker, see views/usage.lua.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local json = require "dkjson"
local json_map = require "moonshake.json_map"
local validity = require "moonshake.views.validity"

local usage = {}

local VERSION = 1
local SOON = 30 * 86400 -- seconds of validity left that are few
local MOST = 20         -- lines of each table for people
local LONGEST = 128     -- columns of a name there

local Usage = {}
Usage.__index = Usage

function Usage.begin()
end

function Usage.case_begins()
end

---------------------------------------------------------------------------------------------------
-- Putting cases together

-- The entry of a key, made if it is new.
local function entry(list, key, make)
  if not list.by_key[key] then
    list.by_key[key] = make()
    list[#list + 1] = list.by_key[key]
  end
  return list.by_key[key]
end

-- `cases` counts the runs of cases in which it is.
function Usage:count(into, one)
  into.times = into.times + one.times
  if into.last ~= self.runs then
    into.cases, into.last = into.cases + 1, self.runs
  end
end

function Usage:add_presented(one, id)
  local key = ("%s\0%s\0%s\0%s"):format(one.role, one.leaf, one.subject, one.issuer)
  local known = entry(self.presented, key, function()
    return { role = one.role, leaf = one.leaf, subject = one.subject, issuer = one.issuer,
             times = 0, cases = 0, certificates = 0, seen = {} }
  end)
  self:count(known, one)
  if not known.seen[one.fingerprint] then
    known.seen[one.fingerprint] = true
    known.certificates = known.certificates + 1
  end
  local left = one.left
  if left and (not known.left or left < known.left or left == known.left and id < known.id) then
    known.left, known.id = left, id
  end
end

function Usage:add_chain(one, id)
  local key = { one.role, one.subject, one.length }
  for _, item in ipairs(one.too_much) do
    key[#key + 1] = item.why .. item.subject
  end
  local known = entry(self.chains, table.concat(key, "\0"), function()
    return { role = one.role, subject = one.subject, length = one.length, times = 0, cases = 0,
             too_much = one.too_much, id = id }
  end)
  self:count(known, one)
  known.id = id < known.id and id or known.id
end

function Usage:case_ended(result)
  local found, id = result.certificates, result.case.id
  self.runs = self.runs + 1
  for _, one in ipairs(found and found.presented or {}) do
    self:add_presented(one, id)
  end
  for _, one in ipairs(found and found.long_chains or {}) do
    self:add_chain(one, id)
  end
  self.left_out = self.left_out + (found and found.left_out or 0)
end

-- In an order that does not depend on that of the cases.
local function sort(list, rank)
  table.sort(list, function(one, other)
    for _, name in ipairs { rank, "subject", "issuer", "role", "length" } do
      local a, b = one[name], other[name]
      if a ~= b and a ~= nil and b ~= nil then
        if name == "times" then
          return a > b
        end
        return a < b
      end
    end
    return one.leaf and not other.leaf
  end)
  return list
end

-- Those with little validity left, the least first.
local function expiring(list)
  local found = {}
  for _, one in ipairs(list) do
    found[#found + 1] = one.left and one.left <= SOON and one or nil
  end
  return sort(found, "left")
end

---------------------------------------------------------------------------------------------------
-- For people

local function shown(name)
  return name == "" and "no name" or columns.cut(escape.line(name), LONGEST)
end

local function standing(seconds)
  return seconds < 0 and ("expired %s before"):format(validity.span(-seconds))
    or validity.span(seconds)
end

-- A table's lines; of many the first.
function Usage:write_table(heading, list, line)
  if #list == 0 then
    return
  end
  self.stream:write(heading, "\n")
  for index = 1, math.min(#list, MOST) do
    self.stream:write("  ", line(list[index]), "\n")
  end
  if #list > MOST then
    self.stream:write(("  ... and %d more: --certificates=FILE has all\n"):format(#list - MOST))
  end
end

local MOST_TOLD = 4 -- certificates that are too much in a chain

local function too_much_of(chain)
  local parts = {}
  for index, item in ipairs(chain.too_much) do
    parts[index] = index <= MOST_TOLD and ("%s (%s)"):format(shown(item.subject), item.why) or nil
  end
  parts[#parts + 1] = #chain.too_much > MOST_TOLD
    and ("%d more"):format(#chain.too_much - MOST_TOLD) or nil
  return table.concat(parts, ", ")
end

function Usage:write_text()
  self.stream:write "\ncertificates presented\n"
  self:write_table("   times  cases  certificates  by", sort(self.presented, "times"), function(one)
    return ("%6d %6d %13d  %s  %s%s, issued by %s"):format(
      one.times, one.cases, one.certificates, one.role, shown(one.subject),
      one.leaf and "" or " (in a chain)", shown(one.issuer))
  end)
  self:write_table("validity left when they were presented: at most 30 days",
                   expiring(self.presented), function(one)
    return ("%s  %s  %s, in %s"):format(standing(one.left), one.role, shown(one.subject),
                                        escape.line(one.id))
  end)
  self:write_table("chains longer than needed", sort(self.chains, "times"), function(one)
    return ("%6d %s  %s  %s, %d certificates: %s; as in %s"):format(
      one.times, one.times == 1 and "time " or "times", one.role,
      shown(one.subject), one.length, too_much_of(one), escape.line(one.id))
  end)
  if #self.presented == 0 then
    self.stream:write "  none\n"
  end
  if self.left_out > 0 then
    self.stream:write(("%d links are not counted: of a case the last 64 are\n"):format(
      self.left_out))
  end
end

---------------------------------------------------------------------------------------------------
-- As JSON

local function keyed(list, names, make)
  local items = setmetatable({}, { __jsontype = "array" })
  for index, one in ipairs(list) do
    local item = setmetatable({}, { __jsontype = "object", __jsonorder = names })
    for _, name in ipairs(names) do
      item[name] = one[name]
    end
    items[index] = make and make(item, one) or item
  end
  return items
end

function Usage:write_json()
  local presented = sort(self.presented, "times")
  self.stream:write(json.encode(json_map {
    v = VERSION, format = "moonshake certificates", links_left_out = self.left_out,
    presented = keyed(presented, { "role", "leaf", "subject", "issuer", "times", "cases",
                                   "certificates", "left" }),
    expiring = keyed(expiring(presented), { "role", "leaf", "subject", "issuer", "left", "id" }),
    long_chains = keyed(sort(self.chains, "times"),
                        { "role", "subject", "length", "times", "cases", "id", "too_much" },
                        function(item, one)
      item.too_much = keyed(one.too_much, { "why", "subject" })
      return item
    end),
  }), "\n")
end

function Usage:finish()
  if self.as_json then
    self:write_json()
  else
    self:write_text()
  end
  return self.stream:flush()
end

--- A report (see several.lua) of certificates.
---@param stream file*
---@param context { is_file: boolean? } whether it goes to a file
function usage.new(stream, context)
  return setmetatable({
    stream = stream, as_json = context.is_file, left_out = 0, runs = 0,
    presented = { by_key = {} }, chains = { by_key = {} },
  }, Usage)
end

return usage
