-- SPDX-License-Identifier: MIT
-- The words that a scenario's `needs` knows, and whether this machine has what they stand for.

local needs = {}

-- word -> the program to look for in PATH, or several names of one that distributions give it
local PROGRAMS = {
  apache = { "apache2", "httpd" },
  chromium = { "chromium", "chromium-browser", "google-chrome-stable", "google-chrome" },
  curl = { "curl" },
  gnutls = { "gnutls-cli", "gnutls-serv" },
  nginx = { "nginx" },
  openssl = { "openssl" },
  tshark = { "tshark" },
}

--- The words, in alphabetical order.
---@return string[]
function needs.words()
  local words = {}
  for word in pairs(PROGRAMS) do
    words[#words + 1] = word
  end
  table.sort(words)
  return words
end

--- Whether `word` is one of them.
function needs.known(word)
  return PROGRAMS[word] ~= nil
end

-- Servers may stand where only the superuser's PATH leads.
local function is_there(name)
  local files = require "moonshake.io.files" -- not before a scenario needs something
  return files.find_program(name) or files.kind("/usr/sbin/" .. name) == "file"
    or files.kind("/usr/local/sbin/" .. name) == "file"
end

--- Why a need is not met here, as the reason of a skip; nil when it is met.
---@param word string one of needs.words()
---@return string|nil
function needs.missing(word)
  for _, name in ipairs(PROGRAMS[word]) do
    if is_there(name) then
      return nil
    end
  end
  return ("needs %s, which is not in PATH"):format(PROGRAMS[word][1])
end

return needs
