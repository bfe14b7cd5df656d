-- SPDX-License-Identifier: MIT
-- What a log that has one end only tells of the steps of a sequence diagram: which of this end's
-- messages are known to have arrived, because the far end answered them.
local far_steps = {}

-- Messages that are no answer: they may have been under way before ours came (RFC 5246 section
-- 7.4.1.1, RFC 8446 sections 4.6.2 and 4.6.3).
local UNASKED = { HelloRequest = true, KeyUpdate = true, ClientHello = true }

-- What no later message covers.
local UNCOVERED = { HelloRequest = true, KeyUpdate = true }

-- Messages of a later epoch that show that the one before was complete at the far end, too: hellos
-- of a renegotiation carry what its Finished said (RFC 5746 section 3.5), and post-handshake
-- authentication begins once the handshake is complete (RFC 8446 section 4.6.2).
local IN_LATER_EPOCH = { ClientHello = true, ServerHello = true, CertificateRequest = true }

-- A ticket of TLS 1.3 may come before the client's Finished has, unless the server asked for a
-- certificate (RFC 8446 section 4.6.1).
local function answers(step, event, how)
  if UNCOVERED[step.name] or how.is_1_3 and step.name == "NewSessionTicket" then
    return false
  elseif step.epoch ~= event.epoch then
    return IN_LATER_EPOCH[event.type]
  elseif event.type == "ClientHello" then
    return step.name == "HelloRetryRequest"
  elseif how.is_1_3 and event.type == "NewSessionTicket" then
    return how.is_asked
  end
  return not UNASKED[event.type] and not (how.is_1_3 and event.type == "CertificateRequest")
end

-- Alerts that are about a certificate and come once it is there.
local function is_about_certificate(event)
  return event.level == "fatal" and (event.name:find("certificate", 1, true) ~= nil
                                     or event.name == "unknown_ca")
end

local function each_pending(pending, f)
  for _, kind in ipairs { "message", "change_cipher_spec" } do
    for _, step in ipairs(pending[kind] or {}) do
      if step.delivered ~= false then
        f(step)
      end
    end
  end
end

--- Notes what a message or an alert of the far end shows of what this end had sent.
---@param pending table<string, table[]> by kind: the steps of this end
---@param event table received by this end
---@param how { is_1_3: boolean, is_asked: boolean } whether a certificate was requested
function far_steps.note(pending, event, how)
  local certificate
  each_pending(pending, function(step)
    if event.kind == "message" and answers(step, event, how) then
      step.fate = "arrived"
    end
    certificate = step.name == "Certificate" and step or certificate
  end)
  if certificate and event.kind == "alert" and is_about_certificate(event) then
    each_pending(pending, function(step)
      if step.sent <= certificate.sent then
        step.fate = "arrived"
      end
    end)
  end
end

--- What is left to be said of the steps of this end: whether they arrived is not known.
---@param pending table<string, table[]> by kind: the steps of this end
function far_steps.settle(pending)
  for _, steps in pairs(pending) do
    for _, step in ipairs(steps) do
      step.fate = step.fate or step.delivered == false and "unsent" or "handed"
    end
  end
end

return far_steps
