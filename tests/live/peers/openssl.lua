-- SPDX-License-Identifier: MIT
-- `openssl s_server` and `s_client`. The server takes port 0 and tells which it got; what is
-- written to either is data for its peer, but for one letter on a line, which is a command.
local ms = require "moonshake"
local common = require "peers.common"

local openssl = {}

local VERSIONS = { ["TLS1.2"] = "-tls1_2", ["TLS1.3"] = "-tls1_3" }
local AUTH = { request = "-verify", require = "-Verify" }

local function program_of(case, command, given)
  local program = { "openssl", command, "-no-CAfile", "-no-CApath" }
  local function add(...)
    for _, word in ipairs { ... } do
      program[#program + 1] = word
    end
  end
  if given.identity then
    local saved = common.save(case, given.identity)
    add("-cert", saved.certificate, "-key", saved.key)
    if saved.above then
      add("-cert_chain", saved.above)
    end
  end
  if given.trust then
    add("-CAfile", common.save_trust(case, given.trust), "-verify_return_error")
  end
  if given.version then
    add(VERSIONS[given.version])
  end
  add(table.unpack(given.arguments or {}))
  return program, add
end

--- A server: `page` true answers each request over HTTP and closes; else it talks through the
--- program. Returns the program and its port.
function openssl.server(case, given)
  local command, add = program_of(case, "s_server", given)
  add("-accept", "127.0.0.1:0", table.unpack(given.page and { "-www" } or {}))
  if given.client_auth then
    add(AUTH[given.client_auth], "9")
  end
  local program = ms.program(command)
  local line, port = program:line { match = "^ACCEPT 127%.0%.0%.1:(%d+)" }
  ms.expect(line, "s_server's line"):matches "ACCEPT"
  return program, math.tointeger(port)
end

--- A client of a listener of ours, which stays until the server closes.
function openssl.client(case, given)
  local command, add = program_of(case, "s_client", given)
  add("-connect", "127.0.0.1:" .. given.port, "-servername", "server.example", "-ign_eof",
      "-verify_hostname", "server.example")
  return ms.program(command)
end

return openssl
