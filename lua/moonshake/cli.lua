-- SPDX-License-Identifier: MIT
-- The command line: which command with which options. What is wrong with it is said on standard
-- error, with exit status 2.
local native = require "moonshake.native"
local complain = require "moonshake.report.complain"
local suggest = require "moonshake.suggest"
local values = require "moonshake.option_values"
local STATUS = require("moonshake.runner.tally").STATUS

-- Of the contract, but not of this version: an option that was ignored would turn a run green.
local LATER_COMMANDS = {
  "matrix", "repl", "init", "doctor",
}
local LATER_OPTIONS = { "--client", "--server" }

-- Options of run: as argparse takes them, what follows, where the value goes, what it may be, help.
-- What nothing follows is a flag; without a way to read it a value is taken as it is, see
-- option_values.lua.
local RUN = {
  { "--last-failed", nil, "last_failed", nil, "Only cases that failed when they ran last." },
  { "--shard", "I/N", "shard", values.shard,
    "Only the cases of shard I of N; auto: as this machine's engine says." },
  { "--shuffle", "SEED", "seed", values.seed,
    "In another order; --shuffle=SEED in that of a seed." },
  { "--repeat", "N", "repeats", values.whole("--repeat", 1), "Run each case N times." },
  { "-x --fail-fast", nil, "fail_fast", nil, "Stop at the first failure." },
  { "--max-fail", "N", "max_fail", values.whole("--max-fail", 1), "Stop at the Nth failure." },
  { "-j --jobs", "N", "jobs", values.whole("--jobs", 1),
    "So many cases at a time (default: processors)." },
  { "--timeout", "SECONDS", "timeout", values.seconds, "For each case, instead of its own." },
  { "--memory", "SIZE", "memory", values.size,
    "What a worker may use: 512M, 2G (default: 1G)." },
  { "--watch", nil, "watch", nil, "Run again what changes, until Ctrl-C." },
  { "--skip-status", "N", "skip_status", values.status,
    "Exit with N where every case was skipped." },
  { "--pcap", "DIR", "pcap", nil, "Write what each case's links carried to files of DIR." },
  { "--pcap-failures", "DIR", "pcap_failures", nil, "The same, only of cases that fail." },
  { "--keep", nil, "keep", nil, "Leave the cases' directories." },
  { "--record", "FILE", "record", nil, "Keep every case's state, the same in each run." },
  { "--compare", "FILE", "compare", nil,
    "Tell what changed since FILE was recorded; a difference fails the run." },
  { "--certificates", "FILE", "certificates", values.place,
    "Tell which certificates were presented; --certificates=FILE as JSON." },
}

-- In the same way, of whatever tells reports.
local REPORTS = {
  { "--report", "DIR", "report", nil, "Also as web pages, from DIR/index.html on." },
  { "--junit-extras", nil, "junit_extras", nil,
    "In JUnit, also what GitLab and CircleCI read and Jenkins refuses: file and line." },
  { "--durations", "N", "durations", values.whole("--durations", 0),
    "Tell the N slowest cases; 0: all." },
}

local function add_options(command, rows)
  for _, row in ipairs(rows) do
    local names, argument, target, convert, help = table.unpack(row, 1, 5)
    if argument then
      command:option(names, help):argname(argument):target(target)
        :convert(convert or values.taken(names:match "%-%-.*", argument))
    else
      command:flag(names, help):target(target)
    end
  end
end

local function add_selection(command)
  command:argument("path", "A scenario file, FILE:LINE, a directory, or the id of a case.")
    :args "*"
  command:option("-k", "Only cases whose id contains TEXT."):argname "TEXT":target "text"
  command:option("--tag", "Only cases with tag T; !T: without it. Several: any of them.")
    :argname "T":count "*":target "tags"
end

local function add_reports(command)
  command:option("--format",
                 "pretty (default), tap, junit, json or github; FORMAT=FILE writes to a file.")
    :argname "FORMAT":count "*":target "formats":convert(values.format)
  add_options(command, REPORTS)
end

local function add_run(parser, later)
  local run = parser:command("run", "Run scenarios (default: those of scenarios/).")
  add_selection(run)
  add_options(run, RUN)
  add_reports(run)
  for _, name in ipairs(LATER_OPTIONS) do
    run:option(name):args "?":hidden(true):action(function() later(name) end)
  end
end

local SHOW = {
  { "--beside", nil, "beside", nil,
    "TLS 1.2 and 1.3 side by side, or two cases that differ in one value." },
  { "--output", "FILE", "output", nil, "Write to a file." },
}

local function add_show(parser)
  local show = parser:command("show", "Run one case and tell what happened, step by step.")
  show:argument("id", "The id of a case (what list prints), or FILE:LINE."):args "1-2"
  show:option("--format", "text (default), mermaid, svg or json.")
    :choices { "text", "mermaid", "svg", "json" }:default "text"
  add_options(show, SHOW)
end

local IMPORT = {
  { "--keylog", "FILE", "keylog", nil, "The secrets, where the capture has none." },
  { "--output", "FILE", "output", nil, "Write to a file." },
  { "--stream", "N", "stream", values.whole("--stream", 0),
    "The connection, as Wireshark numbers TCP streams." },
}

local PROBE = {
  { "--cert", "FILE", "cert", nil, "Our certificate, and its chain behind it (PEM)." },
  { "--key", "FILE", "key", nil, "Its key (PEM); default: it is in --cert, too." },
  { "--p12", "FILE", "p12", nil, "Certificate and key as PKCS #12." },
  { "--password-file", "FILE", "password_file", nil,
    "The password of the key or of --p12: the first line of FILE." },
  { "--ca", "FILE", "ca", nil, "Whom we trust (PEM; default: whom the system trusts)." },
  { "--servername", "NAME", "servername", nil,
    "The name to ask for and to verify (default: HOST)." },
  { "--timeout", "SECONDS", "timeout", values.seconds, "For each connection (default: 10)." },
  { "--alpn", "LIST", "alpn", nil, "Protocols to offer: h2,http/1.1." },
  { "--request", "PATH", "request", values.request, "What to ask for by HTTP (default: /)." },
  { "--issuer", "FILE", "issuer", nil,
    "An authority that the server trusts, to see how deep a chain below it may be;" },
  { "--issuer-key", "FILE", "issuer_key", nil, "and its key." },
  { "--json", nil, "json", nil, "One object, for programs." },
  { "--write", "FILE", "write", nil, "Keep a scenario that shows the same in process." },
}

local function add_probe(parser)
  local probe = parser:command("probe", "Connect to a server and tell why it refuses us.",
    "Exit status: 0 accepted, 1 refused by the server or by us, 2 the command line cannot be used, "
    .. "3 unreachable, or no TLS there.")
  probe:argument("target", "HOST:PORT, [ADDRESS]:PORT, HOST (port 443) or unix:PATH.")
  add_options(probe, PROBE)
  probe:option("--starttls", "Ask for TLS first, in ftp, imap, ldap, pop3, postgres, smtp or xmpp.")
    :argname "PROTOCOL"
    :choices { "ftp", "imap", "ldap", "pop3", "postgres", "smtp", "xmpp" }
end

local SERVE = {
  { "--cert", "FILE", "cert", nil,
    "The server's certificate, and those that lead to its root (PEM). Without: one is made." },
  { "--key", "FILE", "key", nil, "Its key, if it is in another file." },
  { "--ca", "FILE", "ca", nil, "Whose certificates are good for a client (PEM)." },
  { "--make-client", "DIR", "make_client", nil,
    "Make a certificate and key for a client, which is let in." },
  { "--host", "ADDRESS", "host", nil,
    "Where to listen (default: 127.0.0.1, which only this machine reaches)." },
  { "--port", "N", "port", values.port, "On which port (default: one that is free)." },
  { "--path", "FILE", "path", nil, "Listen on a unix socket instead." },
  { "--versions", "LIST", "versions", nil, "TLS versions: TLS1.2,TLS1.3 (default: these)." },
  { "--ask-at", "PATH", "ask_at", values.url_path,
    "Ask for a certificate when this path or one below is wanted: by renegotiation, or after the "
    .. "handshake." },
  { "--timeout", "SECONDS", "timeout", values.seconds,
    "For a handshake, a request, an answer (default: 10)." },
  { "--clients", "N", "clients", values.whole("--clients", 1), "End after N clients." },
  { "--once", nil, "once", nil, "End after one." },
  { "--json", nil, "json", nil, "Tell each client as a JSON object on a line." },
  { "--quiet", nil, "quiet", nil, "Tell the address and the sum only." },
  { "--log", "DIR", "log", nil,
    "Write a capture of each client to a file of DIR. They hold session keys." },
}

local function add_serve(parser)
  local serve = parser:command("serve", "Be a TLS server that tells about each client.")
  serve:option("--client-auth", "Whether clients are asked for a certificate: none (default), "
               .. "request or require (default with --ask-at).")
    :choices { "none", "request", "require" }
  serve:option("--on-refusal", "close (default), as a server does, or explain: go on, and tell a "
               .. "client that is not let in why, by HTTP."):choices { "close", "explain" }
  add_options(serve, SERVE)
end

-- `later(name)` is called for what a later version will have.
local function make_parser(later)
  local argparse = require "argparse"
  local parser = argparse("moonshake", "A TLS test harness that is scripted in Lua.")
  parser:command_target "command"
  parser:require_command(false)
  parser:flag("--version", "Print the versions of this program and its TLS library.")
  add_run(parser, later)
  local list = parser:command("list", "List cases, one id a line (default: those of scenarios/).")
  add_selection(list)
  list:option("--format", "text (default) or json."):choices { "text", "json" }:default "text"
  add_show(parser)
  add_probe(parser)
  add_serve(parser)
  local merge = parser:command("merge", "Join the JSON reports of all shards of a run.")
  merge:argument("file", "What run --format json=FILE wrote, of each shard."):args "+"
  add_reports(merge)
  local explain = parser:command("explain", "What an alert, a problem or an error means.")
  explain:argument("word", "Its name or number, or what another TLS stack prints of it.")
    :args "*":target "words"
  local import = parser:command("import", "Write a scenario that shows what a capture shows.")
  import:argument("file", "The capture: pcapng or what else tshark reads.")
  add_options(import, IMPORT)
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

-- The options that rows are added for, by command.
local ROWS = {
  run = { RUN, REPORTS }, merge = { REPORTS }, show = { SHOW }, probe = { PROBE },
  serve = { SERVE },
  import = { IMPORT },
}

-- argparse suggests only what is very near.
local function complaint(message, command)
  local option = message:match "^unknown option '(.*)'$"
  if not option then
    return message
  end
  local words = { "--help", "--version", "--tag", "--format" }
  for _, rows in ipairs(ROWS[command] or {}) do
    for _, row in ipairs(rows) do
      words[#words + 1] = row[1]:match "%-%-.*"
    end
  end
  return message .. suggest.hint(option:match "^[^=]*", words)
end

-- Options whose value may be missing: a word behind them would be taken for it, so it is given with
-- a = only.
local ALONE = { ["--shuffle"] = values.ANY_SEED, ["--certificates"] = values.NO_PLACE }

local function with_values(arguments)
  local made = { [0] = arguments[0] }
  for index, word in ipairs(arguments) do
    if word == "--" then
      return table.move(arguments, index, #arguments, index, made)
    end
    made[index] = ALONE[word] and word .. "=" .. ALONE[word] or word
  end
  return made
end

-- A number below zero would be taken for an option.
local function with_number(arguments)
  local made = table.move(arguments, 0, #arguments, 0, {})
  for index, word in ipairs(made) do
    if word == "--" then
      break
    elseif word:find "^%-%d+$" then
      table.insert(made, index, "--")
      break
    end
  end
  return made
end

local MADE_CLEAR = { run = with_values, explain = with_number }

-- Each command is a file of its own, loaded when it is wanted.
local COMMANDS = {
  run = true, list = true, show = true, probe = true, serve = true, merge = true, explain = true,
  import = true, lua = true,
}

--- Runs a command line.
---@param arguments string[] as Lua's `arg`: [0] is the program, [1] ... what follows it
---@return integer status the exit status
return function(arguments)
  local program = arguments[0] or "moonshake"
  if arguments[1] == "worker" then -- one a file; a third of its start would go into the parser
    return require "moonshake.commands.worker"()
  end
  local refused
  local parser = make_parser(function(name)
    refused = refused or name .. " is not part of this version"
  end)
  local make_clear = MADE_CLEAR[arguments[1]]
  local parsed, options = parser:pparse(make_clear and make_clear(arguments) or arguments)
  if not refused and parsed and options.formats then
    refused = values.one_at_standard_output(options.formats)
  end
  if not refused and parsed and options.pcap and options.pcap_failures then
    refused = "--pcap writes captures of all cases, --pcap-failures of those that fail: one of them"
  end
  if refused or not parsed then
    return complain(refused or complaint(options, arguments[1]))
  elseif options.version then
    print(("moonshake %s (%s, %s)"):format(native.version, native.stack, _VERSION))
    return 0
  elseif not COMMANDS[options.command] then
    io.stderr:write(parser:get_help(), "\n")
    return STATUS.unusable
  end
  return require("moonshake.commands." .. options.command)(options, program)
end
