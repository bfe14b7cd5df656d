-- SPDX-License-Identifier: MIT
-- Whether lua/README.md names everything that scripts can use, and in its tables nothing else; and
-- scenarios/README.md every family.
--   moonshake lua tests/docs/reference.lua
-- What exists is asked of the library where it can tell: options, fields, words, matchers. Methods
-- are read off the source.
local clock = require "moonshake.clock"
local endpoint = require "moonshake.endpoint"
local explain = require "moonshake.views.explain"
local files = require "moonshake.io.files"
local flight = require "moonshake.flight"
local matchers = require "moonshake.matchers"
local ms = require "moonshake"
local native = require "moonshake.native"
local options = require "moonshake.options"
local relayed = require "moonshake.relay.record"
local strict = require "moonshake.strict"
local markdown = require "markdown"

local LIBRARY = "lua/moonshake/"

local path, lines
local complaints = 0

local function complain(format, ...)
  complaints = complaints + 1
  print(("%s: %s"):format(path, format:format(...)))
end

local function open(readme)
  path, lines = readme, markdown.lines(markdown.read(readme))
end

-- Whether a text in code marks has a word as a whole.
local function has_word(codes, word)
  local pattern = (word:find "^%w" and "%f[%w_]" or "") .. word:gsub("%p", "%%%0") .. "%f[^%w_]"
  for _, code in ipairs(codes) do
    if code:find(pattern) then
      return true
    end
  end
  return false
end

---------------------------------------------------------------------------------------------------
-- Tables that must have a row for each of these, and no other

-- Rows by each name in code marks in their first cell: the name alone, of a call the function's.
local function rows_by_name(heading)
  local rows = markdown.rows(lines, heading)
  if not rows then
    complain("there is no section \"%s\"", heading)
    return {}
  end
  local by_name = {}
  for _, row in ipairs(rows) do
    for _, code in ipairs(markdown.code(row.first)) do
      by_name[code:match "^[%w_-]+/$" or code:match "^[%w_.]+"] = row
    end
  end
  return by_name
end

-- `wanted`: name -> list of words that the row must have in code marks, too.
local function check_table(heading, wanted)
  local rows = rows_by_name(heading)
  for name, words in pairs(wanted) do
    if not rows[name] then
      complain("%s: `%s` has no row", heading, name)
    else
      for _, word in ipairs(words) do
        if not has_word(markdown.code(rows[name].line), word) then
          complain("%s: the row of `%s` does not name `%s`", heading, name, word)
        end
      end
    end
  end
  for name in pairs(rows) do
    if not wanted[name] then
      complain("%s: there is no `%s`", heading, name)
    end
  end
end

local function of_names(names)
  local wanted = {}
  for _, name in ipairs(names) do
    wanted[name] = {}
  end
  return wanted
end

local function of_options(list)
  local wanted = {}
  for _, option in ipairs(list) do
    if not option.later then
      wanted[option.name] = option.words or {}
    end
  end
  return wanted
end

-- A record's fields are told in its row, but for those of schemas with a table of their own.
local OWN_TABLE = { verification = true, hello = true }

local function of_schema(schema)
  local wanted = {}
  for _, name in ipairs(schema.names) do
    local below = schema.by_name[name].schema
    wanted[name] = below and not OWN_TABLE[name] and below.names or {}
  end
  return wanted
end

-- The names of several schemas, in tables below one heading.
local function of_fields(schemas)
  local wanted = {}
  for _, schema in ipairs(schemas) do
    for name, words in pairs(of_schema(schema)) do
      wanted[name] = words
    end
  end
  return wanted
end

-- Faults with their options, but for those that all of them have.
local COMMON = { from = true, nth = true }
local function of_faults()
  local wanted = { ["tls.faults.chain"] = {} }
  for name, list in pairs(options.faults) do
    local words = {}
    for _, option in ipairs(list) do
      words[#words + 1] = not COMMON[option.name] and option.name or nil
    end
    wanted["tls.faults." .. name] = words
  end
  return wanted
end

-- A relay's options, and what its connections tell.
local function of_relays()
  local wanted = of_options(options.relay)
  for name, words in pairs(of_schema(relayed.schema)) do
    wanted[name] = words
  end
  return wanted
end

-- The keys of a scenario, as scenario.lua lists them.
local function scenario_keys()
  local keys, inside = {}, false
  for _, line in ipairs(markdown.lines(markdown.read(LIBRARY .. "scenario.lua"))) do
    inside = line == "local KEYS = {" or inside and line ~= "}"
    keys[#keys + 1] = inside and line:match "^  ([%l_]+) = " or nil
  end
  assert(#keys > 0, "no keys were found in scenario.lua")
  return keys
end

open "lua/README.md"
local ends = of_schema(endpoint.schema)
ends.history = {}
check_table("Scenarios", of_names(scenario_keys()))
check_table("Options of an end", of_options(options.ends))
check_table("Options of a certificate", of_options(options.certificate))
check_table("Pictures of a link", of_options(options.diagram))
check_table("Options of pki.verify", of_options(options.verify))
check_table("Foreign programs", of_options(options.program))
check_table("Fields of an end", ends)
check_table("Fields of a certificate",
            of_schema(strict.schema("certificate", native.fields "certificate")))
check_table("A verification result",
            of_schema(strict.schema("verification", native.fields "verification")))
local event = strict.schema("event", native.fields "event")
check_table("Tampering", of_fields { flight.schema, flight.record_schema })
check_table("Faults", of_faults())
check_table("Relays", of_relays())
check_table("Events", of_schema(event))
check_table("What hellos say", of_schema(event.by_name.hello.schema))
local go = require "moonshake.views.projections.go"
local python = require "moonshake.views.projections.python"
check_table("Go", of_schema(go.schema))
check_table("Go: certificates", of_schema(go.certificate_schema))
check_table("channelz", of_schema(require("moonshake.views.projections.channelz").schema))
check_table("Envoy", of_schema(require("moonshake.views.projections.envoy").schema))
check_table("Python", of_schema(python.schema))
check_table("Python: getpeercert()", of_schema(python.peer_schema))
check_table("Explanations", of_schema(explain.schema))
check_table("Problems", of_names(native.words "problem"))
check_table("Verification problems", of_names(native.words "verification"))
check_table("Matchers", of_names(matchers.names))

---------------------------------------------------------------------------------------------------
-- Names that must stand somewhere

local all = {}
for _, line in ipairs(lines) do
  table.move(markdown.code(line), 1, #markdown.code(line), #all + 1, all)
end

local function check_named(list, prefix)
  for _, name in ipairs(list) do
    if not has_word(all, (prefix or "") .. name) then
      complain("`%s` is nowhere", (prefix or "") .. name)
    end
  end
end

local function keys(of)
  local names = {}
  for name in next, of do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

-- The methods that a file of the library defines: "function methods:renegotiate(given)".
local function methods_in(file)
  local names = {}
  for _, line in ipairs(markdown.lines(markdown.read(LIBRARY .. file))) do
    names[#names + 1] = line:match "^function [%l]+:([%l][%w_]*)%("
  end
  assert(#names > 0, "no methods were found in " .. file)
  return names
end

local function names_of(list)
  local names = {}
  for _, option in ipairs(list) do
    names[#names + 1] = option.name
  end
  return names
end

check_named(keys(ms), "ms.")
check_named(keys(ms.pki), "pki.")
check_named(keys(ms.tls), "tls.")
check_named(keys(clock), "ms.clock:")
check_named(methods_in "link.lua", "link:")
check_named(methods_in "foreign.lua", "program:")
check_named(methods_in "relay.lua", "relay:")
check_named(methods_in "relay/record.lua", "connection:")
check_named(names_of(options.relay_wait))
check_named(names_of(options.relay_to))
check_named(methods_in "endpoint.lua", "end:")
check_named(methods_in "pki.lua", ":")
check_named(methods_in "certificates.lua", ":")
for _, list in ipairs { "renegotiate", "update_keys", "close", "send", "state", "diagram", "chain",
                        "with", "load", "load_pkcs12", "pkcs12", "ends", "certificate",
                        "verify" } do
  check_named(names_of(options[list])) -- those of another version, too
end
check_named(options.later_fields)
check_named(native.key_words)

---------------------------------------------------------------------------------------------------

-- A family is a folder with scenarios in it.
open "scenarios/README.md"
local families = {}
for _, file in ipairs(assert(files.list "scenarios")) do
  local family = file:match "^scenarios/([^/]+/).*%.lua$"
  if family then
    families[family] = {}
  end
end
check_table("The families", families)

print(complaints == 0 and "reference: complete" or ("reference: %d complaints"):format(complaints))
os.exit(complaints == 0 and 0 or 1)
