-- SPDX-License-Identifier: MIT
-- From the model of a handshake that was seen to the source of a scenario that shows it again in
-- process. It is tried while it is written: what GnuTLS does otherwise than what was seen stands in
-- it with both.
--
-- A model is a table. What is nil was not seen.
--   title      the scenario's name: one sentence
--   origin     list of paragraphs for the head of the file: where it comes from, what was not seen
--   at         when it was seen, seconds since the epoch: validity is written relative to it
--   chosen     { version =, cipher_suite =, group = }: what was agreed on
--   client, server: what each end was, both with
--     versions, cipher_suites, groups, signature_schemes   names, in order of preference
--     chain            certificates as it presents them, leaf first (or would, if it were asked)
--     anchor           certificate above the last of them, where somebody knows it
--     missing          true: an intermediate is missing above the last of them
--     trust            whom it trusts: "issuer" of its peer's chain (default), "other"
--     verify           false: it does not look; "accept": whatever is wrong; "refuse": all
--     alpn             protocols
--     extended_master_secret, secure_renegotiation, post_handshake_auth, ticket   false: not
--                      offered
--   client only: server_name, send (as send_certificate)
--   server only: client_auth, issuers (names that it sends; {} none), alpn_required, unknown_name
--   outcome    { client =, server =, failed_first =, open = } what the first handshake came to
--     (open: how it ended was not seen); of an end
--     version, cipher_suite, group, alpn, resumed, handshake_completed, failed_during, told_by,
--     problem, problems (of the verification), certificate_requested, requested_issuers,
--     not_sent_because; alert_sent, alert_received ({ level =, name = }, or false);
--     sent, received (how many certificates a Certificate message had; false: no message)
--   later      list of what came after: { action = "renegotiate", "reauthenticate" or "resume",
--     by =, client_auth = what the server asked for in it, outcome = }
local expectations = require "moonshake.reproduce.expectations"
local literal = require "moonshake.reproduce.literal"
local setup = require "moonshake.reproduce.setup"
local trial = require "moonshake.reproduce.trial"

local source = {}

---------------------------------------------------------------------------------------------------
-- Steps

local function changes_of(later)
  local options = literal.table()
  if later.by then
    literal.add(options, "by", literal.string(later.by))
  end
  if later.client_auth then
    local server = literal.table()
    literal.add(server, "client_auth", literal.string(later.client_auth))
    literal.add(options, "server", server)
  end
  return options
end

local function steps_of(model)
  local steps = { { statement = "link:handshake()", subject = "link",
                    outcome = model.outcome or {} } }
  for _, later in ipairs(model.later or {}) do
    local options, step = changes_of(later), { outcome = later.outcome or {} }
    if later.action == "resume" then
      step.subject = "resumed"
      step.statement = ("local resumed = link:resume%s\nresumed:handshake()"):format(
        #options.items > 0 and " " .. literal.render(options, 0, 28) or "()")
    else
      step.subject = "link"
      step.statement = ("link:%s%s"):format(later.action, #options.items > 0
        and " " .. literal.render(options, 0, 20) or "()")
    end
    steps[#steps + 1] = step
  end
  return steps
end

---------------------------------------------------------------------------------------------------
-- Trying

local REJECTING = {}
for _, name in ipairs { "bad_certificate", "unsupported_certificate", "certificate_revoked",
                        "certificate_expired", "certificate_unknown", "unknown_ca",
                        "access_denied", "bad_certificate_status_response" } do
  REJECTING[name] = true
end

-- Whether an end refused its peer's certificate; nil: nobody can tell.
local function rejected(seen)
  if seen.problem then
    return seen.problem == "certificate_rejected"
  elseif seen.alert_sent then
    return seen.alert_sent.level == "fatal" and REJECTING[seen.alert_sent.name] or false
  elseif seen.handshake_completed then
    return false
  end
end

local function alert_name(alert)
  return alert and alert.name or nil
end

-- What has to change for ours to come nearer to what was seen; nil: nothing.
local function adjusted(model, adjust, ours)
  local changed = { choice = {}, verify = {}, alerts = {} }
  for _, name in ipairs { "choice", "verify", "alerts" } do
    for key, value in pairs(adjust[name] or {}) do
      changed[name][key] = value
    end
  end
  local differs = false
  for _, pair in ipairs { { "versions", "version" }, { "cipher_suites", "cipher_suite" },
                          { "groups", "group" } } do
    local wanted = (model.chosen or {})[pair[2]]
    if wanted and wanted ~= ours.server[pair[2]] and not changed.choice[pair[1]]
      and not model.server[pair[1]] then
      changed.choice[pair[1]] = true
      return changed
    end
  end
  for _, role in ipairs { "client", "server" } do
    local seen, found = (model.outcome or {})[role] or {}, ours[role]
    local refused = found.error ~= nil and found.error.problem == "certificate_rejected"
    local wanted = rejected(seen)
    if wanted ~= nil and wanted ~= refused and changed.verify[role] == nil then
      changed.verify[role], differs = wanted and "refuse" or "accept", true
    elseif seen.alert_sent and alert_name(found.alert_sent) ~= seen.alert_sent.name
      and not changed.alerts[role] then
      changed.alerts[role], differs = "rfc", true
    end
  end
  return differs and changed or nil
end

-- Alerts by the RFC stay only where they are those that were seen.
local function settled(model, adjust, ours)
  local changed
  for role, word in pairs(adjust.alerts or {}) do
    local seen = model.outcome[role].alert_sent
    if word == "rfc" and alert_name(ours[role].alert_sent) ~= seen.name then
      adjust.alerts[role], changed = nil, true
    end
  end
  return changed
end

local MOST_TRIALS = 8

-- Makes it, tries it and makes it anew until nothing is gained.
local function find(model, steps)
  local adjust, made, observed, problem = {}, nil, nil, nil
  for _ = 1, MOST_TRIALS do
    made = setup.make(model, adjust)
    if made.impossible then
      return made, nil, made.impossible
    end
    observed, problem = trial.run(made, steps)
    local better = observed and observed[1] and adjusted(model, adjust, observed[1])
    if not better then
      break
    end
    adjust = better
  end
  if observed and observed[1] and settled(model, adjust, observed[1]) then
    made = setup.make(model, adjust)
    observed, problem = trial.run(made, steps)
  end
  return made, observed, problem
end

---------------------------------------------------------------------------------------------------
-- Writing

local function indented(lines, into)
  for _, line in ipairs(lines) do
    into[#into + 1] = line == "" and "" or "    " .. line
  end
end

local function head(model, remarks, body, skipped)
  local lines = {}
  local function comment(paragraphs)
    table.move(literal.comment(paragraphs, 0), 1, 1000, #lines + 1, lines)
  end
  comment(model.title .. ".")
  comment(model.origin or {})
  comment(remarks)
  lines[#lines + 1] = 'local ms = require "moonshake"'
  local names, values = {}, {}
  for _, name in ipairs { "pki", "tls", "expect" } do
    if not skipped and table.concat(body, "\n"):find("%f[%w_]" .. name .. "[%.%(]") then
      names[#names + 1], values[#values + 1] = name, "ms." .. name
    end
  end
  if #names > 0 then
    lines[#lines + 1] = ("local %s = %s"):format(table.concat(names, ", "),
                                                 table.concat(values, ", "))
  end
  return lines
end

local function joined(model, remarks, body, skipped)
  local lines = head(model, remarks, body, skipped)
  lines[#lines + 1] = ""
  lines[#lines + 1] = ("ms.scenario %s {"):format(literal.string(model.title))
  lines[#lines + 1] = "  run   = function()"
  indented(body, lines)
  lines[#lines + 1] = "  end,"
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n") .. "\n"
end

--- The source of a scenario.
---@param model table
---@return string text
---@return { differences: table[], skipped: string|nil, remarks: string[] } told what ours does
---  otherwise; why it can only be skipped
function source.write(model)
  local steps = steps_of(model)
  local made, observed, problem = find(model, steps)
  local told = { differences = {}, remarks = made.remarks }
  if not observed then
    told.skipped = problem
    local reason = "it cannot be shown in process: " .. problem
    return joined(model, made.remarks,
                  { "ms.skip(" .. literal.render(literal.string(reason), 6, 12, 1) .. ")" }, true),
           told
  end
  local done = table.move(steps, 1, #observed, 1, {})
  if #done < #steps then
    made.remarks[#made.remarks + 1] = ("What came after cannot be shown: %s."):format(problem)
  end
  local body = trial.body(made, done, function(step, index)
    local lines, differences = expectations.lines(step.subject, step.outcome, observed[index])
    table.move(differences, 1, #differences, #told.differences + 1, told.differences)
    table.insert(lines, 1, "")
    return lines
  end)
  return joined(model, made.remarks, body), told
end

return source
