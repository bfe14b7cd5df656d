-- SPDX-License-Identifier: MIT
-- Chains of the same shape as those that were seen: certificates as presented -> Lua source in
-- which the factory makes their like, with keys of its own. Nothing of a real key or certificate is
-- copied but names and what its extensions say.
--
--   local shapes = shape.new { at = seconds since the epoch, when they were seen }
--   local made = shapes:add(certificates, { role = "server", missing = true })
--   made.identity  "server": the expression of an identity that presents the like of the list
--   made.anchor    "root": that of the authority, or self-signed certificate, which ends its path
--   shapes:lines() the statements that make them all, not indented
local certificate = require "moonshake.reproduce.certificate"
local literal = require "moonshake.reproduce.literal"

local shape = {}
shape.__index = shape

local MOST_NAMED = 8 -- authorities above a leaf that have a variable each

--- Begins.
---@param how { at: integer }
---@return table shapes
function shape.new(how)
  return setmetatable({ at = how.at, statements = {}, taken = {}, made = {}, named = {} }, shape)
end

-- A variable that is free.
function shape:variable(...)
  for _, name in ipairs { ... } do
    if not self.taken[name] then
      self.taken[name] = true
      return name
    end
  end
  local last, number = select(-1, ...), 2
  while self.taken[last .. "_" .. number] do
    number = number + 1
  end
  self.taken[last .. "_" .. number] = true
  return last .. "_" .. number
end

-- One more statement, below its comment: `left = call options`.
function shape:state(left, call, options, comment)
  for _, line in ipairs(literal.comment(comment or {}, 0)) do
    self.statements[#self.statements + 1] = line
  end
  local before = ("%s = %s "):format(left, call)
  local text = before .. literal.render(options, 0, #before)
  for line in text:gmatch "[^\n]+" do
    self.statements[#self.statements + 1] = line
  end
end

-- What the certificate is called in a remark.
local function called(found)
  return found.subject == "" and "a certificate" or found.subject
end

local function told(found, remarks)
  return #remarks > 0
    and ("What was seen differs, %s: %s."):format(called(found), table.concat(remarks, "; ")) or nil
end

-- Where a made certificate goes: a local of its own, or a place in a table of many.
local function declare(place)
  return place:find("[", 1, true) and place or "local " .. place
end

-- Makes an authority that nobody has seen, only its name in what it issued.
function shape:unseen(name, place, issued, above)
  local options = literal.table()
  local remark = certificate.add_subject(options, name)
  local key = certificate.signer_key(issued.signature_algorithm)
  if key ~= "ecdsa-p256" then
    literal.add(options, "key", literal.string(key))
  end
  self:state(declare(place), above and above.place .. ":authority" or "pki.authority", options,
             remark and ("What was seen differs: %s."):format(remark))
  local made = { place = place, key = key, above = above }
  self.named[name] = made
  return made
end

-- Makes the like of a certificate, below `above` or self-signed.
function shape:like(found, place, above, authority)
  local options, remarks, key = certificate.options(found, {
    at = self.at, authority = authority or not above, signer = above and above.key,
  })
  local call = "pki.authority"
  if above then
    call = above.place .. (authority and ":authority" or ":issue")
  end
  self:state(declare(place), call, options, told(found, remarks))
  local made = { place = place, key = key, above = above }
  self.made[found.fingerprint] = made
  if authority or not above then
    self.named[found.subject] = self.named[found.subject] or made
  end
  return made
end

-- The certification path among the certificates presented: leaf first.
local function path_of(chain)
  local path, used, current = { chain[1] }, { [chain[1].fingerprint] = true }, chain[1]
  while current.subject ~= current.issuer do
    local above
    for _, candidate in ipairs(chain) do
      if not used[candidate.fingerprint] and candidate.subject == current.issuer
        and (not above or candidate.is_ca and not above.is_ca) then
        above = candidate
      end
    end
    if not above then
      break
    end
    path[#path + 1], used[above.fingerprint], current = above, true, above
  end
  return path
end

-- The authority above the last certificate of a path, which was not presented; nil where that is
-- self-signed.
function shape:above(path, how)
  local top = path[#path]
  if top.subject == top.issuer then
    return nil
  elseif self.named[top.issuer] then
    return self.named[top.issuer]
  elseif how.anchor and how.anchor.subject == top.issuer then
    return self:like(how.anchor, self:variable("root", how.role .. "_root"), nil, true)
  elseif how.missing then
    local options = literal.table()
    literal.add(options, "cn", literal.string("Root"))
    local root = { place = self:variable("root", how.role .. "_root"), key = "ecdsa-p256" }
    self:state("local " .. root.place, "pki.authority", options)
    local place = self:variable("intermediate", how.role .. "_intermediate")
    return self:unseen(top.issuer, place, top, root)
  end
  return self:unseen(top.issuer, self:variable("root", how.role .. "_root"), top)
end

-- Where the authorities of a path are kept, from the root down.
function shape:places(count, role)
  if count <= MOST_NAMED then
    return function()
      return self:variable("intermediate", role .. "_intermediate")
    end
  end
  local list = self:variable("authorities", role .. "_authorities")
  self.statements[#self.statements + 1] = ("local %s = {}"):format(list)
  local number = 0
  return function()
    number = number + 1
    return ("%s[%d]"):format(list, number)
  end
end

-- What was presented and is on no path: a stranger.
function shape:stranger(found, role)
  local place
  if found.subject == found.issuer then
    place = self:variable("stranger", role .. "_stranger")
    return self:like(found, place, nil, true)
  end
  local above = self.named[found.issuer]
    or self:unseen(found.issuer, self:variable("strange_root", role .. "_strange_root"), found)
  place = self:variable("stranger", role .. "_stranger")
  return self:like(found, place, above, found.is_ca)
end

-- The path's certificates made, from the root down; returns the leaf.
function shape:make_path(path, how)
  local above = self:above(path, how)
  local place_of = self:places(#path - 1, how.role)
  for index = #path, 2, -1 do
    local made = self.made[path[index].fingerprint]
    if not made then
      local place = not above and self:variable("root", how.role .. "_root") or place_of()
      made = self:like(path[index], place, above, true)
    end
    above = made
  end
  return self.made[path[1].fingerprint]
    or self:like(path[1], self:variable(how.role, how.role .. "_identity"), above, false)
end

-- What ends the path of what was made.
local function anchor_of(made)
  while made.above do
    made = made.above
  end
  return made
end

-- What a made identity presents by itself: its path, without the root.
local function presented_by(made)
  local places = { made.place }
  while made.above do
    made = made.above
    places[#places + 1] = made.above and made.place or nil
  end
  return places
end

local function same(list, other)
  return table.concat(list, " ") == table.concat(other, " ")
end

--- Adds a chain as it was presented, leaf first.
---@param chain userdata[] certificates
---@param how { role: string, anchor?: userdata, missing?: boolean } role: what its variables are
---  called by; anchor: the certificate above the last, where it is known; missing: that one is an
---  intermediate, which was left out
---@return { identity: string, anchor: string }
function shape:add(chain, how)
  local leaf = self:make_path(path_of(chain), how)
  local places = {}
  for index, found in ipairs(chain) do
    places[index] = (self.made[found.fingerprint] or self:stranger(found, how.role)).place
  end
  local identity = leaf.place
  if not same(places, presented_by(leaf)) then
    local list, options = literal.table(), literal.table()
    for _, place in ipairs(places) do
      literal.add(list, nil, place)
    end
    literal.add(options, "chain", list)
    identity = self:variable(how.role .. "_as_sent")
    self:state("local " .. identity, leaf.place .. ":with", options)
  end
  return { identity = identity, anchor = anchor_of(leaf).place }
end

--- The statements, not indented.
---@return string[]
function shape:lines()
  return self.statements
end

return shape
