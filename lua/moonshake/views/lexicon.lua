-- SPDX-License-Identifier: MIT
-- What the words of failures mean: alerts, problems, verification's problems, reasons why a
-- certificate stayed at home, errors of GnuTLS; and what other stacks call it. Their words stand in
-- words/*.lua.
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local native = require "moonshake.native"
local paragraph = require "moonshake.views.paragraph"
local suggest = require "moonshake.suggest"

local lexicon = {}

local PREFIX = "GNUTLS_E_"
local OF_OPENSSL = "^ssl_ad_" -- its names of alerts

-- Kinds of words in the order in which they are told: what a word of it is, the names that the core
-- knows, and where its words stand.
local KINDS = {
  { name = "alert", title = "Alerts", is = "an alert", names = native.names "alert",
    files = { "alerts" } },
  { name = "problem", title = "Problems (error.problem)", is = "a problem (error.problem)",
    names = native.words "problem", files = { "problems" } },
  { name = "verification", title = "Problems of a chain (verification.problems)",
    is = "a problem of a chain (verification.problems)", names = native.words "verification",
    files = { "verification" } },
  { name = "absence", title = "Why a certificate stayed at home (not_sent_because)",
    is = "why a certificate stayed at home (not_sent_because)", names = native.words "absence",
    files = { "absence" } },
  { name = "code", title = "Errors of GnuTLS (error.code)", is = "an error of GnuTLS",
    names = native.words "code", files = { "gnutls", "gnutls_more" }, prefix = PREFIX },
}

-- Who calls things otherwise, in the order in which they are told.
local STACKS = {
  { "gnutls", "GnuTLS" }, { "openssl", "OpenSSL" }, { "go", "Go" }, { "java", "Java" },
  { "erlang", "RabbitMQ, Erlang" }, { "nginx", "nginx" }, { "apache", "Apache" },
}

---------------------------------------------------------------------------------------------------
-- What others say

-- Of an alert received: in the words of each, round OpenSSL's reason for those built upon it.
local function of_alert(name, number, word)
  local says = {}
  local reason = word.openssl
  if reason then
    local newer = reason:find "^sslv3 alert" and " (newer: ssl/tls alert ...)" or ""
    says.openssl = reason .. newer
    says.nginx = ("SSL_do_handshake() failed (SSL: ...:%s:SSL alert number %d)"):format(reason,
                                                                                       number)
    says.apache = ("SSL Library Error: ...:%s (SSL alert number %d)"):format(reason, number)
    says.java = "Received fatal alert: " .. name
  end
  says.go = word.go and "remote error: tls: " .. word.go
  says.erlang = word.erlang and "received SERVER ALERT: Fatal - " .. word.erlang
  return says
end

-- Of a chain: nginx and Apache print OpenSSL's number and text.
local function of_chain(word)
  local says, texts = {}, {}
  for index, one in ipairs(word.openssl or {}) do
    texts[index] = ("%d %s"):format(one[1], one[2])
  end
  local first = word.openssl and word.openssl[1]
  says.openssl = #texts > 0 and table.concat(texts, "; ") or nil
  says.nginx = first and ("client SSL certificate verify error: (%d:%s)"):format(first[1], first[2])
  says.apache = first and ("AH02039: Certificate Verification: Error (%d): %s"):format(first[1],
                                                                                    first[2])
  return says
end

local function says_of(kind, name, number, text, word)
  local says = kind.name == "alert" and of_alert(name, number, word)
    or kind.name == "verification" and of_chain(word) or {}
  says.gnutls = text
  for _, stack in ipairs(STACKS) do
    local own = word[stack[1]]
    if type(own) == "string" and kind.name ~= "alert" then
      says[stack[1]] = own
    end
  end
  return says
end

---------------------------------------------------------------------------------------------------
-- Looking up

-- All words, made once: { kind, name, lower, number, word, says } each.
local function load()
  local entries = {}
  for _, kind in ipairs(KINDS) do
    local words = {}
    for _, file in ipairs(kind.files) do
      for name, word in pairs(require("moonshake.views.words." .. file)) do
        words[(kind.prefix or "") .. name] = word
      end
    end
    for _, name in ipairs(kind.names) do
      local number, text
      if kind.name == "alert" or kind.name == "code" then
        number, text = native.number(kind.name, name)
      end
      local word = words[name]
      if word then -- a newer GnuTLS may know errors that are not described here
        entries[#entries + 1] = { kind = kind, name = name, lower = name:lower(), number = number,
                                  word = word,
                                  says = says_of(kind, name, number, text, word) }
      end
    end
  end
  return entries
end

local all
local function entries()
  all = all or load()
  return all
end

-- The word as names are spelt: without quotes, case or blanks.
local function spelt(word)
  return (word:gsub("^[\"'%s]+", ""):gsub("[\"'%s]+$", ""):lower():gsub("[%s-]+", "_"))
end

local function collect(fits)
  local found = {}
  for _, entry in ipairs(entries()) do
    found[#found + 1] = fits(entry) and entry or nil
  end
  return found
end

-- Numbers: of alerts, and of GnuTLS's errors with or without their sign.
local function by_number(word)
  local of_alerts = tonumber(word:lower():match "alert%D*(%d+)$")
  local number = of_alerts or tonumber(word:match "^%s*(%-?%d+)%s*$")
  return number and collect(function(entry)
    return entry.kind.name == "alert" and entry.number == number
      or not of_alerts and entry.kind.name == "code" and entry.number == -math.abs(number)
  end) or {}
end

local function by_name(word)
  local wanted = spelt(word)
  local prefixed = PREFIX:lower() .. wanted
  local alert = native.find("alert", word) or native.find("alert", (wanted:gsub(OF_OPENSSL, "")))
  return collect(function(entry)
    return entry.lower == wanted or entry.kind.prefix and entry.lower == prefixed
      or entry.kind.name == "alert" and entry.name == alert
  end)
end

-- What some stack says, or a part of it.
local function by_saying(word)
  local wanted = word:lower()
  return #wanted < 4 and {} or collect(function(entry)
    for _, said in pairs(entry.says) do
      if said:lower():find(wanted, 1, true) then
        return true
      end
    end
    return false
  end)
end

--- Everything that a word can mean: a name in any of the usual spellings, a number, or what some
--- stack says. Empty where nothing is known.
---@param word string
---@return table[] entries { kind, name, number, word, says, ... }
function lexicon.find(word)
  for _, look in ipairs { by_number, by_name, by_saying } do
    local found = look(word)
    if #found > 0 then
      return found
    end
  end
  return {}
end

--- Every word: the same, in the order in which they are told.
---@return table[]
function lexicon.all()
  return entries()
end

--- ` (did you mean "x"?)` for a word that is not known, or nothing.
---@param word string
---@return string
function lexicon.hint(word)
  local names = {}
  for _, entry in ipairs(entries()) do
    names[#names + 1] = entry.name
  end
  local wanted = spelt(word)
  local hint = suggest.hint(wanted, names)
  return hint ~= "" and hint or suggest.hint(PREFIX .. wanted:upper(), names)
end

---------------------------------------------------------------------------------------------------
-- Telling

local function related(word, prefix)
  local names = {}
  for index, name in ipairs(word.related) do
    names[index] = prefix and name == name:upper() and prefix .. name or name
  end
  return names
end

--- The words that an entry is related to, as they are looked up.
---@param entry table
---@return string[]
function lexicon.related(entry)
  return related(entry.word, entry.kind.prefix)
end

local function add_entry(out, how, entry)
  local number = entry.number and (" (%d)"):format(entry.number) or ""
  out[#out + 1] = how.paint(entry.name, "bold") .. number .. ": " .. entry.kind.is
  local word = entry.word
  paragraph.add(out, how, "means", word.means)
  for index, cause in ipairs(word.causes) do
    paragraph.add(out, how, index == 1 and "causes" or "", cause)
  end
  if word.rfc then
    paragraph.add(out, how, "clause", word.rfc)
  end
  paragraph.add(out, how, "next", word.next)
  if next(entry.says) then
    out[#out + 1] = how.paint("  elsewhere", "dim")
    for _, stack in ipairs(STACKS) do
      if entry.says[stack[1]] then
        paragraph.add(out, how, stack[2], entry.says[stack[1]], 18)
      end
    end
  end
  local names = lexicon.related(entry)
  if #names > 0 then
    paragraph.add(out, how, "related", table.concat(names, ", "))
  end
end

--- Entries in words.
---@param found table[] of lexicon.find()
---@param how { width: integer, paint: fun(text: string, colour: string): string }
---@return string[] lines
function lexicon.lines(found, how)
  local out = {}
  for index, entry in ipairs(found) do
    if index > 1 then
      out[#out + 1] = ""
    end
    add_entry(out, how, entry)
  end
  return out
end

--- All words by kind.
---@param how { width: integer, paint: fun(text: string, colour: string): string }
---@return string[] lines
function lexicon.overview(how)
  local out = {}
  for _, kind in ipairs(KINDS) do
    local names = {}
    for _, entry in ipairs(entries()) do
      if entry.kind == kind then
        names[#names + 1] = escape.line(entry.name)
      end
    end
    out[#out + 1] = how.paint(kind.title, "bold")
    for _, line in ipairs(columns.wrap(table.concat(names, " "), how.width - 2)) do
      out[#out + 1] = "  " .. line
    end
  end
  return out
end

return lexicon
