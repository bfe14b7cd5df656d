-- SPDX-License-Identifier: MIT
-- What a fault is about: a record, by what it carries. Whether one came by; and where none can any
-- more, because what would carry it is encrypted and nobody says what is in it, an error says so.
local native = require "moonshake.native"
local scenario = require "moonshake.scenario"
local strict = require "moonshake.strict"

local aim = {}

-- What passes encrypted at a relay: whatever the version, nothing of these is ever in clear;
local ALWAYS = { Finished = true, EncryptedExtensions = true, EndOfEarlyData = true,
                 KeyUpdate = true }

-- in TLS 1.3 what each end sends behind its hello (RFC 8446 section 4),
local IN_TLS13 = {
  client = { Certificate = true, CertificateVerify = true, Finished = true, KeyUpdate = true,
             EndOfEarlyData = true, CompressedCertificate = true, alert = true },
  server = { EncryptedExtensions = true, CertificateRequest = true, Certificate = true,
             CertificateVerify = true, Finished = true, NewSessionTicket = true, KeyUpdate = true,
             CompressedCertificate = true, alert = true },
}

-- and before, first Finished, then what a renegotiation brings (RFC 5246 section 7.3).
local FIRST = { Finished = true }
local RENEGOTIATED = {
  client = { ClientHello = true, Certificate = true, ClientKeyExchange = true,
             CertificateVerify = true, Finished = true },
  server = { HelloRequest = true, ServerHello = true, Certificate = true,
             CertificateStatus = true, ServerKeyExchange = true, CertificateRequest = true,
             ServerHelloDone = true, NewSessionTicket = true, Finished = true },
}

--- What a fault is about.
---@param api string "tls.faults.drop"
---@param given { at: string?, from: string?, nth: integer? } checked
---@return table self
function aim.new(api, given)
  local file, line = strict.position()
  return {
    api = api, place = file and ("%s:%d: "):format(file, line) or "",
    at = given.at, from = given.from, nth = given.nth or 1,
    tallies = setmetatable({}, { __mode = "k" }),
  }
end

-- What came of it in the case that runs; a fault may be made once for all cases of a file.
local function tally(self)
  local case = scenario.current() or self
  self.tallies[case] = self.tallies[case] or {
    num_struck = 0, num_seen = 0, -- of records: it struck; it looked at
    most = 0,                     -- of one connection: how many came by that carry `at`
    hidden_by = nil,              -- the end in whose encrypted records `at` may have been
  }
  return self.tallies[case]
end

--- What a record of a relay may carry that nobody can tell, as a set of names; nil of one that is
--- in clear, or known better.
---@param finished table<string, boolean> of this connection: whose Finished has passed, up to TLS
---  1.2; is changed
---@param from "client"|"server"
---@param record table
---@return table<string, boolean>|nil
function aim.hidden(finished, from, record)
  if not record.encrypted then
    return nil
  elseif record.type == "application_data" then
    return not finished[from] and IN_TLS13[from] or nil
  elseif record.type == "handshake" then
    local first = not finished[from]
    finished[from] = true
    return first and FIRST or RENEGOTIATED[from]
  end
  return nil
end

---------------------------------------------------------------------------------------------------
-- As text

local function of(from)
  return from and (" of the %s"):format(from) or ""
end

local function is_hidden(self, from)
  return ("%s%s passes encrypted, and who stands between two programs cannot tell in which record. "
          .. "Name a record instead: at = \"encrypted\", with from and nth"):format(
            self.at, of(from))
end

--- A fault's aim as a script writes it: tls.faults.drop { at = "Finished" }.
---@param self table
---@return string
function aim.text(self)
  local words = {}
  words[#words + 1] = self.at and ("at = %q"):format(self.at)
  words[#words + 1] = self.from and ("from = %q"):format(self.from)
  words[#words + 1] = self.nth > 1 and ("nth = %d"):format(self.nth) or nil
  return ("%s { %s }"):format(self.api, table.concat(words, ", "))
end

--- Why it has not struck, in the case that runs; nil where it has.
---@param self table
---@return string|nil
function aim.missed(self)
  local found = tally(self)
  if found.num_struck > 0 then
    return nil
  elseif found.num_seen == 0 then
    return ("no record%s came by"):format(of(self.from))
  elseif found.hidden_by then
    return is_hidden(self, found.hidden_by)
  elseif found.most > 0 then
    return ("of one connection %d record%s%s with %s came by, and it is about number %d"):format(
      found.most, found.most == 1 and "" or "s", of(self.from), self.at, self.nth)
  end
  return ("no record%s with %s came by"):format(of(self.from), self.at)
end

---------------------------------------------------------------------------------------------------

--- Raises where it is known that a relay will never see what it is about.
---@param self table
---@param api string
function aim.check_for_relay(self, api)
  if ALWAYS[self.at] then
    strict.raise(("%s: %s: %s"):format(api, aim.text(self), is_hidden(self, self.from)))
  end
end

local function carries(record, what)
  for index = 1, #record.messages do
    if record.messages[index] == what then
      return true
    end
  end
  if what == "encrypted" then
    return record.encrypted
  elseif what == "application_data" and (#record.messages > 0 or record.alert) then
    return false -- it is known better
  end
  return record.type == what or what == "alert" and record.alert ~= nil
end

-- Takes notice of what may be in a record. Raises where that is what it is about: from now on it
-- never comes in clear. (An alert may.)
local function look_into(self, count, from, hidden)
  if count >= self.nth or not hidden[self.at] then
    return
  end
  tally(self).hidden_by = from
  if native.find("message", self.at) then
    error(("%s%s: %s"):format(self.place, aim.text(self), is_hidden(self, from)), 0)
  end
end

--- Whether an item (see faults.lua) is the one that it is about, or any where it names none.
---@param self table
---@param counts table of this connection, is changed
---@param from "client"|"server"
---@param item table
---@return boolean
function aim.meets(self, counts, from, item)
  local record, found = item.record, tally(self)
  if self.from and self.from ~= from then
    return false
  elseif not self.at then
    found.num_seen, found.num_struck = found.num_seen + 1, found.num_struck + 1
    return true
  elseif not record then
    return false
  end
  found.num_seen = found.num_seen + 1
  local count = counts.count or 0
  if not carries(record, self.at) then
    if item.hidden then
      look_into(self, count, from, item.hidden)
    end
    return false
  end
  count = count + 1
  counts.count, found.most = count, math.max(found.most, count)
  found.num_struck = found.num_struck + (count == self.nth and 1 or 0)
  return count == self.nth
end

return aim
