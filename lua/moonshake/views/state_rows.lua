-- SPDX-License-Identifier: MIT
-- The certificate state of both ends in words: for each epoch rows of what each reported and what
-- crossed the wire, and then each certificate once. Plain tables that can travel as JSON; what is
-- in them is escaped for a terminal. (state_text.lua makes columns of them.)
local certificate_state = require "moonshake.views.certificate_state"
local columns = require "moonshake.views.columns"
local escape = require "moonshake.escape"
local marks = require "moonshake.marks"
local phrase = require "moonshake.views.phrase"
local validity = require "moonshake.views.validity"

local fact = phrase.fact

local state_rows = {}

local MOST_IN_CHAIN, MOST_CERTIFICATES, MOST_NAMES = 12, 16, 6
local LONGEST = 256 -- columns of a name
local ROLES = { "client", "server" }

-- What marks a line that must catch the eye: another chain than is reported, a certificate that is
-- at fault.
local DIFFERS, AT_FAULT, PLAIN = "!=", "!!", "  "

local UNKNOWN = "cannot be told"

-- 1 is A, 27 is AA.
local function letters(number)
  local text = ""
  repeat
    number = number - 1
    text = string.char(65 + number % 26) .. text
    number = number // 26
  until number == 0
  return text
end

-- A name that somebody else chose.
local function name(text)
  return columns.cut(escape.line(text), LONGEST)
end

local function subject_of(certificate)
  local subject, readable = fact(certificate, "subject")
  return not readable and "a certificate that cannot be read"
    or subject == "" and "no subject" or name(subject)
end

local function titled(entry)
  return letters(entry.number) .. " " .. subject_of(entry.certificate)
end

local function letters_of(chain)
  local list = {}
  for index = 1, math.min(#chain, MOST_IN_CHAIN) do
    list[index] = letters(chain[index].number)
  end
  list[#list + 1] = #chain > #list and ("... %d in all"):format(#chain) or nil
  return table.concat(list, ", ")
end

---------------------------------------------------------------------------------------------------
-- Cells: lists of { mark, text }

local function line(cell, text, mark)
  cell[#cell + 1] = { mark or PLAIN, text }
end

-- The first ones, and the one that is at fault wherever it stands.
local function add_chain(cell, chain, mark, verification)
  for index, entry in ipairs(chain) do
    local is_at_fault = verification and verification.at_fault == entry
    local astray = verification and #verification.path > 0 and not verification.on_path[entry]
    if index <= MOST_IN_CHAIN or is_at_fault then
      line(cell, titled(entry) .. (astray and " (not on the path)" or ""),
           is_at_fault and AT_FAULT or index == 1 and mark or nil)
    end
  end
  if #chain > MOST_IN_CHAIN then
    line(cell, ("... %d in all"):format(#chain))
  end
end

-- A chain that an end reports.
local function reported_cell(side, verification)
  local cell = {}
  if side.reported == marks.unknown then
    line(cell, UNKNOWN)
  elseif side.reported == nil then
    line(cell, "none", side.differs and DIFFERS or nil)
  else
    add_chain(cell, side.reported, side.differs and DIFFERS or nil, verification)
  end
  return cell
end

-- What the wire carried, in as few words as there are where that is what is reported.
local function wire_cell(side, epoch, verification)
  local cell, mark = {}, side.differs and DIFFERS or nil
  if side.wire == marks.unknown then
    line(cell, UNKNOWN)
  elseif side.wire and #side.wire == 0 then
    line(cell, "an empty message", mark)
  elseif side.wire and not side.differs and side.reported ~= marks.unknown then
    line(cell, "the same")
  elseif side.wire then
    add_chain(cell, side.wire, mark, verification)
  elseif not side.carried_in or side.carried_in == epoch then
    line(cell, "no message", mark)
  elseif side.carried and side.differs then
    line(cell, "no message; in " .. escape.line(side.carried_in) .. ":", mark)
    add_chain(cell, side.carried, nil, verification)
  else
    line(cell, ("no message; %s in %s"):format(side.carried and "the same" or "an empty one",
                                               escape.line(side.carried_in)), mark)
  end
  return cell
end

local function phase_cell(one)
  local snapshot, cell = one.snapshot, {}
  if one.is_far then -- said once, instead of in each row
    line(cell, "not ours: what the wire shows")
    return cell
  end
  local version, found = snapshot.version, snapshot.error
  line(cell, ("%s%s%s"):format(snapshot.phase, version ~= nil and ", " .. tostring(version) or "",
                               snapshot.resumed == true and ", resumed" or ""))
  if found ~= nil and found ~= marks.unknown then
    line(cell, found.problem)
  end
  return cell
end

local function request_cell(snapshot)
  local cell = {}
  if snapshot.certificate_requested ~= true then
    line(cell, snapshot.certificate_requested == marks.unknown and UNKNOWN or "none")
    return cell
  end
  local issuers = snapshot.requested_issuers
  local count = type(issuers) == "table" and issuers ~= marks.unknown and #issuers or 0
  line(cell, (snapshot.role == "server" and "sent" or "received")
    .. (count == 0 and ", no issuers named" or ", naming"))
  for index = 1, math.min(count, MOST_NAMES) do
    line(cell, "  " .. (issuers[index] == "" and "no name" or name(issuers[index])))
  end
  if count > MOST_NAMES then
    line(cell, ("  ... %d in all"):format(count))
  end
  return cell
end

local function judged_cell(one)
  local cell, verification = {}, one.verification
  if not verification then
    line(cell, one.is_judgement_unknown and UNKNOWN or "nothing")
    return cell
  end
  local problems = verification.verified and "no problem"
    or table.concat(verification.problems, ", ")
  line(cell, ("%s: %s"):format(verification.accepted and "accepted" or "rejected", problems),
       not verification.verified and AT_FAULT or nil)
  if not verification.verified then
    line(cell, columns.cut(escape.line(verification.text), 2 * LONGEST))
  end
  if #verification.path > 0 then
    line(cell, "path " .. letters_of(verification.path))
  end
  return cell
end

-- A cell without what cannot be told.
local function without_unknown(cell)
  local kept = {}
  for _, one in ipairs(cell) do
    kept[#kept + 1] = one[2] ~= UNKNOWN and one or nil
  end
  return kept
end

-- The rows of an epoch: { name, cell of each role }; without cells it is a heading.
local function rows_of(epoch)
  local rows = {}
  local function row(label, make)
    local made = { label = label }
    for _, role in ipairs(ROLES) do
      local cell = make(epoch[role])
      made[role] = epoch[role].is_far and without_unknown(cell) or cell
    end
    rows[#rows + 1] = (made.client or made.server) and made or nil
  end
  row("", phase_cell)
  if epoch.client.at or epoch.server.at then
    row("clock", function(one)
      return { { PLAIN, one.at and validity.time(one.at) or "" } }
    end)
  end
  row("request", function(one) return request_cell(one.snapshot) end)
  rows[#rows + 1] = { label = "its own certificates" }
  row("reported", function(one) return reported_cell(one.own) end)
  row("sent", function(one)
    local cell = wire_cell(one.own, epoch.name)
    local why = one.snapshot.not_sent_because
    if why ~= nil and why ~= marks.unknown then
      line(cell, "because: " .. why)
    end
    return cell
  end)
  rows[#rows + 1] = { label = "its peer's certificates" }
  row("reported", function(one) return reported_cell(one.peer, one.verification) end)
  row("received", function(one) return wire_cell(one.peer, epoch.name, one.verification) end)
  row("judged", judged_cell)
  return rows
end

---------------------------------------------------------------------------------------------------
-- The certificates

local function names_of(certificate)
  local names, count = {}, 0
  for _, kind in ipairs { { "dns_names", "DNS" }, { "ip_addresses", "IP" }, { "uris", "URI" },
                          { "email_addresses", "mail" } } do
    for _, text in ipairs(fact(certificate, kind[1]) or {}) do
      count = count + 1
      names[#names + 1] = count <= MOST_NAMES and kind[2] .. " " .. name(text) or nil
    end
  end
  if count > MOST_NAMES then
    names[#names + 1] = ("... %d in all"):format(count)
  end
  return table.concat(names, ", ")
end

local function principal_of(certificate)
  local principal = fact(certificate, "principal") or ""
  return principal == fact(certificate, "subject") and "the subject" or name(principal)
end

-- What its key is for: purposes, and what a CA may do.
local function purposes_of(certificate)
  local words = { table.unpack(fact(certificate, "purposes") or { "any purpose" }, 1, MOST_NAMES) }
  if fact(certificate, "is_ca") then
    local most = fact(certificate, "path_length")
    words = { most and ("issuing, path length %d"):format(most) or "issuing" }
  end
  local bits = fact(certificate, "key_bits")
  local kind = fact(certificate, "key_type") or "unknown"
  return ("%s; key %s%s"):format(name(table.concat(words, ", ")), name(kind),
                                 bits and kind:find "^rsa" and " " .. bits or "")
end

-- What is said of a certificate in each of its uses: a text once, with who says it where others say
-- something else.
local function by_use(uses, say)
  local texts, users, told = {}, {}, {}
  for _, use in ipairs(uses) do
    local text = say(use)
    if text and not users[text] then
      texts[#texts + 1], users[text] = text, {}
    end
    if text then
      table.insert(users[text], use)
      told[use.role] = told[use.role] or text
      told[use.role] = told[use.role] == text and text or ""
    end
  end
  for index, text in ipairs(texts) do
    local names, seen = {}, {}
    for _, use in ipairs(users[text]) do
      local user = told[use.role] == "" and use.role .. " in " .. use.epoch or use.role
      names[#names + 1] = not seen[user] and user or nil
      seen[user] = true
    end
    texts[index] = #texts > 1 and ("%s (%s)"):format(text, table.concat(names, ", ")) or text
  end
  return texts
end

local function judged_in(entry)
  return function(use)
    local verification = use.verification
    if not verification then
      return nil
    elseif verification.at_fault == entry then
      return ("%s at fault: %s"):format(AT_FAULT, table.concat(verification.problems, ", "))
    elseif not verification.on_path[entry] then
      return #verification.path > 0 and "not on the path" or nil
    elseif not verification.verified then
      return "on a path that is not valid"
    end
    return verification.path[#verification.path] == entry and "fine, and trusted" or "fine"
  end
end

-- What is told of a certificate: { label, text } in order; without a label it goes on.
local function facts_of(entry, labels)
  local certificate, facts = entry.certificate, {}
  local function add(label, text)
    facts[#facts + 1] = { label, text }
  end
  local issuer, readable = fact(certificate, "issuer")
  if not readable then
    return facts
  end
  local by = labels[issuer]
  add("issuer", fact(certificate, "self_signed") and "itself"
    or (issuer == "" and "no name" or name(issuer)) .. (by and " (" .. by .. ")" or ""))
  local names = names_of(certificate)
  if names ~= "" then
    add("names", names)
  end
  if not fact(certificate, "is_ca") then
    add("principal", principal_of(certificate))
  end
  add("for", purposes_of(certificate))
  local from, to = fact(certificate, "not_before"), fact(certificate, "not_after")
  local standings = by_use(entry.uses, function(use)
    return use.at and validity.standing(from, to, use.at)
  end)
  local dates = ("%s to %s"):format(validity.date(from), validity.date(to))
  add("valid", table.concat({ dates, #standings == 1 and standings[1] or nil }, ", "))
  for _, text in ipairs(#standings > 1 and standings or {}) do
    add("", text)
  end
  for index, text in ipairs(by_use(entry.uses, judged_in(entry))) do
    add(index == 1 and "judged" or "", text)
  end
  return facts
end

local function is_at_fault(entry)
  for _, use in ipairs(entry.uses) do
    if use.verification and use.verification.at_fault == entry then
      return true
    end
  end
end

-- The first ones, and those at fault.
local function certificates_of(list)
  local labels, told = {}, {}
  for _, entry in ipairs(list) do
    local subject = fact(entry.certificate, "subject")
    if subject and fact(entry.certificate, "is_ca") and not labels[subject] then
      labels[subject] = letters(entry.number)
    end
  end
  for index, entry in ipairs(list) do
    if index <= MOST_CERTIFICATES or is_at_fault(entry) then
      told[#told + 1] = { title = titled(entry), facts = facts_of(entry, labels) }
    end
  end
  return told
end

---------------------------------------------------------------------------------------------------

---@class moonshake.state_rows
---@field epochs { name: string, rows: table[] }[] a row has a label and, unless it is a heading, a
---   cell for client and server: a list of lines { mark, text }. The mark is "!=" where what is
---   reported is not what Certificate messages carried, "!!" at what a verification found wrong,
---   else blank
---@field certificates { title: string, facts: string[][] }[] facts are pairs of a label and a text;
---   where the label is "" the one before goes on
---@field num_certificates integer how many there are; not all are told where there are many

--- What there is to tell of a link.
---@param link table
---@return moonshake.state_rows
function state_rows.of(link)
  local state, epochs = certificate_state.of(link), {}
  for index, epoch in ipairs(state.epochs) do
    epochs[index] = { name = escape.line(epoch.name), rows = rows_of(epoch) }
  end
  return { epochs = epochs, certificates = certificates_of(state.certificates),
           num_certificates = #state.certificates }
end

return state_rows
