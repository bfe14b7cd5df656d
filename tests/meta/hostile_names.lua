-- SPDX-License-Identifier: MIT
-- Names that a peer chose do no harm on a terminal, nor in TAP.
local ms = require "moonshake"
local pki, expect = ms.pki, ms.expect

ms.scenario "a name moves the cursor" {
  run = function()
    local ca = pki.authority { cn = "\27[2J\27[1;1Hok 1 - all is well\r\nnot ok # TODO" }
    ms.note(ca.certificate.subject .. " \u{202E}")
    expect(ca.certificate.subject):equals "CN=plain"
  end,
}
