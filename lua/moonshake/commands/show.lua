-- SPDX-License-Identifier: MIT
-- moonshake show: runs one case and tells what happened in it; with --beside two that differ in one
-- value of their matrix.
local complain = require "moonshake.report.complain"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local runner = require "moonshake.runner"
local show_layout = require "moonshake.report.show_layout"

local GIBIBYTE = 1 << 30
local MOST_LISTED = 20

-- The cases that a word means; nil and the exit status where there is none.
local function cases_of(word)
  local resolved, status = runner.select { words = { word }, jobs = 1 }
  complain(table.unpack(resolved.problems))
  complain(table.unpack(resolved.unmatched))
  return #resolved.cases > 0 and resolved.cases or nil, status
end

---------------------------------------------------------------------------------------------------
-- Which two

-- The only name of the matrix by which two cases of a scenario differ; nil for none or several.
local function difference(a, b)
  local found
  for name, value in pairs(a.params) do
    if b.params[name] ~= value then
      if found then
        return nil
      end
      found = name
    end
  end
  return a.file == b.file and a.name == b.name and found or nil
end

local OTHER_VERSION = { ["TLS1.2"] = "TLS1.3", ["TLS1.3"] = "TLS1.2" }

local function is_pair_of_versions(a, b)
  return difference(a, b) == "version" and OTHER_VERSION[a.params.version] == b.params.version
end

-- The pairs of cases for which `fits` holds, in their order.
local function pairs_of(cases, fits)
  local found = {}
  for first = 1, #cases do
    for second = first + 1, #cases do
      if fits(cases[first], cases[second]) then
        found[#found + 1] = { cases[first], cases[second] }
      end
    end
  end
  return found
end

-- The pair that is meant where it is one: TLS 1.2 and 1.3, or else the only one that differs in one
-- value.
local function pair_among(cases)
  for _, fits in ipairs { is_pair_of_versions, difference } do
    local found = pairs_of(cases, fits)
    if #found > 0 then
      return #found == 1 and found[1] or nil
    end
  end
end

-- A case with the one that stands beside it.
local function pair_with(case, cases)
  local found = {}
  for _, other in ipairs(cases) do
    local name = difference(case, other)
    if name == "version" and OTHER_VERSION[case.params.version] == other.params.version then
      return pairs_of(cases, function(a, b) return a == case and b == other
                                              or a == other and b == case end)[1]
    end
    found[#found + 1] = name and other or nil
  end
  return #found == 1 and { case, found[1] } or nil
end

---------------------------------------------------------------------------------------------------

-- Says which cases there are to choose from.
local function ask_to_choose(word, cases, beside)
  if #cases == 1 then
    return nil, complain(word .. ": no other case differs from it in one value only")
  end
  local status = complain(("%s means %d cases: choose %s"):format(word, #cases,
                                                                  beside and "two" or "one"))
  for index, case in ipairs(cases) do
    if index > MOST_LISTED then
      complain(("... %d more: moonshake list %s"):format(#cases - MOST_LISTED,
                                                         escape.shell(cases[1].file)))
      break
    end
    io.stderr:write("  ", escape.line(escape.shell(case.id)), "\n")
  end
  if not beside and pair_among(cases) then
    complain(("or two: moonshake show --beside %s"):format(escape.shell(word)))
  end
  return nil, status
end

local function chosen(word, beside)
  local cases, status = cases_of(word)
  if not cases then
    return nil, status
  elseif not beside then
    if #cases > 1 then
      return ask_to_choose(word, cases)
    end
    return cases
  end
  local case = #cases == 1 and cases[1]
  if case then
    cases, status = cases_of(case.file .. "::" .. case.name)
    for _, other in ipairs(cases or {}) do
      case = other.id == case.id and other or case
    end
  end
  local pair = cases and (case and pair_with(case, cases) or not case and pair_among(cases))
  if cases and not pair then
    return ask_to_choose(word, cases, true)
  end
  return pair, status
end

-- The cases to be shown; nil and the exit status.
local function select_cases(options)
  local words = options.id
  if #words == 1 then
    return chosen(words[1], options.beside)
  elseif not options.beside then
    return nil, complain "one case is shown at a time; two stand beside each other with --beside"
  end
  local both = {}
  for index, word in ipairs(words) do
    local one, status = chosen(word, false)
    if not one then
      return nil, status
    end
    both[index] = one[1]
  end
  return both
end

-- Whether a terminal shows more than ASCII.
local function is_unicode()
  for _, name in ipairs { "LC_ALL", "LC_CTYPE", "LANG" } do
    local value = os.getenv(name)
    if value and value ~= "" then
      return value:lower():find "utf%-?8" ~= nil
    end
  end
  return false
end

--- Runs the command.
---@param options table as the command line was parsed
---@param program string what it was called as, for rerun lines
---@return integer status that of running the cases
return function(options, program)
  local cases, status = select_cases(options)
  if not cases then
    return status
  end
  local terminal = not options.output and files.is_terminal(1)
  local width = terminal and files.terminal_width() or 80
  local words = {}
  for index, case in ipairs(cases) do
    words[index] = case.id
  end
  return (runner.run {
    words = words, jobs = 1, memory = GIBIBYTE, aside = true,
    evidence = {
      story = { width = show_layout.of_each(#cases, width), ends = options.format == "json" },
    },
    reports = { { format = "show", path = options.output } },
    context = {
      program = program, terminal = terminal, form = options.format,
      width = function() return width end, unicode = terminal and is_unicode(),
    },
  })
end
