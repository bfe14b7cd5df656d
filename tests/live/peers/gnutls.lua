-- SPDX-License-Identifier: MIT
-- gnutls-serv and gnutls-cli. The server listens on every address (it has no option for one), does
-- not tell which port it got, and stays when it could not bind. The client ends with its input.
local ms = require "moonshake"
local common = require "peers.common"

local gnutls = {}

-- Requiring alone verifies nothing.
local AUTH = {
  none = { "--disable-client-cert" },
  request = { "--verify-client-cert" },
  require = { "--require-client-cert", "--verify-client-cert" },
}

local function priority(version)
  return version and ("NORMAL:-VERS-ALL:+VERS-%s"):format(version) or "NORMAL"
end

--- A server that answers requests over HTTP. Returns the program and its port.
function gnutls.server(case, given)
  local saved = common.save(case, given.identity)
  local trust = common.save_trust(case, given.trust)
  return common.with_free_port(function(port)
    local command = {
      "stdbuf", "-oL", -- what it prints would stay in its buffer
      "gnutls-serv", "--port", port, "--http", "--x509certfile", saved.chain, "--x509keyfile",
      saved.key, "--x509cafile", trust, "--priority", priority(given.version),
    }
    for _, word in ipairs(AUTH[given.client_auth or "none"]) do
      command[#command + 1] = word
    end
    local program = ms.program(command)
    -- "HTTP Server listening on IPv4 0.0.0.0 port 5556...done"
    local line = program:line { match = "IPv4 .*%.%.%." }
    if line and line:find "done$" then
      return program
    end
    ms.expect(program:stop().output, "what gnutls-serv printed"):contains "bind() failed"
  end)
end

--- A client of a listener of ours. It stays until its input is closed or the server closes.
function gnutls.client(case, given)
  local command = {
    "stdbuf", "-oL", "gnutls-cli", "--port", given.port, "--x509cafile",
    common.save_trust(case, given.trust), "--priority", priority(given.version),
    "--sni-hostname", "server.example", "--verify-hostname", "server.example",
  }
  if given.identity then
    local saved = common.save(case, given.identity)
    table.move({ "--x509certfile", saved.chain, "--x509keyfile", saved.key }, 1, 4, #command + 1,
               command)
  end
  table.move(given.arguments or {}, 1, #(given.arguments or {}), #command + 1, command)
  command[#command + 1] = "127.0.0.1"
  return ms.program(command)
end

return gnutls
