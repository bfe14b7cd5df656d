-- SPDX-License-Identifier: MIT
-- From the model of a handshake (see source.lua) to the statements that make its certificates and
-- the options of its link.
local certificate = require "moonshake.reproduce.certificate"
local lists = require "moonshake.reproduce.lists"
local literal = require "moonshake.reproduce.literal"
local shape = require "moonshake.reproduce.shape"

local setup = {}

local OTHER = { client = "server", server = "client" }
local LISTS = { "versions", "cipher_suites", "groups", "signature_schemes" }
local CHOSEN = { versions = "version", cipher_suites = "cipher_suite", groups = "group" }
local MOST_ISSUERS = 12 -- names in a request that are written down

local function remark(self, text)
  self.remarks[#self.remarks + 1] = text
end

local function can_be_sni(name)
  return #name > 0 and #name <= 253 and not name:find ":" and not name:find "^%d+%.%d+%.%d+%.%d+$"
    and not name:find "\0" and utf8.len(name) ~= nil
end

---------------------------------------------------------------------------------------------------
-- Certificates

-- The identity of a server whose chain nobody saw: one that fits what was agreed on.
local function invented(self)
  local name = self.model.client.server_name
  local options = literal.table()
  local place = self.shapes:variable("root", "server_root")
  literal.add(options, "cn", '"Root"')
  self.shapes:state("local " .. place, "pki.authority", options)
  self.shapes.named["CN=Root"] = { place = place, key = "ecdsa-p256" }
  options = literal.table()
  literal.add(options, "dns", literal.string(name and can_be_sni(name) and name
                                             or "server.example"))
  local suite = (self.model.chosen or {}).cipher_suite or ""
  if suite:find "_RSA_WITH_" then
    literal.add(options, "key", '"rsa-2048"')
  end
  local server = self.shapes:variable "server"
  self.shapes:state("local " .. server, place .. ":issue", options,
                    "The chain of the server was not seen: this one is made up.")
  return { identity = server, anchor = place }
end

-- A chain without the certificates that cannot be read.
local function readable(self, role)
  local list = {}
  for index, found in ipairs(self.model[role].chain or {}) do
    if certificate.readable(found) then
      list[#list + 1] = found
    else
      remark(self, ("Certificate %d of the %s cannot be read: it is left out."):format(index, role))
    end
  end
  return list
end

local function make_identity(self, role)
  local one, chain = self.model[role], self.chains[role]
  if #chain > 0 then
    return self.shapes:add(chain, { role = role, anchor = one.anchor, missing = one.missing })
  end
  return role == "server" and invented(self) or {}
end

-- An authority by that name: one that is there, or a new one.
local function authority_named(self, name, ...)
  local made = self.shapes.named[name]
  if made then
    return made.place
  end
  local options = literal.table()
  if certificate.add_subject(options, name) then
    return nil
  end
  local place = self.shapes:variable(...)
  self.shapes:state("local " .. place, "pki.authority", options)
  self.shapes.named[name] = { place = place, key = "ecdsa-p256" }
  return place
end

-- Issuers that can be written, and of many only some: those that name the client's chain first.
local function issuers_of(self)
  local named, own, others = self.model.server.issuers, {}, {}
  for _, found in ipairs(self.chains.client) do
    own[found.issuer] = true
  end
  local unwritten = 0
  for _, name in ipairs(named) do
    if certificate.add_subject(literal.table(), name) or name == "" then
      unwritten = unwritten + 1
    elseif own[name] then
      table.insert(others, 1, name)
    else
      others[#others + 1] = name
    end
  end
  if unwritten > 0 then
    remark(self, ("%d of the %d issuers that the server names cannot be written."):format(
      unwritten, #named))
  elseif #others <= MOST_ISSUERS then
    return named
  end
  if #others > MOST_ISSUERS then
    remark(self, ("The server names %d issuers; here are %d of them."):format(#named,
                                                                            MOST_ISSUERS))
  end
  return table.move(others, 1, math.min(#others, MOST_ISSUERS), 1, {})
end

-- Whether the server names none of those who issued the client's chain.
local function names_others(self)
  local named = {}
  for _, name in ipairs(self.issuers or {}) do
    named[name] = true
  end
  for _, found in ipairs(self.chains.client) do
    if named[found.issuer] then
      return false
    end
  end
  return next(named) ~= nil
end

-- What each end trusts: expressions; nil for nobody.
local function trust_of(self, role, made)
  local one, peer = self.model[role], made[OTHER[role]]
  if one.verify == false and role == "client" then
    return nil
  elseif one.trust == "other" or role == "server" and not one.trust and names_others(self) then
    local first = role == "server" and (self.issuers or {})[1]
    local place = first and authority_named(self, first, "client_root")
    if place and place ~= peer.anchor then
      return place
    elseif not peer.anchor then
      return place or made[role].anchor
    end
    return authority_named(self, "CN=Somebody Else", "somebody_else")
  elseif peer.anchor then
    return peer.anchor
  end
  return made[role].anchor
end

---------------------------------------------------------------------------------------------------
-- Options

local function add_lists(self, role, options)
  local one, chosen, base = self.model[role], self.model.chosen or {}, {}
  for _, name in ipairs(LISTS) do
    local wanted = one[name]
    local agreed = chosen[CHOSEN[name] or ""]
    if role == "server" and self.adjust.choice and self.adjust.choice[name] then
      wanted = agreed and { agreed }
    end
    if wanted and #wanted > 0 then
      local list, remarks, possible = lists.fit(role, base, name, wanted, agreed)
      table.move(remarks, 1, #remarks, #self.remarks + 1, self.remarks)
      if not possible and name ~= "signature_schemes" then
        self.impossible = self.impossible or remarks[#remarks]
      end
      base[name] = list
      literal.add(options, name, list and literal.value(list, true))
    end
  end
end

local VERIFY = {
  accept = { "function() return true end", "It accepts what it finds, whatever is wrong." },
  refuse = { "function() return false end", "It refuses, for a reason that no shape shows." },
}

local function add_verify(self, role, options)
  local verify = self.adjust.verify and self.adjust.verify[role]
  if verify == nil then
    verify = self.model[role].verify
  end
  if verify == false then
    literal.add(options, "verify", role == "server" and "false" or nil)
  elseif verify then
    literal.add(options, "verify", table.unpack(VERIFY[verify]))
  end
end

local MOST_PROTOCOLS, LONGEST_PROTOCOL = 8, 31 -- that GnuTLS takes

local function protocols_of(self, role)
  local wanted, list = self.model[role].alpn or {}, {}
  for _, protocol in ipairs(wanted) do
    if #protocol > 0 and #protocol <= LONGEST_PROTOCOL and #list < MOST_PROTOCOLS then
      list[#list + 1] = protocol
    end
  end
  if #list < #wanted then
    remark(self, ("The %s has %d protocols (ALPN); GnuTLS takes %d of them."):format(role, #wanted,
                                                                                #list))
  end
  return list
end

local function add_common(self, role, options, made)
  local one = self.model[role]
  literal.add(options, "identity", made[role].identity)
  literal.add(options, "trust", self.trusts[role])
  add_verify(self, role, options)
  local protocols = protocols_of(self, role)
  literal.add(options, "alpn", #protocols > 0 and literal.value(protocols, true) or nil)
  for _, pair in ipairs { { "extended_master_secret", "extended_master_secret", "false" },
                          { "secure_renegotiation", "renegotiation", '"absent"' },
                          { "post_handshake_auth", "post_handshake_auth", "false" },
                          { "ticket", "tickets", "0" } } do
    literal.add(options, pair[2], one[pair[1]] == false and pair[3] or nil)
  end
  local alerts = self.adjust.alerts and self.adjust.alerts[role]
  literal.add(options, "alerts", alerts and literal.string(alerts))
end

local function client_options(self, made)
  local options, one = literal.table(), self.model.client
  add_common(self, "client", options, made)
  if one.server_name and can_be_sni(one.server_name) then
    literal.add(options, "server_name", literal.string(one.server_name))
  elseif one.server_name then
    remark(self, ("The name that the client asks for cannot be sent by GnuTLS: %s."):format(
      literal.string(one.server_name)))
  end
  local send = one.send or self.sends_always and "always"
  literal.add(options, "send_certificate", send and literal.string(send) or nil)
  add_lists(self, "client", options)
  return options
end

-- Whether the issuers are those that trust names by itself.
local function is_named_by_trust(self)
  local trusted = #self.issuers == 1 and self.shapes.named[self.issuers[1]]
  return trusted and trusted.place == self.trusts.server and not trusted.above
end

local function server_options(self, made)
  local options, one = literal.table(), self.model.server
  add_common(self, "server", options, made)
  if one.client_auth and one.client_auth ~= "none" then
    literal.add(options, "client_auth", literal.string(one.client_auth))
  end
  if self.issuers and not is_named_by_trust(self) then
    literal.add(options, "issuers", literal.value(self.issuers))
  end
  literal.add(options, "alpn_required", one.alpn_required and "true" or nil)
  literal.add(options, "unknown_name", one.unknown_name and literal.string(one.unknown_name))
  add_lists(self, "server", options)
  return options
end

-- Takes an option out of a constructor.
local function take(options, key)
  for index, item in ipairs(options.items) do
    if item.key == key then
      return table.remove(options.items, index)
    end
  end
end

-- What both say of their versions is said once.
local function share_versions(both, client, server)
  local texts = {}
  for index, options in ipairs { client, server } do
    for _, item in ipairs(options.items) do
      texts[index] = item.key == "versions" and literal.render(item.value, 0, 0) or texts[index]
    end
  end
  if texts[1] and texts[1] == texts[2] then
    take(server, "versions")
    literal.add(both, "versions", take(client, "versions").value)
  end
end

-- Whether the server asks for a certificate, at once or later.
local function asks_ever(model)
  local asks = model.server.client_auth and model.server.client_auth ~= "none"
  for _, later in ipairs(model.later or {}) do
    asks = asks or later.action == "reauthenticate"
      or later.client_auth and later.client_auth ~= "none"
  end
  return asks
end

-- Whether the client was seen to send a certificate.
local function sent_certificates(model)
  local outcomes = { model.outcome or {} }
  for _, later in ipairs(model.later or {}) do
    outcomes[#outcomes + 1] = later.outcome
  end
  for _, outcome in ipairs(outcomes) do
    local count = outcome.client and outcome.client.sent
    if count and count > 0 then
      return true
    end
  end
  return false
end

--- Makes what is written: `lines` (statements that make the certificates, not indented), `options`
--- of tls.link (a constructor), `remarks` (what could not be the same) and `impossible` (why
--- nothing of it can work), or nil.
---@param model table see source.lua
---@param adjust { choice?: table, verify?: table, alerts?: table } what a trial has found necessary
---@return table made
function setup.make(model, adjust)
  local self = { model = model, adjust = adjust, remarks = {}, trusts = {},
                 shapes = shape.new { at = model.at } }
  self.chains = { client = readable(self, "client"), server = readable(self, "server") }
  local made = {}
  for _, role in ipairs { "server", "client" } do
    made[role] = make_identity(self, role)
  end
  local asks = asks_ever(model)
  self.issuers = asks and model.server.issuers and issuers_of(self) or nil
  -- GnuTLS keeps at home what no issuer named has issued; others may not.
  self.sends_always = asks and names_others(self) and sent_certificates(model)
  self.trusts.client = trust_of(self, "client", made)
  self.trusts.server = asks and trust_of(self, "server", made) or nil
  local both = literal.table()
  local server, client = server_options(self, made), client_options(self, made)
  literal.add(both, "server", server)
  literal.add(both, "client", client)
  share_versions(both, client, server)
  return { lines = self.shapes:lines(), options = both, remarks = self.remarks,
           impossible = self.impossible, made = made, shapes = self.shapes }
end

return setup
