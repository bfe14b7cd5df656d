-- SPDX-License-Identifier: MIT
-- What is answered to a request: the report of the client that asks, as it likes to read it; or why
-- not.
local asking = require "moonshake.serve.asking"
local facts = require "moonshake.serve.facts"
local http = require "moonshake.serve.http"
local json = require "moonshake.serve.json"
local page = require "moonshake.serve.page"
local text = require "moonshake.serve.text"

local answer = {}

local TEXT, HTML, JSON = "text/plain", "text/html", "application/json"
local UTF8 = "; charset=utf-8"

--- The answer to what was no request, or one that is not answered here.
---@param status integer
---@param sentence string
---@return table
function answer.to_bad(status, sentence)
  return { status = status, type = TEXT .. UTF8, sentence = sentence,
           body = ("%d %s: %s\n"):format(status, http.REASONS[status], sentence) }
end

-- A page's own rules are in it; these hold for what a browser does with it.
local FIELDS = { "Content-Security-Policy: frame-ancestors 'none'", "Referrer-Policy: no-referrer" }

local function report(client, request, refusal)
  local told = facts.of(client)
  local heading = refusal and "Refused" or "Let in"
  if not refusal and not told.certificate.asked and not told.certificate.resumed then
    heading = "Connected"
  end
  local type = http.preferred(request.fields.accept, { TEXT, HTML, JSON })
  local body
  if type == HTML then
    body = page.of(told, client.connection, {
      heading = heading, sentence = refusal and refusal.text, refused = refusal ~= nil,
      ask_at = client.served.ask_at,
    })
  elseif type == JSON then
    body = json.of(told) .. "\n"
  else
    body = text.page(told, heading .. (refusal and ": " .. refusal.text or ""))
  end
  return { status = refusal and 403 or 200, type = type .. UTF8, body = body, fields = FIELDS,
           sentence = refusal and refusal.text }
end

--- What to answer, after the client was asked for its certificate where that is due.
---@param client table see client.lua
---@param request table see http.lua
---@return table|nil answer { status, type, body, fields, sentence, certificate }; nil where the
---  connection ended over the question
function answer.to(client, request)
  if request.method ~= "GET" and request.method ~= "HEAD" then
    local refused = answer.to_bad(405, "GET and HEAD are answered here")
    refused.fields = { "Allow: GET, HEAD" }
    return refused
  elseif request.path:sub(1, 1) ~= "/" then
    return answer.to_bad(400, "the path does not begin with /")
  elseif request.path == "/favicon.ico" then
    return answer.to_bad(404, "there is no picture")
  end
  local alive, refusal, asked = asking.judge(client, request.path)
  if not alive then
    return nil
  end
  local made = report(client, request, refusal)
  made.certificate = asked and facts.certificate(client.connection, client.served.trust) or nil
  return made
end

return answer
