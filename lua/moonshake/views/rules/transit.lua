-- SPDX-License-Identifier: MIT
-- What an end read is not what the other one sent: somebody between the two changed it.
local learned = require "moonshake.views.learned"
local phrase = require "moonshake.views.phrase"

local function records_of(story, role, direction)
  local list = {}
  for _, event in ipairs(story.events) do
    if event.kind == "record" and event.role == role and event.direction == direction then
      list[#list + 1] = event
    end
  end
  return list
end

local function place_of(list, bytes)
  for index, event in ipairs(list) do
    if event.bytes == bytes then
      return index
    end
  end
end

-- The first record that this end read, before the error, otherwise than it was sent: the event, and
-- what became of it on the way. Nil where all is well, or nothing is known of what was sent.
local function deviation(story, role)
  local sent = records_of(story, story:other(role), "sent")
  for index, event in ipairs(sent[1] and records_of(story, role, "received") or {}) do
    if event.index > story.fault.index then
      return nil
    elseif not sent[index] or event.bytes ~= sent[index].bytes then
      local place = place_of(sent, event.bytes)
      return event, not place and "was changed on the way"
        or place > index and "came before others that were sent earlier, if these came at all"
          or "came a second time"
    end
  end
end

local EXPLAINED = { protocol_violation = true, bad_signature = true, closed_early = true }

local function changed(story)
  local fault = story.fault
  if not fault or not EXPLAINED[fault.problem] then
    return nil
  end
  for _, role in ipairs { fault.role, story:other(fault.role) } do
    local event, fate = deviation(story, role)
    if event then
      local read = story:first({ role = role, kind = "message", direction = "received" },
                               event.index)
      local message = read and read.type or learned.awaited(story, role)
      return {
        message = message,
        what = ("where %s was to come the %s read what the %s did not send so: a record %s"):format(
          message, role, story:other(role), fate),
        why = { ("event %d (%s, %d bytes) is the first record that differs from those sent")
                  :format(event.index, phrase.plain(event.type), event.length),
                ("%s: %s"):format(phrase.plain(fault.code), phrase.plain(fault.message)) },
        next = "look at who is between the two: a function of link:tamper, a device, a proxy",
      }
    end
  end
end

-- Where only one end is here: what it cannot open, nobody else can say more about.
local function cannot_open(story)
  local fault = story.far and story:failed "protocol_violation"
  if not fault or fault.code ~= "GNUTLS_E_DECRYPTION_FAILED" then
    return nil
  end
  local role, other = fault.role, story:other(fault.role)
  local message = fault.during == "handshake" and learned.awaited(story, role) or "application data"
  return {
    message = message,
    what = ("where %s was to come the %s cannot open the %s's record: it was changed on the way, "
            .. "or their keys differ"):format(message, role, other),
    why = { ("%s: %s"):format(phrase.plain(fault.code), phrase.plain(fault.message)),
            fault.during == "handshake" and "the keys come from what was said before: they differ "
              .. "if that was not read as it was sent" or nil },
    next = "compare the messages as each end has them, and look at who is between the two",
  }
end

return {
  { name = "changed_on_the_way", rfc = { older = "RFC 5246 section 6.2.3",
                                         newer = "RFC 8446 section 5.2" }, find = changed },
  { name = "cannot_open", rfc = { older = "RFC 5246 section 6.2.3",
                                  newer = "RFC 8446 section 5.2" }, find = cannot_open },
}
