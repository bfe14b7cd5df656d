-- SPDX-License-Identifier: MIT
-- A renegotiation is another whole handshake inside a connection that is already in use, up to TLS
-- 1.2 (RFC 5246 section 7.4.1.1). A client simply sends a ClientHello; a server can only ask for
-- one, with a HelloRequest. Everything is agreed and verified anew, under the old keys, and what
-- both ends report must be that of the new handshake while the old one stays in the history.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local BOTH = { "client", "server" }
local OTHER = { client = "server", server = "client" }

local function link_with(case)
  local ca = pki.authority { cn = "Example Root" }
  local link = tls.link {
    server   = { identity = ca:issue { dns = "server.example" } },
    client   = { trust = ca, server_name = "server.example" },
    versions = { case.version },
  }
  expect(link:handshake()):is_true()
  return link
end

-- How often an end sent a message of this type in this epoch.
local function count(link, role, epoch, type)
  local number = 0
  for _, event in ipairs(link.events) do
    if event.kind == "message" and event.direction == "sent" and event.delivered
      and event.role == role and event.epoch == epoch and event.type == type then
      number = number + 1
    end
  end
  return number
end

ms.scenario "either end starts a second handshake" {
  about  = "Who asked shows in the messages alone: a HelloRequest goes ahead when the server did.",
  rfc    = "RFC 5246 section 7.4.1.1",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.1", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local link = link_with(case)
    local first = link.client:snapshot()

    expect(link:renegotiate { by = case.by }):is_true()

    expect(link):succeeded()
    for _, role in ipairs(BOTH) do
      local one = link[role]
      expect(one):has { epoch = "renegotiation 1", renegotiations = 1, resumed = false,
                        secure_renegotiation = true, version = case.version }
      expect(one.history, role):has_length(2)
      expect(one.history[1]):has { epoch = "initial", renegotiations = 0 }
      expect(count(link, role, "renegotiation 1", "Finished"), role):equals(1)
    end
    expect(count(link, "server", "renegotiation 1", "HelloRequest"))
      :equals(case.by == "server" and 1 or 0)
    expect(count(link, "client", "renegotiation 1", "ClientHello")):equals(1)

    -- The server's chain crosses the wire again and is verified again.
    expect(link.client.wire.received_certificates):equals(first.wire.received_certificates)
    expect(link.client):verified()
    expect(link):truthful()
    expect(link):mirrored()
    -- New Finished messages: the channel binding is a new one, and the same at both ends.
    expect(link.client.tls_unique).no:equals(first.tls_unique)
    expect(link.client.tls_unique):equals(link.server.tls_unique)
  end,
}

ms.scenario "data flows before, between and after renegotiations" {
  about  = "A renegotiation must lose nothing, whichever end asks and whichever speaks first "
    .. "after.",
  rfc    = "RFC 5246 section 7.4.1.1",
  tags   = { "renegotiation" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, by = BOTH },
  run    = function(case)
    local link = link_with(case)
    for round = 0, 3 do
      if round > 0 then
        expect(link:renegotiate { by = case.by }, "round " .. round):is_true()
      end
      for _, from in ipairs { case.by, OTHER[case.by], case.by } do
        local data = ("%s speaks in round %d"):format(from, round)
        expect(link:send { from = from, data = data }):equals(data)
      end
    end
    expect(link):succeeded()
    expect(link.server.renegotiations):equals(3)
  end,
}

ms.scenario "twenty renegotiations in a row, the ends taking turns" {
  about  = "Each is an epoch of its own with a channel binding of its own; none fails for its "
    .. "number.",
  rfc    = "RFC 5246 section 7.4.1.1",
  tags   = { "renegotiation" },
  run    = function()
    local link = link_with { version = "TLS1.2" }
    local seen = { [link.client.tls_unique] = true }
    for round = 1, 20 do
      local by = BOTH[round % 2 + 1]
      expect(link:renegotiate { by = by }, "round " .. round):is_true()
      local binding = link.client.tls_unique
      expect(seen[binding], "binding of round " .. round):is_nil()
      seen[binding] = true
    end
    for _, role in ipairs(BOTH) do
      expect(link[role].renegotiations, role):equals(20)
      expect(link[role].history, role):has_length(21)
      expect(link[role].history[21].epoch, role):equals("renegotiation 20")
    end
    expect(link):succeeded()
    expect(link:send { from = "server", data = "still here" }):equals("still here")
  end,
}
