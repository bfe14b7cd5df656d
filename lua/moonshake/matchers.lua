-- SPDX-License-Identifier: MIT
-- What an expectation can say. A matcher has `check`, which raises where its arguments cannot be
-- meant, and `judge`, which gives an outcome:
--   holds        true, false, or nil where it cannot be judged: that fails, negated or not
--   reason       why it does not hold, for the message; found is shown if absent
--   wanted, found, differences, notes   see the top of expect.lua
local arguments = require "moonshake.arguments"
local diff = require "moonshake.diff"
local endpoint = require "moonshake.endpoint"
local faults = require "moonshake.faults"
local link = require "moonshake.link"
local marks = require "moonshake.marks"
local native = require "moonshake.native"
local options = require "moonshake.options"
local partial = require "moonshake.partial"
local reported = require "moonshake.reported"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"
local suggest = require "moonshake.suggest"
local words = require "moonshake.words"

local matchers = { by_name = {}, names = {} }

local function add(name, matcher)
  matchers.by_name[name] = matcher
  matchers.names[#matchers.names + 1] = name
end

---------------------------------------------------------------------------------------------------
-- Checks of arguments

local function no_argument(api, ...)
  if select("#", ...) > 0 then
    strict.raise(api .. ": takes no argument")
  end
end

local function one_argument(api, ...)
  if select("#", ...) ~= 1 then
    strict.raise(api .. ": takes one argument")
  end
end

local function of_type(wanted)
  return function(api, ...)
    one_argument(api, ...)
    local value = ...
    if type(value) ~= wanted then
      strict.raise(("%s: wants a %s, got %s"):format(api, wanted, arguments.describe(value)))
    end
  end
end

local function check_pattern(api, pattern)
  local done, message = pcall(string.find, "", pattern)
  if not done then
    strict.raise(("%s: %s is no Lua pattern: %s"):format(api, diff.show(pattern), message))
  end
end

---------------------------------------------------------------------------------------------------
-- Any value

-- Whether two values are the same in all that they hold, as an outcome.
local function same(found, wanted)
  if rawequal(wanted, marks.none) then -- as in has { ... }; without it `.no` would always hold
    wanted = nil
  end
  local differences = diff.compare(found, wanted)
  local outcome = { holds = #differences == 0, wanted = diff.show(wanted) }
  if differences.unknown then
    outcome.holds, outcome.reason = nil, "this stack cannot tell all of it"
  end
  if #differences > 0 and not (#differences == 1 and differences[1].path == "") then
    outcome.differences = differences
    outcome.reason = outcome.reason
      or (#differences == 1 and ("%s differs"):format(differences[1].path)
          or ("%d paths differ"):format(#differences))
  end
  return outcome
end

--- equals(x): the same value; tables, snapshots and ends are compared by everything they hold.
add("equals", { check = one_argument, judge = same })

--- is_nil(), is_true(), is_false(): exactly that value.
for name, value in pairs { is_true = true, is_false = false } do
  add(name, { check = no_argument, judge = function(found)
    return { holds = found == value, wanted = tostring(value) }
  end })
end
add("is_nil", { check = no_argument, judge = function(found)
  return { holds = found == nil, wanted = "nil" }
end })

--- one_of(list): equals one of its items.
add("one_of", {
  check = function(api, ...)
    one_argument(api, ...)
    if not strict.is_list(...) then
      strict.raise(("%s: wants a list, got %s"):format(api, arguments.describe(...)))
    end
  end,
  judge = function(found, list)
    local outcome = { holds = false, wanted = "one of " .. diff.show(list) }
    for index = 1, #list do
      local result = same(found, list[index])
      if result.holds ~= false then
        outcome.holds, outcome.reason = result.holds, result.reason
        break
      end
    end
    return outcome
  end,
})

--- has_length(n): a list of n items, or a string of n bytes.
add("has_length", {
  check = function(api, ...)
    one_argument(api, ...)
    arguments.check_one(api, options.count, (...))
  end,
  judge = function(found, length)
    local outcome = { wanted = ("a length of %d"):format(length) }
    if type(found) == "string" or strict.is_list(found) then
      outcome.holds = #found == length
      outcome.reason = ("its length is %d"):format(#found)
    else
      outcome.reason = "neither a list nor a string"
    end
    return outcome
  end,
})

local function compare_numbers(name, text, test)
  add(name, {
    check = of_type "number",
    judge = function(found, bound)
      local outcome = { wanted = ("%s %s"):format(text, bound) }
      if type(found) == "number" then
        outcome.holds = test(found, bound)
      end
      return outcome
    end,
  })
end

--- at_least(n), at_most(n): a number not below, not above n.
compare_numbers("at_least", "at least", function(found, bound) return found >= bound end)
compare_numbers("at_most", "at most", function(found, bound) return found <= bound end)

-- Whether a list holds an item; certificates are also found by identity.
local function list_contains(list, item)
  local outcome = { holds = false }
  for index = 1, #list do
    local wanted = item
    if arguments.class_of(list[index]) == "certificate" then
      wanted = arguments.certificate_of(item) or item
    end
    local result = same(list[index], wanted)
    if result.holds then
      return { holds = true }
    elseif result.holds == nil then
      outcome = { reason = result.reason }
    end
  end
  return outcome
end

--- contains(x): a list with an item that equals x, or a string with the substring x.
add("contains", {
  shows_argument = true,
  check = function(api, ...)
    one_argument(api, ...)
    if (...) == nil then
      strict.raise(api .. ": nil is contained in nothing")
    end
  end,
  judge = function(found, item)
    local outcome = { reason = "neither a list nor a string" }
    if type(found) == "string" and type(item) == "string" then
      outcome = { holds = found:find(item, 1, true) ~= nil }
    elseif strict.is_list(found) then
      outcome = list_contains(found, item)
    end
    outcome.wanted = "something that contains " .. diff.show(item)
    return outcome
  end,
})

--- matches(pattern): a string in which the Lua pattern is found.
add("matches", {
  shows_argument = true,
  check = function(api, ...)
    of_type "string"(api, ...)
    check_pattern(api, (...))
  end,
  judge = function(found, pattern)
    local outcome = { wanted = "a string that matches " .. diff.show(pattern) }
    if type(found) == "string" then
      outcome.holds = found:find(pattern) ~= nil
    else
      outcome.reason = "not a string"
    end
    return outcome
  end,
})

--- has { ... }: a table, end or link that has at least these values, by nested tables or dotted
--- keys. Lists are compared whole, tls.none stands for nil, and what an end cannot have raises.
add("has", {
  check = function(api, ...)
    of_type "table"(api, ...)
    partial.check(api, (...))
  end,
  judge = function(found, wanted)
    local outcome = partial.match(found, wanted)
    outcome.wanted = diff.show(wanted)
    return outcome
  end,
})

--- is(x): a certificate (or an identity's) with the same DER as x (a certificate or identity).
add("is", {
  check = function(api, ...)
    one_argument(api, ...)
    if not arguments.certificate_of(...) then
      strict.raise(("%s: wants a certificate or an identity, got %s"):format(
        api, arguments.describe(...)))
    end
  end,
  judge = function(found, wanted)
    local certificate = arguments.certificate_of(found)
    return {
      holds = certificate ~= nil and certificate == arguments.certificate_of(wanted),
      wanted = diff.show(arguments.certificate_of(wanted)),
    }
  end,
})

--- raises(pattern): a function that raises an error; its text matches the Lua pattern, if given. A
--- failed expectation or a skip inside of it goes on to where it belongs.
add("raises", {
  shows_argument = true,
  check = function(api, ...)
    if select("#", ...) > 0 then
      of_type "string"(api, ...)
      check_pattern(api, (...))
    end
  end,
  judge = function(found, pattern)
    local outcome = { wanted = "a function that raises "
                        .. (pattern and "an error that matches " .. diff.show(pattern)
                            or "an error") }
    if type(found) ~= "function" then
      outcome.reason = "not a function"
      return outcome
    end
    local done, message = pcall(found)
    if done then
      outcome.holds, outcome.reason, outcome.found = false, "it returned", "a function that returns"
      return outcome
    elseif scenario.is_skip(message)
      or (type(message) == "table" and rawget(message, "kind") == "expectation") then
      error(message, 0)
    end
    message = tostring(message)
    outcome.holds = pattern == nil or message:find(pattern) ~= nil
    outcome.reason = "it raised " .. (diff.show_short(message) or "another error")
    outcome.found = "a function that raises " .. diff.show(message)
    return outcome
  end,
})

--- struck(): a fault of tls.faults (of a chain: each of them) has done what it is for.
add("struck", {
  check = no_argument,
  judge = function(found)
    local text, missed = faults.told(found)
    if not text then
      return { reason = "no fault of tls.faults" }
    end
    return {
      holds = missed == nil, found = text, wanted = "a fault that has struck",
      reason = missed or "it has struck",
    }
  end,
})

---------------------------------------------------------------------------------------------------
-- Ends and links

local function is_end_like(value)
  return endpoint.is_end(value) or endpoint.is_snapshot(value)
end

-- Whether a stack can tell it.
local function known(value)
  return value ~= marks.unknown
end

-- The ends that a value stands for, of a connection the one that is here; raises where it has none:
-- that is a mistake, not a finding.
local function ends_of(name, value)
  if link.is_link(value) then
    local far = link.far(value)
    return far and { value[far.role == "client" and "server" or "client"] }
      or { value.client, value.server }
  elseif is_end_like(value) then
    return { value }
  end
  strict.raise(("expect: %s: wants an end or a link, got %s"):format(
    name, arguments.describe(value)))
end

local function check_end(name, value)
  if not is_end_like(value) then
    strict.raise(("expect: %s: wants an end of a link, got %s"):format(
      name, arguments.describe(value)))
  end
end

local function check_link(name, value)
  if not link.is_link(value) then
    strict.raise(("expect: %s: wants a link, got %s"):format(name, arguments.describe(value)))
  end
end

local function alert_text(alert)
  return ("%s %s"):format(alert.level, alert.name)
end

-- What became of an end, on one line.
local function tell(one)
  if not known(one.phase) and not known(one.error) then
    return ("this stack cannot tell what became of the %s, which is not ours"):format(one.role)
  end
  local parts = { tostring(one.phase) }
  if one.handshake_completed == false then
    parts[#parts + 1] = "its handshake not completed"
  end
  local problem = one.error
  if problem and problem ~= marks.unknown then
    parts[#parts + 1] = ("error %s (%s) during %s, told by %s"):format(
      problem.problem, problem.code, one.failed_during, one.told_by)
  else
    parts[#parts + 1] = "no error"
  end
  for _, field in ipairs { "alert_sent", "alert_received" } do
    local alert = one[field]
    if alert and alert ~= marks.unknown then
      parts[#parts + 1] = ("%s %s"):format(field:gsub("_", " "), alert_text(alert))
    end
  end
  return ("the %s: %s"):format(one.role, table.concat(parts, ", "))
end

local function tell_all(ends)
  local lines = {}
  for index, one in ipairs(ends) do
    lines[index] = tell(one)
  end
  return lines
end

-- true, false, or nil where a field that decides cannot be told.
local function has_succeeded(one)
  local completed, problem, phase = one.handshake_completed, one.error, one.phase
  if completed == false or phase ~= "established" and known(phase)
    or problem ~= nil and known(problem) then
    return false
  end
  return known(completed) and known(phase) and known(problem) and completed == true or nil
end

--- succeeded(): the end's handshake is complete, it has no error and is established; on a link,
--- both are; on a connection the end that is here is.
add("succeeded", {
  check = no_argument,
  judge = function(found)
    local ends = ends_of("succeeded", found)
    local holds = true
    for _, one in ipairs(ends) do
      local succeeded = has_succeeded(one)
      if succeeded == false or holds == false then
        holds = false
      elseif succeeded == nil then
        holds = nil
      end
    end
    local lines = tell_all(ends)
    return { holds = holds, wanted = "success", reason = table.concat(lines, "; ") }
  end,
})

local function is_fatal(alert, word)
  return alert ~= nil and known(alert) and alert.level == "fatal" and alert.name == word
end

-- Whether an end failed, with this word if given.
local function has_failed(one, word)
  local problem = one.error
  if not known(problem) then
    return nil
  elseif problem == nil then
    return false
  end
  return word == nil or problem.problem == word or problem.code == word
    or is_fatal(one.alert_sent, word) or is_fatal(one.alert_received, word)
end

local function check_word(api, word)
  local all = { table.unpack(words.problems) }
  for _, list in ipairs { words.codes, native.names "alert" } do
    table.move(list, 1, #list, #all + 1, all)
  end
  for _, one in ipairs(all) do
    if one == word then
      return
    end
  end
  strict.raise(("%s: %s is neither a problem, a GnuTLS code nor an alert%s"):format(
    api, diff.show(word), suggest.hint(word, all)))
end

--- failed(word): the end has an error, and word (if given) is its problem, its GnuTLS code or a
--- fatal alert that it sent or received in this epoch; on a link, that holds for either end, on a
--- connection for the one that is here.
add("failed", {
  shows_argument = true,
  check = function(api, ...)
    if select("#", ...) > 0 then
      of_type "string"(api, ...)
      check_word(api, (...))
    end
  end,
  judge = function(found, word)
    local ends = ends_of("failed", found)
    local holds = false
    for _, one in ipairs(ends) do
      local failed = has_failed(one, word)
      if failed == nil and not holds then
        holds = nil
      elseif failed then
        holds = true
      end
    end
    return { holds = holds, wanted = "failure" .. (word and " with " .. diff.show(word) or ""),
             reason = table.concat(tell_all(ends), "; ") }
  end,
})

local function tell_verification(one)
  local result = one.verification
  if not known(result) then
    return "this stack cannot tell"
  elseif result == nil then
    return ("the %s verified nothing"):format(one.role)
  end
  return ("the %s judged: %s; problems %s; %s"):format(
    one.role, result.verified and "verified" or "not verified", diff.show(result.problems),
    result.text or "")
end

--- verified(): the end verified its peer's chain and found nothing wrong.
add("verified", {
  check = no_argument,
  judge = function(found)
    check_end("verified", found)
    local result = found.verification
    local outcome = { wanted = "a verified peer", reason = tell_verification(found) }
    if known(result) then
      outcome.holds = result ~= nil and result.verified == true
    end
    return outcome
  end,
})

--- unverified(problem): the end verified its peer's chain and found it wrong, with this problem if
--- given.
add("unverified", {
  shows_argument = true,
  check = function(api, ...)
    if select("#", ...) > 0 then
      of_type "string"(api, ...)
      arguments.check_one(api, { name = "problem", type = "word",
                                 words = words.verification_problems }, (...))
    end
  end,
  judge = function(found, problem)
    check_end("unverified", found)
    local result = found.verification
    local outcome = { reason = tell_verification(found), wanted = "a peer that is not verified"
                        .. (problem and ", for " .. diff.show(problem) or "") }
    if known(result) then
      outcome.holds = result ~= nil and result.verified == false
        and (problem == nil or list_contains(result.problems, problem).holds)
    end
    return outcome
  end,
})

local function by_lines(lines, wanted)
  local outcome = { holds = #lines == 0, notes = lines, wanted = wanted, reason = lines[1] }
  if lines.unknown and not lines.differs then
    outcome.holds = nil
  end
  return outcome
end

--- mirrored(): each end of a link reports as its own chain what the other reports as its peer's.
add("mirrored", {
  check = no_argument,
  judge = function(found)
    check_link("mirrored", found)
    return by_lines(reported.mismatches(found),
                    "each end's own chain reported by the other as its peer's")
  end,
})

--- truthful(): what each end of a link reports as its own and its peer's chain is what Certificate
--- messages carried: of this epoch, else of the last that had one, else of the resumed session.
add("truthful", {
  check = no_argument,
  judge = function(found)
    check_link("truthful", found)
    return by_lines(reported.untruths(found, link.carried(found)),
                    "the chains that Certificate messages carried")
  end,
})

return matchers
