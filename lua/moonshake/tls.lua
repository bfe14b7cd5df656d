-- SPDX-License-Identifier: MIT
-- ms.tls: links, and the values that stand for themselves.
local arguments = require "moonshake.arguments"
local link = require "moonshake.link"
local marks = require "moonshake.marks"
local settings = require "moonshake.settings"
local strict = require "moonshake.strict"

local tls = {}

--- Stands for nil in `has { ... }`, and as what `equals` and `one_of` compare with.
tls.none = marks.none

--- What a stack cannot tell: no expectation on it passes, negated or not.
tls.unknown = marks.unknown

--- As an option's value: takes back what was said before.
tls.default = marks.default

--- tls.link { client = {...}, server = {...}, ... }: a link between two ends in memory; nothing has
--- happened yet. Options beside the two ends hold for both, an end's own win. See options.ends for
--- the options of an end.
---@param given table
---@return table link
function tls.link(given)
  local api = "tls.link"
  if type(given) ~= "table" or getmetatable(given) ~= nil then
    strict.raise(("%s: wants a table of options, got %s"):format(api, arguments.describe(given)))
  end
  local shared = settings.check_shared(api, given)
  local checked = {}
  for _, role in ipairs { "client", "server" } do
    local own = settings.check(("%s: %s"):format(api, role), role, shared[role])
    checked[role] = settings.merge(settings.merge({}, shared), own)
    checked[role].client, checked[role].server = nil, nil
  end
  return link.new(api, checked, { client = {}, server = {} })
end

return strict.module("tls", tls, { connect = true, listen = true })
