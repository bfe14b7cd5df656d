-- SPDX-License-Identifier: MIT
-- What two ends did, each in its order, as one list in which a message stands once: where both have
-- come to it. Where messages crossed on the way no such order exists, and the one sent first goes
-- first.

-- A queue's items: { step, index = position in the log, part = "sent", "received" or "mark" }. A
-- step that was sent and received is an item in both queues.

local ROLES = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- The item that an end has come to; steps that are drawn already are passed.
local function head(queues, at, role)
  local queue = queues[role]
  while queue[at[role]] and queue[at[role]].step.drawn do
    at[role] = at[role] + 1
  end
  return queue[at[role]]
end

-- Whether nothing must come before it.
local function is_free(item, others)
  local step = item.step
  if item.part == "mark" then
    return true
  elseif item.part == "sent" then
    return not step.received or others ~= nil and others.step == step
  end
  return not step.sent
end

-- Where an item stands among those of the other end. What nobody reads says nothing about time, and
-- would only part a message from what it led to; so it waits, unless the one who sent it came to
-- something by that.
local function rank(item, queue, at)
  if item.part ~= "sent" or item.step.received then
    return item.index
  end
  for after = at + 1, #queue do
    local later = queue[after]
    if later.part == "mark" then
      return item.index
    elseif later.part ~= "sent" or later.step.received then
      break
    end
  end
  return math.huge
end

local function before(a, b)
  for index = 1, #a do
    if a[index] ~= b[index] then
      return a[index] < b[index]
    end
  end
  return false
end

-- The next item to be drawn, nil at the end.
local function next_item(queues, at)
  local heads, best, best_rank = {}, nil, nil
  for _, role in ipairs(ROLES) do
    heads[role] = head(queues, at, role)
  end
  for _, role in ipairs(ROLES) do
    -- Where nothing is free, messages crossed. (That one was received before it was sent is said
    -- by no log of ours, but it must not keep us.)
    local item = heads[role]
    local class = item and (is_free(item, heads[OTHER[role]]) and 1 or item.part == "sent" and 2
                            or 3)
    local item_rank = item and { class, rank(item, queues[role], at[role]), item.index }
    if item and (not best or before(item_rank, best_rank)) then
      best, best_rank = item, item_rank
    end
  end
  return best
end

--- The steps of both queues as one list.
---@param queues { client: table[], server: table[] }
---@param notes { after: integer, step: table }[] each stands behind so many events of the log
---@return table[]
return function(queues, notes)
  local at, list, noted = { client = 1, server = 1 }, {}, 1
  while true do
    local item = next_item(queues, at)
    while notes[noted] and (not item or item.index > notes[noted].after) do
      list[#list + 1] = notes[noted].step
      noted = noted + 1
    end
    if not item then
      break
    end
    list[#list + 1] = item.step
    item.step.drawn = true
  end
  for _, step in ipairs(list) do
    step.drawn = nil
  end
  return list
end
