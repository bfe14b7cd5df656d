-- SPDX-License-Identifier: MIT
-- What is said of our own scenarios agrees with what happened in them: runs every case and looks at
-- the explanation of each link, epoch by epoch.
--   moonshake lua tests/explain/scenarios.lua [TEXT]     only files with that text in their path
-- An end that failed is explained by a rule, not by the fallback; what is said of a chain agrees
-- with verification.problems and verification.certificate, each problem told and nothing else; and
-- what is printed has the form that readers are promised.
local escape = require "moonshake.escape"
local evidence = require "moonshake.evidence"
local explain = require "moonshake.views.explain"
local files = require "moonshake.io.files"
local loader = require "moonshake.runner.loader"
local rules = require "moonshake.views.rules"

local WIDTH = 80
local EXACT = { path_length_exceeded = true, name_constraint_violated = true,
                key_usage_forbids_signing = true }

local counts = { cases = 0, links = 0, failures = 0, notes = 0, fallbacks = 0 }
local seen, complaints = {}, {}

local function complain(case, format, ...)
  complaints[#complaints + 1] = ("%s: %s"):format(case.id, format:format(...))
end

-- The findings of an epoch, failures only, by what they are about.
local function of_epoch(findings, epoch)
  local found = {}
  for _, one in ipairs(findings) do
    if one.epoch == epoch and one.kind == "failure" then
      found[#found + 1] = one
    end
  end
  return found
end

local function has_words(text, ...)
  for _, word in ipairs { ... } do
    if not text:find(word, 1, true) then
      return false
    end
  end
  return true
end

local function judge_form(case, one)
  if not has_words(one.what, one.side, one.message) then
    complain(case, "%s: does not name %s and %s: %s", one.rule, one.side, one.message, one.what)
  elseif not one.rfc:find "^RFC %d+ %l+ [%d%u.]+" then
    complain(case, "%s: is this a clause? %s", one.rule, one.rfc)
  elseif one.what:find "\n" or one.what ~= escape.line(one.what) then
    complain(case, "%s: is not one harmless line: %s", one.rule, one.what)
  end
end

local function judge_lines(case, findings)
  local short = explain.short(findings)
  if #short > 3 then
    complain(case, "%d short lines", #short)
  end
  for _, line in ipairs(explain.told(findings, { width = WIDTH })) do
    if utf8.len(line) > WIDTH and line:match "%S+$" ~= line:match "^%s*(.-)$" then
      complain(case, "a line of %d characters: %s", utf8.len(line), line)
    end
  end
end

-- The problems that must be told: those that say it most exactly.
local function problems_of(verification)
  local wanted, count = {}, 0
  for index, problem in ipairs(verification.problems) do
    local lumped = problem == "signer_constraints_failure"
      and EXACT[verification.problems[index + 1]]
    if not lumped then
      wanted[problem], count = true, count + 1
    end
  end
  return wanted, count
end

-- What is said of a chain against the verification.
local function judge_chain(case, verification, found)
  local wanted, count = problems_of(verification)
  local culprit = false
  for _, one in ipairs(found) do
    if one.problem then
      if not wanted[one.problem] then
        complain(case, "told of %s, which the verification does not have", one.problem)
      end
      wanted[one.problem], count = nil, count - 1
      culprit = culprit or one.certificate == verification.certificate
    end
  end
  if count ~= 0 then
    complain(case, "not told of %s", next(wanted) or "something once")
  elseif not culprit and #verification.problems > 0 then
    complain(case, "names no certificate as verification.certificate does")
  end
end

local function first_error(events, epoch)
  for _, event in ipairs(events) do
    if event.epoch == epoch and event.kind == "error" then
      return event
    end
  end
end

local function judge_epoch(case, link, index, findings)
  local epoch = link.client.history[index].epoch
  local found = of_epoch(findings, epoch)
  local fault = first_error(link.events, epoch)
  if not fault then
    if #found > 0 and found[1].rule ~= "stalled" then
      complain(case, "%s: nobody failed, and %s is told", epoch, found[1].rule)
    end
    return
  end
  if #found == 0 then
    complain(case, "%s: the %s failed, and nothing is told", epoch, fault.role)
  end
  local verification = link[fault.role].history[index].verification
  if fault.problem == "certificate_rejected" and verification then
    judge_chain(case, verification, found)
  end
end

local function judge(case, link)
  local findings = link.findings
  counts.links = counts.links + 1
  for index = 1, #link.client.history do
    judge_epoch(case, link, index, findings)
  end
  for _, one in ipairs(findings) do
    seen[one.rule] = (seen[one.rule] or 0) + 1
    counts[one.kind .. "s"] = counts[one.kind .. "s"] + 1
    if one.rule == "unknown" or one.rule == "protocol_violation" then
      counts.fallbacks = counts.fallbacks + 1
      complain(case, "only the fallback %s: %s", one.rule, one.what)
    end
    judge_form(case, one)
  end
  judge_lines(case, findings)
end

-- In the place where evidence is made: links are still open.
function evidence.of(case)
  for _, link in ipairs(evidence.links(case.tellers, evidence.LAST_LINKS)) do
    judge(case, link)
  end
  return {}
end

local function run(path)
  local file = assert(loader.load(path, {}))
  for _, case in ipairs(file.cases) do
    local outcome = case:run(nil, { evidence = {} })
    counts.cases = counts.cases + 1
    if outcome == "failed" then
      complain(case, "%s", case.failures[1].message)
    end
    case:forget()
  end
end

local text = ...
for _, path in ipairs(assert(files.list "scenarios")) do
  if path:find "%.lua$" and (not text or path:find(text, 1, true)) then
    run(path)
  end
end

local unseen = {}
for _, list in pairs(rules) do
  for _, rule in ipairs(list) do
    unseen[#unseen + 1] = not seen[rule.name] and rule.name or nil
  end
end
table.sort(unseen)
for _, complaint in ipairs(complaints) do
  print(complaint)
end
print(("%d cases, %d links: %d failures and %d notes told, %d by the fallback"):format(
  counts.cases, counts.links, counts.failures, counts.notes, counts.fallbacks))
print("rules that no scenario needs: " .. table.concat(unseen, " "))
print(#complaints == 0 and "explanations: agree" or ("%d complaints"):format(#complaints))
os.exit(#complaints == 0 and 0 or 1, true)
