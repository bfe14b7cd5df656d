-- SPDX-License-Identifier: MIT
-- What words of failures mean: every word that the core knows is there, and no other; looking up.
local unit = dofile((arg[0]:match ".*/" or "") .. "harness.lua")
local colours = require "moonshake.report.colours"
local lexicon = require "moonshake.views.lexicon"
local native = require "moonshake.native"
local test, equal, contains = unit.test, unit.equal, unit.contains

local function check(holds, what)
  if not holds then
    error(what, 2)
  end
end

local plain = { width = 80, paint = colours.painter(false) }

local FILES = {
  alert = { "alerts" }, problem = { "problems" }, verification = { "verification" },
  absence = { "absence" }, code = { "gnutls", "gnutls_more" },
}

local function known(kind)
  return kind == "alert" and native.names "alert" or native.words(kind)
end

-- The words of a kind as they stand in the data: a word in two files would hide one of them.
local function described(kind)
  local words = {}
  for _, file in ipairs(FILES[kind]) do
    for name, word in pairs(require("moonshake.views.words." .. file)) do
      local full = (kind == "code" and "GNUTLS_E_" or "") .. name
      check(words[full] == nil, full .. " is described twice")
      words[full] = word
    end
  end
  return words
end

local function told(word)
  return table.concat(lexicon.lines(lexicon.find(word), plain), "\n")
end

local function names(word)
  local list = {}
  for index, entry in ipairs(lexicon.find(word)) do
    list[index] = entry.kind.name .. " " .. entry.name
  end
  return table.concat(list, ", ")
end

-- Other versions of GnuTLS have more errors, or fewer.
local function is_closed(kind)
  return kind ~= "code" or native.stack == "gnutls 3.7.9"
end

test("every word that the core knows is described, and no other", function()
  for kind in pairs(FILES) do
    local words, of_core = described(kind), {}
    for _, name in ipairs(known(kind)) do
      of_core[name] = true
      check(words[name] ~= nil or not is_closed(kind), name .. " is not described")
    end
    for name in pairs(words) do
      check(of_core[name] or not is_closed(kind), name .. " is not the core's")
    end
  end
end)

local function check_text(text, where)
  check(type(text) == "string" and #text > 2 and not text:find "^%s" and not text:find "%s$"
        and not text:find "%s%s" and not text:find "%c", where .. ": " .. tostring(text))
end

local FIELDS = {
  means = true, causes = true, rfc = true, next = true, related = true,
  openssl = true, go = true, java = true, erlang = true, nginx = true, apache = true,
}

test("every entry says what it means, why, what next, and by which clause", function()
  for _, entry in ipairs(lexicon.all()) do
    local word = entry.word
    for field in pairs(word) do
      check(FIELDS[field], entry.name .. " has " .. field)
    end
    check_text(word.means, entry.name .. ".means")
    check_text(word.next, entry.name .. ".next")
    check(word.means:find "%.$" and word.next:find "[.?]$", entry.name .. " has no full stop")
    check(#word.causes > 0, entry.name .. ".causes")
    for _, cause in ipairs(word.causes) do
      check_text(cause, entry.name .. ".causes")
      check(not cause:find "%.$", entry.name .. ": a cause is no sentence")
    end
    check(word.rfc or entry.kind.name == "code", entry.name .. ".rfc")
    if word.rfc then
      check(word.rfc:find "^RFC %d+ " or word.rfc:find "^draft%-", word.rfc)
    end
    for stack, said in pairs(entry.says) do
      check_text(said, entry.name .. "." .. stack)
    end
  end
end)

test("related words can be looked up by their names", function()
  for _, entry in ipairs(lexicon.all()) do
    for _, name in ipairs(lexicon.related(entry)) do
      local found = lexicon.find(name)
      check(#found > 0 and found[1].name == name, ("%s: related %s"):format(entry.name, name))
      check(found[1] ~= entry, entry.name .. " is related to itself")
    end
  end
end)

test("every word is found by its name, in every spelling", function()
  local SPELT = {
    string.upper, function(name) return name end, function(name) return '"' .. name .. '"' end,
    function(name) return (name:gsub("_", " ")) end,
    function(name) return (name:lower():gsub("_", "-")) end,
  }
  for index, entry in ipairs(lexicon.all()) do
    local spelling = SPELT[index % #SPELT + 1](entry.name) -- each in turn: valgrind has to wait
    local found = false
    for _, one in ipairs(lexicon.find(spelling)) do
      found = found or one == entry
    end
    check(found, spelling .. " does not lead to " .. entry.name)
  end
end)

test("a word with several meanings is told in all of them", function()
  equal(names "no_certificate", "alert no_certificate, problem no_certificate")
  equal(names "40", "alert handshake_failure, code GNUTLS_E_ENCRYPTION_FAILED")
  equal(names "-40", "code GNUTLS_E_ENCRYPTION_FAILED")
  equal(names "alert 40", "alert handshake_failure")
  local text = told "no_certificate"
  contains(text, "no_certificate (41): an alert\n")
  contains(text, "\n\nno_certificate: a problem (error.problem)\n")
end)

test("words are found in the spellings of others", function()
  local SAME = {
    ["GNUTLS_A_UNKNOWN_CA"] = "alert unknown_ca",
    ["SSL_AD_UNKNOWN_CA"] = "alert unknown_ca",
    ["unknown CA"] = "alert unknown_ca",
    ["tlsv1 alert unknown ca"] = "alert unknown_ca",
    ["remote error: tls: unknown certificate authority"] = "alert unknown_ca",
    ["Received fatal alert: unknown_ca"] = "alert unknown_ca",
    ["SSL alert number 48"] = "alert unknown_ca",
    ["-110"] = "code GNUTLS_E_PREMATURE_TERMINATION",
    ["110"] = "alert unsupported_extension, code GNUTLS_E_PREMATURE_TERMINATION",
    ["premature_termination"] = "code GNUTLS_E_PREMATURE_TERMINATION",
    ["peer did not return a certificate"] = "problem no_certificate",
    ["x509: too many intermediates"] = "verification path_length_exceeded",
    ["unable to get local issuer certificate"] =
      "verification signer_not_found, verification depth_exceeded",
    ["max_path_length_reached"] = "verification path_length_exceeded, verification depth_exceeded",
    ["AH02040"] = "verification depth_exceeded",
  }
  for word, wanted in pairs(SAME) do
    equal(names(word), wanted, word)
  end
  if native.stack:find "^gnutls 3%.7" then
    equal(names "No certificate was found.", "code GNUTLS_E_NO_CERTIFICATE_FOUND")
  end
end)

test("what is not known is not found, and its neighbour is named", function()
  for _, word in ipairs { "x", "   ", "tls", "%d+", "(", "100000", "-100000", "1e2", "alert 7",
                          "nothing of the kind", "\0", "\27[31m", ("x"):rep(5000) } do
    local found = names(word)
    check(found == "" or word == "tls" or word == "(", ("%q: %s"):format(word, found))
  end
  equal(lexicon.hint "certifcate_required", ' (did you mean "certificate_required"?)')
  equal(lexicon.hint "Unknwon CA", ' (did you mean "unknown_ca"?)')
  equal(lexicon.hint "PREMATURE_TERMINATON", ' (did you mean "GNUTLS_E_PREMATURE_TERMINATION"?)')
  equal(lexicon.hint "nothing of the kind", "")
end)

test("an alert says what it is, with its number, clause and names elsewhere", function()
  local text = told "certificate_required"
  for _, part in ipairs { "certificate_required (116): an alert\n", "  means   TLS 1.3:",
                          "\n  causes  the client has none\n",
                          "\n            sends none\n",
                          "\n  clause  RFC 8446 sections 4.4.2.4 and 6.2\n", "\n  next    ",
                          "\n    OpenSSL            tlsv13 alert certificate required\n",
                          "\n    Go                 remote error: tls: certificate required\n",
                          "\n    Java               Received fatal alert: certificate_required\n",
                          "SSL alert number", "\n  related no_certificate, issuer_not_named" } do
    contains(text, part)
  end
end)

test("a problem of a chain says what nginx and Apache make of OpenSSL's error", function()
  local text = told "expired"
  contains(text, "\n    OpenSSL            10 certificate has expired\n")
  contains(text, "nginx              client SSL certificate verify error: (10:certificate\n")
  contains(text, "Apache             AH02039: Certificate Verification: Error (10)")
  local depth = told "depth_exceeded"
  contains(depth, "which is misleading")
  contains(depth, "AH02040")
  check(not told "revoked":find("Go  ", 1, true), "a cell that is not known is left out")
end)

test("lines keep within the width, where their words do", function()
  for _, width in ipairs { 30, 60, 80, 132 } do
    local how = { width = width, paint = plain.paint }
    for _, line in ipairs(lexicon.lines(lexicon.all(), how)) do
      -- a narrow terminal leaves twenty characters to the text; long words stay whole
      check(#line <= math.max(width, 46) or not line:sub(28):find " %S" or line:find "^%S", line)
    end
    for _, line in ipairs(lexicon.overview(how)) do
      check(#line <= width or not line:sub(3):find " " or line:find "^%S", line)
    end
  end
end)

test("all words are listed by kind", function()
  local text = table.concat(lexicon.overview(plain), "\n") .. "\n"
  local position = 1
  for _, title in ipairs { "Alerts\n", "Problems (error.problem)\n",
                           "Problems of a chain (verification.problems)\n",
                           "Why a certificate stayed at home (not_sent_because)\n",
                           "Errors of GnuTLS (error.code)\n" } do
    local at = text:find(title, position, true)
    check(at ~= nil, title .. text)
    position = at or position
  end
  for _, entry in ipairs(lexicon.all()) do
    check(text:find("%f[%w_]" .. entry.name .. "%f[^%w_]"), entry.name .. " is not listed")
  end
end)

test("colours mark the word and the labels, and change nothing else", function()
  local function painted(text, colour)
    return ("<%s>%s</%s>"):format(colour, text, colour)
  end
  local lines = lexicon.lines(lexicon.find "expired", { width = 80, paint = painted })
  equal(lines[1], "<bold>expired</bold>: a problem of a chain (verification.problems)")
  equal(lines[2], "<dim>  means   </dim>A certificate is no longer valid.")
  equal(table.concat(lines, "\n"):gsub("</?%l+>", ""), told "expired")
end)

unit.done()
