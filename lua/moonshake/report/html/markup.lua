-- SPDX-License-Identifier: MIT
-- HTML as values. markup.p { class = "x", "text ", markup.code { text } } is an element: names are
-- attributes, what stands in order is content. Texts are escaped; only markup.raw() is not. What is
-- made is well-formed as XML, too.
local escape = require "moonshake.escape"

local markup = {}

local Node = {}

-- Elements that have no content, and no end.
local VOID = { meta = true, input = true, rect = true }

local function add(out, value)
  local kind = type(value)
  if kind == "table" then
    if getmetatable(value) == Node then
      out[#out + 1] = value.html
    else
      for _, item in ipairs(value) do
        add(out, item)
      end
    end
  elseif kind == "string" then
    out[#out + 1] = escape.html(value)
  elseif kind == "number" then
    out[#out + 1] = tostring(value)
  end -- false stands for nothing
end

local function element(name, given)
  local names = {}
  for key, value in pairs(given) do
    if type(key) == "string" and value then
      names[#names + 1] = key
    end
  end
  table.sort(names)
  local out = { "<", name }
  for _, key in ipairs(names) do
    local value = given[key]
    out[#out + 1] = (' %s="%s"'):format(key, escape.html(value == true and key or tostring(value)))
  end
  if VOID[name] then
    out[#out + 1] = "/>"
  else
    out[#out + 1] = ">"
    add(out, given)
    out[#out + 1] = "</" .. name .. ">"
  end
  return setmetatable({ html = table.concat(out) }, Node)
end

--- HTML that is known to be right.
---@param html string
---@return table
function markup.raw(html)
  return setmetatable({ html = html }, Node)
end

--- The text of nodes, texts and lists of them.
---@param ... any
---@return string
function markup.text(...)
  local out = {}
  add(out, { ... })
  return table.concat(out)
end

--- The same content for each of a list.
---@param list any[]|nil
---@param make fun(item: any, index: integer): any
---@return any[]
function markup.each(list, make)
  local made = {}
  for index, item in ipairs(list or {}) do
    made[index] = make(item, index) or false
  end
  return made
end

return setmetatable(markup, {
  __index = function(self, name)
    local function make(given)
      return element(name, given)
    end
    rawset(self, name, make)
    return make
  end,
})
