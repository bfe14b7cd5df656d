-- SPDX-License-Identifier: MIT
-- moonshake probe: what a server makes of us, and we of it.
local colours = require "moonshake.report.colours"
local complain = require "moonshake.report.complain"
local ends = require "moonshake.settings"
local escape = require "moonshake.escape"
local files = require "moonshake.io.files"
local pki = require "moonshake.pki"
local probe = require "moonshake.probe"
local target = require "moonshake.probe.target"
local STATUS = require("moonshake.runner.tally").STATUS

local WIDTH = 80 -- where there is no terminal
local PRIVATE = tonumber("600", 8) -- mode of a file that tells of a server
local VERDICTS = { accepted = 0, refused = 1, unreachable = 3 }

-- Raises what is wrong with the command line as { message = }.
local function refuse(message)
  error({ unusable = message }, 0)
end

-- What a function of the library raises about a file is about the command line here: `options`
-- are the names of its arguments as options.
local function load(options, f, ...)
  local done, result = pcall(f, ...)
  if not done then
    local message = tostring(result):gsub("^[^:]*:%d+: ", ""):gsub("^pki%.[%w_]+: ", "")
      :gsub("^client: ", "")
    local argument, rest = message:match "^([%l_]+): (.*)$"
    local option = options[argument]
    refuse(option and ("%s: %s"):format(option, rest) or ("%s: %s"):format(options[1], message))
  end
  return result
end

local function password_of(options)
  if not options.password_file then
    return nil
  end
  local text, message = files.read(options.password_file)
  if not text then
    refuse("--password-file: " .. message)
  end
  return (text:gsub("\r?\n.*$", ""))
end

local function identity_of(options)
  if options.p12 then
    if options.cert or options.key then
      refuse "--p12 has certificate and key: without --cert and --key"
    end
    return load({ "--p12", file = "--p12" }, pki.load_pkcs12,
                { file = options.p12, password = password_of(options) })
  elseif options.cert then
    return load({ "--cert", certificate = "--cert", key = options.key and "--key" or "--cert" },
                pki.load, { certificate = options.cert, key = options.key or options.cert,
                            password = password_of(options) })
  elseif options.key then
    refuse "--key needs --cert: the certificate that belongs to it"
  end
end

local function authority_of(options)
  if not options.issuer and not options.issuer_key then
    return nil
  elseif not (options.issuer and options.issuer_key) then
    refuse "--issuer and --issuer-key belong together"
  end
  local authority = load({ "--issuer", certificate = "--issuer", key = "--issuer-key" }, pki.load, {
    certificate = options.issuer, key = options.issuer_key, password = password_of(options),
  })
  if not authority.certificate.is_ca then
    refuse("--issuer: no authority: " .. options.issuer)
  end
  return authority
end

-- Where progress is told: one line that is written over, on a terminal alone.
local function progress()
  if not files.is_terminal(2) then
    return function() end
  end
  return function(label)
    io.stderr:write("\r\27[K", label and "probe: " .. escape.short(label, 60) or "")
    io.stderr:flush()
  end
end

-- What no client can be told is wrong with the command line, too.
local function check_client(name, protocols)
  load({ "--servername", server_name = "--servername", alpn = "--alpn" }, function()
    local checked = ends.check("client", "client", { server_name = name, alpn = protocols })
    ends.make("client", "client", checked, {})
  end)
end

local function settings_of(options)
  local place, problem = target.parse(options.target, options.starttls)
  if not place then
    refuse(problem)
  end
  local host = place.host
  local is_address = host ~= nil and target.is_address(host)
  local name = options.servername or not is_address and host or nil
  if name and target.is_address(name) then
    refuse("--servername: a name wanted, no address: " .. name)
  end
  check_client(name, options.alpn)
  return {
    place = place, server_name = name, verify_name = name or host, timeout = options.timeout,
    is_address = not name and is_address,
    trust = options.ca and load({ "--ca" }, pki.certificates, options.ca) or "system",
    identity = identity_of(options), authority = authority_of(options),
    protocol = options.starttls, alpn = options.alpn, request = options.request,
  }
end

-- What the scenario does otherwise than the server is said in it, and that it does is said here.
local function write_scenario(found, path)
  local text, told = require "moonshake.probe.scenario"(found)
  local done, problem
  if text then
    done, problem = files.write(path, text, PRIVATE)
  else
    problem = "there is nothing to show: " .. told
  end
  if not done then
    complain("probe: --write: " .. problem)
    return found.verdict == "unreachable"
  elseif told.skipped or #told.differences > 0 then
    complain(("probe: %s: in process not all is the same, see there"):format(path))
  end
  return true
end

local function text_of(found, options)
  if options.json then
    return require "moonshake.probe.json"(found)
  end
  local is_terminal = files.is_terminal(1)
  return table.concat(require "moonshake.probe.text"(found, {
    width = is_terminal and files.terminal_width() or WIDTH,
    paint = colours.painter(is_terminal),
  }), "\n")
end

local function tell(found, options)
  local done, problem = files.print(text_of(found, options) .. "\n")
  if not done then
    complain("probe: what was found could not be written: " .. problem)
  end
  return done
end

local function is_interrupted()
  return package.preload["moonshake.program"] and require("moonshake.program").interrupted()
end

-- Probes, and says what it is at. Nil where somebody pressed Ctrl-C meanwhile.
local function run(settings)
  settings.progress = progress()
  local done, found = xpcall(probe.run, debug.traceback, settings)
  settings.progress(nil)
  if done then
    return found
  elseif not is_interrupted() then
    error(found, 0)
  end
end

--- Runs the command.
---@param options table as the command line was parsed
---@return integer status
return function(options)
  local read, settings = pcall(settings_of, options)
  if not read and type(settings) == "table" and settings.unusable then
    return complain("probe: " .. settings.unusable)
  elseif not read then
    error(settings, 0)
  end
  local found = run(settings)
  if not found then
    complain "probe: interrupted"
    return STATUS.interrupted
  end
  local told = tell(found, options)
  local kept = not options.write or write_scenario(found, options.write)
  return told and kept and VERDICTS[found.verdict] or STATUS.unusable
end
