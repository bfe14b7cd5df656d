-- SPDX-License-Identifier: MIT
-- The command line: which command with which options. What is wrong with it is said on standard
-- error, with exit status 2.
local argparse = require "argparse"
local native = require "moonshake.native"
local escape = require "moonshake.escape"
local suggest = require "moonshake.suggest"

local UNUSABLE = 2

-- Of the contract, but not of this version: an option that was ignored would turn a run green.
local LATER_COMMANDS = {
  "show", "probe", "serve", "matrix", "explain", "repl", "init", "doctor",
}
local LATER_OPTIONS = {
  "-j", "--shuffle", "--repeat", "--last-failed", "--shard", "--client", "--server", "--pcap",
  "--report", "--durations", "--watch", "--keep",
}
local LATER_FORMATS = { junit = true, json = true, github = true }

local function to_format(text)
  if text == "pretty" or text == "tap" then
    return text
  elseif LATER_FORMATS[text:match "^[^=]*"] or text:find "^tap=" or text:find "^pretty=" then
    return nil, ("--format %s is not part of this version"):format(text)
  end
  return nil, ("unknown format '%s'%s"):format(text, suggest.hint(text, { "pretty", "tap" }))
end

local function to_seconds(text)
  local seconds = tonumber(text)
  if seconds and seconds > 0 and seconds < math.huge then
    return seconds
  end
  return nil, ("--timeout: a number of seconds above 0 wanted, got '%s'"):format(text)
end

local function add_selection(command)
  command:argument("path", "A scenario file, a directory of them, or the id of a case."):args "*"
end

local function add_run(parser, later)
  local run = parser:command("run", "Run scenarios (default: those of scenarios/).")
  add_selection(run)
  run:option("-k", "Only cases whose id contains TEXT."):argname "TEXT":target "text"
  run:option("--tag", "Only cases with tag T; !T: without it. Several: any of them.")
    :argname "T":count "*":target "tags"
  run:flag("-x --fail-fast", "Stop at the first failure.")
  run:option("--timeout", "For each case, instead of its own."):argname "SECONDS"
    :convert(to_seconds)
  run:option("--format", "pretty (default) or tap."):argname "FORMAT":default "pretty"
    :convert(to_format)
  for _, name in ipairs(LATER_OPTIONS) do
    run:option(name):args "?":hidden(true):action(function() later(name) end)
  end
end

-- `later(name)` is called for what a later version will have.
local function make_parser(later)
  local parser = argparse("moonshake", "A TLS test harness that is scripted in Lua.")
  parser:command_target "command"
  parser:require_command(false)
  parser:flag("--version", "Print the versions of this program and its TLS library.")
  add_run(parser, later)
  local list = parser:command("list", "List cases, one id a line (default: those of scenarios/).")
  add_selection(list)
  list:option("--format", "text (default) or json."):choices { "text", "json" }:default "text"
  local lua = parser:command("lua", "Run a Lua program with the module at hand.")
  lua:handle_options(false)
  lua:argument("file", "The program.")
  lua:argument("arguments", "What it gets as ..."):args "*"
  for _, name in ipairs(LATER_COMMANDS) do
    parser:command(name):hidden(true):handle_options(false):action(function() later(name) end)
      :argument("rest"):args "*"
  end
  return parser
end

-- argparse has no suggestions for options.
local function complaint(message)
  local option = message:match "^unknown option '(.*)'$"
  if not option then
    return message
  end
  local words = { "--help", "--version", "-k", "--tag", "--fail-fast", "--timeout", "--format" }
  for _, name in ipairs(LATER_OPTIONS) do
    words[#words + 1] = name
  end
  return message .. suggest.hint(option:match "^[^=]*", words)
end

local function refuse(message)
  io.stderr:write("moonshake: ", table.concat(escape.lines(message), "\n"), "\n")
  return UNUSABLE
end

-- Each command is a file of its own, loaded when it is wanted.
local COMMANDS = { run = true, list = true, lua = true }

--- Runs a command line.
---@param arguments string[] as Lua's `arg`: [0] is the program, [1] ... what follows it
---@return integer status the exit status
return function(arguments)
  local program = arguments[0] or "moonshake"
  local refused
  local parser = make_parser(function(name)
    refused = refused or name .. " is not part of this version"
  end)
  local parsed, options = parser:pparse(arguments)
  if refused or not parsed then
    return refuse(refused or complaint(options))
  elseif options.version then
    print(("moonshake %s (%s, %s)"):format(native.version, native.stack, _VERSION))
    return 0
  elseif not COMMANDS[options.command] then
    io.stderr:write(parser:get_help(), "\n")
    return UNUSABLE
  end
  return require("moonshake.commands." .. options.command)(options, program)
end
