-- SPDX-License-Identifier: MIT
-- What ends report about certificates, against what Certificate messages carried and against each
-- other.
local diff = require "moonshake.diff"
local marks = require "moonshake.marks"

local reported = {}

local ROLES = { "client", "server" }
local OTHER = { client = "server", server = "client" }

-- A chain as it counts here: an empty Certificate message presents nothing.
local function chain_of(list)
  if list ~= nil and list ~= marks.unknown and #list == 0 then
    return nil
  end
  return list
end

-- What the last message of an epoch that had one carried, among the first `count` epochs; and which
-- epoch that was, nil where there is none.
local function last_message(history, field, count)
  for index = count, 1, -1 do
    local list = history[index].wire[field]
    if list ~= nil then
      return chain_of(list), history[index].epoch
    end
  end
  return nil, nil
end

--- What the last Certificate messages carried, for each end `sent` and `received`: of this epoch,
--- else of the last epoch that had one, else of the resumed session. `sent_in` and `received_in`
--- are the names of these epochs ("the resumed session"); nil where no message is known.
---@param link table
---@param earlier table|nil what the link carried whose session this one was to resume
---@param epochs? integer as of that epoch, by its number; default the present one
---@return table<string, { sent: table?, received: table?, sent_in: string?, received_in: string? }>
function reported.carried(link, earlier, epochs)
  local carried = {}
  for _, role in ipairs(ROLES) do
    local history = link[role].history
    local count = epochs or #history
    local before = earlier and history[1].resumed == true and earlier[role] or {}
    local made = {}
    for _, way in ipairs { "sent", "received" } do
      local chain, epoch = last_message(history, way .. "_certificates", count)
      if not epoch and before[way .. "_in"] then
        chain, epoch = before[way], "the resumed session"
      end
      made[way], made[way .. "_in"] = chain, epoch
    end
    carried[role] = made
  end
  return carried
end

local function show_chain(chain)
  return chain == nil and "no certificate"
    or chain == marks.unknown and "what this stack cannot tell" or diff.show(chain)
end

-- Adds a line unless a reported chain is the other one. Notes whether either cannot be told, and
-- whether they differ for certain.
local function judge(lines, report, fact, sentence)
  if report == marks.unknown or fact == marks.unknown then
    lines.unknown = true
  elseif #diff.compare(report, fact) == 0 then
    return
  else
    lines.differs = true
  end
  lines[#lines + 1] = sentence:format(show_chain(report), show_chain(fact))
end

--- Where an end reports another chain than Certificate messages carried: one line for each, none if
--- both ends are truthful. Its field `unknown` is true where an end cannot tell, `differs` where
--- one tells something else.
---@param link table
---@param carried table of reported.carried()
---@return string[]
function reported.untruths(link, carried)
  local lines = {}
  for _, role in ipairs(ROLES) do
    local one = link[role]
    judge(lines, one.local_certificates, carried[role].sent,
          ("the %s reports as its own: %%s; on the wire it had sent: %%s"):format(role))
    judge(lines, one.peer_certificates, carried[role].received,
          ("the %s reports as its peer's: %%s; on the wire it had received: %%s"):format(role))
  end
  return lines
end

--- Where an end reports as its own chain another than its peer reports: one line for each.
---@param link table
---@return string[]
function reported.mismatches(link)
  local lines = {}
  for _, role in ipairs(ROLES) do
    local other = OTHER[role]
    judge(lines, link[role].local_certificates, link[other].peer_certificates,
          ("the %s reports as its own: %%s; the %s reports as its peer's: %%s"):format(role, other))
  end
  return lines
end

return reported
