-- SPDX-License-Identifier: MIT
-- Parts of sentences: names that somebody else chose, lists, counts, alerts. What comes back can be
-- printed: it is escaped, and as long as a reader bears. (Times are told by validity.lua.)
local escape = require "moonshake.escape"

local phrase = {}

local MOST = 4 -- items of a list that are shown

--- A distinguished name, or another text that needs no quotes.
---@param text string
---@return string
function phrase.plain(text)
  return escape.short(text)
end

--- A name in quotes: of a host, of a protocol.
---@param text string
---@return string
function phrase.quoted(text)
  return '"' .. escape.short(text) .. '"'
end

--- A field of a certificate; nil and false where it cannot be read: a peer may send anything.
---@param certificate any
---@param field string
---@return any|nil
---@return boolean whether it can be read
function phrase.fact(certificate, field)
  local readable, value = pcall(function() return certificate[field] end)
  return readable and value or nil, readable
end

local function name_of(certificate, field, without)
  local name = phrase.fact(certificate, field)
  if not name then
    return "a certificate that cannot be read"
  end
  return name == "" and without or phrase.plain(name)
end

--- Whose certificate it is.
---@param certificate any
---@return string
function phrase.subject(certificate)
  return name_of(certificate, "subject", "a certificate without a subject")
end

--- Whose certificate it is, with the digits that tell it from others of that name.
---@param certificate any
---@return string
function phrase.certificate(certificate)
  local fingerprint = phrase.fact(certificate, "fingerprint")
  local digits = fingerprint and (" (%s)"):format(fingerprint:sub(1, 16)) or ""
  return phrase.subject(certificate) .. digits
end

--- Who issued a certificate.
---@param certificate any
---@return string
function phrase.issuer(certificate)
  return name_of(certificate, "issuer", "a nameless issuer")
end

--- "a", "a and b", "a, b, c and 4 more"; `none` for an empty list.
---@param items any[]
---@param show? fun(item: any): string default phrase.plain
---@param none? string default "none"
---@return string
function phrase.list(items, show, none)
  local shown, count = {}, #items
  local most = count > MOST and MOST or count
  for index = 1, most do
    shown[index] = (show or phrase.plain)(items[index])
  end
  if count == 0 then
    return none or "none"
  elseif count > most then
    return ("%s and %d more"):format(table.concat(shown, ", "), count - most)
  elseif count == 1 then
    return shown[1]
  end
  return table.concat(shown, ", ", 1, count - 1) .. " and " .. shown[count]
end

--- "1 certificate", "2 certificates".
---@param count integer
---@param noun string
---@return string
function phrase.count(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

--- An alert with its number.
---@param alert { name: string, number: integer }
---@return string
function phrase.alert(alert)
  return ("%s (%d)"):format(escape.line(alert.name), alert.number)
end

return phrase
