-- SPDX-License-Identifier: MIT
-- Asking a client for its certificate once it has asked for something (Apache's way for a
-- directory): by renegotiation, or by TLS 1.3's post-handshake authentication. And whether the one
-- that it sent, whenever that was, lets it in.
local facts = require "moonshake.serve.facts"

local asking = {}

-- Whether a path is the one at which clients are asked, or below it.
local function is_protected(path, ask_at)
  local folder = ask_at:gsub("/+$", "")
  return path == ask_at or path == folder or path:sub(1, #folder + 1) == folder .. "/"
end

-- Why somebody is not let in: a problem word of the contract, and a sentence.
local function refusal(problem, sentence, ...)
  return { problem = problem, text = sentence:format(...) }
end

local NO_WAY = "the client did not offer the extension post_handshake_auth, without which TLS 1.3 "
  .. "has no way to ask for a certificate after the handshake (RFC 8446 section 4.6.2). curl "
  .. "offers it, browsers do not"

-- Asks. Returns whether the connection lives, and what stood in the way.
local function ask(client)
  local connection, served = client.connection, client.served
  local wanted = { server = { client_auth = served.asks }, timeout = served.timeout }
  if connection.server.version == "TLS1.3" then
    if not facts.offered(connection).post_handshake_auth then
      return true, refusal("post_handshake_auth_not_offered", NO_WAY)
    end
    connection:reauthenticate(wanted)
  else
    connection:renegotiate(wanted)
  end
  local server = connection.server
  if server.phase ~= "established" then
    return false
  elseif server.error then
    return true, refusal(server.error.problem, "the client did not take part: %s",
                         server.error.message)
  elseif not server.certificate_requested then
    return true, refusal("no_certificate", "the client resumed its session when it was to "
                         .. "negotiate anew: nobody is asked for a certificate then")
  end
  return true
end

-- Why what a client showed does not let it in; nil where it does.
local function refusal_of(client)
  local told = facts.certificate(client.connection, client.served.trust)
  if facts.is_good(told) then
    return nil
  elseif told.sent and #told.sent > 0 then
    return refusal("certificate_rejected", "the certificate of %s is not accepted: %s: %s",
                   told.sent[1].subject, table.concat(told.problems or {}, ", "), told.text or "")
  elseif client.served.policy == "require" then
    return refusal("no_certificate", "a certificate is required, and the client sent none")
  end
end

--- Judges a client that was asked in its handshake, if that is when clients are.
---@param client table
---@return table|nil refusal { problem =, text = }: why it is not let in
function asking.judge_handshake(client)
  if client.served.policy ~= "none" and not client.served.ask_at then
    return refusal_of(client)
  end
end

--- Judges a client that asks for a path, after asking it for its certificate where that is due.
---@param client table
---@param path string
---@return boolean alive whether the connection is
---@return table|nil refusal { problem =, text = }: why it is not let in
---@return boolean asked whether it was asked now
function asking.judge(client, path)
  local served = client.served
  if served.policy == "none" or served.ask_at and not is_protected(path, served.ask_at) then
    return true, nil, false
  end
  local asked, obstacle = false, nil
  if served.ask_at and not client.asked
    and not facts.is_good(facts.certificate(client.connection, served.trust)) then
    local alive
    alive, obstacle = ask(client)
    asked = obstacle == nil
    client.asked = asked
    if not alive then
      return false, nil, true
    end
  end
  client.refusal = obstacle or refusal_of(client)
  return true, client.refusal, asked
end

return asking
