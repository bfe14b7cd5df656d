-- SPDX-License-Identifier: MIT
-- What went wrong on a link and why: findings, made by the rules of views/rules/ out of the event
-- log and both ends' state, and told in words.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local learned = require "moonshake.views.learned"
local paragraph = require "moonshake.views.paragraph"
local phrase = require "moonshake.views.phrase"
local rules = require "moonshake.views.rules"
local story_of = require "moonshake.views.story"
local strict = require "moonshake.strict"

local explain = {}

local ROLES = { "client", "server" }
local WIDTH = 80

--- What a finding has.
explain.schema = strict.schema("finding", {
  { name = "rule", about = "the word of the rule that found it" },
  { name = "kind", about = "\"failure\", or \"note\": nobody failed for it" },
  { name = "epoch", about = "\"initial\", \"renegotiation 1\", ..." },
  { name = "side", about = "\"client\" or \"server\": who refused, failed first or waits" },
  { name = "message", about = "the message that it is about, as the RFCs call it" },
  { name = "what", about = "one sentence, which names the side, the message and the reason" },
  { name = "why", about = "a list of reasons that can be checked" },
  { name = "rfc", about = "the clause" },
  { name = "told", about = "how each end learned of it",
    fields = { { name = "client", about = "the rest of a sentence that begins with its role" },
               { name = "server", about = "likewise" } } },
  { name = "next", about = "what to do; nil where nothing can be said" },
  { name = "certificate", about = "the certificate at fault; nil where it is none in particular" },
  { name = "problem", about = "verification's word for it; nil where it is not about a chain" },
})

---------------------------------------------------------------------------------------------------
-- Finding

local function dense(list)
  local kept, last = {}, 0
  for index in pairs(list or {}) do
    last = index > last and index or last
  end
  for index = 1, last do
    kept[#kept + 1] = list[index]
  end
  return kept
end

local function clause(story, rfc)
  return type(rfc) == "table" and story:clause(rfc.older, rfc.newer) or rfc
end

-- What a rule found, made whole.
local function finding(story, rule, found)
  return strict.record(explain.schema, {
    rule = rule.name, kind = found.kind or "failure", epoch = story.epoch,
    side = found.side or story.fault.role, message = found.message, what = found.what,
    why = dense(found.why), rfc = clause(story, rule.rfc),
    told = { client = learned.by(story, "client"), server = learned.by(story, "server") },
    next = found.next, certificate = found.certificate, problem = found.problem,
  })
end

-- For what no rule knows: all that is certain.
local FALLBACK = {
  name = "unknown", rfc = { older = "RFC 5246 section 7.2.2", newer = "RFC 8446 section 6.2" },
  find = function(story)
    local fault = story.fault
    local last = story:last_of({ role = fault.role, kind = "message" }, fault.index)
    return {
      message = last and last.type or "ClientHello",
      what = ("the %s failed %s the %s: %s"):format(
        fault.role, last and last.direction == "received" and "at" or "behind",
        last and last.type or "ClientHello", fault.problem),
      why = { ("%s: %s"):format(phrase.plain(fault.code), phrase.plain(fault.message)) },
      next = ("moonshake explain %s"):format(phrase.plain(fault.code)),
    }
  end,
}

local function add(findings, story, rule)
  local found = rule.find(story)
  if found then
    findings[#findings + 1] = finding(story, rule, found)
  end
  return found ~= nil
end

local function add_failures(findings, story)
  local some = false
  for _, rule in ipairs(rules.chains) do
    some = add(findings, story, rule) or some
  end
  for _, rule in ipairs(rules.causes) do
    some = some or add(findings, story, rule)
  end
  if story.fault and not some then
    add(findings, story, FALLBACK)
  end
end

--- What there is to say of a link: failures of every epoch, and what is worth a word of the last.
---@param link table a link, or what has its fields
---@param told? table what the ends were told, by epoch and role: a function of the site that gives
---  options (see settings.in_force()); without it less can be said
---@return table[] findings in order; see explain.schema
function explain.of(link, told)
  local findings = {}
  for _, story in ipairs(story_of.of(link, told)) do
    add_failures(findings, story)
    for _, rule in ipairs(story.last and rules.notes or {}) do
      add(findings, story, rule)
    end
  end
  return strict.wrap(findings, nil, true)
end

---------------------------------------------------------------------------------------------------
-- Telling

local function no_paint(text)
  return text
end

-- `last`: no other failure of its epoch follows, so that both ends' accounts stand here.
local function add_finding(out, how, one, epochs, last)
  local lead = (one.kind == "note" and "note: " or "")
    .. (epochs > 1 and ("in %s: "):format(one.epoch) or "")
  for _, line in ipairs(columns.hang(lead .. escape.line(one.what), how.width)) do
    out[#out + 1] = one.kind == "failure" and how.paint(line, "bold") or line
  end
  paragraph.add(out, how, "clause", one.rfc)
  for index, reason in ipairs(one.why) do
    paragraph.add(out, how, index == 1 and "why" or "", reason)
  end
  if last then
    for _, role in ipairs(ROLES) do
      paragraph.add(out, how, role, one.told[role])
    end
  end
  if one.next then
    paragraph.add(out, how, "next", one.next)
  end
end

-- The last failure of each epoch.
local function last_failures(findings)
  local last = {}
  for _, one in ipairs(findings) do
    last[one.epoch] = one.kind == "failure" and one or last[one.epoch]
  end
  return last
end

local function count_epochs(findings)
  local seen, count = {}, 0
  for _, one in ipairs(findings) do
    count = count + (seen[one.epoch] and 0 or 1)
    seen[one.epoch] = true
  end
  return count
end

--- Findings in words: each with its clause and reasons, how both ends learned of it, what to do.
---@param findings table[]
---@param how? { width: integer?, paint: (fun(text: string, colour: string): string)? }
---@return string[] lines
function explain.told(findings, how)
  how = { width = how and how.width or WIDTH, paint = how and how.paint or no_paint }
  local out, epochs, last = {}, count_epochs(findings), last_failures(findings)
  for _, one in ipairs(findings) do
    add_finding(out, how, one, epochs, last[one.epoch] == one)
  end
  if #out == 0 then
    out[1] = "nothing went wrong, and nothing is worth a word"
  end
  return out
end

-- The finding that matters most: the last failure's first, else the first note.
local function main_of(findings)
  local main
  for _, one in ipairs(findings) do
    local better = not main or main.kind == "note" and one.kind == "failure"
      or one.kind == "failure" and main.epoch ~= one.epoch
    main = better and one or main
  end
  return main
end

--- Whether somebody failed, by these findings.
---@param findings table[]
---@return boolean
function explain.failed(findings)
  local main = main_of(findings)
  return main ~= nil and main.kind == "failure"
end

-- What else was found wrong at the same place.
local function others(findings, main)
  local names = {}
  for _, one in ipairs(findings) do
    if one ~= main and one.kind == "failure" and one.epoch == main.epoch then
      names[#names + 1] = one.rule
    end
  end
  return #names > 0 and "; also " .. phrase.list(names) or ""
end

-- The reasons that fit into a line; a belief in success that came too early is one of them.
local function reasons(findings, main)
  local kept = table.move(main.why, 1, math.min(2, #main.why), 1, {})
  for _, one in ipairs(findings) do
    if one.rule == "late_alert" and one.epoch == main.epoch then
      kept[#kept + 1] = ("the %s had completed its handshake before it was told"):format(one.side)
    end
  end
  return kept
end

--- The finding that matters most in at most three lines: what, why, what to do.
---@param findings table[]
---@return string[] lines none where there is nothing to say
function explain.short(findings)
  local main = main_of(findings)
  if not main then
    return {}
  end
  local lines = { escape.line(("%s (%s)%s"):format(main.what, main.rfc, others(findings, main))) }
  local why = reasons(findings, main)
  if #why > 0 then
    lines[2] = escape.line("because " .. table.concat(why, "; "))
  end
  if main.next then
    lines[#lines + 1] = escape.line("next: " .. main.next)
  end
  return lines
end

--- What there is to say of a link, in lines for people.
---@param link table
---@param how? { told: table?, short: boolean?, width: integer?, paint: function? }
---@return string[] lines
function explain.lines(link, how)
  local findings = explain.of(link, how and how.told)
  return how and how.short and explain.short(findings) or explain.told(findings, how)
end

return explain
