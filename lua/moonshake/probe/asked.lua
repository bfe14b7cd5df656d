-- SPDX-License-Identifier: MIT
-- When a server asked for a client certificate in an attempt, whom it named, what was sent.
local asked = {}

local KINDS = { initial = "handshake", renegotiation = "renegotiation",
                reauthentication = "post_handshake" }

--- The words of when a server asks, for people.
asked.WORDS = {
  handshake = "in the handshake", renegotiation = "on renegotiation, after the request",
  post_handshake = "after the handshake (post-handshake authentication), after the request",
}

local function plain(list)
  local copy = {}
  for index = 1, list and #list or 0 do
    copy[index] = list[index]
  end
  return copy
end

--- The last request of an attempt; nil where nobody asked.
---@param attempt moonshake.attempt|nil
---@return { when: string, version: string, issuers: string[], signature_schemes: string[],
---  sent: integer?, not_sent_because: string? }|nil sent: how many certificates; nil: no message
function asked.of(attempt)
  local found
  for _, event in ipairs(attempt and attempt.connection.events or {}) do
    if event.kind == "request" and event.direction == "received" then
      found = { when = KINDS[event.epoch:match "^%a+"], issuers = plain(event.issuers),
                signature_schemes = plain(event.signature_schemes) }
    elseif found and event.type == "Certificate" and event.direction == "sent" then
      found.sent = #event.certificates
    end
  end
  if found then
    local client = attempt.connection.client
    local word = client.not_sent_because
    found.version = client.history[1].version
    found.not_sent_because = word ~= "not_requested" and word or nil
  end
  return found
end

--- Whether our question was none to the server, which speaks HTTP/2: nobody refuses that.
---@param attempt moonshake.attempt
---@return boolean
function asked.unheard(attempt)
  return attempt.answer ~= nil and attempt.answer.unheard == true
    or attempt.completed and attempt.connection.client.alpn == "h2"
end

--- Whether what it asks for must come, told by an attempt without a certificate.
---@param attempt moonshake.attempt
---@return "required"|"optional"|"unknown" unknown: refused, perhaps for something else
function asked.requirement(attempt)
  if attempt.outcome == "accepted" then
    return asked.unheard(attempt) and "unknown" or "optional"
  elseif attempt.answer and attempt.answer.forbidden then
    return "unknown"
  end
  return attempt.outcome == "refused" and attempt.by == "server" and "required" or "unknown"
end

return asked
