-- SPDX-License-Identifier: MIT
-- A link on the page of a case: what went wrong and why, the sequence diagram, and the certificate
-- state of both ends. It is given what views/picture.lua made, as it came out of JSON.
local diagram_text = require "moonshake.views.diagram_text"
local diagram_svg = require "moonshake.views.diagram_svg"
local h = require "moonshake.report.html.markup"
local parts = require "moonshake.report.html.parts"

local link = {}

local ROLES = { "client", "server" }

---------------------------------------------------------------------------------------------------
-- Explanation

-- How both ends learned of it is told once an epoch, with the last failure.
local function finding(found, has_epochs, is_last)
  return h.div {
    class = found.kind == "failure" and "card bad" or "card told",
    h.p { class = "message", has_epochs and found.epoch .. ": " or "", found.what },
    #found.why > 0 and h.ul { class = "dots", h.each(found.why, function(why)
      return h.li { why }
    end) } or false,
    h.dl {
      class = "values",
      is_last and h.each(ROLES, function(role)
        return found.told[role] and { h.dt { role }, h.dd { found.told[role] } }
      end),
      h.dt { "clause" }, h.dd { found.rfc },
      found.next and { h.dt { "next" }, h.dd { found.next } } or false,
    },
  }
end

local function findings(list)
  local last = {}
  for _, found in ipairs(list) do
    last[found.epoch] = found.kind == "failure" and found or last[found.epoch] or false
  end
  local has_epochs = next(last, (next(last))) ~= nil
  return #list > 0 and h.each(list, function(found)
    return finding(found, has_epochs, last[found.epoch] == found)
  end)
end

---------------------------------------------------------------------------------------------------
-- Diagram

local PIXELS, COLUMNS = 560, 80 -- a telephone shows most of it, and a wide screen larger

local function diagram(model)
  local picture = diagram_svg.draw(model, { bare = true, width = PIXELS })
  local text = table.concat(diagram_text(model, { width = COLUMNS, unicode = true }), "\n")
  return {
    h.div { class = "card diagram", parts.scrolling("Sequence diagram", h.raw(picture)) },
    parts.folded("The diagram as text", parts.code("The diagram as text", text)),
  }
end

---------------------------------------------------------------------------------------------------
-- State

local MARKS = {
  ["!="] = { "\u{2260}", "not what Certificate messages carried" },
  ["!!"] = { "!", "at fault" },
}

local function line(one)
  local mark, text = MARKS[one[1]], one[2]
  local indent = text:find "^ " and "in" or ""
  return h.div {
    class = (mark and "marked " or "") .. indent,
    mark and { h.span { class = "mark", title = mark[2], mark[1] },
               h.span { class = "unseen", " (", mark[2], ")" }, " " } or false,
    text,
  }
end

local function row(one)
  if not (one.client or one.server) then
    return h.tr { class = "group", h.th { colspan = "3", scope = "colgroup", one.label } }
  end
  return h.tr {
    h.th { scope = "row", one.label == "" and "phase" or one.label },
    h.each(ROLES, function(role) return h.td { h.each(one[role], line) } end),
  }
end

local function epoch(one)
  return h.div { class = "card", parts.scrolling("State in the epoch " .. one.name, h.table {
    h.caption { "Epoch ", h.strong { one.name } },
    h.thead { h.tr { h.td {}, h.each(ROLES, function(role)
      return h.th { scope = "col", role }
    end) } },
    h.tbody { h.each(one.rows, row) },
  }) }
end

local function certificate(one, heading)
  return h.div {
    class = "card", heading { one.title },
    h.dl { class = "values", h.each(one.facts, function(fact)
      return { h.dt { fact[1] }, h.dd { fact[2] } }
    end) },
  }
end

local function state(told, total)
  local count = told.num_certificates
  return {
    h.each(told.epochs, epoch),
    count > 0 and parts.folded(("%d certificate%s"):format(count, count == 1 and "" or "s"), {
      h.div { class = "columns", h.each(told.certificates, function(one)
        return certificate(one, total > 1 and h.h4 or h.h3)
      end) },
      count > #told.certificates and h.p { class = "soft", "Not all of them are told." } or false,
    }) or false,
  }
end

---------------------------------------------------------------------------------------------------

-- What came over a wire or out of a file may be anything: then that part is missing, and said so.
local function try(what, f, value, total)
  if value == nil then
    return false
  end
  local done, made = pcall(f, value, total)
  if not done then
    return h.p { class = "soft", ("The %s cannot be shown: "):format(what), tostring(made) }
  end
  return made
end

local SECTIONS = {
  { "findings", "Why", findings, "explanation" },
  { "model", "What happened", diagram, "diagram" },
  { "state", "Certificate state", state, "certificate state" },
}

--- The sections of a link.
---@param told table
---@param index integer
---@param total integer how many links the page has
---@return any
function link.sections(told, index, total)
  local heading = total > 1 and h.h3 or h.h2
  local made = h.each(SECTIONS, function(part)
    local name, title, f, what = table.unpack(part)
    local content = try(what, f, told[name], total)
    local id = ("link-%d-%s"):format(index, name)
    return content and h.section {
      ["aria-labelledby"] = id, heading { id = id, title }, content,
    }
  end)
  return total == 1 and made or h.section {
    class = "link", ["aria-labelledby"] = "link-" .. index,
    h.h2 { id = "link-" .. index, ("Link %d of %d"):format(index, total) }, made,
  }
end

return link
