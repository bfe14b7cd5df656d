-- SPDX-License-Identifier: MIT
-- moonshake serve: a TLS server that tells what each client offered, which certificate it sent, and
-- why it was let in or not.
local complain = require "moonshake.report.complain"

-- What of the options does not go together; nil where they do.
local function contradiction(options)
  if options.key and not options.cert then
    return "--key: a certificate's key: --cert is missing"
  elseif options.path and (options.host or options.port) then
    return "--path is a unix socket, --host and --port an address: one of them"
  elseif options.once and options.clients then
    return "--once is --clients 1: one of them"
  elseif options.on_refusal and options.client_auth == "none" then
    return "--on-refusal: nobody is refused without --client-auth"
  end
end

--- Runs the command.
---@param options table as the command line was parsed
---@return integer status
return function(options)
  options.client_auth = options.client_auth or options.ask_at and "require" or "none"
  local problem = contradiction(options)
  if not problem and options.ask_at and options.client_auth == "none" then
    problem = "--ask-at: with --client-auth none there is nothing to ask for"
  end
  if problem then
    return complain(problem)
  end
  options.timeout = options.timeout or 10
  options.clients = options.once and 1 or options.clients
  return require("moonshake.serve").run(options)
end
