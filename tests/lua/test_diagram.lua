-- SPDX-License-Identifier: MIT
-- What is drawn of a link. The pictures stand in diagrams.expected:
--   moonshake lua tests/lua/test_diagram.lua --write
-- puts down those of now, to be read before they are believed.
local here = arg[0]:match ".*/" or ""
local unit = dofile(here .. "harness.lua")
local drawn = dofile(here .. "drawn_links.lua")
local columns = require "moonshake.views.columns"
local diagram = require "moonshake.views.diagram"
local test, equal, contains = unit.test, unit.equal, unit.contains

local EXPECTED = here .. "diagrams.expected"

local links = {}
for _, name in ipairs(drawn.names) do
  links[name] = drawn.by_name[name]()
end

---------------------------------------------------------------------------------------------------
-- Pictures

local function read_expected()
  local file = io.open(EXPECTED, "rb")
  local text = file and file:read "a" or ""
  if file then
    file:close()
  end
  local pictures, name = {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    name = line:match "^== (.*)" or name
    if name and not line:find "^== " and line ~= "" then
      pictures[name] = (pictures[name] or "") .. line .. "\n"
    end
  end
  return pictures
end

if arg[1] == "--write" then
  local file = assert(io.open(EXPECTED, "wb"))
  file:write "# SPDX-License-Identifier: MIT\n# What test_diagram.lua draws.\n"
  for _, name in ipairs(drawn.names) do
    file:write("\n== ", name, "\n", links[name]:diagram(), "\n")
  end
  file:write "\n"
  file:close()
  os.exit(true)
end

local expected = read_expected()
for _, name in ipairs(drawn.names) do
  test("a picture: " .. name, function()
    equal(links[name]:diagram() .. "\n", expected[name])
  end)
end

---------------------------------------------------------------------------------------------------
-- Widths

-- The lines that are wider than they may be.
local function too_wide(link, how)
  local bad = {}
  for line in (diagram.draw(diagram.model(link), "text", how) .. "\n"):gmatch "([^\n]*)\n" do
    if columns.width(line) > how.width then
      bad[#bad + 1] = line
    end
  end
  return table.concat(bad, "\n")
end

test("no line is wider than the terminal, and what is there is used", function()
  for _, name in ipairs(drawn.names) do
    for _, width in ipairs { 60, 64, 80, 132, 400 } do
      for _, unicode in ipairs { false, true } do
        equal(too_wide(links[name], { width = width, unicode = unicode }), "",
              ("%s at %d"):format(name, width))
      end
    end
  end
  equal(#links["TLS 1.3"]:diagram { width = 80 }:match "[^\n]*", 80)
  equal(#links["TLS 1.3"]:diagram { width = 100 }:match "[^\n]*", 100)
  equal(#links["TLS 1.3"]:diagram { width = 400 }:match "[^\n]*", 120)
end)

test("colours change nothing but the colours", function()
  for _, name in ipairs(drawn.names) do
    local model = diagram.model(links[name])
    local painted = diagram.draw(model, "text", {
      paint = function(text, style) return "<" .. style .. ":" .. text .. ":>" end,
    })
    equal(painted:gsub("<%l+:", ""):gsub(":>", ""), (diagram.draw(model, "text")), name)
  end
end)

---------------------------------------------------------------------------------------------------
-- Whatever happened is drawn, once

-- What crossed the wire, by the log: who sent what, in his order.
local function told_by_log(link)
  local told = { client = {}, server = {} }
  for _, event in ipairs(link.events) do
    if event.direction == "sent" and event.kind == "message" then
      table.insert(told[event.role], event.type)
    elseif event.direction == "sent" and event.kind == "alert" then
      table.insert(told[event.role], event.name)
    elseif event.direction == "sent" and event.kind == "data" then
      table.insert(told[event.role], "Application Data")
    end
  end
  return table.concat(told.client, " ") .. " | " .. table.concat(told.server, " ")
end

local function told_by_steps(model)
  local told = { client = {}, server = {} }
  for _, step in ipairs(model.steps) do
    if step.from and step.kind ~= "change_cipher_spec" then
      for _ = 1, step.count or 1 do
        table.insert(told[step.from], (step.name:gsub(" %(%d+%)$", "")))
      end
    end
  end
  return table.concat(told.client, " ") .. " | " .. table.concat(told.server, " ")
end

test("each message, alert and piece of data is a step, in the order of its sender", function()
  for _, name in ipairs(drawn.names) do
    equal(told_by_steps(diagram.model(links[name])), told_by_log(links[name]), name)
  end
end)

test("what was received comes in the order of the receiver, unless it crossed something", function()
  for _, name in ipairs(drawn.names) do
    local last = { client = 0, server = 0 }
    for _, step in ipairs(diagram.model(links[name]).steps) do
      local receiver = step.from == "client" and "server" or "client"
      if step.received then
        equal(step.received > last[receiver], true, name .. ": " .. step.name)
        last[receiver] = step.received
      end
    end
  end
end)

-- The types of the records that an end sent after an event, to the next one of its messages.
local function carrier_of(link, index, role)
  for at = index + 1, #link.events do
    local event = link.events[at]
    if event.role == role and event.kind == "record" and event.direction == "sent"
      and event.type ~= "change_cipher_spec" then
      return event.type
    end
  end
end

test("what is drawn as encrypted in TLS 1.3 went out encrypted", function()
  for _, name in ipairs(drawn.names) do
    local model = diagram.model(links[name])
    local is_1_3 = model.version == "TLS1.3" and name ~= "stalled" -- which begins with TLS 1.2
    for _, step in ipairs(is_1_3 and model.steps or {}) do
      if step.kind == "message" and step.sent and step.fate ~= "unsent" then
        local carrier = carrier_of(links[name], step.sent, step.from)
        -- A flight begins in clear and ends encrypted: its first record is the ServerHello's.
        local clear = step.name == "ClientHello" or step.name == "ServerHello"
          or step.name == "HelloRetryRequest"
        equal(step.level == "none", clear, name .. ": " .. step.name)
        equal(clear and carrier or "handshake", "handshake", name .. ": " .. step.name)
      end
    end
  end
end)

---------------------------------------------------------------------------------------------------
-- What goes wrong on the way: logs of which something was taken, or changed

local function steps_of(link, change, phases)
  local model = diagram.model(drawn.doctored(link, change, phases))
  local by_name = {}
  for _, step in ipairs(model.steps) do
    by_name[step.name or step.what or step.kind] = step
  end
  return by_name, model
end

-- Without what an end received from an index on.
local function cut_off(role, from)
  return function(events)
    local kept = {}
    for _, event in ipairs(events) do
      if not (event.role == role and event.index >= from
              and (event.direction == "received" or event.kind == "error")) then
        kept[#kept + 1] = event
      end
    end
    return kept
  end
end

local function index_of(link, role, direction, kind)
  for _, event in ipairs(link.events) do
    if event.role == role and event.direction == direction
      and (event.type == kind or event.name == kind) then
      return event.index
    end
  end
end

test("a flight that never came is lost, and who waits for it has stalled", function()
  local link = links["TLS 1.3"]
  local first = index_of(link, "client", "received", "handshake")
  local steps, model = steps_of(link, cut_off("client", first),
                                { client = "stalled", server = "stalled" })
  equal(steps.ServerHello.fate, "lost")
  equal(steps.EncryptedExtensions.fate, "lost")
  equal(steps.ClientHello.fate, "arrived")
  equal(steps.stalled.at, "server", "the last one")
  contains(diagram.draw(model, "text"), "lost on the way")
  contains(diagram.draw(model, "text"), "waits, and nothing comes ?")
end)

test("one record of a flight that is gone is told from those behind it", function()
  local link = links["TLS 1.3"]
  local record
  local steps = steps_of(link, function(events)
    local kept = {}
    for _, event in ipairs(events) do
      local is_message = event.role == "client" and event.direction == "received"
        and event.kind == "message" and event.type ~= "ServerHello"
      if event.role == "client" and event.direction == "received" and event.kind == "record"
        and event.type == "application_data" and not record then
        record = event -- that of EncryptedExtensions
      elseif not is_message then
        kept[#kept + 1] = event
      end
    end
    return kept
  end, { client = "failed", server = "failed" })
  equal(steps.EncryptedExtensions.fate, "lost")
  equal(steps.Certificate.fate, "unread", "its record came")
end)

test("who was over did not read what came after", function()
  local link = links["TLS 1.2"]
  local first = index_of(link, "client", "received", "handshake")
  local steps = steps_of(link, cut_off("client", first), { client = "failed", server = "stalled" })
  equal(steps.ServerHello.fate, "unread")
end)

test("a message that is another one when it comes was changed on the way", function()
  local steps, model = steps_of(links["TLS 1.2"], function(events)
    for _, event in ipairs(events) do
      if event.role == "server" and event.direction == "received" and event.index <= 4 then
        event.bytes = event.bytes:sub(1, -2) .. string.char(event.bytes:byte(-1) ~ 1)
      end
    end
  end)
  equal(steps.ClientHello.fate, "changed")
  equal(steps.altered, nil, "the message tells it")
  contains(diagram.draw(model, "text"), "changed on the way")
end)

test("a record that comes otherwise than it was sent is told where it was read", function()
  local link = links["TLS 1.3"]
  local steps, model = steps_of(link, function(events)
    for _, event in ipairs(events) do
      if event.role == "server" and event.kind == "record" and event.direction == "received"
        and event.type == "application_data" then
        event.bytes = event.bytes:sub(1, -2) .. string.char(event.bytes:byte(-1) ~ 1)
      end
    end
    return cut_off("server", index_of(link, "server", "received", "Finished"))(events)
  end, { client = "established", server = "failed" })
  equal(steps.altered.at, "server")
  contains(diagram.draw(model, "text"), "reads a record that its peer did not send so !")
end)

test("a message that nobody sent is drawn as what it is", function()
  local steps, model = steps_of(links["TLS 1.2"], function(events)
    for index = #events, 1, -1 do
      if events[index].role == "client" and events[index].index <= 2 then
        table.remove(events, index)
      end
    end
  end)
  equal(steps.ClientHello.fate, "strange")
  contains(diagram.draw(model, "text"), "not sent so")
end)

test("a message that was made and never handed over is drawn so", function()
  local link = links["TLS 1.2"]
  local from = index_of(link, "client", "sent", "ClientKeyExchange")
  local steps, model = steps_of(link, function(events)
    local kept = {}
    for _, event in ipairs(events) do
      event.delivered = event.delivered and event.index < from
      if event.index <= from then
        kept[#kept + 1] = event
      end
    end
    return kept
  end)
  equal(steps.ClientKeyExchange.fate, "unsent")
  contains(diagram.draw(model, "text"), "never sent")
end)

test("where an arrow has no room for its fate, the fate stands below", function()
  local link = links["TLS 1.3, no certificate though required"]
  local from = index_of(link, "client", "received", "certificate_required")
  local made = drawn.doctored(link, cut_off("client", from), { client = "failed",
                                                              server = "failed" })
  equal(too_wide(made, { width = 60 }), "")
  contains(diagram.draw(diagram.model(made), "text", { width = 60 }),
           "|x------ [Alert: fatal certificate_required (116)] --|\n   |"
           .. (" "):rep(39) .. "not read     |")
end)

test("an alert that went out in clear is drawn so, whatever keys there were", function()
  local steps = steps_of(links["TLS 1.3, rejected"], function(events)
    for _, event in ipairs(events) do
      if events[event.index + 1] and events[event.index + 1].kind == "alert" then
        event.type, event.length = "alert", 7
      end
    end
  end)
  equal(steps["bad_certificate (42)"].level, "none")
  equal(steps.Finished.level, "handshake")
end)

test("messages that crossed are drawn, the one sent first before the other", function()
  local model = diagram.model(links["closed by both ends"])
  local last, before = model.steps[#model.steps], model.steps[#model.steps - 1]
  equal(before.name, "close_notify (0)")
  equal(last.name, "close_notify (0)")
  equal(before.sent < last.sent, true)
  equal(before.received > last.received, true)
end)

test("a log that no end of ours writes is drawn without an end that waits", function()
  local link = links["TLS 1.2"]
  for seed = 1, 200 do
    local model = diagram.model(drawn.doctored(link, function(events)
      local state = seed
      for index = #events, 2, -1 do -- shuffled
        state = (state * 1103515245 + 12345) % 0x80000000
        local other = state // 65536 % index + 1
        events[index], events[other] = events[other], events[index]
      end
      for index, event in ipairs(events) do
        event.index = index
      end
    end))
    equal(diagram.draw(model, "text") ~= "", true)
  end
end)

---------------------------------------------------------------------------------------------------
-- Notes, forms, options

test("a note stands behind what had happened then", function()
  local link = links["renegotiation"]
  local begins
  for _, event in ipairs(link.events) do
    if event.epoch == "renegotiation 1" then
      begins = begins or event.index
    end
  end
  local model = diagram.model(link, { { text = "now\nthis", after = begins - 1 },
                                      { text = "the end", after = #link.events } })
  local text = diagram.draw(model, "text")
  contains(text, "|  # now")
  contains(text, "|    this")
  equal(text:find("# now", 1, true) < text:find("renegotiation 1", 1, true), true)
  equal(model.steps[#model.steps].text, "the end")
end)

test("a diagram in Mermaid has a line for each step", function()
  for _, name in ipairs(drawn.names) do
    local model = diagram.model(links[name])
    local lines, arrows = {}, 0
    for line in links[name]:diagram { format = "mermaid" }:gmatch "[^\n]+" do
      lines[#lines + 1] = line
      arrows = arrows + (line:find "^ +%l+%-%-?[x>]+%l+: " and 1 or 0)
    end
    local wanted = 0
    for _, step in ipairs(model.steps) do
      wanted = wanted + (step.from and 1 or 0)
    end
    equal(lines[1], "sequenceDiagram")
    equal(arrows, wanted, name)
  end
end)

test("a refusal in Mermaid, to the letter", function()
  local text = links["no shared version"]:diagram { format = "mermaid" }
  equal("\n" .. text:gsub("(ClientHello)[^\n]*", "%1"), [[

sequenceDiagram
  participant client
  participant server
  client->>server: ClientHello
  Note left of server: failed here: no_shared_version
  server--xclient: Alert: fatal handshake_failure (40)
  Note right of client: told here, by the alert
  Note over client: failed
  Note over server: failed
]])
end)

test("options are strict", function()
  local link = links["TLS 1.3"]
  unit.raises('link:diagram: unknown option "form"', function()
    link:diagram { form = "svg" }
  end)
  unit.raises('link:diagram: format: unknown word "txt" (did you mean "text"?)', function()
    link:diagram { format = "txt" }
  end)
  unit.raises("link:diagram: width", function() link:diagram { width = 20 } end)
  unit.raises("link:diagram: to be called with a colon", function() link.diagram() end)
end)

test("a model can travel as JSON and is drawn the same there", function()
  local json = require "dkjson"
  for _, name in ipairs(drawn.names) do
    local model = diagram.model(links[name])
    local travelled = json.decode(json.encode(model))
    for _, format in ipairs(diagram.FORMATS) do
      equal(diagram.draw(travelled, format), (diagram.draw(model, format)), name)
    end
  end
end)

test("what means nothing in a ClientHello is called so, and is no suite", function()
  local told = require("moonshake.views.facts").of_message({
    type = "ClientHello", hello = {
      versions = { "0x8a8a", "TLS1.3", "TLS1.2" }, groups = { "0xcaca", "x25519", "0xcafa" },
      cipher_suites = { "0x2a2a", "TLS_AES_128_GCM_SHA256", "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" },
      key_shares = { "0xcaca", "x25519" }, extended_master_secret = true,
      secure_renegotiation = true,
    },
  }, {})
  equal(table.concat(told, "; "), "GREASE, TLS1.3, TLS1.2; TLS_AES_128_GCM_SHA256; "
          .. "groups GREASE, x25519, 0xcafa; key_share GREASE, x25519")
end)

unit.done()
