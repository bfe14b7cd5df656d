-- SPDX-License-Identifier: MIT
-- Runs what reproduce/source.lua writes: in this process, without a case round it.
local ms = require "moonshake"
local of_link = require "moonshake.reproduce.of_link"
local source = require "moonshake.reproduce.source"

local reproduced = {}

--- Loads the text of a scenario file and runs its one scenario. Raises where an expectation fails.
---@param text string
---@return { links: table[], skipped: string|nil, name: string, about: string|nil }
function reproduced.run(text)
  local told, defined = { links = {} }, nil
  local fake = setmetatable({
    scenario = function(name)
      return function(keys)
        told.name, told.about, defined = name, keys.about, keys
      end
    end,
    skip = function(reason)
      told.skipped = reason
    end,
    tls = setmetatable({
      link = function(given)
        told.links[#told.links + 1] = ms.tls.link(given)
        return told.links[#told.links]
      end,
    }, { __index = ms.tls }),
  }, { __index = ms })
  local chunk = assert(load(text, "=written", "t", {
    require = function(name)
      assert(name == "moonshake")
      return fake
    end,
  }))
  chunk()
  defined.run()
  return told
end

--- Raises unless the lines of a source are such as luacheck takes them.
---@param text string
function reproduced.check_lines(text)
  for line in text:gmatch "[^\n]*" do
    assert((utf8.len(line) or 0) <= 100, "too long: " .. line)
    assert(not line:find "%s$", "ends in white space: " .. line)
  end
end

-- A value as text, keys in order.
local function show(value)
  if type(value) ~= "table" then
    return tostring(value)
  end
  local keys, pieces = {}, {}
  for key in pairs(value) do
    keys[#keys + 1] = tostring(key)
  end
  table.sort(keys)
  for index, key in ipairs(keys) do
    local one = value[key]
    pieces[index] = key .. "=" .. show(one == nil and value[tonumber(key)] or one)
  end
  return "{" .. table.concat(pieces, " ") .. "}"
end

--- What a link came to, as text: every epoch.
---@param link table
---@return string
function reproduced.outcome(link)
  local model = of_link.model(link, { title = "", at = 0 })
  local pieces = { show(model.outcome) }
  for index, later in ipairs(model.later) do
    pieces[index + 1] = later.action .. show(later.outcome)
  end
  return (table.concat(pieces, "\n"):gsub("[{}]", "\n%0"))
end

--- Writes a link down, runs that, and raises unless it came to the same.
---@param link table
---@param how? table what of_link.model() takes
---@return string text the source
---@return table told of reproduced.run(), and of source.write()
function reproduced.again(link, how)
  how = how or {}
  how.title, how.at = how.title or "again", ms.clock:now()
  local text, written = source.write(of_link.model(link, how))
  reproduced.check_lines(text)
  local done, told = pcall(reproduced.run, text)
  if not done then
    error(tostring(type(told) == "table" and told.message or told) .. "\n" .. text, 0)
  end
  local wanted, found = reproduced.outcome(link), reproduced.outcome(assert(told.links[1], text))
  if wanted ~= found then
    error(("was %s\nis %s\n%s"):format(wanted, found, text), 0)
  end
  if #written.differences > 0 then
    error("it tells of differences\n" .. text, 0)
  end
  told.written = written
  return text, told
end

return reproduced
