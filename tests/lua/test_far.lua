-- SPDX-License-Identifier: MIT
-- What the wire shows of a far end, and what it does not.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local far = require "moonshake.far"
local marks = require "moonshake.marks"
local test, equal = unit.test, unit.equal

local UNKNOWN = marks.unknown

-- The fields of the end that is here, in a handshake that has completed, but for these.
local function near(changes)
  local made = {
    epoch = "initial", phase = "established", version = "TLS1.2", resumed = false,
    handshake_completed = true, certificate_requested = false, wire = {},
  }
  for name, value in pairs(changes or {}) do
    made[name] = value
  end
  return made
end

test("the far end is known to have completed where its last Finished came behind that", function()
  for _, row in ipairs {
    -- version, resumed, role of the far end, whether it is known
    { "TLS1.2", false, "server", true }, { "TLS1.2", false, "client", false },
    { "TLS1.2", true, "server", false }, { "TLS1.2", true, "client", true },
    { "TLS1.3", false, "server", false }, { "TLS1.3", false, "client", true },
    { "TLS1.3", true, "server", false }, { "TLS1.3", true, "client", true },
  } do
    local version, resumed, role, known = table.unpack(row)
    local what = ("%s %s %s"):format(version, resumed, role)
    local made = far.of(near { version = version, resumed = resumed }, role)
    equal(made.handshake_completed, known or UNKNOWN, what)
    made = far.of(near { version = version, resumed = resumed, handshake_completed = false }, role)
    equal(made.handshake_completed, UNKNOWN, what .. ", not completed here")
  end
end)

test("an alert that did not come is unknown, but for a peer that said goodbye", function()
  local alert = { level = "fatal" }
  equal(far.of(near { alert_received = alert }, "server").alert_sent, alert)
  equal(far.of(near(), "server").alert_sent, UNKNOWN)
  equal(far.of(near { phase = "closed" }, "server").alert_sent, nil)
end)

test("what was not sent until the handshake was complete was not sent", function()
  equal(far.of(near(), "server").wire.sent_certificates, nil)
  equal(far.of(near { handshake_completed = false }, "server").wire.sent_certificates, UNKNOWN)
  local chain = {}
  local made = far.of(near {
    handshake_completed = false, wire = { received_certificates = chain },
  }, "server")
  equal(made.wire.sent_certificates, chain)
end)

test("what was sent from here has arrived where the far end has completed", function()
  local wire = { sent_certificates = {} }
  equal(far.of(near { wire = wire }, "server").wire.received_certificates, wire.sent_certificates)
  equal(far.of(near { wire = wire, version = "TLS1.3" }, "server").wire.received_certificates,
        UNKNOWN)
end)

test("a request is known of where it came, was answered, or cannot come any more", function()
  local function asked(changes, role)
    return far.of(near(changes), role).certificate_requested
  end
  equal(asked({ handshake_completed = false }, "server"), UNKNOWN)
  equal(asked({ handshake_completed = false, certificate_requested = true }, "server"), true)
  equal(asked({}, "server"), false)
  equal(asked({ handshake_completed = false, certificate_requested = true }, "client"), UNKNOWN)
  equal(asked({ handshake_completed = false, certificate_requested = true,
                wire = { received_certificates = {} } }, "client"), true)
  equal(asked({ handshake_completed = false }, "client"), false)
end)

test("what only its own stack could tell is unknown", function()
  local made = far.of(near { stack = "gnutls", local_certificates = {} }, "client")
  for _, name in ipairs { "stack", "phase", "error", "local_certificates", "peer_certificates",
                          "verification", "not_sent_because", "tickets_received" } do
    equal(made[name], UNKNOWN, name)
  end
  equal(made.version, "TLS1.2")
  equal(made.role, "client")
end)

unit.done()
