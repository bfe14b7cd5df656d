-- SPDX-License-Identifier: MIT
-- A certificate was required and did not come.
local absence = require "moonshake.views.absence"

-- GnuTLS's alert is not the RFC's; who reads a log should know.
local function add_alert(story, why)
  local alert = story.server.alert_sent
  if alert and alert.name == "decode_error" then
    why[#why + 1] = "the alert decode_error is GnuTLS's choice; RFC 5246 section 7.4.6 names "
      .. 'handshake_failure (alerts = "rfc")'
  end
end

return {
  {
    name = "no_certificate",
    rfc = { older = "RFC 5246 section 7.4.6", newer = "RFC 8446 section 4.4.2.4" },
    find = function(story)
      if not story:failed("no_certificate", "server") then
        return nil
      end
      local came = story.server.wire.received_certificates
      local why, next_step = absence.reasons(story)
      add_alert(story, why)
      return {
        message = "Certificate",
        what = "the server requires a certificate, and the client "
          .. (came and "sent an empty Certificate" or "sent no Certificate"),
        why = why, next = next_step,
      }
    end,
  },
}
