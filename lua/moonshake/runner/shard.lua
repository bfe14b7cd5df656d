-- SPDX-License-Identifier: MIT
-- Which of several machines runs which case. A case's id alone decides, so that it stays where it
-- is when others come and go; every case is in exactly one shard.
local hash = require "moonshake.hash"

local shard = {}

--- The hash that decides: FNV-1a of 64 bits over the id's bytes, its upper half xored onto the
--- lower one (FNV's own way to 32 bits, whose lowest bits are better mixed). It never changes, for
--- machines with different versions of this program may share a run.
---@param id string
---@return integer from 0 to 2^32 - 1
function shard.hash(id)
  local whole = hash(id)
  return (whole >> 32 ~ whole) & 0xFFFFFFFF
end

--- The shard that a case is in.
---@param id string the case's
---@param total integer how many shards there are
---@return integer index from 1 to total
function shard.of(id, total)
  return shard.hash(id) % total + 1
end

--- A text that is the same for the same cases in whatever order, and hardly ever for others.
---@param cases table[] each with an `id`
---@return string digest 16 hexadecimal digits
function shard.digest(cases)
  local sum = 0
  for _, case in ipairs(cases) do
    sum = sum + hash(case.id)
  end
  return ("%016x"):format(sum)
end

--- The cases of one shard.
---@param cases table[] all that were selected, each with an `id`
---@param which { index: integer, total: integer }
---@return table[] kept in the order that they had
---@return table said what a report is told: index, total, and by what a merge knows that all
--- machines selected the same: how many cases (`selected`) and which (`digest`)
function shard.cut(cases, which)
  local kept = {}
  for _, case in ipairs(cases) do
    if shard.of(case.id, which.total) == which.index then
      kept[#kept + 1] = case
    end
  end
  return kept, {
    index = which.index, total = which.total, selected = #cases, digest = shard.digest(cases),
  }
end

--- The number that a text of decimal digits is; nil for any other text.
---@param text string
---@return integer|nil
function shard.whole(text)
  return text:find "^%d+$" and math.tointeger(tonumber(text)) or nil
end

--- What the word behind --shard means.
---@param text string "I/N", "auto", or "auto/N" where an engine tells nothing but the index
---@return { index: integer?, total: integer?, auto: boolean? }|nil wish
---@return string|nil problem
function shard.parse(text)
  local first, second = text:match "^([^/]*)/([^/]*)$"
  local index, total = shard.whole(first or ""), shard.whole(second or "")
  if text == "auto" then
    return { auto = true }
  elseif not total or not (index or first == "auto") then
    return nil, ("--shard: I/N wanted (shard I of N), auto or auto/N, got '%s'"):format(text)
  elseif total == 0 then
    return nil, ("--shard %s: there is at least one shard"):format(text)
  elseif first == "auto" then
    return { auto = true, total = total }
  elseif index < 1 or index > total then
    return nil, ("--shard %s: shards are numbered from 1 to %d"):format(text, total)
  end
  return { index = index, total = total }
end

return shard
