-- SPDX-License-Identifier: MIT
-- What bytes look like that should have been TLS, by how they begin.
local escape = require "moonshake.escape"

local SHOWN = 48 -- bytes of a text

local BEFORE_TLS = "it begins in the clear: ask for TLS by its own command first (STARTTLS), or "
  .. "use its port for TLS"

local HTTP = {
  server = "use the server's port for https, or let it speak TLS on this one",
  client = "let the client use https://, not http://",
}

-- { patterns, what it looks like, what to do: a text, or by the role of who sent it }
local KNOWN = {
  { { "^HTTP/%d" }, "it looks like an answer in plain HTTP", HTTP },
  { { "^PRI %* HTTP/2" }, "it looks like HTTP/2 without TLS", HTTP },
  { { "^%u+ [^\r\n]* HTTP/%d", "^%u+ /" }, "it looks like a request in plain HTTP", HTTP },
  { { "^SSH%-%d" }, "it looks like SSH", "this is a port for SSH: use that for TLS" },
  { { "^220[ -].*[Ff][Tt][Pp]" }, "it looks like FTP or SMTP", BEFORE_TLS },
  { { "^[245]%d%d[ -]" }, "it looks like SMTP (or FTP)", BEFORE_TLS },
  { { "^[EH][HE]LO " }, "it looks like SMTP", BEFORE_TLS },
  { { "^%* OK", "^%* BYE", "^%* PREAUTH" }, "it looks like IMAP", BEFORE_TLS },
  { { "^%+OK", "^%-ERR" }, "it looks like POP3 (or Redis)", BEFORE_TLS },
  { { "^<%?xml", "^<stream" }, "it looks like XMPP", BEFORE_TLS },
  { { "^...\0\10[%d]+%.[%d]+" }, "it looks like MySQL", BEFORE_TLS },
  { { "^\0\0\0\8\4\210\22\47" }, "it looks like PostgreSQL's request for TLS",
    "answer it with the byte S first" },
  { { "^[SNE]$", "^E\0\0" }, "it looks like an answer of PostgreSQL", BEFORE_TLS },
  { { "^PROXY ", "^\r\n\r\n\0\r\nQUIT\n" }, "it looks like the header of the PROXY protocol",
    "take that header off at the proxy, or read it before TLS begins" },
  { { "^[\128-\191].\1[\0\3]" }, "it looks like the hello of SSL 2.0",
    "let the client offer TLS 1.2 or later" },
}

-- The first line as it can be shown; of what is no text the first bytes.
local function shown(bytes)
  local line = bytes:match "^[^\r\n]*"
  if #line > 0 and not line:find "[^\32-\126]" then
    local cut = #line > SHOWN and line:sub(1, SHOWN) .. "..." or line
    return '"' .. escape.line(cut) .. '"'
  end
  return (bytes:sub(1, 16):gsub(".", function(byte)
    return ("%02x "):format(byte:byte())
  end):gsub(" $", ""))
end

--- What bytes that were to be TLS look like.
---@param bytes string the first ones that came, not empty
---@return { looks: string, shown: string, next: string|table<string, string>, why: string? }|nil
--- found nil where they can be a record of TLS
return function(bytes)
  if bytes:find "^[\20-\24]\3[\0-\4]" or #bytes < 3 and bytes:find "^[\20-\24]\3?$" then
    return nil
  end
  for _, known in ipairs(KNOWN) do
    for _, pattern in ipairs(known[1]) do
      if bytes:find(pattern) then
        return { looks = known[2], shown = shown(bytes), next = known[3] }
      end
    end
  end
  return {
    looks = "it is no record", shown = shown(bytes), next = "check host and port",
    why = "a record begins with its type (20 to 24) and the version 3.x",
  }
end
