-- SPDX-License-Identifier: MIT
-- A link in which somebody chose every text, for the tests of what is drawn: as its log would be,
-- had a peer put `text` wherever a peer can put something.
local hostile_link = {}

local function certificates(text)
  local function certificate(subject, issuer)
    return { subject = subject, issuer = issuer, self_signed = false }
  end
  return { certificate(text, text .. "2"), certificate(text .. "1", text), certificate("", text),
           certificate(text, text), certificate(text, text) }
end

local function hello(text)
  return {
    versions = { text }, or_older = false, cipher_suites = { text, text }, groups = { text },
    key_shares = { text }, signature_schemes = { text }, server_name = text, alpn = { text, text },
    session_id = text, ticket = false, ticket_presented = false, pre_shared_key = true,
    early_data = true,
  }
end

--- The link, with what a script could note about it.
---@param text string
---@return table link
---@return table notes
function hostile_link.make(text)
  local events = {}
  local function add(role, kind, fields)
    fields.index, fields.role, fields.kind = #events + 1, role, kind
    fields.epoch = fields.epoch or "initial"
    events[#events + 1] = fields
  end
  local function message(from, type, fields)
    for index, direction in ipairs { "sent", "received" } do
      local made = { type = type, direction = direction, bytes = type .. text .. "\0\0\0" }
      for name, value in pairs(fields or {}) do
        made[name] = value
      end
      local other = from == "client" and "server" or "client"
      add(index == 1 and from or other, "message", made)
    end
  end
  message("client", "ClientHello", { hello = hello(text) })
  message("server", "HelloRetryRequest", { hello = hello(text) })
  message("server", "ServerHello", { hello = hello(text) })
  message("server", "EncryptedExtensions", { hello = hello(text) })
  message("server", "CertificateRequest")
  add("client", "request", { direction = "received", issuers = { text, text, text, text },
                             signature_schemes = { text } })
  message("server", "Certificate", { certificates = certificates(text) })
  message("server", "ServerKeyExchange")
  message("server", text)
  add("client", "verification", { verification = { verified = false, accepted = false,
                                                   problems = { text } } })
  add("client", "error", { problem = text, during = "handshake", told_by = "itself", code = text,
                           message = text })
  message("client", "Certificate", { certificates = {} })
  message("server", "NewSessionTicket")
  add("client", "alert", { direction = "sent", level = "fatal", name = text, number = 1 })
  add("server", "alert", { direction = "received", level = "fatal", name = text, number = 1 })
  add("server", "data", { direction = "sent", length = 3, bytes = text, epoch = text })
  local function history()
    return { { epoch = "initial", handshake_completed = false, group = text,
               peer_signature_scheme = text, not_sent_because = text } }
  end
  return {
    events = events,
    client = { phase = "failed", history = history() },
    server = { phase = "closed", history = history() },
  }, { { text = text, after = 3 }, { text = "wrap:" .. text, after = 9 } }
end

--- Texts of people who mean no good.
hostile_link.TEXTS = {
  "\27[2J\27[1;1H\27]0;title\7", "\u{9B}31m \u{202E}evil\u{2066}", "a\r\nb\tc\0d", "\xFF\xC0\xAF",
  "</text></svg><script>alert(1)</script>", '" onload="alert(1)', "<![CDATA[x]]>", "&#60;b&#62;",
  "<!-- x -->", "<?xml?>", "javascript:alert(1)", "url(http://x)", "'}*{fill:red",
  "\u{FFFE}\u{FFFF}",
  "a; end\n%%{init: {'theme': 'dark'}}%%", "#59;#35;", "<br/>--x", "$$x^2$$ `b` **c**",
  "style a:#1;#59;", "end", "Note over client: x", "client->>server: x",
  "\u{FB02}\u{B0}60\u{B6}\u{DF}",
  "```\n## heading", "|", "{", "]", "", " ", ("x"):rep(5000), ("\u{9577}"):rep(300),
  ("a b "):rep(400), "e" .. ("\u{301}"):rep(200), "[31m",
}

return hostile_link
