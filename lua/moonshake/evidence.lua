-- SPDX-License-Identifier: MIT
-- What is kept of a case beyond its failures: views of the logs of its links, made when it ends and
-- before they are closed. The parent of a worker gets them as a part of the result, so they are
-- texts, numbers and tables of them; what is large goes as text that is JSON already.
local evidence = {}

--- How many links of a case are told, those that were made last.
evidence.LAST_LINKS = 8

-- Both ends of the links that the case made last, as JSON.
local function ends_of(links)
  local json, plain = require "dkjson", require "moonshake.plain"
  local texts = {}
  for index, link in ipairs(links) do
    texts[index] = json.encode(plain.ends(link))
  end
  return "[" .. table.concat(texts, ",") .. "]"
end

-- What `moonshake show` tells.
local function story_of(links, how, case)
  return require("moonshake.views.narrative").of(links, case.notes, case.places, how)
end

-- What happened on the link that matters: the last one on which somebody failed, else the last with
-- something worth a word. No bug of ours may cost a result.
local function explanation_of(links)
  local explain = require "moonshake.views.explain"
  local notes
  for index = #links, 1, -1 do
    local done, findings = pcall(function() return links[index].findings or {} end)
    if not done then
      return { "there is no explanation: " .. tostring(findings) }
    elseif explain.failed(findings) then
      return explain.short(findings)
    end
    notes = notes or #findings > 0 and findings or nil
  end
  return notes and explain.short(notes)
end

-- name -> { when: "failed" or "always", make(links, how, case) -> value }. What is asked for by
-- that name in `how` is made; `how[name]` is what it was asked for with.
local KINDS = {
  ends = { when = "failed", make = ends_of },
  story = { when = "always", make = story_of },
  explanation = { when = "failed", make = explanation_of },
}

--- The links that were made last and are still there, in the order in which they were made.
---@param tellers (fun(): table|nil)[]
---@return table[]
function evidence.links(tellers)
  local links = {}
  for index = #tellers, 1, -1 do
    local link = #links < evidence.LAST_LINKS and tellers[index]()
    if link then
      table.insert(links, 1, link)
    end
  end
  return links
end

--- Makes what is asked for.
---@param case table
---@param how table<string, any> by name of KINDS
---@return table<string, any>
function evidence.of(case, how)
  local made, links = {}, nil
  for name, kind in pairs(KINDS) do
    if how[name] and (kind.when == "always" or #case.failures > 0) then
      links = links or evidence.links(case.tellers)
      made[name] = kind.make(links, how[name], case)
    end
  end
  return made
end

return evidence
