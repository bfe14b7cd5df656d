-- SPDX-License-Identifier: MIT
-- The certificate state of both ends, side by side, in columns for a terminal.
local columns = require "moonshake.views.columns"
local state_rows = require "moonshake.views.state_rows"

local state_text = {}

local WIDTH = 80
local NARROW = 64   -- below it the ends stand one below the other
local LABEL = 9     -- columns of the rows' names
local FACT = 11     -- columns of the names of a certificate's facts
local ROLES = { "client", "server" }
local PLAIN = "  "  -- stands for a mark

-- A cell's lines, each as wide as that.
local function lines_of(cell, width)
  local lines = {}
  for _, one in ipairs(cell or {}) do
    local indent = one[2]:match "^ *"
    for index, text in ipairs(columns.wrap(one[2], width - 3 - #indent)) do
      local mark = index == 1 and one[1] or PLAIN
      lines[#lines + 1] = columns.pad(("%s %s%s"):format(mark, indent, text), width)
    end
  end
  return lines
end

local function trimmed(text)
  return (text:gsub(" +$", ""))
end

local function add_beside(out, rows, width)
  local room = (width - LABEL - 6) // 2
  local blank = (" "):rep(room)
  local function add(label, client, server)
    out[#out + 1] = trimmed(("%s | %s | %s"):format(columns.pad(label, LABEL), client, server))
  end
  add("", columns.pad("   client", room), "   server")
  for _, row in ipairs(rows) do
    if not (row.client or row.server) then
      out[#out + 1] = row.label
    else
      local client, server = lines_of(row.client, room), lines_of(row.server, room)
      for index = 1, math.max(#client, #server) do
        add(index == 1 and row.label or "", client[index] or blank, server[index] or "")
      end
    end
  end
end

local function add_below(out, rows, width)
  for _, role in ipairs(ROLES) do
    out[#out + 1] = role
    for _, row in ipairs(rows) do
      if not (row.client or row.server) then
        out[#out + 1] = "  " .. row.label
      end
      for index, text in ipairs(lines_of(row[role], width - LABEL - 3)) do
        out[#out + 1] = trimmed(("  %s %s"):format(
          columns.pad(index == 1 and row.label or "", LABEL), text))
      end
    end
  end
end

local function add_certificate(out, one, width)
  for index, part in ipairs(columns.wrap(one.title, width - 2)) do
    out[#out + 1] = index == 1 and part or "  " .. part
  end
  for _, fact in ipairs(one.facts) do
    for index, part in ipairs(columns.wrap(fact[2], width - FACT - 2)) do
      out[#out + 1] = ("  %s%s"):format(columns.pad(index == 1 and fact[1] or "", FACT), part)
    end
  end
end

--- The certificate state of both ends of a link as lines for a terminal, escaped. `!=` stands where
--- what is reported is not what Certificate messages carried, `!!` at what a verification found
--- wrong.
---@param link table
---@param width? integer columns, default 80
---@return string[] lines
function state_text.text(link, width)
  width = math.max(width or WIDTH, 40)
  local state, out = state_rows.of(link), {}
  for _, epoch in ipairs(state.epochs) do
    out[#out + 1] = ("%s %s"):format(epoch.name, ("-"):rep(width - #epoch.name - 1))
    local add = width < NARROW and add_below or add_beside
    add(out, epoch.rows, width)
  end
  if state.num_certificates > 0 then
    out[#out + 1] = "certificates " .. ("-"):rep(width - 13)
  end
  for _, one in ipairs(state.certificates) do
    add_certificate(out, one, width)
  end
  if state.num_certificates > #state.certificates then
    out[#out + 1] = ("... %d certificates in all"):format(state.num_certificates)
  end
  return out
end

return state_text
