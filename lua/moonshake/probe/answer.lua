-- SPDX-License-Identifier: MIT
-- What a server said under TLS to our harmless request, and whether that refuses us: some servers
-- complete the handshake with whoever comes and say no in their own protocol.
local answer = {}

-- nginx's page (its internal statuses 495 and 496 reach a client as 400), and what others write.
local OF_CERTIFICATES = {
  "No required SSL certificate was sent", "The SSL certificate error", "client certificate",
  "certificate required", "certificate is required", "refused: the certificate",
  "valid certificate", "SSL certificate",
}

-- The line, or the text between two tags, that speaks of certificates.
local function about_certificates(text)
  for line in text:gmatch "[^<>\r\n]+" do
    local lower = line:lower()
    for _, words in ipairs(OF_CERTIFICATES) do
      if lower:find(words:lower(), 1, true) then
        return line
      end
    end
  end
end

local function http(bytes)
  local status, reason = bytes:match "^HTTP/%d[%d.]* (%d%d%d) ?([^\r\n]*)"
  if not status then
    return nil
  end
  local number = math.tointeger(tonumber(status))
  local made = { protocol = "http", status = number, line = bytes:match "^[^\r\n]*",
                 server = bytes:match "\r?\n[Ss]erver: *([^\r\n]*)" }
  if number >= 400 and bytes:find("ALPN Protocol, expected", 1, true) then -- Node
    made.unheard = true
    return made
  end
  local words = number >= 400 and about_certificates(bytes)
  if number == 495 or number == 496 or words then
    made.refuses, made.about = true, words or reason
  elseif number == 403 or number == 401 then
    made.forbidden = true
  end
  return made
end

-- An error of PostgreSQL: 'E', length, then fields: a letter and a text each.
local function postgres(bytes)
  local kind = bytes:sub(1, 1)
  if kind == "E" then
    local text = ("\0" .. bytes:sub(6)):match "\0M([^\0]*)\0" or ""
    local refuses = about_certificates(text) ~= nil
    return { protocol = "postgres", line = "ERROR: " .. text, refuses = refuses or nil,
             about = refuses and text or nil }
  elseif kind == "R" then
    return { protocol = "postgres", line = "it wants to know who we are (authentication request)" }
  end
end

local function other(bytes)
  local line = bytes:match "^[^\r\n]*"
  return { protocol = "other", line = #line > 0 and line or bytes:sub(1, 32) }
end

--- Reads an answer.
---@param bytes string its beginning
---@param protocol string|nil of --starttls; nil: HTTP was spoken
---@return { protocol: string, line: string, status: integer?, server: string?, refuses: boolean?,
---  about: string?, forbidden: boolean?, unheard: boolean? } refuses: for want of a certificate
---  that it likes, in these words (`about`); forbidden: perhaps for that; unheard: HTTP/1.1 is not
---  what it speaks
function answer.read(bytes, protocol)
  if protocol == "postgres" then
    return postgres(bytes) or other(bytes)
  end
  return not protocol and http(bytes) or other(bytes)
end

--- What is told of an answer in HTTP/2.
answer.HTTP2 = { protocol = "h2", line = "HTTP/2, in which nothing was asked", unheard = true }

-- How long the body is, by the head; nil where that is not said.
local function body_length(head)
  return math.tointeger(tonumber(head:lower():match "\ncontent%-length: *(%d+)"))
end

local ENOUGH = 1 << 14

--- Whether enough of an answer is there to read it.
---@param bytes string
---@param protocol string|nil
---@return boolean
function answer.is_whole(bytes, protocol)
  if #bytes >= ENOUGH then
    return true
  elseif protocol or not bytes:find "^HTTP/" then
    return protocol == nil and not ("HTTP/"):find(bytes, 1, true) or protocol ~= nil and #bytes > 0
  end
  local head, body = bytes:match "^(.-\r?\n\r?\n)(.*)$"
  if not head then
    return false
  end
  local length = body_length(head)
  return tonumber(head:match "^%S+ (%d%d%d)") < 400 or length ~= nil and #body >= length
end

return answer
