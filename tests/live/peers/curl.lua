-- SPDX-License-Identifier: MIT
-- curl, which asks a listener of ours for one page and ends.
local ms = require "moonshake"
local common = require "peers.common"

local curl = {}

local VERSIONS = { ["TLS1.2"] = { "--tlsv1.2", "--tls-max", "1.2" },
                   ["TLS1.3"] = { "--tlsv1.3" } }

--- Returns the program.
function curl.client(case, given)
  local command = {
    "curl", "--disable", "--silent", "--show-error", "--noproxy", "*", "--http1.1", "--cacert",
    common.save_trust(case, given.trust),
    "--connect-to", "server.example:443:127.0.0.1:" .. given.port,
  }
  local function add(words)
    table.move(words, 1, #words, #command + 1, command)
  end
  if given.identity then
    local saved = common.save(case, given.identity)
    add { "--cert", saved.chain, "--key", saved.key }
  end
  add(VERSIONS[given.version] or {})
  add(given.arguments or {})
  add { "https://server.example/page" }
  return ms.program(command)
end

return curl
