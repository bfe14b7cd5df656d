-- SPDX-License-Identifier: MIT
-- Makes rules about a chain that its judge refused: a rule for a problem of the verification, told
-- of whichever end judged. What a rule computes is checked against the verification: where they
-- name different certificates, the verification's own sentence is told instead.
local escape = require "moonshake.escape"

local refusal = {}

local LONGEST = 400 -- characters of a sentence

local EXACT = { path_length_exceeded = true, name_constraint_violated = true,
                key_usage_forbids_signing = true }

local function has(problems, word)
  for _, problem in ipairs(problems) do
    if problem == word then
      return true
    end
  end
  return false
end

-- The problem that verification.certificate is about.
local function first_of(problems)
  local lumped = problems[1] == "signer_constraints_failure" and EXACT[problems[2]]
  return lumped and problems[2] or problems[1]
end

--- Whether a verification found this problem, and nothing says it more exactly.
---@param verification table
---@param problem string
---@return boolean
function refusal.has(verification, problem)
  local problems = verification.problems
  if problem == "signer_constraints_failure" then
    return problems[1] == problem and not EXACT[problems[2]]
  end
  return has(problems, problem)
end

--- The judgement in which an end refused its peer's chain in this epoch, else nil.
---@param story table see story.lua
---@param role "client"|"server"
---@return table|nil
function refusal.of(story, role)
  local judgement = story:failed("certificate_rejected", role) and story:judgement(role)
  return judgement and not judgement.verification.accepted and judgement or nil
end

--- The verification's own sentence, as long as a reader bears: its names are whole.
---@param judgement table
---@return string
function refusal.sentence(judgement)
  return escape.short(judgement.verification.text, LONGEST)
end

local function add_policy(story, judgement, why)
  if story.told[judgement.role].verify_policy == "ask" then
    why[#why + 1] = ("the %s's verify function decided on it"):format(judgement.role)
  end
end

-- What a rule tells, made to agree with the verification.
local function agreeing(judgement, problem, told)
  local verification = judgement.verification
  if first_of(verification.problems) ~= problem then
    return told
  elseif told.certificate ~= verification.certificate then
    told.why, told.certificate = { refusal.sentence(judgement) }, verification.certificate
  end
  return told
end

--- A rule for one problem. `tell(story, judgement)` returns nil where it is about another case of
--- the problem, else { reason, why, next, certificate }: the reason in a few words, behind "the
--- server refuses the client's Certificate: ".
---@param rule { name: string, problem: string, rfc: any, tell: function }
---@return table
function refusal.rule(rule)
  return {
    name = rule.name, rfc = rule.rfc, problem = rule.problem,
    find = function(story)
      for _, role in ipairs { "client", "server" } do
        local judgement = refusal.of(story, role)
        if judgement and refusal.has(judgement.verification, rule.problem) then
          local told = rule.tell(story, judgement)
          if not told then
            return nil
          end
          told = agreeing(judgement, rule.problem, told)
          add_policy(story, judgement, told.why)
          return {
            side = role, message = "Certificate", problem = rule.problem,
            what = ("the %s refuses the %s's Certificate: %s"):format(role, judgement.sender,
                                                                      told.reason),
            why = told.why, next = told.next, certificate = told.certificate,
          }
        end
      end
    end,
  }
end

return refusal
