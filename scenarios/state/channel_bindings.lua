-- SPDX-License-Identifier: MIT
-- Values that only the two ends of one connection know: keying material by exporter (RFC 5705,
-- RFC 8446 section 7.5) and tls-unique, the first Finished message (RFC 5929). Protocols above TLS
-- bind their own authentication to them; a man in the middle has two connections and so two values.
-- Without an extended master secret he can make the two alike (the triple handshake), so that the
-- harness gives none (RFC 7627 section 5.4).
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local VERSIONS = { "TLS1.2", "TLS1.3" }
local LABEL = "EXPERIMENTAL moonshake"

local function link_with(version, client)
  local ca = pki.authority { cn = "Example Root" }
  client = client or {}
  client.trust, client.server_name = ca, "server.example"
  return tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca },
    client   = client,
    versions = version,
  }
end

ms.scenario "both ends export the same keying material" {
  about  = "The same label, context and length give the same bytes at both ends; any other gives "
    .. "others.",
  rfc    = "RFC 5705 section 4; RFC 8446 section 7.5",
  tags   = { "state" },
  matrix = { version = { "TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3" }, length = { 1, 32, 200 } },
  run    = function(case)
    local link = link_with(case.version)
    expect(link:handshake()):is_true()
    local exported = link.client:exporter(LABEL, "context", case.length)

    expect(exported):has_length(case.length)
    expect(link.server:exporter(LABEL, "context", case.length)):equals(exported)
    expect(link.client:exporter(LABEL, "context", case.length)):equals(exported)
    if case.length > 1 then                                 -- one byte may be equal by chance
      expect(link.server:exporter(LABEL, "another", case.length)).no:equals(exported)
      expect(link.server:exporter(LABEL .. " 2", "context", case.length)).no:equals(exported)
    end
  end,
}

ms.scenario "no context and an empty context are two things before TLS 1.3" {
  about  = "A classic interoperability bug: one end passes nothing, the other an empty string.",
  rfc    = "RFC 5705 section 4; RFC 8446 section 7.5",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local link = link_with(case.version)
    expect(link:handshake()):is_true()
    local without, empty = link.client:exporter(LABEL, nil, 32), link.client:exporter(LABEL, "", 32)

    expect(link.server:exporter(LABEL, nil, 32)):equals(without)
    expect(link.server:exporter(LABEL, "", 32)):equals(empty)
    expect(without == empty):equals(case.version == "TLS1.3")
  end,
}

ms.scenario "no two connections share their secrets" {
  about  = "Not even a resumed connection with the one before: the binding is the connection's.",
  rfc    = "RFC 5705 section 4; RFC 5929 section 3.1",
  tags   = { "state" },
  matrix = { version = VERSIONS },
  run    = function(case)
    local first = link_with(case.version)
    expect(first:handshake()):is_true()
    local second = first:resume()
    expect(second:handshake()):is_true()
    expect(second.client.resumed):is_true()

    local exported = second.client:exporter(LABEL, "", 32)
    expect(second.server:exporter(LABEL, "", 32)):equals(exported)
    expect(first.client:exporter(LABEL, "", 32)).no:equals(exported)
    if case.version == "TLS1.2" then
      expect(second.client.tls_unique):equals(second.server.tls_unique)
      expect(second.client.tls_unique).no:equals(first.client.tls_unique)
    end
  end,
}

ms.scenario "unprotected keying material is not handed out" {
  about  = "One end without the extended master secret is enough; the value would be equal at both "
    .. "ends, and perhaps at a third one.",
  rfc    = "RFC 7627 section 5.4",
  tags   = { "state" },
  matrix = { version = { "TLS1.0", "TLS1.2" }, role = { "client", "server" } },
  run    = function(case)
    local link = link_with(case.version, { extended_master_secret = false })
    expect(link:handshake()):is_true()
    local one = link[case.role]

    expect(one.extended_master_secret):is_false()
    expect(function() return one:exporter(LABEL, "", 32) end):raises "extended master secret"
    expect(link.client.tls_unique):equals(link.server.tls_unique)
  end,
}

ms.scenario "TLS 1.3 has no tls-unique and needs no extended master secret" {
  about  = "Its exporter is bound to the handshake by design; tls-unique is gone.",
  rfc    = "RFC 8446 appendix C.5; RFC 9266 section 3",
  tags   = { "state" },
  matrix = { role = { "client", "server" } },
  run    = function(case)
    local link = link_with("TLS1.3", { extended_master_secret = false })
    expect(link:handshake()):is_true()
    local one = link[case.role]

    expect(one):has { tls_unique = tls.none, extended_master_secret = tls.none }
    expect(one:exporter("EXPORTER-Channel-Binding", "", 32)):has_length(32)
  end,
}

ms.scenario "there is nothing to export before the handshake" {
  about  = "And after a failed one: no secret was agreed on.",
  rfc    = "RFC 5705 section 4",
  tags   = { "state" },
  matrix = { version = VERSIONS, role = { "client", "server" } },
  run    = function(case)
    local link = link_with(case.version, { verify_name = "stranger.example" })
    local one = link[case.role]
    local function export() return one:exporter(LABEL, "", 32) end
    expect(export):raises "no handshake has completed"
    expect(link:handshake()):is_false()
    expect(one.handshake_completed):is_false()
    expect(export):raises "no handshake has completed"
    expect(one.tls_unique):is_nil()
  end,
}

ms.scenario "a renegotiation makes new secrets on the same connection" {
  about  = "A binding taken before it is worth nothing after: tls-unique is of the last handshake.",
  rfc    = "RFC 5929 section 3.1",
  tags   = { "state" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link = link_with "TLS1.2"
    expect(link:handshake()):is_true()
    local unique, exported = link.client.tls_unique, link.client:exporter(LABEL, "", 32)
    expect(link:renegotiate { by = case.by }):is_true()

    expect(link.client.tls_unique):equals(link.server.tls_unique)
    expect(link.client.tls_unique).no:equals(unique)
    expect(link.client:exporter(LABEL, "", 32)).no:equals(exported)
    expect(link.server:exporter(LABEL, "", 32)):equals(link.client:exporter(LABEL, "", 32))
    expect(link.client.history[1].tls_unique):equals(unique)
  end,
}
