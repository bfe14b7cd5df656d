-- SPDX-License-Identifier: MIT
-- What is kept of a case beyond its failures: views of the logs of its links, made when it ends and
-- before they are closed. The parent of a worker gets them as a part of the result, so they are
-- texts, numbers and tables of them; what is large goes as text that is JSON already.
local hash = require "moonshake.hash"

local evidence = {}

--- How many links of a case are told, those that were made last.
evidence.LAST_LINKS = 8

local MOST_KEPT = 64 -- of them, for what is told of all

-- A file's name of an id: what is special anywhere becomes "-", and a hash keeps apart what is then
-- the same.
local function file_name(id, attempt)
  local readable = id:gsub("[^%w._=]+", "-"):gsub("^[-.]+", ""):sub(1, 180):gsub("-$", "")
  local repeated = attempt > 1 and ("-repeat-%d"):format(attempt) or ""
  return ("%s-%08x%s.pcapng"):format(readable, hash(id) & 0xFFFFFFFF, repeated)
end

-- Whether the verdict will be that the case failed: passing may be a failure, too.
local function fails(case)
  return (#case.failures > 0) == (case.scenario.expected_failure == nil)
end

-- One file in how.folder with what the case's links carried, a connection each. Nil where they
-- carried nothing; nil and why where it cannot be written.
local function capture(links, how, case, attempt)
  local link, captured = require "moonshake.link", {}
  for _, one in ipairs(links) do
    local made = link.capture(one)
    captured[#captured + 1] = #made.events > 0 and made or nil
  end
  if #captured == 0 then
    return nil
  end
  local path = how.folder:gsub("/*$", "/") .. file_name(case.id, attempt)
  local comment = case:num_links() <= MOST_KEPT and case.id
    or ("%s (the last %d of %d links)"):format(case.id, MOST_KEPT, case:num_links())
  local written, problem = require("moonshake.views.pcapng").write(path, captured, comment)
  return written and path, problem
end

-- No want of memory, nor a bug of ours, may cost a result.
local function captures_of(links, how, case, attempt)
  if how.failures_only and not fails(case) then
    return nil
  end
  local done, path, problem = pcall(capture, links, how, case, attempt)
  problem = problem or not done and "there is no capture: " .. tostring(path) or nil
  if problem then
    case:note(problem)
    return nil
  end
  return path and { path }
end

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
  local told = require("moonshake.views.narrative").of(links, case.notes, case.places, how)
  told.made = case:num_links()
  return told
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

-- What a page shows, as JSON: of each case, or of those that "failed".
local function pictures_of(links, how, case)
  if how == "failed" and #case.failures == 0 then
    return nil
  end
  local picture = require "moonshake.views.picture"
  return require("dkjson").encode(picture.of(links, case.notes, case.places),
                                  { keyorder = { "links", "problems" } })
end

-- How many links of the case are not told of.
local function let_go(case)
  return math.max(0, case:num_links() - MOST_KEPT)
end

-- What all links of the case came to, the same in each run (views/record.lua).
local function record_of(links, _, case)
  return require("moonshake.views.record").of(links, let_go(case), "      ")
end

-- Which certificates were presented.
local function certificates_of(links, _, case)
  return require("moonshake.views.usage").of(links, let_go(case))
end

-- name -> { when: "failed" or "always", most: links, make(links, how, case, attempt) -> value }
-- What is asked for by that name in `how` is made of the last links, of LAST_LINKS if `most` is not
-- said; `how[name]` is what it was asked for with.
local KINDS = {
  ends = { when = "failed", make = ends_of },
  story = { when = "always", make = story_of },
  explanation = { when = "failed", make = explanation_of },
  captures = { when = "always", most = MOST_KEPT, make = captures_of },
  record = { when = "always", most = MOST_KEPT, make = record_of },
  certificates = { when = "always", most = MOST_KEPT, make = certificates_of },
  pictures = { when = "always", make = pictures_of },
}

--- How many links must be kept until the case ends, the last ones.
---@param how table<string, any>|nil
---@return integer
function evidence.most_links(how)
  local most = evidence.LAST_LINKS
  for name, kind in pairs(KINDS) do
    if how and how[name] and kind.most then
      most = math.max(most, kind.most)
    end
  end
  return most
end

--- The links that were made last and are still there, in the order in which they were made.
---@param tellers (fun(): table|nil)[]
---@param most integer
---@return table[]
function evidence.links(tellers, most)
  local links = {}
  for index = #tellers, 1, -1 do
    local link = #links < most and tellers[index]()
    if link then
      table.insert(links, 1, link)
    end
  end
  return links
end

--- Makes what is asked for.
---@param case table
---@param how table<string, any> by name of KINDS
---@param attempt integer
---@return table<string, any>
function evidence.of(case, how, attempt)
  local made = {}
  for name, kind in pairs(KINDS) do
    if how[name] and (kind.when == "always" or #case.failures > 0) then
      local links = evidence.links(case.tellers, kind.most or evidence.LAST_LINKS)
      made[name] = kind.make(links, how[name], case, attempt)
    end
  end
  return made
end

return evidence
