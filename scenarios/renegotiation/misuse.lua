-- SPDX-License-Identifier: MIT
-- What a version does not have, and what cannot change during a link's life, is a mistake of the
-- script and not an outcome of TLS: the action raises at the script's line, says what to use
-- instead, and leaves the link as it was.
local ms = require "moonshake"
local pki, tls, expect = ms.pki, ms.tls, ms.expect

local function link_with(version)
  local ca = pki.authority { cn = "Example Root" }
  return tls.link {
    server   = { identity = ca:issue { dns = "server.example" }, trust = ca },
    client   = { identity = ca:issue { cn = "alice" }, trust = ca, server_name = "server.example" },
    versions = { version },
  }
end

local function expect_untouched(link)
  expect(link):succeeded()
  for _, role in ipairs { "client", "server" } do
    expect(link[role].history, role):has_length(1)
    expect(link[role].renegotiations, role):equals(0)
  end
  expect(link:send { from = "client", data = "still here" }):equals("still here")
end

ms.scenario "renegotiating TLS 1.3 raises" {
  about  = "TLS 1.3 forbids renegotiation; two other actions take its place.",
  rfc    = "RFC 8446 section 4.1.2",
  tags   = { "renegotiation", "misuse" },
  matrix = { by = { "client", "server" } },
  run    = function(case)
    local link = link_with "TLS1.3"
    expect(link:handshake()):is_true()
    expect(function() link:renegotiate { by = case.by } end)
      :raises "misuse%.lua:%d+: link:renegotiate: TLS 1%.3 has no renegotiation"
    expect(function() link:renegotiate { by = case.by } end):raises "reauthenticate%(%)"
    expect_untouched(link)
  end,
}

ms.scenario "reauthenticating and updating keys before TLS 1.3 raise" {
  about  = "Both are TLS 1.3's; before it, renegotiation did their work.",
  rfc    = "RFC 8446 section 4.6",
  tags   = { "renegotiation", "misuse" },
  matrix = { version = { "TLS1.0", "TLS1.1", "TLS1.2" } },
  run    = function(case)
    local link = link_with(case.version)
    expect(link:handshake()):is_true()
    expect(function() link:reauthenticate {} end)
      :raises "link:reauthenticate: .*TLS 1%.3's.*use renegotiate%(%)"
    expect(function() link:update_keys { by = "server" } end)
      :raises "link:update_keys: .*TLS 1%.3's.*use renegotiate%(%)"
    expect_untouched(link)
  end,
}

ms.scenario "changing what is fixed for a link's life raises" {
  about  = "GnuTLS takes these once; a harness that ignored a change would show something else "
    .. "than the script says.",
  tags   = { "renegotiation", "misuse" },
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local link = link_with(case.version)
    expect(link:handshake()):is_true()
    local function change(role, option, value)
      local changes = { [role] = { [option] = value } }
      if case.version == "TLS1.3" then
        link:reauthenticate(changes)
      else
        changes.by = "server"
        link:renegotiate(changes)
      end
    end
    for _, one in ipairs {
      { "client", "identity_change", "allow" }, { "server", "identity_change", "allow" },
      { "client", "post_handshake_auth", false }, { "server", "post_handshake_auth", false },
      { "client", "alpn", "h2" }, { "server", "alpn", "h2" }, { "server", "sites", {} },
    } do
      local role, option, value = table.unpack(one)
      expect(function() change(role, option, value) end, role .. "'s " .. option)
        :raises(("%s: %s is fixed for a link's life"):format(role, option))
    end
    expect(function() change("client", "client_auth", "require") end):raises "option of the server"
    expect_untouched(link)
  end,
}

ms.scenario "renegotiating without saying who asks raises" {
  about  = "Client and server ask in different ways, so neither is a default.",
  tags   = { "renegotiation", "misuse" },
  run    = function()
    local link = link_with "TLS1.2"
    expect(link:handshake()):is_true()
    expect(function() link:renegotiate {} end):raises "by is missing"
    expect(function() link:renegotiate { by = "sever" } end):raises "sever.*did you mean \"server\""
    expect(function() link:renegotiate { by = "server", sever = {} } end):raises "sever"
    expect_untouched(link)
  end,
}

ms.scenario "acting before the handshake or after the end raises" {
  about  = "Of a link that was never begun or that the script closed nothing can be asked; a link "
    .. "that failed is no mistake of the script, so there the answer is false.",
  tags   = { "renegotiation", "misuse" },
  matrix = { version = { "TLS1.2", "TLS1.3" } },
  run    = function(case)
    local function act(link)
      if case.version == "TLS1.3" then
        return link:reauthenticate { server = { client_auth = "require" } }
      end
      return link:renegotiate { by = "server", server = { client_auth = "require" } }
    end
    local link = link_with(case.version)
    expect(function() act(link) end):raises "no handshake yet"
    expect(link:handshake()):is_true()
    expect(link:close()):is_true()
    expect(function() act(link) end):raises "closed"

    local failed = tls.link { server = {}, client = { versions = { case.version } } }
    expect(failed:handshake()):is_false()
    expect(act(failed)):is_false()
  end,
}
