-- SPDX-License-Identifier: MIT
-- What a client did, as a page that is shown to itself: complete in one answer, and nothing in it
-- can ask for anything else or run.
local dkjson = require "dkjson"
local facts = require "moonshake.serve.facts"
local frame = require "moonshake.report.html.frame"
local h = require "moonshake.report.html.markup"
local link = require "moonshake.report.html.link"
local native = require "moonshake.native"
local parts = require "moonshake.report.html.parts"
local picture = require "moonshake.views.picture"
local style = require "moonshake.report.html.style"
local text = require "moonshake.serve.text"

local page = {}

-- Pairs of a name and a text; one without a name goes on with the one before.
local function pairs_of(list)
  local rows = {}
  for _, pair in ipairs(list) do
    if pair[1] ~= "" or #rows == 0 then
      rows[#rows + 1] = { pair[1], {} }
    end
    table.insert(rows[#rows][2], pair[2])
  end
  return h.dl { class = "values", h.each(rows, function(row)
    return { h.dt { row[1] }, h.dd { h.each(row[2], function(one) return h.div { one } end) } }
  end) }
end

local function certificate(told)
  local good = told.sent and #told.sent > 0 and told.verified
  local bad = told.sent and #told.sent > 0 and told.verified == false
  return parts.section("certificate", "Your certificate", h.div {
    class = bad and "card bad" or "card told",
    h.p { class = "message", not told.asked and not told.resumed and "Nobody asked for one."
          or not (told.sent and told.sent[1]) and "You were asked for one, and sent none."
          or good and "You sent one, and it is good." or bad and "You sent one, and it is not good."
          or "You sent one, and nobody judged it." },
    pairs_of(text.certificate(told)),
  })
end

local function offers(told)
  return parts.section("offers", "Your connection", h.div {
    class = "card", pairs_of {
      { "agreed", text.agreed(told) or "nothing" },
      table.unpack(text.offered(told.offered)),
    },
  })
end

-- The picture of a connection, without what is not for its client.
local function picture_of(connection)
  local made = picture.of({ connection }, {}, {})
  local one, kept = made.links[1], {}
  for index, finding in ipairs(one.findings and connection.findings or {}) do
    kept[#kept + 1] = facts.is_told(finding) and one.findings[index] or nil
  end
  one.findings = one.findings and kept
  return made
end

-- What the views show of a link came out of JSON, where a report is written.
local function pictures(connection)
  local done, made = pcall(function()
    return dkjson.decode(dkjson.encode(picture_of(connection)))
  end)
  if not done then
    return h.p { class = "soft", "What happened cannot be shown: ", tostring(made) }
  end
  return {
    h.each(made.links, function(one) return link.sections(one, 1, 1) end),
    h.each(made.problems, function(problem)
      return h.p { class = "soft", "What could not be told: ", problem }
    end),
  }
end

--- The page.
---@param told table see facts.lua
---@param connection table
---@param answer { heading: string, sentence: string?, refused: boolean, ask_at: string? }
---@return string
function page.of(told, connection, answer)
  local outcome = answer.refused and "failed" or "passed"
  return frame.head(answer.heading .. " \u{2013} Moonshake", style.case) .. h.text(
    h.a { class = "skip", href = "#main", "To the content" },
    answer.ask_at and h.nav { ["aria-label"] = "Pages", h.a { href = "/", "/" }, " ", h.a {
      href = answer.ask_at, answer.ask_at,
    }, " (asks for a certificate)" } or false,
    h.header {
      h.p { class = "brand", "Moonshake serve" },
      h.h1 { h.span { class = "outcome " .. outcome, h.span {
        ["aria-hidden"] = "true", answer.refused and "\u{2717} " or "\u{2713} ",
      }, answer.heading, " " }, ("Client %d, %s"):format(told.number, told.address) },
      answer.sentence and h.p { class = "about", answer.sentence } or false,
    },
    h.main { id = "main", tabindex = "-1", certificate(told.certificate), offers(told),
             pictures(connection) }
  ) .. frame.foot { version = native.version, stack = native.stack }
end

return page
